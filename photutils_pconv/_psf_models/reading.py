# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
PSFs from whatever a user gives as one.
"""

from pathlib import Path

import numpy as np

from photutils_pconv._psf_models.lobed import LobedPSF
from photutils_pconv._psf_models.sampled import SampledPSF

__all__ = ['is_image_psf', 'read_psf']


def is_image_psf(psf):
    """
    Tell whether an object is photutils' ``ImagePSF``, or behaves as one.

    Parameters
    ----------
    psf : object
        The object.

    Returns
    -------
    is_model : bool
        Whether it has an image, its origin, and its oversampling.
    """
    return all(hasattr(psf, name) for name in ('data', 'oversampling', 'origin'))


def read_psf(psf, *, pixel_scale=None, accepted='a FITS file, an image, an ImagePSF'):
    """
    Make a PSF from what a user gives.

    Parameters
    ----------
    psf : str, `~pathlib.Path`, array, ``ImagePSF`` or PSF
        A FITS file; an image; photutils' ``ImagePSF``; or a PSF, which is
        returned as it is.

    pixel_scale : float, optional
        The side of the pixels of an image or a FITS file, or of the map of an
        ``ImagePSF``, in arcsec. A FITS file may tell it in its header.

    accepted : str, optional
        What else is accepted, for the error message.

    Returns
    -------
    psf : `~photutils_pconv.psf.SampledPSF` or `~photutils_pconv.psf.LobedPSF`
        The PSF.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If it is nothing of that, or the pixel scale is missing.
    """
    if isinstance(psf, SampledPSF | LobedPSF):
        return psf
    if isinstance(psf, str | Path):
        return SampledPSF.from_fits(psf, pixel_scale=pixel_scale)
    is_model = is_image_psf(psf)
    is_array = isinstance(psf, np.ndarray | list | tuple)
    if not (is_model or is_array):
        msg = (
            f'psf must be {accepted}, a SampledPSF or a LobedPSF, got '
            f'{type(psf).__name__}.'
        )
        raise TypeError(msg)
    if pixel_scale is None:
        msg = 'A PSF given as an image or ImagePSF needs pixel_scale, in arcsec.'
        raise ValueError(msg)
    if is_model:
        return SampledPSF.from_image_psf(psf, pixel_scale=pixel_scale)
    return SampledPSF.from_array(psf, pixel_scale=pixel_scale)
