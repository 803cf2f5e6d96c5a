# Written by tools/write_stubs.py from the file __init__.py beside it.

from .characters import MapCharacter as MapCharacter
from .characters import map_character as map_character
from .pdfs import LogNormal as LogNormal
from .pdfs import fit_log_normal as fit_log_normal
from .pdfs import pixel_pdf as pixel_pdf
from .pixels import PixelStatistics as PixelStatistics
from .pixels import compare_pixel_statistics as compare_pixel_statistics
from .pixels import pixel_statistics as pixel_statistics
from .power_laws import PowerLaw as PowerLaw
from .power_laws import fit_power_law as fit_power_law
from .spectra import delta_variance as delta_variance
from .spectra import normalised_difference as normalised_difference
from .spectra import power_spectrum as power_spectrum
from .spectra import relative_difference as relative_difference

__all__ = [
    'LogNormal',
    'MapCharacter',
    'PixelStatistics',
    'PowerLaw',
    'compare_pixel_statistics',
    'delta_variance',
    'fit_log_normal',
    'fit_power_law',
    'map_character',
    'normalised_difference',
    'pixel_pdf',
    'pixel_statistics',
    'power_spectrum',
    'relative_difference',
]
