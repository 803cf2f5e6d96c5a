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
        if rows is None:
            return values
        samples = self._coefficients[rows.samples, columns.samples]
        values[rows.inside, columns.inside] = columns.sum(rows.sum(samples))
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
        samples = self._coefficients[rows.samples, columns.samples]
        # A source that moves on leaves the pixels behind.
        by_x[inside] = -columns.slope(rows.sum(samples))
        by_y[inside] = -columns.sum(rows.slope(samples))
        return tuple(self._cut(one, region, x, y) for one in (by_x, by_y))

    def _make(self, region, x, y):
        """
        Make an empty image, and find the samples around its pixels.
        """
        shape = tuple(one.stop - one.start for one in region)
        axes = [
            self._find_axis(axis, one.start - float(place), n)
            for axis, (one, place, n) in enumerate(
                zip(region, (y, x), shape, strict=True)
            )
        ]
        if None in axes:
            axes = [None, None]
        return np.zeros(shape), *axes

    def _find_axis(self, axis, start, n):
        """
        Find the samples of ``n`` pixels from an offset on; `None` if there are none.
        """
        low = max(math.ceil(-self.radius - start), 0)
        high = min(math.floor(self.radius - start) + 1, n)
        if low >= high:
            return None
        place = (start + low) * self._oversampling + self._centre
        before = math.floor(place)
        return _Axis(
            axis, slice(low, high), before - 1, place - before, self._oversampling
        )

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
    axis : int
        The axis of the image.

    inside : slice
        The pixels that are not beyond the image.

    first : int
        The first sample that the first of them sees.

    share : float
        Where between two samples the pixels lie, from 0 to 1.

    oversampling : int
        The samples along a pixel's side.
    """

    def __init__(self, axis, inside, first, share, oversampling):
        self.inside, self._axis, self._step = inside, axis, oversampling
        self._length = (inside.stop - inside.start - 1) * oversampling + 1
        self.samples = slice(first, first + self._length + 3)
        t, u = share, 1.0 - share
        self._weights = (
            u**3 / 6.0,
            (3.0 * t**3 - 6.0 * t**2 + 4.0) / 6.0,
            (3.0 * u**3 - 6.0 * u**2 + 4.0) / 6.0,
            t**3 / 6.0,
        )
        slopes = -0.5 * u**2, 1.5 * t**2 - 2 * t, 2 * u - 1.5 * u**2, 0.5 * t**2
        self._slopes = tuple(oversampling * one for one in slopes)

    def sum(self, samples):
        """
        Sum samples to the values of the pixels.
        """
        return self._add(samples, self._weights)

    def slope(self, samples):
        """
        Sum samples to the derivatives, by pixel.
        """
        return self._add(samples, self._slopes)

    def _add(self, samples, weights):
        total = None
        for k, weight in enumerate(weights):
            part = slice(k, k + self._length, self._step)
            one = weight * (samples[part] if self._axis == 0 else samples[:, part])
            total = one if total is None else np.add(total, one, out=total)
        return total
