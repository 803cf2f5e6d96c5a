# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Fits of a PSF to sources, and fluxes by matched filters.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'aperture_scale': (
            'aperture_fraction',
            'aperture_ratio',
        ),
        'empirical': (
            'MINIMUM_SNR',
            'MINIMUM_STARS',
            'build_empirical_psf',
            'choose_stars',
        ),
        'filter_fluxes': ('measure_fluxes',),
        'filters': (
            'FILTER_RADIUS',
            'FilterBank',
            'filter_scatter',
            'get_filter_bank',
        ),
        'fitting': (
            'FIT_RADIUS',
            'NEIGHBOUR_DISTANCE',
            'POSITION_SNR',
            'SHAPE_SNR',
            'FitWindow',
            'PSFFit',
            'find_neighbours',
            'fit_psf',
            'fit_quality',
            'polynomial_terms',
            'solve_window',
        ),
        'shape': ('fit_shape',),
    },
)
