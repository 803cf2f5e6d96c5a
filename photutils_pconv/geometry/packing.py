# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Boxes put together side by side, on little room.
"""

import numpy as np
from scipy.ndimage import maximum_filter1d

__all__ = ['pack']

# The widths in which that is tried, in units of the root of the parts' area; by choice.
_WIDTHS = (0.8, 0.9, 1.0, 1.1, 1.25)


def pack(boxes, shape):
    """
    Put boxes of a map side by side; those at an edge of the map keep it.

    Parameters
    ----------
    boxes : (K, 4) int `~numpy.ndarray`
        Their first rows and columns, and the first ones beyond them.

    shape : tuple of int
        The map's shape (ny, nx).

    Returns
    -------
    packed : tuple or `None`
        The shape of all together, and the boxes' first pixels there, (K, 2); `None`
        where an edge has no room for them.
    """
    sizes = boxes[:, 2:] - boxes[:, :2]
    first, last = boxes[:, :2] == 0, boxes[:, 2:] == shape
    if np.any(first & last):
        return None
    # By axis: -1 at the first edge, 1 at the last one.
    side = last.astype(int) - first.astype(int)
    of_corner = [
        np.flatnonzero(np.all(side == corner, axis=1))
        for corner in ((-1, -1), (-1, 1), (1, -1), (1, 1))
    ]
    if any(one.size > 1 for one in of_corner):
        return None
    area = np.prod(sizes, axis=1).sum()
    least = max(sizes[:, 1].max(), *(sizes[side[:, 0] == k, 1].sum() for k in (-1, 1)))
    best = None
    for ratio in _WIDTHS:
        width = max(int(np.ceil(ratio * np.sqrt(area))), int(least))
        height, corners = _stack(sizes, side, width)
        if best is None or height * width < best[0][0] * best[0][1]:
            best = (height, width), corners
    return best


def _stack(sizes, side, width):
    """
    Stack boxes in some width, each as high up as it goes.

    Returns the height of all and the boxes' first pixels.
    """
    corners = np.zeros(sizes.shape, dtype=int)
    # How far down each column is taken.
    taken = np.zeros(width, dtype=int)
    for edge in (-1, 1):
        # Side by side, with those of the corners at the ends.
        here = np.flatnonzero(side[:, 0] == edge)
        here = here[np.argsort(side[here, 1], kind='stable')]
        corners[here, 1] = np.cumsum(sizes[here, 1]) - sizes[here, 1]
    corners[side[:, 1] == 1, 1] = width - sizes[side[:, 1] == 1, 1]
    # At the upper edge first, at the lower one last; between them the largest first.
    for k in np.lexsort((-sizes[:, 0], side[:, 0])):
        size = sizes[k, 1]
        if not side[k].any():
            # Where the lowest row of those that it takes is the uppermost.
            lowest = maximum_filter1d(taken, size, origin=-(size // 2))
            corners[k, 1] = np.argmin(lowest[: width - size + 1])
        columns = slice(corners[k, 1], corners[k, 1] + size)
        corners[k, 0] = taken[columns].max()
        taken[columns] = corners[k, 0] + sizes[k, 0]
    height = int(taken.max())
    last = side[:, 0] == 1
    corners[last, 0] = height - sizes[last, 0]
    return height, corners
