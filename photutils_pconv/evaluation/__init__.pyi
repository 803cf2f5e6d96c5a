# Written by tools/write_stubs.py from the file __init__.py beside it.

from .batch import MapRemoval as MapRemoval
from .batch import remove_from_maps as remove_from_maps
from .batch import remove_from_simulations as remove_from_simulations
from .config import EvaluationConfig as EvaluationConfig
from .draw_errors import DrawErrors as DrawErrors
from .draw_errors import measure_draw_errors as measure_draw_errors
from .fields import EvaluationField as EvaluationField
from .fields import make_evaluation_field as make_evaluation_field
from .fields import make_evaluation_fields as make_evaluation_fields
from .fluxes import evaluate_fluxes as evaluate_fluxes
from .fluxes import measure_ratios as measure_ratios
from .judging import POWER_LIMIT as POWER_LIMIT
from .judging import SCATTER_LIMIT as SCATTER_LIMIT
from .judging import SHIFT_LIMIT as SHIFT_LIMIT
from .methods.known_covariance import KrigingResult as KrigingResult
from .methods.known_covariance import kriging as kriging
from .methods.registry import available_baselines as available_baselines
from .methods.registry import measure_baselines as measure_baselines
from .methods.scene import MethodResult as MethodResult
from .plots.before_after import plot_before_after as plot_before_after
from .plots.fluxes import METHOD_COLORS as METHOD_COLORS
from .plots.fluxes import plot_complexity as plot_complexity
from .plots.fluxes import plot_flux_boxes as plot_flux_boxes
from .plots.fluxes import plot_ratio_by_aperture as plot_ratio_by_aperture
from .plots.fluxes import plot_standard_stars as plot_standard_stars
from .plots.illustrations import plot_masks as plot_masks
from .plots.illustrations import plot_psfs as plot_psfs
from .plots.illustrations import plot_snr as plot_snr
from .plots.illustrations import plot_source_loss as plot_source_loss
from .plots.maps import MAP_COLORS as MAP_COLORS
from .plots.maps import plot_delta_variance as plot_delta_variance
from .plots.maps import plot_difference as plot_difference
from .plots.maps import plot_map_statistics as plot_map_statistics
from .plots.maps import plot_pdfs as plot_pdfs
from .plots.maps import plot_power_spectra as plot_power_spectra
from .published import load_paper_statistics as load_paper_statistics
from .published import load_standard_stars as load_standard_stars
from .removers import RemoverChoice as RemoverChoice
from .removers import list_removers as list_removers
from .run import Evaluation as Evaluation
from .run import run_evaluation as run_evaluation
from .standard_stars import measure_standard_stars as measure_standard_stars
from .star_maps import fetch_standard_stars as fetch_standard_stars
from .star_tables import format_star_table as format_star_table
from .star_tables import make_star_table as make_star_table
from .statistics.characters import MapCharacter as MapCharacter
from .statistics.characters import map_character as map_character
from .statistics.pdfs import LogNormal as LogNormal
from .statistics.pdfs import fit_log_normal as fit_log_normal
from .statistics.pdfs import pixel_pdf as pixel_pdf
from .statistics.pixels import PixelStatistics as PixelStatistics
from .statistics.pixels import compare_pixel_statistics as compare_pixel_statistics
from .statistics.pixels import pixel_statistics as pixel_statistics
from .statistics.power_laws import PowerLaw as PowerLaw
from .statistics.power_laws import fit_power_law as fit_power_law
from .statistics.spectra import delta_variance as delta_variance
from .statistics.spectra import normalised_difference as normalised_difference
from .statistics.spectra import power_spectrum as power_spectrum
from .statistics.spectra import relative_difference as relative_difference
from .structure import MapComparison as MapComparison
from .structure import compare_maps as compare_maps
from .structure import evaluate_structure as evaluate_structure
from .structure_tables import join_comparisons as join_comparisons
from .summaries import compare_methods as compare_methods
from .summaries import summarise_by_complexity as summarise_by_complexity
from .summaries import summarise_ratios as summarise_ratios
from .training_sets import SetComparison as SetComparison
from .training_sets import compare_training_set as compare_training_set
from .verdicts import Verdict as Verdict

__all__ = [
    'DrawErrors',
    'Evaluation',
    'EvaluationConfig',
    'EvaluationField',
    'KrigingResult',
    'LogNormal',
    'MAP_COLORS',
    'METHOD_COLORS',
    'MapCharacter',
    'MapComparison',
    'MapRemoval',
    'MethodResult',
    'POWER_LIMIT',
    'PixelStatistics',
    'PowerLaw',
    'RemoverChoice',
    'SCATTER_LIMIT',
    'SHIFT_LIMIT',
    'SetComparison',
    'Verdict',
    'available_baselines',
    'compare_maps',
    'compare_methods',
    'compare_pixel_statistics',
    'compare_training_set',
    'delta_variance',
    'evaluate_fluxes',
    'evaluate_structure',
    'fetch_standard_stars',
    'fit_log_normal',
    'fit_power_law',
    'format_star_table',
    'join_comparisons',
    'kriging',
    'list_removers',
    'load_paper_statistics',
    'load_standard_stars',
    'make_evaluation_field',
    'make_evaluation_fields',
    'make_star_table',
    'map_character',
    'measure_baselines',
    'measure_draw_errors',
    'measure_ratios',
    'measure_standard_stars',
    'normalised_difference',
    'pixel_pdf',
    'pixel_statistics',
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
    'power_spectrum',
    'relative_difference',
    'remove_from_maps',
    'remove_from_simulations',
    'run_evaluation',
    'summarise_by_complexity',
    'summarise_ratios',
]
