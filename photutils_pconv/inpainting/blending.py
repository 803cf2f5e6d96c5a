# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Predicted cutouts, blended back into the map.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv.geometry.holes import taper_weight
from photutils_pconv.geometry.squares import SquareStack
from photutils_pconv.inpainting.reconstruction import Reconstruction

__all__ = [
    'BlendedPixels',
    'Blender',
]


@dataclass(frozen=True, eq=False)
class BlendedPixels:
    """
    The mean reconstruction of some holes of a map, without the rest of the map.

    Parameters
    ----------
    numbers : (P,) int `~numpy.ndarray`
        The pixels of the holes and the tapers around them: their places in a
        flattened image of the map.

    emission : (P,) `~numpy.ndarray`
        The emission there, in the map's unit.

    weight : (P,) `~numpy.ndarray`
        What it counts in the map, from 0 to 1.

    filled : 1D bool `~numpy.ndarray`
        Which of all holes were filled.

    places, holes : (E,) int `~numpy.ndarray`
        What lies where: for each pixel of each hole its place among those
        above, and the hole.
    """

    numbers: np.ndarray
    emission: np.ndarray
    weight: np.ndarray
    filled: np.ndarray
    places: np.ndarray
    holes: np.ndarray

    def spread(self, values):
        """
        Give each pixel the largest of the values that its holes have.

        Parameters
        ----------
        values : 1D `~numpy.ndarray`
            A value for each of all holes, not negative.

        Returns
        -------
        spread : (P,) `~numpy.ndarray`
            The values of the pixels.
        """
        spread = np.zeros(self.numbers.size)
        np.maximum.at(spread, self.places, values[self.holes])
        return spread


class Blender:
    """
    Collect the reconstructions of holes, weighted by the distance from
    their source.

    Overlapping cutouts are averaged with weights that depend on positions
    alone: neither the order of the sources nor the batch size matters.

    Parameters
    ----------
    shape : tuple of int
        The map's shape (ny, nx).

    n_holes : int
        The number of holes.

    taper_width : float
        The width of the taper around each hole, in pixels.
    """

    def __init__(self, shape, n_holes, taper_width):
        self.shape = shape
        self.taper_width = taper_width
        self.filled = np.zeros(n_holes, dtype=bool)
        # The pixels of all holes, hole by hole: their numbers on the map, the
        # emission, and what it and the whole reconstruction count there; the holes.
        self._pixels = [(np.zeros(0, dtype=int), *np.zeros((3, 0)))]
        self._holes = [np.zeros(0, dtype=int)]

    def add(self, cutouts, holes):
        """
        Add the cutouts of a batch that could be predicted.

        Parameters
        ----------
        cutouts : `~photutils_pconv.inpainting.prediction.PredictedCutouts`
            The batch.

        holes : `~photutils_pconv.geometry.Holes`
            All holes of the map.
        """
        usable = np.flatnonzero(cutouts.usable)
        if not usable.size:
            return
        index, emission = cutouts.index[usable], cutouts.emission[usable]
        self.filled[index] = True
        squares = SquareStack(cutouts.origins[usable], emission.shape[-1])
        distance = squares.distances(holes.x[index], holes.y[index])
        reach = holes.radius[index] + self.taper_width
        place = np.nonzero(distance <= reach[:, None, None])
        which, rows, columns = place
        columns, rows = np.stack([columns, rows]) + squares.origins[which].T
        weight = taper_weight(
            distance[place], holes.radius[index][which], width=self.taper_width
        )
        use = (weight > 0) & (rows >= 0) & (rows < self.shape[0])
        use &= (columns >= 0) & (columns < self.shape[1])
        share = weight / (1.0 + distance[place])
        pixels = rows * self.shape[1] + columns, emission[place], share, weight
        self._pixels.append(tuple(one[use] for one in pixels))
        self._holes.append(index[which[use]])

    def blend(self, missing):
        """
        Give the mean reconstruction of the holes.

        Parameters
        ----------
        missing : 2D bool `~numpy.ndarray`
            The map's missing pixels.

        Returns
        -------
        pixels : `BlendedPixels`
            The emission, its weight in the map, and which holes were filled.
        """
        numbers, emission, share, weight = (
            np.concatenate(one) for one in zip(*self._pixels, strict=True)
        )
        holes = np.concatenate(self._holes)
        use = ~missing.ravel()[numbers]
        numbers, places = np.unique(numbers[use], return_inverse=True)
        places, share, n = places.ravel(), share[use], numbers.size
        total = np.bincount(places, share * emission[use], n)
        largest = np.zeros(n)
        np.maximum.at(largest, places, weight[use])
        mean = total / np.bincount(places, share, n)
        return BlendedPixels(numbers, mean, largest, self.filled, places, holes[use])

    def finish(self, missing):
        """
        Give the mean reconstruction on the map.

        Parameters
        ----------
        missing : 2D bool `~numpy.ndarray`
            The map's missing pixels.

        Returns
        -------
        reconstruction : `~photutils_pconv.inpainting.Reconstruction`
            The emission, its weight in the map, and which holes were filled.
        """
        pixels = self.blend(missing)
        # Zeros take memory where they are written to.
        emission, weight = np.zeros(self.shape), np.zeros(self.shape)
        emission.ravel()[pixels.numbers] = pixels.emission
        weight.ravel()[pixels.numbers] = pixels.weight
        return Reconstruction(emission, weight, self.filled)
