# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Statistics of maps: power spectra, PDFs, delta-variance.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
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
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'LogNormal',
    'PixelStatistics',
    'PowerLaw',
    'compare_pixel_statistics',
    'delta_variance',
    'fit_log_normal',
    'fit_power_law',
    'normalised_difference',
    'pixel_pdf',
    'pixel_statistics',
    'power_spectrum',
    'relative_difference',
]

__getattr__, __dir__ = attach(__name__, _HOME)
