# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Apertures as stacks of weights, and how they meet the map and the holes."""

from dataclasses import dataclass

import numpy as np
from photutils.aperture import CircularAnnulus, CircularAperture

from photutils_pconv.geometry.squares import SquareStack, group_alike
from photutils_pconv.geometry.windows import disc

__all__ = ['ApertureStack', 'find_gaps', 'iterate_apertures']


@dataclass(frozen=True, eq=False)
class ApertureStack:
    """
    Apertures of one size around some of many sources.

    Parameters
    ----------
    rows : (n,) int `~numpy.ndarray`
        The sources' places among all.
    x, y : (n,) `~numpy.ndarray`
        Their pixel positions.
    squares : `~photutils_pconv.geometry.squares.SquareStack`
        Squares of pixels around the apertures.
    weights : (n, side, side) `~numpy.ndarray`
        The part of each pixel that lies in its aperture.
    """

    rows: np.ndarray
    x: np.ndarray
    y: np.ndarray
    squares: SquareStack
    weights: np.ndarray

    @property
    def area(self):
        """The sum of the weights, source by source."""
        return self.weights.sum(axis=(1, 2))

    @property
    def distance(self):
        """The pixels' distances from the positions."""
        return self.squares.distances(self.x, self.y)

    def within(self, radius):
        """
        Keep what lies in the sources' holes.

        Parameters
        ----------
        radius : 1D `~numpy.ndarray`
            The radii of the holes of all sources.

        Returns
        -------
        part : `ApertureStack`
            The apertures, without the pixels beyond.
        beyond : (n,) bool `~numpy.ndarray`
            Whether there were any.
        """
        dx, dy = self.squares.offsets(self.x, self.y)
        hole = disc(dx, dy, radius[self.rows][:, None, None])
        beyond = np.any((self.weights > 0) & ~hole, axis=(1, 2))
        return self._weigh(self.weights * hole), beyond

    def on_map(self, missing):
        """
        Keep what there is of the map.

        Parameters
        ----------
        missing : 2D bool `~numpy.ndarray`
            The map's missing pixels.

        Returns
        -------
        part : `ApertureStack`
            The apertures, without the pixels that are missing or lie beyond
            the map.
        incomplete : (n,) bool `~numpy.ndarray`
            Whether there were any.
        """
        present = ~self.squares.cut(missing, fill_value=True)
        incomplete = np.any((self.weights > 0) & ~present, axis=(1, 2))
        return self._weigh(self.weights * present), incomplete

    def cut(self, image):
        """
        Cut an image; pixels beyond the apertures count as 0, NaN included.
        """
        return np.where(self.weights > 0, self.squares.cut(image), 0.0)

    def sum(self, image):
        """
        Sum an image's pixels times their weights.
        """
        return np.einsum('nij,nij->n', self.cut(image), self.weights)

    def _weigh(self, weights):
        """Give the same apertures with other weights."""
        return ApertureStack(self.rows, self.x, self.y, self.squares, weights)


def iterate_apertures(x, y, chosen, radii, method, subpixels=5):
    """
    Go through the apertures of the chosen sources, some at a time.

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
    apertures : `ApertureStack`
        Their apertures.
    """
    make = CircularAperture if len(radii) == 1 else CircularAnnulus
    # A pixel that the circle touches, and one for the position's fraction.
    half = int(np.ceil(max(radii))) + 1
    for rows in group_alike(np.flatnonzero(chosen), lambda i: None):
        where = x[rows], y[rows]
        squares = SquareStack.around(*where, half)
        weights = np.zeros((len(rows), squares.side, squares.side))
        masks = make(np.column_stack(where), *radii).to_mask(
            method=method, subpixels=subpixels
        )
        for weight, mask, (x0, y0) in zip(weights, masks, squares.origins, strict=True):
            box = mask.bbox
            weight[box.iymin - y0 : box.iymax - y0, box.ixmin - x0 : box.ixmax - x0] = (
                mask.data
            )
        yield ApertureStack(rows, *where, squares, weights)


def find_gaps(x, y, radius, missing):
    """
    Find holes with pixels that are missing or lie beyond the map.

    Parameters
    ----------
    x, y, radius : (N,) `~numpy.ndarray`
        The holes, in pixels.
    missing : 2D bool `~numpy.ndarray`
        The map's missing pixels.

    Returns
    -------
    gaps : (N,) bool `~numpy.ndarray`
        The holes.
    """
    gaps = np.zeros(len(x), dtype=bool)
    for group in group_alike(range(len(x)), lambda i: radius[i]):
        where = x[group], y[group]
        squares = SquareStack.around(*where, int(np.ceil(radius[group[0]])))
        hole = disc(*squares.offsets(*where), radius[group[0]])
        absent = squares.cut(missing, fill_value=True)
        gaps[group] = np.any(hole & absent, axis=(1, 2))
    return gaps
