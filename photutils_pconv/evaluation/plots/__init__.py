# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Figures of an evaluation.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'before_after': ('plot_before_after',),
    'fluxes': (
        'METHOD_COLORS',
        'plot_complexity',
        'plot_flux_boxes',
        'plot_ratio_by_aperture',
        'plot_standard_stars',
    ),
    'illustrations': (
        'plot_masks',
        'plot_psfs',
        'plot_snr',
        'plot_source_loss',
    ),
    'maps': (
        'MAP_COLORS',
        'plot_delta_variance',
        'plot_difference',
        'plot_map_statistics',
        'plot_pdfs',
        'plot_power_spectra',
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'MAP_COLORS',
    'METHOD_COLORS',
    'plot_before_after',
    'plot_complexity',
    'plot_delta_variance',
    'plot_difference',
    'plot_flux_boxes',
    'plot_map_statistics',
    'plot_masks',
    'plot_pdfs',
    'plot_power_spectra',
    'plot_psfs',
    'plot_ratio_by_aperture',
    'plot_snr',
    'plot_source_loss',
    'plot_standard_stars',
]

__getattr__, __dir__ = attach(__name__, _HOME)
