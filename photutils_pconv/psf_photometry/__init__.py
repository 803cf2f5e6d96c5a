# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Fits of a PSF to sources, and fluxes by matched filters.

`fit_psf` fits a PSF and a background to every source of a map, `fit_shape` finds
the angle and width that the PSF has there, and `measure_fluxes` measures the
fluxes by the filters of a `FilterBank` that scatter least. `FitSettings` says
which sources determine what. `build_empirical_psf` makes a PSF from the map's own
sources.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'aperture_scale': ('aperture_fraction',),
        'empirical': ('build_empirical_psf',),
        'filter_fluxes': ('measure_fluxes',),
        'filters': ('FilterBank', 'get_filter_bank'),
        'fitting': ('FitSettings', 'PSFFit', 'fit_psf'),
        'quality': ('fit_quality',),
        'scatter': ('filter_scatter',),
        'shape': ('find_telling', 'fit_shape'),
        'size_fits': ('find_resolved', 'fit_sizes'),
    },
)
