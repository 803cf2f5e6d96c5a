# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From holes in a map to the emission behind them.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'hole_filling': (
        'inpaint',
        'inpaint_resampled',
    ),
    'kriging': (
        'NOISES',
        'SLOPES',
        'choose_covariance',
        'krige_cutout',
        'krige_cutouts',
    ),
    'masked_images': (
        'is_one_pass',
        'n_images',
        'scale_cutouts',
    ),
    'reconstruction': (
        'TAPER_WIDTH',
        'Reconstruction',
        'choose_sizes',
        'reconstruct',
    ),
    'residual_images': (
        'MISMATCH_LIMIT',
        'N_CHANNELS',
        'flux_weights',
        'residual_channels',
        'small_holes',
    ),
    'wings': (
        'SourceWings',
        'WingProfile',
        'expected_wings',
        'pixel_profile',
        'wing_profile',
        'wings_beyond_holes',
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'MISMATCH_LIMIT',
    'NOISES',
    'N_CHANNELS',
    'SLOPES',
    'TAPER_WIDTH',
    'Reconstruction',
    'SourceWings',
    'WingProfile',
    'choose_covariance',
    'choose_sizes',
    'expected_wings',
    'flux_weights',
    'inpaint',
    'inpaint_resampled',
    'is_one_pass',
    'krige_cutout',
    'krige_cutouts',
    'n_images',
    'pixel_profile',
    'reconstruct',
    'residual_channels',
    'scale_cutouts',
    'small_holes',
    'wing_profile',
    'wings_beyond_holes',
]

__getattr__, __dir__ = attach(__name__, _HOME)
