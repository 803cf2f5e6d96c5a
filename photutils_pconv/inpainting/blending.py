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
        self.weight = np.zeros(shape)
        self.filled = np.zeros(n_holes, dtype=bool)
        self._sum = np.zeros(shape)
        self._norm = np.zeros(shape)

    def mark(self, x, y, radius):
        """
        Set the weight of one hole; return its window and the weight there.
        """
        window = find_window(self.shape, x, y, radius + self.taper_width)
        if window is None:
            return None, None
        weight = taper_weight(window.distance, radius, width=self.taper_width)
        whole = self.weight[window.region]
        np.maximum(whole, weight, out=whole)
        return window, weight

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
            window, weight = self.mark(holes.x[i], holes.y[i], holes.radius[i])
            if window is None:
                continue
            rows, columns = window.region
            x0, y0 = cutouts.origins[k]
            part = cutouts.emission[
                k,
                rows.start - y0 : rows.stop - y0,
                columns.start - x0 : columns.stop - x0,
            ]
            share = weight / (1.0 + window.distance)
            self._sum[window.region] += share * part
            self._norm[window.region] += share

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
        use = (self._norm > 0) & ~missing
        emission = np.zeros(self.shape)
        np.divide(self._sum, self._norm, out=emission, where=use)
        weight = np.zeros(self.shape)
        np.copyto(weight, self.weight, where=use)
        return Reconstruction(emission, weight, self.filled)
