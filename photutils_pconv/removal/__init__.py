# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From a map and its sources to a cleaned map and a table.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'empty_sample': (
        'EmptySample',
        'sample_empty_holes',
    ),
    'filling': (
        'Filled',
        'PSFFluxes',
    ),
    'flux_errors': ('calculate_errors',),
    'measuring': ('make_eef',),
    'one_pass': ('OnePass',),
    'pipeline': ('run_removal',),
    'plots': (
        'plot_holes',
        'plot_removal',
    ),
    'psf_subtraction': (
        'PSFRemoval',
        'remove_with_psf',
    ),
    'remover': (
        'NeuralSourceRemover',
        'SourceRemovalResult',
    ),
    'result': ('SourceRemovalResult',),
    'sources': (
        'flag_duplicates',
        'flag_holes',
        'recenter',
        'warn_unusable',
    ),
    'table': ('make_photometry_table',),
    'texture': (
        'ResidualStamp',
        'TextureModel',
        'cut_residuals',
        'cut_surroundings',
        'draw_texture',
        'fit_textures',
        'local_scales',
        'make_texture',
        'split_scales',
    ),
    'two_pass': ('TwoPass',),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'EmptySample',
    'Filled',
    'NeuralSourceRemover',
    'OnePass',
    'PSFFluxes',
    'PSFRemoval',
    'ResidualStamp',
    'SourceRemovalResult',
    'TextureModel',
    'TwoPass',
    'calculate_errors',
    'cut_residuals',
    'cut_surroundings',
    'draw_texture',
    'fit_textures',
    'flag_duplicates',
    'flag_holes',
    'local_scales',
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
]

__getattr__, __dir__ = attach(__name__, _HOME)
