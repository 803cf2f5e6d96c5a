# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Fits of a PSF to sources, and fluxes by matched filters.

`fit_psf` fits a PSF and a background to every source of a map, `fit_shape` finds
the angle and width that the PSF has there, and `measure_fluxes` measures the
fluxes by the filters that scatter least. `FitSettings` tells which sources tell
what. `build_empirical_psf` makes a PSF from the map's own sources.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'empirical': ('build_empirical_psf',),
    'filter_fluxes': ('measure_fluxes',),
    'fitting': ('FitSettings', 'PSFFit', 'fit_psf', 'fit_quality'),
    'shape': ('fit_shape',),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'FitSettings',
    'PSFFit',
    'build_empirical_psf',
    'fit_psf',
    'fit_quality',
    'fit_shape',
    'measure_fluxes',
]

__getattr__, __dir__ = attach(__name__, _HOME)
