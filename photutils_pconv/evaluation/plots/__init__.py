# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Figures of an evaluation.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
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
    },
)
