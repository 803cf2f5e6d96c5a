# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Positions on the sky and in pixels, and arrays of them.
"""

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from astropy.wcs.wcsapi.high_level_api import high_level_objects_to_values

__all__ = ['parse_pixels', 'pixel_to_sky', 'sky_to_pixel']


def _split_masked_sky(sky):
    """Sky positions without their mask, and where they are not usable."""
    mask = np.zeros(sky.shape, dtype=bool)
    # masked coordinates came with astropy 7
    if getattr(sky, 'masked', False):
        mask = np.array(sky.mask)
        sky = sky.unmasked
    spherical = sky.spherical
    mask |= ~(np.isfinite(spherical.lon.value) & np.isfinite(spherical.lat.value))
    return sky, mask


def sky_to_pixel(sky, wcs):
    """
    Pixel positions with NaN where there is no finite one.

    Parameters
    ----------
    sky : `~astropy.coordinates.SkyCoord`
        The sky positions.

    wcs : WCS
        The celestial WCS.

    Returns
    -------
    x, y : 1D `~numpy.ndarray`
        The pixel positions, from 0.
    """
    sky, bad = _split_masked_sky(sky)
    x, y = np.full((2, len(sky)), np.nan)
    good = np.flatnonzero(~bad)
    if len(good) > 0:
        x[good], y[good] = _to_pixel(sky[good], wcs)
        if getattr(wcs, 'has_distortion', False):
            # a distortion cannot be inverted far from the map
            back = wcs.pixel_to_world(x[good], y[good])
            failed = ~(back.separation(sky[good].transform_to(back)) < 1 * u.arcsec)
            x[good[failed]] = np.nan
    invalid = ~(np.isfinite(x) & np.isfinite(y))
    x[invalid] = y[invalid] = np.nan
    return x, y


def _to_pixel(sky, wcs):
    """`WCS.world_to_pixel` without its warnings where it does not converge."""
    if not (isinstance(wcs, WCS) and wcs.has_distortion):
        return wcs.world_to_pixel(sky)
    world = high_level_objects_to_values(sky, low_level_wcs=wcs)
    return wcs.all_world2pix(*world, 0, quiet=True)


def pixel_to_sky(x, y, wcs):
    """
    Sky positions of pixel positions.

    Parameters
    ----------
    x, y : 1D `~numpy.ndarray`
        The pixel positions, from 0.

    wcs : WCS or `None`
        The celestial WCS.

    Returns
    -------
    sky : `~astropy.coordinates.SkyCoord` or `None`
        The sky positions, `None` without a WCS.
    """
    if wcs is None:
        return None
    if len(x) == 0:
        return SkyCoord([], [], unit=u.deg)
    with np.errstate(invalid='ignore'):
        return wcs.pixel_to_world(x, y)


def parse_pixels(sources):
    """
    Return an array of pixel positions as x and y.

    Parameters
    ----------
    sources : (N, 2) array_like
        The positions; a Quantity is in pixels.

    Returns
    -------
    xy : (2, N) `~numpy.ndarray`
        The positions x and y.

    Raises
    ------
    TypeError, ValueError
        If it is no such array.
    """
    unit = getattr(sources, 'unit', None)
    if unit not in (None, u.one, u.pix):
        msg = (
            f'An array of positions must be in pixels, got {unit}. Give '
            'sky positions as SkyCoord or in a table.'
        )
        raise ValueError(msg)
    if isinstance(sources, np.ma.MaskedArray):
        sources = np.ma.filled(sources.astype(float), np.nan)
    try:
        xy = np.asarray(getattr(sources, 'value', sources))
        # numpy makes floats of truth values, times and complex numbers
        is_real = xy.dtype.kind not in 'bcmM'
        xy = np.array(xy, dtype=float) if is_real else None
    except (TypeError, ValueError):
        xy = None
    if xy is not None and xy.shape == (0,):
        xy = xy.reshape(0, 2)
    if xy is None or xy.ndim == 0:
        msg = (
            'sources must be a SkyCoord, a Table or DataFrame, the path of a table, '
            'or an (N, 2) array of x, y pixel positions, got '
            f'{type(sources).__name__}{_dtype_text(sources)}.'
        )
        raise TypeError(msg)
    if xy.ndim != 2 or xy.shape[1] != 2:
        msg = (
            'An array of positions must have the shape (N, 2), a row '
            f'(x, y) a source, got {xy.shape}.'
        )
        raise ValueError(msg)
    return xy.T.copy()


def _dtype_text(sources):
    dtype = getattr(sources, 'dtype', None)
    return '' if dtype is None else f' of {dtype}'
