# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Aperture photometry of removed sources, its errors, limits, and flags, and
colour corrections.

Plain arrays: fluxes are in the unit of the map times pixel, positions are
0-based pixels.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'annulus': (
            'AnnulusPhotometry',
            'AnnulusStatistics',
            'annulus_photometry',
            'local_background',
        ),
        'apertures': (
            'RemovedPhotometry',
            'encircled_energy_correction',
            'removed_photometry',
        ),
        'aperture_fluxes': ('ApertureFluxes', 'AperturePlan', 'source_photometry'),
        'calibration': ('ErrorCalibration', 'get_error_calibration'),
        'flags': (
            'FLAGS',
            'FlagDefinition',
            'SourceFlags',
            'count_flags',
            'decode_flags',
            'has_warning',
        ),
        'passbands': (
            'Passband',
            'colour_correction',
            'find_passband',
            'get_passband',
        ),
        'response': ('pixel_response',),
        'signal_to_noise': ('snr',),
        'upper_limits': ('detection_ratio', 'flux_upper_limit'),
    },
)
