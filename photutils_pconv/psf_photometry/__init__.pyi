# Written by tools/write_stubs.py from the file __init__.py beside it.

from .aperture_scale import aperture_fraction as aperture_fraction
from .empirical import build_empirical_psf as build_empirical_psf
from .filter_fluxes import measure_fluxes as measure_fluxes
from .filters import FilterBank as FilterBank
from .filters import get_filter_bank as get_filter_bank
from .fitting import FitSettings as FitSettings
from .fitting import PSFFit as PSFFit
from .fitting import fit_psf as fit_psf
from .quality import fit_quality as fit_quality
from .scatter import filter_scatter as filter_scatter
from .shape import find_telling as find_telling
from .shape import fit_shape as fit_shape
from .size_fits import find_resolved as find_resolved
from .size_fits import fit_sizes as fit_sizes

__all__ = [
    'FilterBank',
    'FitSettings',
    'PSFFit',
    'aperture_fraction',
    'build_empirical_psf',
    'filter_scatter',
    'find_resolved',
    'find_telling',
    'fit_psf',
    'fit_quality',
    'fit_shape',
    'fit_sizes',
    'get_filter_bank',
    'measure_fluxes',
]
