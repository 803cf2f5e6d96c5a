# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Sources on the map: which are usable, where they lie, what is near them.
"""

import warnings

import numpy as np
from astropy.utils.exceptions import AstropyUserWarning
from photutils.centroids import centroid_quadratic
from scipy.spatial import cKDTree

from photutils_pconv.geometry.cutouts import cutout_origin
from photutils_pconv.geometry.grids import to_native_position
from photutils_pconv.photometry.flags import SourceFlags
from photutils_pconv.photometry.signal_to_noise import snr as compute_snr

__all__ = ['flag_duplicates', 'flag_holes', 'recenter', 'warn_unusable']

# Positions closer than this, in pixels, are the same source.
_DUPLICATE_DISTANCE = 0.1


def warn_unusable(inside):
    """
    Warn of sources that are not on the map.

    Parameters
    ----------
    inside : 1D bool `~numpy.ndarray`
        Which sources are on the map.
    """
    n = np.count_nonzero(~inside)
    if n == 0:
        return
    if n == inside.size:
        msg = (
            f'none of the {n} sources lies on the map: check the frame and the '
            "units of the positions and the map's WCS. The map is left unchanged"
        )
    else:
        msg = (
            f'{n} of {inside.size} sources lie outside the map or have no finite '
            "position; they are not measured (see the column 'flags')"
        )
    warnings.warn(msg, AstropyUserWarning, stacklevel=4)


def recenter(data, missing, x, y, inside, *, fwhm):
    """
    Move positions to the centroids of their sources.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.

    missing : 2D bool `~numpy.ndarray`
        Its missing pixels.

    x, y : 1D `~numpy.ndarray`
        The positions, in pixels.

    inside : 1D bool `~numpy.ndarray`
        Which of them are on the map.

    fwhm : float
        The PSF's FWHM in pixels: the farthest that a source may move.

    Returns
    -------
    x, y : 1D `~numpy.ndarray`
        The centroids (`~photutils.centroids.centroid_quadratic`), or the
        given positions where none was found.

    flags : 1D int `~numpy.ndarray`
        ``RECENTERED_FAILED`` where none was found.
    """
    box = max(2 * int(fwhm) + 1, 5)
    x, y = x.copy(), y.copy()
    flags = np.zeros(x.size, dtype=int)
    for i in np.flatnonzero(inside):
        with warnings.catch_warnings():
            # A failed fit is told by its flag.
            warnings.simplefilter('ignore')
            try:
                xc, yc = centroid_quadratic(
                    data,
                    mask=missing,
                    fit_boxsize=5,
                    search_boxsize=box,
                    xpeak=round(x[i]),
                    ypeak=round(y[i]),
                )
            except ValueError:
                xc = yc = np.nan
        if np.hypot(xc - x[i], yc - y[i]) <= fwhm:
            x[i], y[i] = xc, yc
        else:
            flags[i] = SourceFlags.RECENTERED_FAILED
    return x, y, flags


def flag_duplicates(x, y, inside):
    """
    Flag, and warn of, sources at the position of an earlier one.

    Parameters
    ----------
    x, y : 1D `~numpy.ndarray`
        The positions, in pixels.

    inside : 1D bool `~numpy.ndarray`
        Which of them are on the map.

    Returns
    -------
    flags : 1D int `~numpy.ndarray`
        ``DUPLICATE`` for the later row of such a pair.
    """
    flags = np.zeros(x.size, dtype=int)
    a, b = _pairs(x, y, inside, _DUPLICATE_DISTANCE)
    later = np.unique(np.maximum(a, b))
    if later.size:
        flags[later] = SourceFlags.DUPLICATE
        msg = (
            f'{later.size} of {x.size} sources repeat the position of an earlier one '
            "(flag 'duplicate'): such a source is measured twice and cleaned once"
        )
        warnings.warn(msg, AstropyUserWarning, stacklevel=4)
    return flags


def choose_holes(native_map, x, y, inside, *, setup):
    """Return the SNR (Eq. 1) and the hole radii, in the map's pixels."""
    snr = compute_snr(native_map.native[0], *native_map.to_native(x, y), setup=setup)
    radius = np.full(x.size, np.nan)
    radius[inside] = setup.hole_radius(snr[inside]) / native_map.factor
    return snr, radius


def flag_holes(x, y, radius, filled, *, shape, size, factor=1.0):
    """
    Flag what follows from where holes and cutouts lie.

    Parameters
    ----------
    x, y, radius : 1D `~numpy.ndarray`
        The positions and hole radii, in pixels.

    filled : 1D bool `~numpy.ndarray`
        Which holes were filled.

    shape : tuple of int
        The shape (ny, nx) of the map.

    size : 1D int `~numpy.ndarray`
        The sides of the cutouts of the sources that were filled, in native
        pixels.

    factor : float, optional
        Map pixel / native pixel.

    Returns
    -------
    flags : 1D int `~numpy.ndarray`
        ``RESAMPLED``, ``NEAR_EDGE`` and ``OVERLAPPING_HOLE``.
    """
    flags = np.zeros(x.size, dtype=int)
    if not filled.any():
        return flags
    if factor != 1:
        flags[filled] |= SourceFlags.RESAMPLED
    ny, nx = shape
    x0, y0 = cutout_origin(
        to_native_position(x[filled], factor),
        to_native_position(y[filled], factor),
        size=size,
    )
    edge = (x0 < 0) | (y0 < 0)
    edge |= (x0 + size > nx * factor) | (y0 + size > ny * factor)
    flags[np.flatnonzero(filled)[edge]] |= SourceFlags.NEAR_EDGE
    a, b = _pairs(x, y, filled, 2.0 * radius[filled].max())
    overlap = np.hypot(x[a] - x[b], y[a] - y[b]) <= radius[a] + radius[b]
    for one in (a, b):
        flags[one[overlap]] |= SourceFlags.OVERLAPPING_HOLE
    return flags


def _pairs(x, y, use, distance):
    """
    Find the pairs of sources within a distance of each other.
    """
    index = np.flatnonzero(use)
    if index.size < 2:
        return np.zeros((2, 0), dtype=int)
    tree = cKDTree(np.stack([x[index], y[index]], axis=1))
    pairs = tree.query_pairs(distance, output_type='ndarray')
    return index[pairs.reshape(-1, 2).T]
