# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Resampling between a map's pixel grid and a setup's native grid.

Maps hold flux per pixel or surface brightness; here values are carried
as they are (interpolated, not summed), so the caller accounts for the
pixel's area. With ``factor`` = map pixel / native pixel, the outer edges
of both grids' first pixels coincide.
"""

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

__all__ = [
    'fill_missing',
    'resample_grid',
    'smoothing_sigma',
    'to_native_position',
]


def to_native_position(position, factor):
    """
    Convert pixel positions from the map's grid to the native grid.

    Parameters
    ----------
    position : array_like
        Positions along one axis, 0-based, pixel centres at integers.

    factor : float
        Map pixel / native pixel.

    Returns
    -------
    position : `~numpy.ndarray`
        The positions on the native grid. Call with ``1 / factor`` for
        the way back.
    """
    position = np.asarray(position, dtype=float)
    # To the bit: adding and taking off a half would round.
    return position if factor == 1 else (position + 0.5) * factor - 0.5


def fill_missing(data, missing, *, sigma=2.0):
    """
    Fill missing pixels from their neighbours, so that a spline is tame.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.

    missing : 2D bool `~numpy.ndarray`
        The missing pixels.

    sigma : float, optional
        The Gaussian width of the neighbourhood, in pixels.

    Returns
    -------
    filled : 2D `~numpy.ndarray`
        A copy without missing pixels; far from any data the median.
    """
    filled = np.where(missing, 0.0, data)
    if not missing.any():
        return filled
    weight = gaussian_filter((~missing).astype(float), sigma)
    smooth = gaussian_filter(filled, sigma)
    median = np.median(data[~missing]) if (~missing).any() else 0.0
    near = weight > 1.0e-3
    estimate = np.where(near, smooth / np.where(near, weight, 1.0), median)
    return np.where(missing, estimate, filled)


def smoothing_sigma(factor):
    """
    Give the width by which a map is smoothed before it is resampled.

    Parameters
    ----------
    factor : float
        Old pixel / new pixel.

    Returns
    -------
    sigma : float
        The standard deviation of a Gaussian, in old pixels: its second moment
        is that of a box of the new pixel's size less the old's. 0 where the
        new pixels are not larger.
    """
    return float(np.sqrt(max(1.0 / factor**2 - 1.0, 0.0) / 12.0))


def resample_grid(data, missing, factor, *, shape=None):
    """
    Resample a map onto a grid of pixels ``1 / factor`` times as large.

    Cubic splines; where the new pixels are larger, the map is first
    smoothed to the new pixel's size.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.

    missing : 2D bool `~numpy.ndarray`
        The missing pixels; a new pixel is missing where more than half
        of it is.

    factor : float
        Old pixel / new pixel.

    shape : tuple of int, optional
        The shape of the new grid; default: just covering the old one.

    Returns
    -------
    resampled : 2D `~numpy.ndarray`
        The new map, NaN where missing.

    missing : 2D bool `~numpy.ndarray`
        The missing pixels of the new map.
    """
    if shape is None:
        shape = tuple(max(int(np.ceil(n * factor - 1.0e-6)), 1) for n in data.shape)
    filled = fill_missing(data, missing)
    bad = missing.astype(float)
    if factor < 1:
        sigma = smoothing_sigma(factor)
        filled = gaussian_filter(filled, sigma, mode='nearest')
        bad = gaussian_filter(bad, sigma, mode='nearest')
    y = to_native_position(np.arange(shape[0]), 1.0 / factor)
    x = to_native_position(np.arange(shape[1]), 1.0 / factor)
    coordinates = np.meshgrid(y, x, indexing='ij')
    resampled = map_coordinates(filled, coordinates, order=3, mode='nearest')
    bad = map_coordinates(bad, coordinates, order=1, mode='nearest') > 0.5
    resampled[bad] = np.nan
    return resampled, bad
