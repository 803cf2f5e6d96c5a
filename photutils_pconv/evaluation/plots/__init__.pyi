# Written by tools/write_stubs.py from the file __init__.py beside it.

from .before_after import plot_before_after as plot_before_after
from .fluxes import METHOD_COLORS as METHOD_COLORS
from .fluxes import plot_complexity as plot_complexity
from .fluxes import plot_flux_boxes as plot_flux_boxes
from .fluxes import plot_ratio_by_aperture as plot_ratio_by_aperture
from .fluxes import plot_standard_stars as plot_standard_stars
from .illustrations import plot_masks as plot_masks
from .illustrations import plot_psfs as plot_psfs
from .illustrations import plot_snr as plot_snr
from .illustrations import plot_source_loss as plot_source_loss
from .maps import MAP_COLORS as MAP_COLORS
from .maps import plot_delta_variance as plot_delta_variance
from .maps import plot_difference as plot_difference
from .maps import plot_map_statistics as plot_map_statistics
from .maps import plot_pdfs as plot_pdfs
from .maps import plot_power_spectra as plot_power_spectra

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
