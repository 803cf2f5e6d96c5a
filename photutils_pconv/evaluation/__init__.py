# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Evaluation of removals: photometry, and the statistics of maps.

The paper's sections 4 and 5. The names below are imported at their first
use; only the plots need matplotlib.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'batch': ('MapRemoval', 'remove_from_maps', 'remove_from_simulations'),
        'config': ('EvaluationConfig',),
        'draw_errors': ('DrawErrors', 'measure_draw_errors'),
        'fields': (
            'EvaluationField',
            'make_evaluation_field',
            'make_evaluation_fields',
        ),
        'fluxes': ('evaluate_fluxes', 'measure_ratios'),
        'judging': ('POWER_LIMIT', 'SHIFT_LIMIT', 'SCATTER_LIMIT'),
        'methods.known_covariance': ('KrigingResult', 'kriging'),
        'methods.registry': ('available_baselines', 'measure_baselines'),
        'methods.scene': ('MethodResult',),
        'plots.before_after': ('plot_before_after',),
        'plots.fluxes': (
            'METHOD_COLORS',
            'plot_complexity',
            'plot_flux_boxes',
            'plot_ratio_by_aperture',
            'plot_standard_stars',
        ),
        'plots.illustrations': (
            'plot_masks',
            'plot_psfs',
            'plot_snr',
            'plot_source_loss',
        ),
        'plots.maps': (
            'MAP_COLORS',
            'plot_delta_variance',
            'plot_difference',
            'plot_map_statistics',
            'plot_pdfs',
            'plot_power_spectra',
        ),
        'published': ('load_paper_statistics', 'load_standard_stars'),
        'removers': ('RemoverChoice', 'list_removers'),
        'run': ('Evaluation', 'run_evaluation'),
        'standard_stars': ('measure_standard_stars',),
        'star_maps': ('fetch_standard_stars',),
        'star_tables': ('format_star_table', 'make_star_table'),
        'statistics.characters': ('MapCharacter', 'map_character'),
        'statistics.pdfs': ('LogNormal', 'fit_log_normal', 'pixel_pdf'),
        'statistics.pixels': (
            'PixelStatistics',
            'compare_pixel_statistics',
            'pixel_statistics',
        ),
        'statistics.power_laws': ('PowerLaw', 'fit_power_law'),
        'statistics.spectra': (
            'delta_variance',
            'normalised_difference',
            'power_spectrum',
            'relative_difference',
        ),
        'structure': ('MapComparison', 'compare_maps', 'evaluate_structure'),
        'structure_tables': ('join_comparisons',),
        'summaries': ('compare_methods', 'summarise_by_complexity', 'summarise_ratios'),
        'training_sets': ('SetComparison', 'compare_training_set'),
        'verdicts': ('Verdict',),
    },
)
