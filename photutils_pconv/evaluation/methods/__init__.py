# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Other methods to compare with: annuli, PSF fits, fills.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'fills': (
        'fill_annulus_mean',
        'fill_biharmonic',
        'fill_interpolated',
        'fill_local_median',
        'fill_maskfill',
    ),
    'known_covariance': ('KrigingResult', 'kriging'),
    'registry': ('BASELINES', 'available_baselines', 'measure_baselines'),
    'scene': ('MethodResult', 'Scene'),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'BASELINES',
    'KrigingResult',
    'MethodResult',
    'Scene',
    'available_baselines',
    'fill_annulus_mean',
    'fill_biharmonic',
    'fill_interpolated',
    'fill_local_median',
    'fill_maskfill',
    'kriging',
    'measure_baselines',
]

__getattr__, __dir__ = attach(__name__, _HOME)
