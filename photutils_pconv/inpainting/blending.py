# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Predicted cutouts, blended back into the map.
"""

import numpy as np

from photutils_pconv.geometry.holes import taper_weight

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

    def _window(self, x, y, radius):
        reach = radius + self.taper_width
        ny, nx = self.shape
        x0, x1 = max(int(np.ceil(x - reach)), 0), min(int(x + reach) + 1, nx)
        y0, y1 = max(int(np.ceil(y - reach)), 0), min(int(y + reach) + 1, ny)
        if x0 >= x1 or y0 >= y1:
            return None
        distance = np.hypot(
            np.arange(x0, x1)[None, :] - x, np.arange(y0, y1)[:, None] - y
        )
        weight = taper_weight(distance, radius, width=self.taper_width)
        return np.s_[y0:y1, x0:x1], distance, weight

    def mark(self, x, y, radius):
        """
        Set the weight of one hole; return what `add` needs.
        """
        window = self._window(x, y, radius)
        if window is not None:
            region, _, weight = window
            np.maximum(self.weight[region], weight, out=self.weight[region])
        return window

    def add(self, emission, origin, x, y, radius):
        """
        Add one cutout's reconstruction.
        """
        window = self.mark(x, y, radius)
        if window is None:
            return
        (rows, columns), distance, weight = window
        part = emission[
            rows.start - origin[1] : rows.stop - origin[1],
            columns.start - origin[0] : columns.stop - origin[0],
        ]
        share = weight / (1.0 + distance)
        self._sum[rows, columns] += share * part
        self._norm[rows, columns] += share

    def finish(self, missing):
        """
        Return the mean reconstruction and its weight in the map.
        """
        use = (self._norm > 0) & ~missing
        emission = np.zeros(self.shape)
        emission[use] = self._sum[use] / self._norm[use]
        return emission, np.where(use, self.weight, 0.0)
