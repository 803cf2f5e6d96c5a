# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The setup of a removal that is given a PSF and no setup.
"""

from dataclasses import replace

import astropy.units as u
import numpy as np

from photutils_pconv._psf_models.measures import measure_fwhm
from photutils_pconv._psf_models.reading import is_image_psf
from photutils_pconv.psf.library import get_psf
from photutils_pconv.setups.beam_rules import choose_pixel_scale
from photutils_pconv.setups.registry import get_setup, list_setups
from photutils_pconv.setups.setup import ObservingSetup

__all__ = [
    'find_setup_of_psf',
    'has_no_scale',
    'settle_by_psf',
    'stands_for_a_setup',
]

# Values of ``psf`` that need a setup.
_NEED_SETUP = ('setup', 'empirical')
# The pixel scale (arcsec) of a map that does not give it, on which an image without
# a scale lies: no result depends on it.
_NOMINAL = 1.0


def stands_for_a_setup(psf, *given):
    """
    Return whether a PSF was given and no setup.

    Parameters
    ----------
    psf : object
        What the user gave as PSF.

    *given : object
        Mode, band, and setup as the user gave them.

    Returns
    -------
    stands : bool
        Whether the setup is to be made from the PSF.
    """
    if psf is None or any(one is not None for one in given):
        return False
    return not (isinstance(psf, str) and psf in _NEED_SETUP)


def has_no_scale(psf):
    """
    Return whether a PSF belongs to the pixels of the map.

    Parameters
    ----------
    psf : object
        What the user gave as PSF.

    Returns
    -------
    has_none : bool
        Whether it is an array or an ``ImagePSF``.
    """
    return isinstance(psf, np.ndarray | list | tuple) or is_image_psf(psf)


def settle_by_psf(make_settings, psf, pixel_scale, *, give='wcs'):
    """
    Give the settings for a map, by the PSF alone.

    Parameters
    ----------
    make_settings : callable
        Makes `~photutils_pconv.removal.RemovalSettings` of a setup and a PSF.

    psf : object
        What the user gave as PSF; it stands for a setup (`stands_for_a_setup`).

    pixel_scale : `~astropy.units.Quantity` or `None`
        The pixel scale of the map, if it is known.

    give : str, optional
        The argument that gives the pixel scale of a map without one.

    Returns
    -------
    settings : `~photutils_pconv.removal.RemovalSettings`
        The settings.

    Raises
    ------
    ValueError
        If the PSF is one in arcsec, and the pixel scale is not known.
    """
    if pixel_scale is None and not has_no_scale(psf):
        msg = (
            'a map without WCS does not give its pixel scale, which a PSF in '
            f'arcsec needs: give {give}, or '
            'setup=ObservingSetup.from_psf(psf, pixel_scale=...)'
        )
        raise ValueError(msg)
    setup = get_setup(setup=find_setup_of_psf(psf, map_scale=pixel_scale))
    settings = make_settings(setup=setup, psf=setup.psf)
    return replace(settings, setup_reason='made from the PSF')


def find_setup_of_psf(psf, *, map_scale=None):
    """
    Make the setup that a PSF stands for.

    Its native pixels are those of the map, where the FWHM is 1.8 to 4.3 of
    them, as in the training of the networks; otherwise the map is resampled.

    Parameters
    ----------
    psf : PSF, path-like, array, ``ImagePSF`` or str
        The PSF, as `photutils_pconv.psf.get_psf` takes it. The name of a setup
        stands for that setup.

    map_scale : `~astropy.units.Quantity`, optional
        The pixel scale of the map. By default the FWHM has 3.5 native pixels,
        and images without a scale belong to pixels of 1 arcsec.

    Returns
    -------
    setup : `~photutils_pconv.ObservingSetup` or str
        The setup.
    """
    if isinstance(psf, str) and psf in list_setups():
        return psf
    scale = None if map_scale is None else map_scale.to_value(u.arcsec)
    image_scale = None
    if has_no_scale(psf):
        image_scale = scale = _NOMINAL if scale is None else scale
    found = get_psf(psf, pixel_scale=image_scale)
    return ObservingSetup.from_psf(
        found,
        pixel_scale=choose_pixel_scale(measure_fwhm(found), scale),
        name=str(psf) if isinstance(psf, str) else f'{type(psf).__name__} as psf',
    )
