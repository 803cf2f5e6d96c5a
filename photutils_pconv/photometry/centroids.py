# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Centroids of sources, without a warning where there is none.
"""

import numpy as np

__all__ = ['find_centroid']

# The side of the box that is fitted (pixels, by choice), and the terms of a
# quadratic polynomial.
_FIT_BOX = 5
_N_TERMS = 6


def find_centroid(data, missing, x, y, *, box):
    """
    Find the centroid of a source, as photutils' ``centroid_quadratic`` does.

    A quadratic polynomial is fitted to 5 x 5 pixels around the highest one in a
    box. Photutils warns of each fit that fails, and warnings can be silenced for
    all threads alike only.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.

    missing : 2D bool `~numpy.ndarray`
        Its missing pixels.

    x, y : int
        The pixel in the middle of the box.

    box : int
        The odd side of the box.

    Returns
    -------
    x, y : float
        The centroid; NaN where there is none.
    """
    ny, nx = data.shape
    if max(box, _FIT_BOX) > min(ny, nx):
        return np.nan, np.nan
    half = box // 2
    x0, y0 = max(x - half, 0), max(y - half, 0)
    near = np.s_[y0 : y + half + 1, x0 : x + half + 1]
    good = ~missing[near] & np.isfinite(data[near])
    if not good.any():
        return np.nan, np.nan
    values = np.where(good, data[near], -np.inf)
    y, x = np.unravel_index(np.argmax(values), values.shape)
    x, y = x + x0, y + y0
    if x in (0, nx - 1) or y in (0, ny - 1):
        return float(x), float(y)
    half = _FIT_BOX // 2
    x0 = min(max(x - half, 0), nx - _FIT_BOX)
    y0 = min(max(y - half, 0), ny - _FIT_BOX)
    near = np.s_[y0 : y0 + _FIT_BOX, x0 : x0 + _FIT_BOX]
    good = ~missing[near] & np.isfinite(data[near])
    if np.count_nonzero(good) < _N_TERMS:
        return np.nan, np.nan
    rows, columns = (one[good].astype(float) for one in np.mgrid[near])
    terms = [1.0 + 0.0 * rows, columns, rows, columns * rows, columns**2, rows**2]
    matrix = np.stack(terms, axis=1)
    solution = np.linalg.lstsq(matrix, data[near][good], rcond=None)[0]
    _, by_x, by_y, by_xy, by_x2, by_y2 = solution
    determinant = 4.0 * by_x2 * by_y2 - by_xy**2
    if determinant <= 0 or by_x2 > 0:
        return np.nan, np.nan
    x_max = (by_y * by_xy - 2.0 * by_y2 * by_x) / determinant
    y_max = (by_x * by_xy - 2.0 * by_x2 * by_y) / determinant
    if 0.0 < x_max < nx - 1.0 and 0.0 < y_max < ny - 1.0:
        return x_max, y_max
    return np.nan, np.nan
