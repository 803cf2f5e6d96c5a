# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Fits of a PSF to sources, and fluxes by matched filters.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
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
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'FILTER_RADIUS',
    'FIT_RADIUS',
    'MINIMUM_SNR',
    'MINIMUM_STARS',
    'NEIGHBOUR_DISTANCE',
    'POSITION_SNR',
    'SHAPE_SNR',
    'FilterBank',
    'FitWindow',
    'PSFFit',
    'aperture_fraction',
    'aperture_ratio',
    'build_empirical_psf',
    'choose_stars',
    'filter_scatter',
    'find_neighbours',
    'fit_psf',
    'fit_quality',
    'fit_shape',
    'get_filter_bank',
    'measure_fluxes',
    'polynomial_terms',
    'solve_window',
]

__getattr__, __dir__ = attach(__name__, _HOME)
