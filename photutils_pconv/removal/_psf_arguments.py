# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The PSF and the model of `~photutils_pconv.removal`, found and checked.
"""

import astropy.units as u
import numpy as np

from photutils_pconv.inpainting.masked_images import is_one_pass
from photutils_pconv.network import LoadedModel, default_model, load_model
from photutils_pconv.psf.library import LobedPSF, SampledPSF, get_psf
from photutils_pconv.removal.psf_subtraction import check_psf_model

# An analytic PSF is sampled to this radius (arcsec), so often a pixel.
_SAMPLED_RADIUS = 100.0
_OVERSAMPLING = 4

#: The bundled model for removal with a PSF.
PSF_MODEL = 'psf'


def parse_psf(psf, setup):
    """
    Return the PSF that is meant, 'empirical', or None.

    Images and ``ImagePSF`` belong to pixels of the setup's native scale.
    """
    if psf is None or (isinstance(psf, str) and psf == 'empirical'):
        return psf
    scale = setup.pixel_scale.to_value(u.arcsec)
    if isinstance(psf, str) and psf == 'setup':
        psf = get_psf(setup)
    elif isinstance(psf, np.ndarray | list | tuple) or hasattr(psf, 'oversampling'):
        psf = get_psf(psf, pixel_scale=scale)
    else:
        psf = get_psf(psf)
    if isinstance(psf, LobedPSF):
        psf = sample_psf(psf, setup)
    return psf


def sample_psf(psf, setup):
    """Return an analytic PSF as an image, finer than the setup's pixels."""
    step = setup.pixel_scale.to_value(u.arcsec) / _OVERSAMPLING
    half = int(np.ceil(_SAMPLED_RADIUS / step))
    size = 2 * half + 1
    image = psf.render((size, size), half, half, pixel_scale=step)
    return SampledPSF(image, step)


def find_model(model, setup, n_passes):
    """Return the loaded model, by default the bundled one for the passes."""
    if model is None:
        model = default_model(setup) if n_passes == 1 else PSF_MODEL
    loaded = model if isinstance(model, LoadedModel) else load_model(model)
    if n_passes == 2:
        check_psf_model(loaded)
    elif not is_one_pass(loaded):
        msg = (
            f'the model {loaded.name!r} is made for removal with a PSF: give psf and '
            'n_passes=2, or leave out model for the bundled one'
        )
        raise ValueError(msg)
    return model, loaded
