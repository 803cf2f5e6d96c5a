# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From a map and its sources to a cleaned map and a table.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'empty_sample': (
        'EmptySample',
        'calculate_errors',
        'make_texture',
        'sample_empty_holes',
    ),
    'one_pass': (
        'Filled',
        'NativeMap',
        'OnePass',
        'PSFFluxes',
        'with_holes_missing',
    ),
    'pipeline': (
        'make_eef',
        'run_removal',
    ),
    'plots': (
        'make_axes',
        'plot_holes',
        'plot_removal',
    ),
    'psf_subtraction': (
        'POSITION_SNR',
        'SHAPE_SNR',
        'PSFRemoval',
        'check_psf_model',
        'remove_with_psf',
    ),
    'remover': (
        'NeuralSourceRemover',
        'SourceRemovalResult',
    ),
    'result': (
        'SourceRemovalResult',
        'make_photometry_table',
    ),
    'sources': (
        'flag_duplicates',
        'flag_holes',
        'recenter',
        'warn_unusable',
    ),
    'texture': (
        'ResidualStamp',
        'TextureModel',
        'cut_residuals',
        'cut_surroundings',
        'draw_texture',
        'fit_textures',
        'local_scales',
        'split_scales',
    ),
    'two_pass': ('TwoPass',),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'POSITION_SNR',
    'SHAPE_SNR',
    'EmptySample',
    'Filled',
    'NativeMap',
    'NeuralSourceRemover',
    'OnePass',
    'PSFFluxes',
    'PSFRemoval',
    'ResidualStamp',
    'SourceRemovalResult',
    'TextureModel',
    'TwoPass',
    'calculate_errors',
    'check_psf_model',
    'cut_residuals',
    'cut_surroundings',
    'draw_texture',
    'fit_textures',
    'flag_duplicates',
    'flag_holes',
    'local_scales',
    'make_axes',
    'make_eef',
    'make_photometry_table',
    'make_texture',
    'plot_holes',
    'plot_removal',
    'recenter',
    'remove_with_psf',
    'run_removal',
    'sample_empty_holes',
    'split_scales',
    'warn_unusable',
    'with_holes_missing',
]

__getattr__, __dir__ = attach(__name__, _HOME)
