# Written by tools/write_stubs.py from the file __init__.py beside it.

from .composition import Composition as Composition
from .composition import compose as compose
from .draws import DrawModel as DrawModel
from .draws import Draws as Draws
from .empty_sample import EmptySample as EmptySample
from .empty_sample import sample_empty_holes as sample_empty_holes
from .filling import Filled as Filled
from .filling import Filler as Filler
from .filling import PSFFluxes as PSFFluxes
from .flux_errors import FluxErrors as FluxErrors
from .flux_errors import estimate_errors as estimate_errors
from .map_plots import plot_maps as plot_maps
from .measuring import make_plan as make_plan
from .measuring import measure as measure
from .pipeline import Removal as Removal
from .pipeline import make_filler as make_filler
from .pipeline import remove_sources as remove_sources
from .pipeline import run_removal as run_removal
from .plots import plot_holes as plot_holes
from .plots import plot_removal as plot_removal
from .remover import NeuralSourceRemover as NeuralSourceRemover
from .result import SourceRemovalResult as SourceRemovalResult
from .settings import RemovalSettings as RemovalSettings
from .sources import Sources as Sources
from .sources import choose_holes as choose_holes
from .sources import locate_sources as locate_sources

__all__ = [
    'Composition',
    'DrawModel',
    'Draws',
    'EmptySample',
    'Filled',
    'Filler',
    'FluxErrors',
    'NeuralSourceRemover',
    'PSFFluxes',
    'Removal',
    'RemovalSettings',
    'SourceRemovalResult',
    'Sources',
    'choose_holes',
    'compose',
    'estimate_errors',
    'locate_sources',
    'make_filler',
    'make_plan',
    'measure',
    'plot_holes',
    'plot_maps',
    'plot_removal',
    'remove_sources',
    'run_removal',
    'sample_empty_holes',
]
