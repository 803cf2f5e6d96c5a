# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Cutouts: where they lie, how they are scaled, how they go back.

Pure geometry and arithmetic on arrays. A cutout is the square stamp
around a source that the network sees; its scaling is undone after the
prediction, and the predictions of all cutouts are blended back into the
map with weights that do not depend on the order of the sources.
"""

import numpy as np

__all__ = [
    'CUTOUT_SIZE',
    'add_cutout',
    'cut_stack',
    'cutout_origin',
    'extract_cutout',
]

#: The side of a cutout in pixels (section 2.4.1 of the paper).
CUTOUT_SIZE = 96


def cutout_origin(x, y, *, size=CUTOUT_SIZE):
    """
    Compute the first pixel of the cutout around a position.

    Parameters
    ----------
    x, y : array_like
        The position, 0-based, pixel centres at integers.

    size : int, optional
        The cutout's side, in pixels.

    Returns
    -------
    x0, y0 : `~numpy.ndarray` of int
        The lower left pixel: ``ceil(position - size / 2)``, as astropy's
        Cutout2D places it, so that the source lies on or just below the
        pixel ``(size / 2, size / 2)``.
    """
    half = size / 2
    x0 = np.ceil(np.asarray(x, dtype=float) - half).astype(int)
    y0 = np.ceil(np.asarray(y, dtype=float) - half).astype(int)
    return x0, y0


def extract_cutout(image, x0, y0, *, size=CUTOUT_SIZE, fill_value=0):
    """
    Extract a cutout that may reach beyond the map.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The map.

    x0, y0 : int
        The cutout's first pixel; it may be negative.

    size : int, optional
        The cutout's side, in pixels.

    fill_value : scalar, optional
        The value of pixels beyond the map.

    Returns
    -------
    cutout : `~numpy.ndarray`
        A (size, size) copy.
    """
    return np.array(_look_at(image, x0, y0, size, fill_value))


def _look_at(image, x0, y0, size, fill_value):
    """Give a cutout: the part of the map itself where it lies on it."""
    ny, nx = image.shape
    if 0 <= y0 <= ny - size and 0 <= x0 <= nx - size:
        return image[y0 : y0 + size, x0 : x0 + size]
    cutout = np.full((size, size), fill_value, dtype=image.dtype)
    ya, yb = max(y0, 0), min(y0 + size, ny)
    xa, xb = max(x0, 0), min(x0 + size, nx)
    if ya < yb and xa < xb:
        cutout[ya - y0 : yb - y0, xa - x0 : xb - x0] = image[ya:yb, xa:xb]
    return cutout


def cut_stack(image, origins, size, *, fill_value=0):
    """
    Extract cutouts of one size.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The map.

    origins : (N, 2) array_like of int
        The cutouts' first pixels (x, y).

    size : int
        The cutouts' side, in pixels.

    fill_value : scalar, optional
        The value of pixels beyond the map.

    Returns
    -------
    cutouts : (N, size, size) `~numpy.ndarray`
        The cutouts.
    """
    cutouts = np.empty((len(origins), size, size), dtype=image.dtype)
    for cutout, (x0, y0) in zip(cutouts, np.asarray(origins).tolist(), strict=True):
        cutout[...] = _look_at(image, x0, y0, size, fill_value)
    return cutouts


def add_cutout(image, cutout, origin):
    """
    Add a cutout, in place, to the part of a map that it covers.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The map.

    cutout : 2D `~numpy.ndarray`
        The cutout.

    origin : pair of int
        The cutout's first pixel (x, y).
    """
    whole, part = [], []
    for start, n, size in zip(origin[::-1], image.shape, cutout.shape, strict=True):
        low, high = max(start, 0), min(start + size, n)
        whole.append(slice(low, max(high, low)))
        part.append(slice(low - start, max(high, low) - start))
    image[tuple(whole)] += cutout[tuple(part)]
