# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The part of a map around a position.
"""

import numpy as np

__all__ = [
    'window_region',
]


def window_region(shape, x, y, radius):
    """
    Find the part of a map around a position.

    Parameters
    ----------
    shape : tuple of int
        The map's shape.

    x, y : float
        The position.

    radius : float
        Half the side of the part, in pixels.

    Returns
    -------
    region : tuple of slice
        The part.

    dx, dy : 2D `~numpy.ndarray`
        The pixels' offsets from the position.

    Returns `None` where the part lies beyond the map.
    """
    ny, nx = shape
    x0, x1 = max(int(np.ceil(x - radius)), 0), min(int(x + radius) + 1, nx)
    y0, y1 = max(int(np.ceil(y - radius)), 0), min(int(y + radius) + 1, ny)
    if x0 >= x1 or y0 >= y1:
        return None
    dx = np.broadcast_to(np.arange(x0, x1)[None, :] - x, (y1 - y0, x1 - x0))
    dy = np.broadcast_to(np.arange(y0, y1)[:, None] - y, (y1 - y0, x1 - x0))
    return np.s_[y0:y1, x0:x1], dx, dy
