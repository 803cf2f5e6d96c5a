# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Statistics of maps: power spectra, PDFs, delta-variance.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'characters': (
            'MapCharacter',
            'map_character',
        ),
        'pdfs': (
            'LogNormal',
            'fit_log_normal',
            'pixel_pdf',
        ),
        'pixels': (
            'PixelStatistics',
            'compare_pixel_statistics',
            'pixel_statistics',
        ),
        'power_laws': (
            'PowerLaw',
            'fit_power_law',
        ),
        'spectra': (
            'delta_variance',
            'normalised_difference',
            'power_spectrum',
            'relative_difference',
        ),
    },
)
