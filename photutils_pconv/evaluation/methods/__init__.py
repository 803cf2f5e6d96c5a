# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Other methods to compare with: annuli, PSF fits, fills.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'fills': (
            'fill_annulus_mean',
            'fill_biharmonic',
            'fill_interpolated',
            'fill_local_median',
            'fill_maskfill',
        ),
        'known_covariance': ('KrigingResult', 'kriging'),
        'local_covariance': (
            'PatchStatistics',
            'condition',
            'estimate_noise',
            'infill_roughly',
            'patch_statistics',
        ),
        'registry': ('BASELINES', 'available_baselines', 'measure_baselines'),
        'scene': ('MethodResult', 'Scene'),
    },
)
