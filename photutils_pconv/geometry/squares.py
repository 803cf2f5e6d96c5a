# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Squares around many positions, which are worked on together.

It takes longer to call numpy than numpy takes to work through a few hundred pixels.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from photutils_pconv.geometry.cutouts import cut_stack

__all__ = ['SquareStack', 'group_alike']

# So many positions at once, by choice: what is cut and drawn around more of them does
# not fit into a processor's cache.
_TOGETHER = 32


def group_alike(numbers, key):
    """
    Group sources that are worked on alike.

    Parameters
    ----------
    numbers : sequence of int
        The sources.

    key : callable
        Gives what is the same for sources that are alike.

    Returns
    -------
    groups : list of 1D int `~numpy.ndarray`
        The sources of each group, of which there are no more than are worked on
        together.
    """
    alike = defaultdict(list)
    for i in numbers:
        alike[key(i)].append(i)
    return [
        np.array(group[start : start + _TOGETHER])
        for group in alike.values()
        for start in range(0, len(group), _TOGETHER)
    ]


@dataclass(frozen=True, eq=False)
class SquareStack:
    """
    Squares of a map's pixels around N positions.

    Parameters
    ----------
    origins : (N, 2) int `~numpy.ndarray`
        Their first pixels (x, y).

    side : int
        Their side, in pixels.
    """

    origins: np.ndarray
    side: int

    @classmethod
    def around(cls, x, y, half):
        """
        Find the squares around positions.

        Parameters
        ----------
        x, y : (N,) `~numpy.ndarray`
            The positions, in pixels.

        half : int
            Half the squares' side, without the pixel in the middle.

        Returns
        -------
        squares : `SquareStack`
            The squares.
        """
        origins = np.rint(np.stack([x, y], axis=1)).astype(int) - half
        return cls(origins, 2 * half + 1)

    @property
    def regions(self):
        """
        The rows and columns of each square (list of tuple of slice).
        """
        return [
            (slice(y, y + self.side), slice(x, x + self.side)) for x, y in self.origins
        ]

    def offsets(self, x, y):
        """
        Give the pixels' offsets from positions.

        Parameters
        ----------
        x, y : (N,) `~numpy.ndarray`
            The positions, in pixels.

        Returns
        -------
        dx, dy : `~numpy.ndarray`
            The offsets of columns, (N, 1, side), and of rows, (N, side, 1).
        """
        place = np.arange(self.side)
        dx = self.origins[:, :1] + place - x[:, None]
        dy = self.origins[:, 1:] + place - y[:, None]
        return dx[:, None, :], dy[:, :, None]

    def distances(self, x, y):
        """
        Give the pixels' distances from positions.

        Parameters
        ----------
        x, y : (N,) `~numpy.ndarray`
            The positions, in pixels.

        Returns
        -------
        distance : (N, side, side) `~numpy.ndarray`
            The distances.
        """
        dx, dy = self.offsets(x, y)
        return np.sqrt(dx**2 + dy**2)

    def cut(self, image, *, fill_value=0):
        """
        Cut the squares out of an image.

        Parameters
        ----------
        image : 2D `~numpy.ndarray`
            The image, of the map's shape.

        fill_value : scalar, optional
            The value of pixels beyond the map.

        Returns
        -------
        values : (N, side, side) `~numpy.ndarray`
            The pixels.
        """
        return cut_stack(image, self.origins, self.side, fill_value=fill_value)
