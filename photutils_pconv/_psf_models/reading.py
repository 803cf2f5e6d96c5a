# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
PSFs from whatever a user gives as one.
"""

from pathlib import Path

import numpy as np

from photutils_pconv._psf_models.gridded import GriddedPSF, is_gridded_model
from photutils_pconv._psf_models.images import read_psf_grid
from photutils_pconv._psf_models.lobed import LobedPSF
from photutils_pconv._psf_models.sampled import SampledPSF

__all__ = ['is_image_psf', 'read_fits_psf', 'read_psf']


def is_image_psf(psf):
    """
    Return whether an object is a model of photutils' with an image, or with many.

    That is an ``ImagePSF`` or a ``GriddedPSFModel``, or behaves as one.

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
        A FITS file; an image; photutils' ``ImagePSF`` or ``GriddedPSFModel``;
        or a PSF, which is returned as it is.

    pixel_scale : float, optional
        The side of the pixels of an image or a FITS file, or of the map of an
        ``ImagePSF``, in arcsec. A FITS file may give it in its header.

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
        return read_fits_psf(psf, pixel_scale=pixel_scale)
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
    if is_gridded_model(psf):
        return GriddedPSF.from_model(psf, pixel_scale=pixel_scale)
    if is_model:
        return SampledPSF.from_image_psf(psf, pixel_scale=pixel_scale)
    return SampledPSF.from_array(psf, pixel_scale=pixel_scale)


def read_fits_psf(path, *, pixel_scale=None, normalize=True):
    """
    Read a PSF from a FITS file, of one image or of a grid of them.

    Parameters
    ----------
    path : str or `~pathlib.Path`
        The file.

    pixel_scale : float, optional
        The side of its pixels, in arcsec, if its header does not give it.

    normalize : bool, optional
        Whether images are scaled to a flux of 1.

    Returns
    -------
    psf : `~photutils_pconv.psf.SampledPSF` or `~photutils_pconv.psf.GriddedPSF`
        The PSF.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or no PSF in it.
    """
    options = {'pixel_scale': pixel_scale, 'normalize': normalize}
    psf = SampledPSF.from_fits(path, **options)
    if read_psf_grid(path) is None:
        return psf
    return GriddedPSF.from_fits(path, **options)
