# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The windows in which sources are fitted, and the linear fit in one of them.
"""

import math

import numpy as np
from scipy.optimize import lsq_linear
from scipy.spatial import KDTree

__all__ = [
    'FIT_RADIUS',
    'NEIGHBOUR_DISTANCE',
    'SAME_POSITION',
    'count_terms',
    'fewest_pixels',
    'find_neighbours',
    'polynomial_terms',
    'solve_bounded',
    'solve_window',
]

#: The radius of the window of a fit, in pixels (by choice, 2026-11-22; it is about
#: two FWHM of the scan map mode's green band).
FIT_RADIUS = 9.0

#: Sources closer than this have free fluxes in each other's fit, in pixels (by
#: choice, 2026-11-22: the cores of those beyond lie outside of the window).
NEIGHBOUR_DISTANCE = 12.0

#: Two sources at a smaller distance (pixels) are one to a fit: two rows of one
#: position would make it singular. By choice.
SAME_POSITION = 0.5

# A fit needs so many pixels, and so many more for each term of the background
# (by choice).
_FEWEST_PIXELS = 10
_PIXELS_PER_TERM = 2

# The least upper bound of a source's brightest pixel, in the map's unit.
_SMALLEST_BOUND = 1.0e-300


def polynomial_terms(dx, dy, *, radius=FIT_RADIUS, degree=2):
    """
    Calculate the terms of a polynomial background.

    Parameters
    ----------
    dx, dy : `~numpy.ndarray`
        The pixels' offsets from the source, in pixels.

    radius : float, optional
        The unit of length.

    degree : int, optional
        The polynomial's degree.

    Returns
    -------
    terms : list of `~numpy.ndarray`
        The terms.
    """
    u, v = dx / radius, dy / radius
    terms = [np.ones(u.shape)]
    for total in range(1, degree + 1):
        # Those of the degree before, and one more.
        before = terms[-total:]
        terms += [u * one for one in before]
        terms.append(v * before[-1])
    return terms


def fewest_pixels(degree):
    """
    Give the number of pixels of which a fit needs more.

    Parameters
    ----------
    degree : int or `None`
        The degree of the background's polynomial; `None` for no background.

    Returns
    -------
    fewest : int
        The number.
    """
    return _PIXELS_PER_TERM * count_terms(degree) + _FEWEST_PIXELS


def count_terms(degree):
    """
    Give the number of terms of a background.

    Parameters
    ----------
    degree : int or `None`
        The degree of its polynomial; `None` for no background.

    Returns
    -------
    n_terms : int
        The number.
    """
    return 0 if degree is None else (degree + 1) * (degree + 2) // 2


def solve_window(values, templates, *, penalty=0.0):
    """
    Solve linear least-squares fits of templates to pixels.

    Parameters
    ----------
    values : (..., P) `~numpy.ndarray`
        The pixels' values, of one fit or of many.

    templates : (..., T, P) array_like
        The templates' values there.

    penalty : float or (..., T) `~numpy.ndarray`, optional
        The weight of each coefficient's square in the sum that is made
        least.

    Returns
    -------
    coefficients : (..., T) `~numpy.ndarray`
        The factors of the templates.

    covariance : (..., T, T) `~numpy.ndarray`
        Their covariance for pixels of variance 1; infinite where the
        pixels do not determine them.
    """
    matrix = np.array(templates)
    norm = np.sqrt(np.einsum('...tp,...tp->...t', matrix, matrix))
    norm = np.where(norm > 0, norm, 1.0)
    matrix /= norm[..., None]
    normal = matrix @ np.swapaxes(matrix, -1, -2)
    np.einsum('...tt->...t', normal)[...] += penalty / norm**2
    inverse = _invert(normal)
    coefficients = (inverse @ (matrix @ values[..., None]))[..., 0] / norm
    return coefficients, inverse / (norm[..., None] * norm[..., None, :])


def _invert(matrices):
    """Invert matrices, those that are singular as well as it goes."""
    try:
        return np.linalg.inv(matrices)
    except np.linalg.LinAlgError:
        if matrices.ndim == 2:
            return np.linalg.pinv(matrices)
        return np.array([_invert(one) for one in matrices])


def solve_bounded(values, templates, n_sources, brightest):
    """
    Solve a fit whose sources are not negative, nor brighter than the data.

    Parameters
    ----------
    values, templates
        As for `solve_window`; the sources' templates come first.

    n_sources : int
        How many of them there are.

    brightest : float
        What the brightest pixel of a source does not exceed.

    Returns
    -------
    coefficients, covariance : `~numpy.ndarray`
        As of `solve_window`; the covariance is that without bounds.
    """
    _, covariance = solve_window(values, templates)
    matrix = np.stack(templates, axis=1)
    scale = np.abs(matrix).max(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    upper = np.full(len(templates), np.inf)
    upper[:n_sources] = max(brightest, _SMALLEST_BOUND)
    lower = np.where(np.isfinite(upper), 0.0, -np.inf)
    found = lsq_linear(matrix / scale, values, (lower, upper), method='bvls')
    return found.x / scale, covariance


def find_neighbours(x, y, distance, *, scale=None):
    """
    Find every source's neighbours.

    Parameters
    ----------
    x, y : 1D `~numpy.ndarray`
        The positions.

    distance : float
        The largest distance of a neighbour.

    scale : 1D `~numpy.ndarray`, optional
        Factors of that distance for each source; of two sources the larger
        counts (default: 1).

    Returns
    -------
    neighbours : list of list of int
        The neighbours' indices, source by source.
    """
    if len(x) == 0:
        return []
    points = np.stack([x, y], axis=1)
    scale = np.ones(len(x)) if scale is None else scale
    found = KDTree(points).query_ball_point(
        points, distance * scale.max(), return_sorted=True
    )
    # Numbers of Python, which are some times faster one by one.
    x, y, scale = (one.tolist() for one in (points[:, 0], points[:, 1], scale))
    return [
        [
            j
            for j in row
            if SAME_POSITION
            < math.hypot(x[j] - x[i], y[j] - y[i])
            <= distance * max(scale[i], scale[j])
        ]
        for i, row in enumerate(found)
    ]
