# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
PSFs by name: those of the setups, and whatever a user gives as one.

`~photutils_pconv.psf.SampledPSF` is an image: one of the bundled PACS PSFs or
a user's own. `~photutils_pconv.psf.LobedPSF` is an analytic model, which stands
in for the PSF of a setup without one. Either can be rendered on any grid;
lengths are in arcsec, densities per arcsec^2.
"""

import astropy.units as u
import numpy as np

from photutils_pconv._psf_models.gridded import GriddedPSF
from photutils_pconv._psf_models.lobed import LobedPSF
from photutils_pconv._psf_models.measures import measure_fwhm
from photutils_pconv._psf_models.reading import is_image_psf, read_psf
from photutils_pconv._psf_models.sampled import SampledPSF
from photutils_pconv.psf.lobed import lobed_psf
from photutils_pconv.setups.registry import get_setup, list_setups
from photutils_pconv.setups.setup import ObservingSetup

__all__ = [
    'GriddedPSF',
    'get_psf',
    'parse_psf',
    'sample_psf',
]

# An analytic PSF is sampled to this radius, in native pixels: farther out no PSF is
# evaluated on a map (`PixelPSF`). It is sampled so often along a native pixel's
# side, or along the FWHM where that is smaller, but has no more samples than this
# on either side of its centre. By choice.
_SAMPLED_RADIUS = 60.0
_OVERSAMPLING = 4
_MOST_SAMPLES = 480

# The name that stands for the PSF of the setup in use.
_OF_SETUP = 'setup'


def get_psf(psf, *, pixel_scale=None):
    """
    Find or build a PSF.

    Parameters
    ----------
    psf : setup, str, `~pathlib.Path`, array, ``ImagePSF`` or PSF
        A setup or its name, such as ``'scanmap/green'``, for the PSF that it
        carries; a FITS file; an image; photutils' ``ImagePSF`` or
        ``GriddedPSFModel``; or one of this module's PSFs, which is returned as
        it is. For a setup that carries none, `lobed_psf` is called.

    pixel_scale : float, optional
        The side of the pixels of an image or a FITS file, or of the map
        of an ``ImagePSF``, in arcsec. A FITS file may give it in its
        header.

    Returns
    -------
    psf : `~photutils_pconv.psf.SampledPSF` or `~photutils_pconv.psf.LobedPSF`
        The PSF, of flux 1.

    Raises
    ------
    TypeError, ValueError
        If ``psf`` is nothing of that, or the pixel scale is missing or
        has no place.
    """
    is_name = isinstance(psf, str) and psf in list_setups()
    if is_name or isinstance(psf, ObservingSetup | SampledPSF | LobedPSF):
        if pixel_scale is not None:
            what = 'ObservingSetup' if is_name else type(psf).__name__
            msg = (
                f'The {what} knows its own sampling: leave out '
                'pixel_scale; the scale of a map is given to render.'
            )
            raise ValueError(msg)
        if isinstance(psf, SampledPSF | LobedPSF):
            return psf
        setup = get_setup(setup=psf)
        return lobed_psf(setup) if setup.psf is None else setup.psf
    return read_psf(
        psf,
        pixel_scale=pixel_scale,
        accepted='a setup or its name, a FITS file, an image, an ImagePSF',
    )


def parse_psf(psf, setup):
    """
    Find the PSF that a user means, as an image.

    Parameters
    ----------
    psf : str, `~pathlib.Path`, array, ``ImagePSF``, PSF or `None`
        ``'setup'`` for the setup's own PSF, or anything that `get_psf` takes:
        an array and an ``ImagePSF`` belong to pixels of the setup's native
        scale. A name that does not stand for a PSF that exists already, such
        as the remover's ``'empirical'``, is up to the caller.

    setup : `~photutils_pconv.setups.ObservingSetup`
        The setup.

    Returns
    -------
    psf : `~photutils_pconv.psf.SampledPSF` or `None`
        The PSF, of flux 1; `None` where none is given.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If there is no such PSF.
    """
    if psf is None:
        return None
    if isinstance(psf, str) and psf == _OF_SETUP:
        found = get_psf(setup)
    elif isinstance(psf, np.ndarray | list | tuple) or is_image_psf(psf):
        found = get_psf(psf, pixel_scale=setup.pixel_scale.to_value(u.arcsec))
    else:
        found = get_psf(psf)
    return sample_psf(found, setup) if isinstance(found, LobedPSF) else found


def sample_psf(psf, setup):
    """
    Sample an analytic PSF, as an image that is finer than a setup's pixels.

    Parameters
    ----------
    psf : `~photutils_pconv.psf.LobedPSF`
        The PSF.

    setup : `~photutils_pconv.setups.ObservingSetup`
        The setup: 4 samples make a side of its native pixel, or the FWHM
        where that is smaller.

    Returns
    -------
    psf : `~photutils_pconv.psf.SampledPSF`
        The PSF, to 60 native pixels, in no more than 961 x 961 samples.
    """
    pixel = setup.pixel_scale.to_value(u.arcsec)
    step = min(pixel, measure_fwhm(psf)) / _OVERSAMPLING
    half = min(int(np.ceil(_SAMPLED_RADIUS * pixel / step)), _MOST_SAMPLES)
    size = 2 * half + 1
    image = psf.render((size, size), half, half, pixel_scale=step)
    return SampledPSF(image, step)
