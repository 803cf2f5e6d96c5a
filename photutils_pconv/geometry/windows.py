# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The part of a map around a position.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ['Window', 'disc', 'find_regions', 'find_window', 'region_within']


@dataclass(frozen=True, eq=False)
class Window:
    """
    A rectangle of a map's pixels around a position.

    Parameters
    ----------
    rows, columns : slice
        The part of the map; it lies on it.

    x, y : float
        The position, in pixels of the map.
    """

    rows: slice
    columns: slice
    x: float
    y: float

    @property
    def region(self):
        """
        The index of the part (tuple of slice).
        """
        return self.rows, self.columns

    @property
    def shape(self):
        """
        The shape (ny, nx) of the part (tuple of int).
        """
        return (
            self.rows.stop - self.rows.start,
            self.columns.stop - self.columns.start,
        )

    @cached_property
    def offsets(self):
        """
        The offsets from the position of the columns, (1, nx), and rows, (ny, 1).
        """
        dx = np.arange(self.columns.start, self.columns.stop) - self.x
        dy = np.arange(self.rows.start, self.rows.stop) - self.y
        return dx[None, :], dy[:, None]

    @cached_property
    def dx(self):
        """
        The pixels' offsets from the position along x (2D `~numpy.ndarray`).
        """
        return np.broadcast_to(self.offsets[0], self.shape)

    @cached_property
    def dy(self):
        """
        The pixels' offsets from the position along y (2D `~numpy.ndarray`).
        """
        return np.broadcast_to(self.offsets[1], self.shape)

    @cached_property
    def distance(self):
        """
        The pixels' distances from the position (2D `~numpy.ndarray`).
        """
        dx, dy = self.offsets
        # Some times faster than `numpy.hypot`, which guards against overflow.
        return np.sqrt(dx**2 + dy**2)

    def within(self, radius):
        """
        Find which pixels lie within a radius of the position.

        Parameters
        ----------
        radius : float
            The radius, in pixels.

        Returns
        -------
        within : 2D bool `~numpy.ndarray`
            True there, the rim included.
        """
        return disc(*self.offsets, radius)


def find_window(shape, x, y, reach):
    """
    Find the part of a map around a position.

    Parameters
    ----------
    shape : tuple of int
        The map's shape (ny, nx).

    x, y : float
        The position, in pixels; finite.

    reach : float
        Half the part's side: it holds the pixels whose centres are no
        further than this along either axis.

    Returns
    -------
    window : `Window` or `None`
        The part, cut at the map's edges; `None` if it lies beyond them.
    """
    ny, nx = shape
    x0, x1 = max(int(np.ceil(x - reach)), 0), min(int(np.floor(x + reach)) + 1, nx)
    y0, y1 = max(int(np.ceil(y - reach)), 0), min(int(np.floor(y + reach)) + 1, ny)
    if x0 >= x1 or y0 >= y1:
        return None
    return Window(slice(y0, y1), slice(x0, x1), x, y)


def find_regions(shape, x, y, reach):
    """
    Find the parts of a map around many positions.

    Parameters
    ----------
    shape : tuple of int
        The map's shape (ny, nx).

    x, y, reach : (N,) array_like
        As for `find_window`; where ``reach`` is NaN there is no part.

    Returns
    -------
    regions : list of tuple of slice
        What `find_window` gives as `Window.region`; `None` for what lies beyond.
    """
    reach = np.asarray(reach, dtype=float)
    # Of a negative number of pixels there are none.
    reach = np.where(np.isnan(reach), -1.0, reach)
    bounds = []
    for middle, n in zip((y, x), shape, strict=True):
        first = np.maximum(np.ceil(middle - reach), 0).astype(int)
        last = np.minimum(np.floor(middle + reach) + 1, n).astype(int)
        bounds.append(zip(first.tolist(), last.tolist(), strict=True))
    return [
        (slice(y0, y1), slice(x0, x1)) if y0 < y1 and x0 < x1 else None
        for (y0, y1), (x0, x1) in zip(*bounds, strict=True)
    ]


def region_within(region, outer):
    """
    Find where rows and columns of a map lie within others.

    Parameters
    ----------
    region, outer : 2-tuple of slice
        The rows and columns, and those that hold them.

    Returns
    -------
    within : tuple of slice
        The index of the first in an image of the second.
    """
    return tuple(
        slice(one.start - whole.start, one.stop - whole.start)
        for one, whole in zip(region, outer, strict=True)
    )


def disc(dx, dy, radius):
    """
    Find which offsets lie within a radius: the one definition of a hole.

    Parameters
    ----------
    dx, dy : array_like
        The offsets, broadcast against each other.

    radius : float
        The radius, in the same unit.

    Returns
    -------
    within : bool `~numpy.ndarray`
        True within the radius, the rim included.
    """
    return dx**2 + dy**2 <= radius**2
