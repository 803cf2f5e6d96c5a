# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Apertures as stamps of weights, and how they meet the map and the holes."""

import numpy as np
from photutils.aperture import CircularAnnulus, CircularAperture

from photutils_pconv.geometry.holes import hole_stamp

__all__ = [
    'clip_to_map',
    'hole_has_gap',
    'hole_on_stamp',
    'iterate_stamps',
    'weighted_sum',
]

# Stamps alive at once: an annulus of 35 arcsec on pixels of 1.6 arcsec
# takes 16 kB, so a chunk takes 16 MB whatever the catalogue.
_CHUNK = 1024


def iterate_stamps(x, y, chosen, radii, method, subpixels=5):
    """
    Go through the apertures of the chosen sources.

    Parameters
    ----------
    x, y : `~numpy.ndarray`
        The ``N`` pixel positions.
    chosen : `~numpy.ndarray` of bool
        The sources to go through: positions on the map.
    radii : sequence of float
        One radius for a circle, two for an annulus.
    method, subpixels : optional
        As in `~photutils.aperture.PixelAperture.to_mask`.

    Yields
    ------
    row : int
        The source's place among the ``N``.
    stamp : `~photutils.aperture.ApertureMask`
        Its aperture.
    """
    todo = np.flatnonzero(chosen)
    make = CircularAperture if len(radii) == 1 else CircularAnnulus
    for start in range(0, todo.size, _CHUNK):
        rows = todo[start : start + _CHUNK]
        apertures = make(np.column_stack((x[rows], y[rows])), *radii)
        stamps = apertures.to_mask(method=method, subpixels=subpixels)
        yield from zip(rows, stamps, strict=True)


def clip_to_map(stamp, missing, hole=None):
    """
    Find what an aperture can use of the map.

    Parameters
    ----------
    stamp : `~photutils.aperture.ApertureMask`
        The aperture.
    missing : `~numpy.ndarray` of bool
        The map's missing pixels.
    hole : `~numpy.ndarray` of bool, optional
        The pixels of the stamp to which to restrict the aperture.

    Returns
    -------
    window : tuple of slice
        The part of the map that the stamp covers.
    weights : `~numpy.ndarray`
        The weights of the window's pixels, 0 for missing ones.
    incomplete : bool
        Whether a pixel that should have counted is missing or lies
        beyond the map.
    """
    weights = stamp.data if hole is None else np.where(hole, stamp.data, 0.0)
    window, part = stamp.get_overlap_slices(missing.shape)
    usable = np.where(missing[window], 0.0, weights[part])
    return window, usable, np.count_nonzero(usable) < np.count_nonzero(weights)


def weighted_sum(values, weights):
    """Sum values times weights; NaN counts nothing where the weight is 0."""
    used = weights > 0
    return values[used] @ weights[used]


def hole_on_stamp(stamp, x, y, radius):
    """Find which pixels of an aperture's stamp belong to a hole."""
    box = stamp.bbox
    rows = np.arange(box.iymin, box.iymax)
    columns = np.arange(box.ixmin, box.ixmax)
    return hole_stamp(rows, columns, x, y, radius)


def hole_has_gap(x, y, radius, missing):
    """Return whether pixels of a hole are missing or lie beyond the map."""
    y0, x0 = int(np.floor(y - radius)), int(np.floor(x - radius))
    rows = np.arange(y0, np.ceil(y + radius) + 1)
    columns = np.arange(x0, np.ceil(x + radius) + 1)
    row, column = np.nonzero(hole_stamp(rows, columns, x, y, radius))
    row, column = row + y0, column + x0
    ny, nx = missing.shape
    off_map = (row < 0) | (row >= ny) | (column < 0) | (column >= nx)
    return bool(off_map.any() or missing[row, column].any())
