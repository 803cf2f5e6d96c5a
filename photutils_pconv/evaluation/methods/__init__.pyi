# Written by tools/write_stubs.py from the file __init__.py beside it.

from .fills import fill_annulus_mean as fill_annulus_mean
from .fills import fill_biharmonic as fill_biharmonic
from .fills import fill_interpolated as fill_interpolated
from .fills import fill_local_median as fill_local_median
from .fills import fill_maskfill as fill_maskfill
from .known_covariance import KrigingResult as KrigingResult
from .known_covariance import kriging as kriging
from .local_covariance import PatchStatistics as PatchStatistics
from .local_covariance import condition as condition
from .local_covariance import estimate_noise as estimate_noise
from .local_covariance import infill_roughly as infill_roughly
from .local_covariance import patch_statistics as patch_statistics
from .registry import BASELINES as BASELINES
from .registry import available_baselines as available_baselines
from .registry import measure_baselines as measure_baselines
from .scene import MethodResult as MethodResult
from .scene import Scene as Scene

__all__ = [
    'BASELINES',
    'KrigingResult',
    'MethodResult',
    'PatchStatistics',
    'Scene',
    'available_baselines',
    'condition',
    'estimate_noise',
    'fill_annulus_mean',
    'fill_biharmonic',
    'fill_interpolated',
    'fill_local_median',
    'fill_maskfill',
    'infill_roughly',
    'kriging',
    'measure_baselines',
    'patch_statistics',
]
