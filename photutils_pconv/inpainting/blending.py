# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Predicted cutouts, blended back into the map.
"""

import numpy as np

from photutils_pconv.geometry.holes import taper_weight
from photutils_pconv.geometry.windows import find_window
from photutils_pconv.inpainting.reconstruction import Reconstruction

__all__ = [
    'Blender',
]


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
        # emission, and what it and the whole reconstruction count there.
        self._pixels = [(np.zeros(0, dtype=int), *np.zeros((3, 0)))]

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
        for k in np.flatnonzero(cutouts.usable):
            i = cutouts.index[k]
            self.filled[i] = True
            reach = holes.radius[i] + self.taper_width
            window = find_window(self.shape, holes.x[i], holes.y[i], reach)
            if window is None:
                continue
            distance = window.distance
            weight = taper_weight(distance, holes.radius[i], width=self.taper_width)
            rows, columns = np.nonzero(weight)
            weight, distance = weight[rows, columns], distance[rows, columns]
            rows, columns = rows + window.rows.start, columns + window.columns.start
            x0, y0 = cutouts.origins[k]
            emission = cutouts.emission[k, rows - y0, columns - x0]
            numbers = rows * self.shape[1] + columns
            self._pixels.append((numbers, emission, weight / (1.0 + distance), weight))

    def finish(self, missing):
        """
        Give the mean reconstruction.

        Parameters
        ----------
        missing : 2D bool `~numpy.ndarray`
            The map's missing pixels.

        Returns
        -------
        reconstruction : `~photutils_pconv.inpainting.Reconstruction`
            The emission, its weight in the map, and which holes were filled.
        """
        numbers, emission, share, weight = (
            np.concatenate(one) for one in zip(*self._pixels, strict=True)
        )
        numbers, index = np.unique(numbers, return_inverse=True)
        index = index.ravel()
        mean = np.bincount(index, share * emission, numbers.size) / np.bincount(
            index, share, numbers.size
        )
        largest = np.zeros(numbers.size)
        np.maximum.at(largest, index, weight)
        use = ~missing.ravel()[numbers]
        # Zeros take memory where they are written to.
        emission, weight = np.zeros(self.shape), np.zeros(self.shape)
        for image, values in ((emission, mean), (weight, largest)):
            image.ravel()[numbers[use]] = values[use]
        return Reconstruction(emission, weight, self.filled)
