# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Models of the point spread function (PSF).

`get_psf` finds or builds a PSF. `SampledPSF` is an image, `LobedPSF` an analytic
model; `PixelPSF` is either of them as the pixels of a map see it. `wing_profile`
and `pixel_profile` give the mean radial profile of a setup's sources.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'library': ('GriddedPSF', 'SampledPSF', 'get_psf', 'sample_psf'),
        'lobed': ('LobedPSF', 'lobed_psf'),
        'pixel': ('PixelPSF',),
        'resolved': ('SourcePSFs',),
        'profiles': ('WingProfile', 'pixel_profile', 'wing_profile'),
        'source_sizes': ('SourceSizes',),
        'wing_terms': ('DrawnTerms', 'WingTerms'),
    },
)
