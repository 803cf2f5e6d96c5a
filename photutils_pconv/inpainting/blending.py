# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Predicted cutouts, blended back into the map.
"""

import numpy as np

from photutils_pconv.geometry.holes import taper_weight
from photutils_pconv.geometry.windows import find_window

__all__ = [
    'Blender',
]


class Blender:
    """
    Collect reconstructions, weighted by the distance from their source.
    """

    def __init__(self, shape, taper_width):
        self.shape = shape
        self.taper_width = taper_width
        self.weight = np.zeros(shape)
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

    def add(self, emission, origin, x, y, radius):
        """
        Add one cutout's reconstruction.
        """
        window, weight = self.mark(x, y, radius)
        if window is None:
            return
        rows, columns = window.region
        part = emission[
            rows.start - origin[1] : rows.stop - origin[1],
            columns.start - origin[0] : columns.stop - origin[0],
        ]
        share = weight / (1.0 + window.distance)
        self._sum[window.region] += share * part
        self._norm[window.region] += share

    def finish(self, missing):
        """
        Return the mean reconstruction and its weight in the map.
        """
        use = (self._norm > 0) & ~missing
        emission = np.zeros(self.shape)
        emission[use] = self._sum[use] / self._norm[use]
        return emission, np.where(use, self.weight, 0.0)
