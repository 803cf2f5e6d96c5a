# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
PSFs by name: those of the setups, and whatever a user gives as one.

`~photutils_pconv.psf.SampledPSF` is an image: one of the bundled PACS PSFs or
a user's own. `~photutils_pconv.psf.LobedPSF` is an analytic model, which stands
in for the PSF of a setup without one. Either can be rendered on any grid;
lengths are in arcsec, densities per arcsec^2.
"""

from functools import cache
from pathlib import Path

import astropy.units as u
import numpy as np

from photutils_pconv.psf.lobed import LobedPSF, lobed_psf
from photutils_pconv.psf.sampled import SampledPSF
from photutils_pconv.setups.registry import get_setup, list_setups
from photutils_pconv.setups.setup import ObservingSetup

__all__ = [
    'get_psf',
    'has_own_psf',
    'parse_psf',
    'sample_psf',
]

# An analytic PSF is sampled to this radius (arcsec), where the bundled PSFs end,
# and so often along a native pixel's side (by choice).
_SAMPLED_RADIUS = 100.0
_OVERSAMPLING = 4

# The name that stands for the PSF of the setup in use.
_OF_SETUP = 'setup'

_FOLDER = Path(__file__).resolve().parents[1] / 'data' / 'psf'


def get_psf(psf, *, pixel_scale=None):
    """
    Find or build a PSF.

    Parameters
    ----------
    psf : setup, str, `~pathlib.Path`, array, ``ImagePSF`` or PSF
        A setup or its name, such as ``'scanmap/green'``, for its bundled
        PSF; a FITS file; an image; photutils' ``ImagePSF``; or one of
        this module's PSFs, which is returned as it is. A setup of one's
        own has no bundled PSF: for it, `lobed_psf` is called.

    pixel_scale : float, optional
        The side of the pixels of an image or a FITS file, or of the map
        of an ``ImagePSF``, in arcsec. A FITS file may tell it in its
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
        return _setup_psf(get_setup(setup=psf))
    if isinstance(psf, str | Path):
        return SampledPSF.from_fits(psf, pixel_scale=pixel_scale)

    is_model = all(hasattr(psf, name) for name in ('data', 'oversampling', 'origin'))
    if not (is_model or isinstance(psf, np.ndarray | list | tuple)):
        msg = (
            'psf must be a setup or its name, a FITS file, an image, an '
            f'ImagePSF, a SampledPSF or a LobedPSF, got {type(psf).__name__}.'
        )
        raise TypeError(msg)
    if pixel_scale is None:
        msg = 'A PSF given as an image or ImagePSF needs pixel_scale, in arcsec.'
        raise ValueError(msg)
    if is_model:
        return SampledPSF.from_image_psf(psf, pixel_scale=pixel_scale)
    return SampledPSF.from_array(psf, pixel_scale=pixel_scale)


def has_own_psf(setup):
    """
    Tell whether a setup's own PSF is known.

    Parameters
    ----------
    setup : `~photutils_pconv.setups.ObservingSetup`
        The setup.

    Returns
    -------
    known : bool
        Whether it is; otherwise `get_psf` gives a model for it.
    """
    # A setup of one's own may have the mode and band of a bundled one.
    named = setup.name == f'{setup.mode}/{setup.band}'
    return named and _bundled_path(setup).is_file()


def _bundled_path(setup):
    """
    Return where a setup's bundled PSF would be.
    """
    return _FOLDER / f'{setup.mode}_{setup.band}.fits'


def _setup_psf(setup):
    """
    Return a setup's bundled PSF, or the analytic one where there is none.
    """
    if has_own_psf(setup):
        return _bundled_psf(_bundled_path(setup))
    return lobed_psf(setup)


@cache
def _bundled_psf(path):
    """
    Read a bundled PSF once.
    """
    return SampledPSF.from_fits(path)


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
    elif isinstance(psf, np.ndarray | list | tuple) or hasattr(psf, 'oversampling'):
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
        The setup: 4 samples make a side of its native pixel.

    Returns
    -------
    psf : `~photutils_pconv.psf.SampledPSF`
        The PSF, to 100 arcsec.
    """
    step = setup.pixel_scale.to_value(u.arcsec) / _OVERSAMPLING
    half = int(np.ceil(_SAMPLED_RADIUS / step))
    size = 2 * half + 1
    image = psf.render((size, size), half, half, pixel_scale=step)
    return SampledPSF(image, step)
