# Written by tools/write_stubs.py from the file __init__.py beside it.

from .annulus import AnnulusPhotometry as AnnulusPhotometry
from .annulus import AnnulusStatistics as AnnulusStatistics
from .annulus import annulus_photometry as annulus_photometry
from .annulus import local_background as local_background
from .aperture_fluxes import ApertureFluxes as ApertureFluxes
from .aperture_fluxes import AperturePlan as AperturePlan
from .aperture_fluxes import source_photometry as source_photometry
from .apertures import RemovedPhotometry as RemovedPhotometry
from .apertures import encircled_energy_correction as encircled_energy_correction
from .apertures import removed_photometry as removed_photometry
from .calibration import ErrorCalibration as ErrorCalibration
from .calibration import get_error_calibration as get_error_calibration
from .flags import FLAGS as FLAGS
from .flags import FlagDefinition as FlagDefinition
from .flags import SourceFlags as SourceFlags
from .flags import count_flags as count_flags
from .flags import decode_flags as decode_flags
from .flags import has_warning as has_warning
from .passbands import Passband as Passband
from .passbands import colour_correction as colour_correction
from .passbands import find_passband as find_passband
from .passbands import get_passband as get_passband
from .response import pixel_response as pixel_response
from .signal_to_noise import snr as snr
from .upper_limits import detection_ratio as detection_ratio
from .upper_limits import flux_upper_limit as flux_upper_limit

__all__ = [
    'AnnulusPhotometry',
    'AnnulusStatistics',
    'ApertureFluxes',
    'AperturePlan',
    'ErrorCalibration',
    'FLAGS',
    'FlagDefinition',
    'Passband',
    'RemovedPhotometry',
    'SourceFlags',
    'annulus_photometry',
    'colour_correction',
    'count_flags',
    'decode_flags',
    'detection_ratio',
    'encircled_energy_correction',
    'find_passband',
    'flux_upper_limit',
    'get_error_calibration',
    'get_passband',
    'has_warning',
    'local_background',
    'pixel_response',
    'removed_photometry',
    'snr',
    'source_photometry',
]
