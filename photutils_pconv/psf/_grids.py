# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Images that are drawn on whole pixels, wherever their source lies in one.

A cubic spline on samples that lie on the map's axes: on a grid of whole pixels all
offsets from the samples are equal, so that its weights are sixteen numbers.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import spline_filter

from photutils_pconv.psf._splines import spline_slopes, spline_weights

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
        size = tuple(one.stop - one.start for one in region)
        rows = self._find_axis(region[0].start - float(y), size[0])
        columns = self._find_axis(region[1].start - float(x), size[1])
        if rows is None or columns is None:
            return np.zeros(size)
        values = self._sum(rows, columns)
        if values.shape != size:
            values, inside = np.zeros(size), values
            values[rows.inside, columns.inside] = inside
        return self._cut(values, region, x, y)

    def draw_stack(self, origins, side, x, y, *, gradient=False):
        """
        Draw the images of many sources, each on a square of whole pixels.

        That needs an image with four samples a pixel, as many as the spline has.

        Parameters
        ----------
        origins : (N, 2) int `~numpy.ndarray`
            The squares' first pixels (x, y).

        side : int
            Their side, in pixels.

        x, y : (N,) `~numpy.ndarray`
            The positions of the sources, in pixels.

        gradient : bool, optional
            Whether the derivatives are drawn, too.

        Returns
        -------
        images : list of (N, side, side) `~numpy.ndarray`
            The images, and with ``gradient`` their derivatives by x and y.
        """
        step, n = self._oversampling, len(x)
        first = origins - np.stack([x, y], axis=1)
        place = first * step + self._centre
        before = np.floor(place)
        # The samples around all pixels, by rows in fours of which each pixel has one.
        squares = self._cut_samples(before.astype(int) - 1, step * side)
        fours = squares.reshape(n, side, 4, step * side)
        # Weights of the four samples around each pixel, along x and y.
        across, along = np.moveaxis(spline_weights(place - before), 2, 0)
        lines = _sum_rows(fours, along)
        images = [_sum_columns(lines, across)]
        if gradient:
            by_x, by_y = np.moveaxis(spline_slopes(place - before), 2, 0)
            # A source that moves on leaves the pixels behind.
            images.append(_sum_columns(lines, -step * by_x))
            images.append(_sum_columns(_sum_rows(fours, -step * by_y), across))
        self._cut_stack(images, first, side)
        return images

    def _cut_samples(self, start, reach):
        """
        Cut squares of samples from their first ones (x, y) on; beyond all there are 0.
        """
        samples = self._coefficients
        last = len(samples) - reach
        if last < 0 or start.min() < 0 or start.max() > last:
            samples = np.pad(samples, reach)
            start = np.clip(start + reach, 0, len(samples) - reach)
        return sliding_window_view(samples, (reach, reach))[start[:, 1], start[:, 0]]

    def _cut_stack(self, images, first, side):
        """
        Set what lies beyond the radius to 0, in place.
        """
        far = np.maximum(np.abs(first), np.abs(first + side - 1))
        for i in np.flatnonzero(np.hypot(*far.T) > self.radius):
            dx, dy = first[i, :, None] + np.arange(side)
            beyond = dx**2 + dy[:, None] ** 2 > self.radius**2
            for image in images:
                image[i][beyond] = 0.0

    def _find_axis(self, start, n):
        """
        Find the samples of ``n`` pixels from an offset on; `None` if there are none.
        """
        low = math.ceil(-self.radius - start)
        low = low if low > 0 else 0
        high = math.floor(self.radius - start) + 1
        high = high if high < n else n
        if low >= high:
            return None
        place = (start + low) * self._oversampling + self._centre
        before = math.floor(place)
        return _Axis(slice(low, high), before - 1, place - before, self._oversampling)

    def _sum(self, rows, columns):
        """
        Sum the four by four samples around each pixel, by their weights.
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
        lines = np.matmul(rows.weights, fours)
        if step == 4:
            # No two pixels have a sample in common: the fours lie side by side.
            values = lines.reshape(-1, 4) @ columns.weights
            return values.reshape(rows.n, columns.n)
        along, across = lines.strides
        fours = np.ndarray(
            (rows.n, columns.n, 4),
            buffer=lines,
            strides=(along, step * across, across),
        )
        return np.matmul(fours, columns.weights)

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
        self.weights = spline_weights(share)


def _sum_rows(fours, weights):
    """
    Sum fours of rows of images, (N, side, 4, width), by weights, (4, N).
    """
    return np.matmul(weights.T[:, None, None], fours)[:, :, 0]


def _sum_columns(lines, weights):
    """
    Sum fours of columns of images, (N, side, 4 * side), by weights, (4, N).
    """
    n, side, _ = lines.shape
    fours = lines.reshape(n, side**2, 4)
    return np.matmul(fours, weights.T[:, :, None]).reshape(n, side, side)
