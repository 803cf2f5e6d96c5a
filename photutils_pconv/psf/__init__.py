# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Models of the point spread function (PSF).

`get_psf` finds or builds a PSF. `SampledPSF` is an image, `LobedPSF` an analytic
model; `PixelPSF` is either of them as the pixels of a map see it. `wing_profile`
and `pixel_profile` give the mean radial profile of a setup's sources.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'library': ('get_psf', 'sample_psf'),
    'lobed': ('LobedPSF', 'lobed_psf'),
    'pixel': ('PixelPSF',),
    'profiles': ('WingProfile', 'pixel_profile', 'wing_profile'),
    'sampled': ('SampledPSF',),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'LobedPSF',
    'PixelPSF',
    'SampledPSF',
    'WingProfile',
    'get_psf',
    'lobed_psf',
    'pixel_profile',
    'sample_psf',
    'wing_profile',
]

__getattr__, __dir__ = attach(__name__, _HOME)
