# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Aperture photometry of removed sources, its errors, and its flags.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'annulus': (
        'annulus_photometry',
        'local_background',
    ),
    'apertures': (
        'encircled_energy_correction',
        'removed_photometry',
        'source_photometry',
    ),
    'errors': (
        'ErrorCalibration',
        'excess_variance',
        'flux_error',
        'get_error_calibration',
        'scatter_ratio',
    ),
    'flags': (
        'FLAGS',
        'FlagDefinition',
        'SourceFlags',
        'decode_flags',
        'flag_positions',
    ),
    'response': ('pixel_response',),
    'signal_to_noise': ('snr',),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'FLAGS',
    'ErrorCalibration',
    'FlagDefinition',
    'SourceFlags',
    'annulus_photometry',
    'decode_flags',
    'encircled_energy_correction',
    'excess_variance',
    'flag_positions',
    'flux_error',
    'get_error_calibration',
    'local_background',
    'pixel_response',
    'removed_photometry',
    'scatter_ratio',
    'snr',
    'source_photometry',
]

__getattr__, __dir__ = attach(__name__, _HOME)
