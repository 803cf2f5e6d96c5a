# Written by tools/write_stubs.py from the file __init__.py beside it.

from .covariances import choose_covariance as choose_covariance
from .hole_filling import InpaintSettings as InpaintSettings
from .hole_filling import inpaint as inpaint
from .kriging import krige_cutout as krige_cutout
from .native_grid import inpaint_grid as inpaint_grid
from .reconstruction import Reconstruction as Reconstruction
from .scaling import NORMALISATIONS as NORMALISATIONS
from .scaling import Scaling as Scaling
from .scaling import normalise as normalise
from .wings import SourceWings as SourceWings
from .wings import expected_wings as expected_wings

__all__ = [
    'InpaintSettings',
    'NORMALISATIONS',
    'Reconstruction',
    'Scaling',
    'SourceWings',
    'choose_covariance',
    'expected_wings',
    'inpaint',
    'inpaint_grid',
    'krige_cutout',
    'normalise',
]
