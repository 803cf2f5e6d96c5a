# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The weights of cubic splines.
"""

import numpy as np

__all__ = ['spline_slopes', 'spline_weights']


def spline_weights(share):
    """
    Give the weights of a cubic spline's four coefficients around a place.

    Parameters
    ----------
    share : array_like
        Where between the middle two it lies, from 0 to 1.

    Returns
    -------
    weights : (4, ...) `~numpy.ndarray`
        The weights.
    """
    t, u = share, 1.0 - share
    # Products: powers of arrays take some ten times longer.
    tt, uu = t * t, u * u
    middle = 2.0 / 3.0
    return np.array(
        (
            uu * u / 6.0,
            middle - tt * (1.0 - 0.5 * t),
            middle - uu * (1.0 - 0.5 * u),
            tt * t / 6.0,
        )
    )


def spline_slopes(share):
    """
    Give the weights of its derivative, for coefficients at a distance of 1.

    Parameters
    ----------
    share : array_like
        As for `spline_weights`.

    Returns
    -------
    slopes : (4, ...) `~numpy.ndarray`
        The weights.
    """
    t, u = share, 1.0 - share
    tt, uu = t * t, u * u
    return np.array((-0.5 * uu, 1.5 * tt - 2.0 * t, 2.0 * u - 1.5 * uu, 0.5 * tt))
