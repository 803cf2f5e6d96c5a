# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Aperture photometry of removed sources, its errors, and its flags.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'annulus': (
        'METHODS',
        'AnnulusPhotometry',
        'AnnulusStatistics',
        'annulus_photometry',
        'local_background',
        'measure_annuli',
        'sum_above',
    ),
    'aperture_fluxes': (
        'ApertureFluxes',
        'AperturePlan',
        'measure_sources',
        'source_photometry',
    ),
    'apertures': (
        'RemovedPhotometry',
        'encircled_energy_correction',
        'removed_photometry',
        'sum_removed',
    ),
    'calibration': (
        'ErrorCalibration',
        'get_error_calibration',
    ),
    'errors': (
        'flux_error',
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
    'METHODS',
    'AnnulusPhotometry',
    'AnnulusStatistics',
    'ApertureFluxes',
    'AperturePlan',
    'ErrorCalibration',
    'FlagDefinition',
    'RemovedPhotometry',
    'SourceFlags',
    'annulus_photometry',
    'decode_flags',
    'encircled_energy_correction',
    'flag_positions',
    'flux_error',
    'get_error_calibration',
    'local_background',
    'measure_annuli',
    'measure_sources',
    'pixel_response',
    'removed_photometry',
    'scatter_ratio',
    'snr',
    'source_photometry',
    'sum_above',
    'sum_removed',
]

__getattr__, __dir__ = attach(__name__, _HOME)
