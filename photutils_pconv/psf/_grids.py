# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Images that are drawn on whole pixels, wherever their source lies in one.

A cubic spline on samples that lie on the map's axes: on a grid of whole pixels all
offsets from the samples are equal, so that its weights are sixteen numbers.
"""

import math

import numpy as np
from scipy.ndimage import spline_filter

__all__ = ['SampledGrid']

# Samples along a pixel's side: the spline is then good to 1e-5 of the peak of a PSF
# with a FWHM of 3 pixels.
_OVERSAMPLING = 4
# Samples beyond the radius, for the spline's own reach.
_MARGIN = 2


class SampledGrid:
    """
    An image of a source, drawn on whole pixels.

    Parameters
    ----------
    evaluate : callable
        Gives the image at offsets (dx, dy) from the source, in pixels.

    radius : float
        The radius beyond which the image is 0, in pixels.

    oversampling : int, optional
        The samples along a pixel's side.
    """

    def __init__(self, evaluate, radius, *, oversampling=_OVERSAMPLING):
        self.radius = float(radius)
        self._oversampling = oversampling
        self._centre = int(np.ceil(self.radius)) * oversampling + _MARGIN
        offsets = np.arange(-self._centre, self._centre + 1) / oversampling
        values = evaluate(offsets[None, :], offsets[:, None])
        self._coefficients = spline_filter(values, order=3)

    def draw(self, region, x, y):
        """
        Draw the image.

        Parameters
        ----------
        region : 2-tuple of slice
            The rows and columns of the map.

        x, y : float
            The position of the source, in pixels.

        Returns
        -------
        values : 2D `~numpy.ndarray`
            The image there.
        """
        values, rows, columns = self._make(region, x, y)
        if rows is not None:
            inside = rows.inside, columns.inside
            values[inside] = self._sum(rows, columns, rows.weights, columns.weights)
        return self._cut(values, region, x, y)

    def draw_gradient(self, region, x, y):
        """
        Draw the derivatives by the source's position.

        Parameters
        ----------
        region, x, y
            As for `draw`.

        Returns
        -------
        by_x, by_y : 2D `~numpy.ndarray`
            The change by a shift of the source of 1 pixel.
        """
        by_x, rows, columns = self._make(region, x, y)
        by_y = by_x.copy()
        if rows is None:
            return by_x, by_y
        inside = rows.inside, columns.inside
        # A source that moves on leaves the pixels behind.
        by_x[inside] = -self._sum(rows, columns, rows.weights, columns.slopes())
        by_y[inside] = -self._sum(rows, columns, rows.slopes(), columns.weights)
        return tuple(self._cut(one, region, x, y) for one in (by_x, by_y))

    def _make(self, region, x, y):
        """
        Make an empty image, and find the samples around its pixels.
        """
        shape = tuple(one.stop - one.start for one in region)
        axes = [
            self._find_axis(one.start - float(place), n)
            for one, place, n in zip(region, (y, x), shape, strict=True)
        ]
        if None in axes:
            axes = [None, None]
        return np.zeros(shape), *axes

    def _find_axis(self, start, n):
        """
        Find the samples of ``n`` pixels from an offset on; `None` if there are none.
        """
        low = max(math.ceil(-self.radius - start), 0)
        high = min(math.floor(self.radius - start) + 1, n)
        if low >= high:
            return None
        place = (start + low) * self._oversampling + self._centre
        before = math.floor(place)
        return _Axis(slice(low, high), before - 1, place - before, self._oversampling)

    def _sum(self, rows, columns, row_weights, column_weights):
        """
        Sum the four by four samples around each pixel, with weights for either axis.
        """
        samples = self._coefficients
        along, across = samples.strides
        step, length = self._oversampling, columns.n_samples
        # Views of the samples in fours, which numpy takes for stacks of matrices.
        fours = np.ndarray(
            (rows.n, 4, length),
            buffer=samples,
            offset=rows.first * along + columns.first * across,
            strides=(step * along, along, across),
        )
        lines = np.matmul(row_weights, fours)
        along, across = lines.strides
        fours = np.ndarray(
            (rows.n, columns.n, 4),
            buffer=lines,
            strides=(along, step * across, across),
        )
        return np.matmul(fours, column_weights)

    def _cut(self, values, region, x, y):
        """
        Set what lies beyond the radius to 0, in place.
        """
        rows, columns = region
        far = (
            max(x - columns.start, columns.stop - 1 - x),
            max(y - rows.start, rows.stop - 1 - y),
        )
        if math.hypot(*far) > self.radius:
            dx = np.arange(columns.start, columns.stop) - x
            dy = np.arange(rows.start, rows.stop) - y
            values[dx**2 + dy[:, None] ** 2 > self.radius**2] = 0.0
        return values


class _Axis:
    """
    The samples around a line of pixels, and their weights.

    Parameters
    ----------
    inside : slice
        The pixels that are not beyond the image.

    first : int
        The first sample that the first of them sees.

    share : float
        Where between two samples the pixels lie, from 0 to 1.

    oversampling : int
        The samples along a pixel's side.
    """

    def __init__(self, inside, first, share, oversampling):
        self.inside, self.first = inside, first
        self.n = inside.stop - inside.start
        self.n_samples = (self.n - 1) * oversampling + 4
        self._share, self._step = share, oversampling
        t, u = share, 1.0 - share
        self.weights = np.array(
            (
                u**3 / 6.0,
                (3.0 * t**3 - 6.0 * t**2 + 4.0) / 6.0,
                (3.0 * u**3 - 6.0 * u**2 + 4.0) / 6.0,
                t**3 / 6.0,
            )
        )

    def slopes(self):
        """
        Give the weights of the derivative, by pixel.
        """
        t, u = self._share, 1.0 - self._share
        slopes = -0.5 * u**2, 1.5 * t**2 - 2 * t, 2 * u - 1.5 * u**2, 0.5 * t**2
        return self._step * np.array(slopes)
