# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From a map and its sources to a cleaned map and a table.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'empty_sample': (
        'EmptySample',
        'FilledEmpty',
        'fill_empty_holes',
        'sample_empty_holes',
    ),
    'filling': (
        'Filled',
        'Filler',
        'PSFFluxes',
    ),
    'flux_errors': (
        'FluxErrors',
        'estimate_errors',
    ),
    'measuring': (
        'make_eef',
        'make_plan',
        'measure',
    ),
    'one_pass': ('OnePassFiller',),
    'pipeline': (
        'Removal',
        'assemble',
        'find_psf',
        'make_filler',
        'remove_sources',
        'run_removal',
    ),
    'plots': (
        'plot_holes',
        'plot_removal',
    ),
    'provenance': (
        'make_history',
        'make_meta',
    ),
    'psf_subtraction': (
        'PSFRemoval',
        'SubtractionSettings',
        'remove_with_psf',
    ),
    'remover': ('NeuralSourceRemover',),
    'result': ('SourceRemovalResult',),
    'settings': (
        'EMPIRICAL',
        'ERROR_METHODS',
        'RemovalSettings',
        'removal_options',
    ),
    'sources': (
        'Sources',
        'choose_holes',
        'flag_duplicates',
        'flag_holes',
        'locate_sources',
        'move_to_centroids',
    ),
    'table': ('make_photometry_table',),
    'texture': (
        'draw_texture',
        'make_texture',
    ),
    'texture_models': (
        'ResidualStamp',
        'TextureModel',
        'cut_residuals',
        'cut_surroundings',
        'fit_textures',
        'local_scales',
        'split_scales',
    ),
    'two_pass': ('TwoPassFiller',),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'EMPIRICAL',
    'ERROR_METHODS',
    'EmptySample',
    'Filled',
    'FilledEmpty',
    'Filler',
    'FluxErrors',
    'NeuralSourceRemover',
    'OnePassFiller',
    'PSFFluxes',
    'PSFRemoval',
    'Removal',
    'RemovalSettings',
    'ResidualStamp',
    'SourceRemovalResult',
    'Sources',
    'SubtractionSettings',
    'TextureModel',
    'TwoPassFiller',
    'assemble',
    'choose_holes',
    'cut_residuals',
    'cut_surroundings',
    'draw_texture',
    'estimate_errors',
    'fill_empty_holes',
    'find_psf',
    'fit_textures',
    'flag_duplicates',
    'flag_holes',
    'local_scales',
    'locate_sources',
    'make_eef',
    'make_filler',
    'make_history',
    'make_meta',
    'make_photometry_table',
    'make_plan',
    'make_texture',
    'measure',
    'move_to_centroids',
    'plot_holes',
    'plot_removal',
    'removal_options',
    'remove_sources',
    'remove_with_psf',
    'run_removal',
    'sample_empty_holes',
    'split_scales',
]

__getattr__, __dir__ = attach(__name__, _HOME)
