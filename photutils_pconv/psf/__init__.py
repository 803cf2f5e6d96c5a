# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Models of the point spread function (PSF).
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'library': (
        'SampledPSF',
        'get_psf',
        'parse_psf',
        'sample_psf',
    ),
    'lobed': (
        'LobedPSF',
        'lobed_psf',
    ),
    'pixel': ('PixelPSF',),
    'profile_modes': (
        'WingModes',
        'wing_modes',
    ),
    'profiles': (
        'WingProfile',
        'pixel_profile',
        'wing_profile',
    ),
    'sampled': ('SampledPSF',),
    'source_images': (
        'expected_error_image',
        'image_beyond_holes',
        'model_image',
        'shape_image',
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'LobedPSF',
    'PixelPSF',
    'SampledPSF',
    'WingModes',
    'WingProfile',
    'expected_error_image',
    'get_psf',
    'image_beyond_holes',
    'lobed_psf',
    'model_image',
    'parse_psf',
    'pixel_profile',
    'sample_psf',
    'shape_image',
    'wing_modes',
    'wing_profile',
]

__getattr__, __dir__ = attach(__name__, _HOME)
