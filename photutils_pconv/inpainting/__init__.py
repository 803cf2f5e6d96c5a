# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From holes in a map to the emission behind them.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'blending': ('Blender',),
    'hole_filling': ('inpaint',),
    'kriging': (
        'NOISES',
        'SLOPES',
        'choose_covariance',
        'krige_cutout',
        'krige_cutouts',
    ),
    'masked_images': ('scale_cutouts',),
    'native_grid': ('inpaint_resampled',),
    'prediction': (
        'choose_sizes',
        'reconstruct',
    ),
    'reconstruction': ('Reconstruction',),
    'residual_images': (
        'MISMATCH_LIMIT',
        'residual_channels',
        'small_holes',
    ),
    'scaling': (
        'NORMALISATIONS',
        'Scaling',
        'normalise',
    ),
    'wings': (
        'SourceWings',
        'expected_wings',
        'wings_beyond_holes',
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'MISMATCH_LIMIT',
    'NOISES',
    'NORMALISATIONS',
    'SLOPES',
    'Blender',
    'Reconstruction',
    'Scaling',
    'SourceWings',
    'choose_covariance',
    'choose_sizes',
    'expected_wings',
    'inpaint',
    'inpaint_resampled',
    'krige_cutout',
    'krige_cutouts',
    'normalise',
    'reconstruct',
    'residual_channels',
    'scale_cutouts',
    'small_holes',
    'wings_beyond_holes',
]

__getattr__, __dir__ = attach(__name__, _HOME)
