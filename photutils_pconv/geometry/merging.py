# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Positions that are too close to be told apart are those of one source.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

__all__ = ['UNRESOLVED_FWHM', 'DistinctPositions', 'merge_close']

#: Sources closer than this, in FWHM, are one. By choice, 2026-11-29: with a known
#: PSF and known positions the joint fit of two multiplies their errors by 1.4 at
#: this distance, but an error of a position (or a fit of it) of a tenth of a FWHM
#: moves a fifth of the flux from one to the other.
UNRESOLVED_FWHM = 0.5


@dataclass(frozen=True, eq=False)
class DistinctPositions:
    """
    The M sources that N rows of positions stand for.

    Parameters
    ----------
    x, y : (M,) `~numpy.ndarray`
        The sources' positions, in the order of their first rows: for rows
        that are one source the mean of the places they name, wherever a
        place is named more than once.

    row : (N,) int `~numpy.ndarray`
        The source of each row: ``values[row]`` gives the rows the sources'
        values.

    extent : (M,) `~numpy.ndarray`
        The largest distance of a source's rows from its position, in pixels.
    """

    x: np.ndarray
    y: np.ndarray
    row: np.ndarray
    extent: np.ndarray

    def __len__(self):
        return self.x.size

    @property
    def first(self):
        """
        The first row of each source ((M,) int `~numpy.ndarray`).
        """
        return np.unique(self.row, return_index=True)[1]

    @property
    def repeats(self):
        """
        The rows whose source has an earlier row ((N,) bool `~numpy.ndarray`).
        """
        repeats = np.ones(self.row.size, dtype=bool)
        repeats[self.first] = False
        return repeats

    def largest(self, values):
        """
        Give each source the largest value of its rows.

        Parameters
        ----------
        values : (N,) `~numpy.ndarray`
            The rows' values.

        Returns
        -------
        largest : (M,) `~numpy.ndarray`
            The sources' values.
        """
        largest = np.full(len(self), -np.inf)
        np.maximum.at(largest, self.row, values)
        return largest


def merge_close(x, y, distance):
    """
    Merge positions that are closer than some distance.

    The closest are merged first, into their mean, until no two positions are
    that close. The result does not depend on the order of the rows.

    Parameters
    ----------
    x, y : (N,) `~numpy.ndarray`
        The positions, in pixels; finite.

    distance : float
        The distance, in pixels.

    Returns
    -------
    distinct : `DistinctPositions`
        The sources; the positions themselves, to the bit, where no two are
        close.
    """
    rows = np.stack([x, y], axis=1)
    places, place = np.unique(rows, axis=0, return_inverse=True)
    place = place.reshape(-1)
    points, weight = places.copy(), np.ones(len(places))
    member = np.arange(len(places))
    while len(points) > 1:
        first, second = _closest_pairs(points, distance)
        if first.size == 0:
            break
        total = weight[first] + weight[second]
        share = (weight[second] / total)[:, None]
        points[first] += share * (points[second] - points[first])
        weight[first] = total
        target = np.arange(len(points))
        target[second] = first
        kept = np.delete(np.arange(len(points)), second)
        number = np.zeros(len(points), dtype=int)
        number[kept] = np.arange(len(kept))
        member = number[target[member]]
        points, weight = points[kept], weight[kept]
    source = member[place]
    # In the order of the rows.
    _, start = np.unique(source, return_index=True)
    order = np.argsort(start)
    rank = np.empty(len(order), dtype=int)
    rank[order] = np.arange(len(order))
    row, points = rank[source], points[order]
    extent = np.zeros(len(points))
    np.maximum.at(extent, row, np.hypot(*(rows - points[row]).T))
    return DistinctPositions(points[:, 0], points[:, 1], row, extent)


def _closest_pairs(points, distance):
    """Find the pairs that are each other's nearest, and close."""
    number = np.arange(len(points))
    separation, nearest = KDTree(points).query(points, k=2)
    # The nearest is the point itself, unless another is at the same place.
    other = np.where(nearest[:, 0] == number, nearest[:, 1], nearest[:, 0])
    separation = separation[:, 1]
    close = separation < distance
    mutual = close & (other[other] == number) & (number < other)
    if close.any() and not mutual.any():
        # Points at equal distances may point at each other in a ring.
        i = int(np.argmin(separation))
        return np.array([min(i, other[i])]), np.array([max(i, other[i])])
    return number[mutual], other[mutual]
