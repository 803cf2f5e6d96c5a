# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How much matched filters scatter on a map, in windows around positions.
"""

import numpy as np
from scipy import fft

from photutils_pconv.geometry.cutouts import extract_cutout

__all__ = ['FilterKernels', 'FilterScatter', 'filter_scatter']

# All by choice, 2026-11-22.
# The scatter of a filter is measured within this radius (pixels), on at least so
# many pixels, and clipped at so many sigma.
_SCATTER_RADIUS = 30
_FEWEST_PIXELS = 300
_CLIP = 4.0


def filter_scatter(image, use, x, y, kernels):
    """
    Measure how much filters scatter around positions.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The map without its sources; all pixels hold finite values.

    use : 2D bool `~numpy.ndarray`
        The pixels where the filtered map may be looked at.

    x, y : 1D `~numpy.ndarray`
        The positions, in pixels.

    kernels : 3D `~numpy.ndarray`
        The filters, of shape (K, side, side).

    Returns
    -------
    scatter : 2D `~numpy.ndarray`
        See `FilterScatter.measure`, of shape (N, K).
    """
    scatter, kernels = FilterScatter(image, use), FilterKernels(kernels)
    return np.array([scatter.measure(*one, kernels) for one in zip(x, y, strict=True)])


class FilterScatter:
    """
    How much filters scatter around positions of a map.

    Parameters
    ----------
    image : 2D `~numpy.ndarray` or `~photutils_pconv.geometry.lazy_images.Difference`
        The map without its sources; all pixels hold finite values.

    use : 2D bool `~numpy.ndarray` or `~photutils_pconv.geometry.lazy_images.GrownMask`
        The pixels where the filtered map may be looked at.
    """

    def __init__(self, image, use):
        self._image = image
        # It would ring at the map's edges.
        self._mean = image.mean()
        self._use = use
        self._everywhere = {}

    def measure(self, x, y, kernels):
        """
        Measure the scatter around a position.

        Parameters
        ----------
        x, y : float
            The position, in pixels.

        kernels : `FilterKernels`
            The filters.

        Returns
        -------
        scatter : 1D `~numpy.ndarray`
            The standard deviation, clipped at 4 sigma, of each filter's
            output, of length K: within 30 pixels, or on the whole map where
            there is too little to see.
        """
        radius, half = _SCATTER_RADIUS, kernels.radius
        x0, y0 = int(x) - radius, int(y) - radius
        side = 2 * radius + 1
        use = extract_cutout(self._use, x0, y0, size=side, fill_value=False)
        use = use & self._inner(x0, y0, side, half)
        if np.count_nonzero(use) < _FEWEST_PIXELS:
            return self._measure_everywhere(kernels)
        size, fill = side + 2 * half, self._mean
        window = extract_cutout(
            self._image, x0 - half, y0 - half, size=size, fill_value=fill
        )
        window -= self._mean
        filtered = kernels.correlate(window)
        return np.array([_clipped_std(one[use]) for one in filtered])

    def _inner(self, x0, y0, side, half):
        """
        Tell where in a window a filter lies on the map; all, if it nowhere does.
        """
        ny, nx = self._image.shape
        if min(ny, nx) <= 2 * half:
            return True
        rows, columns = np.arange(y0, y0 + side), np.arange(x0, x0 + side)
        inner = (rows >= half) & (rows < ny - half)
        inner = inner[:, None] & (columns >= half) & (columns < nx - half)
        return inner

    def _measure_everywhere(self, kernels):
        """
        Measure the scatter on the whole map, once for each set of filters.
        """
        key = id(kernels)
        if key not in self._everywhere:
            half = kernels.radius
            whole = np.s_[: self._image.shape[0], : self._image.shape[1]]
            use = self._use[whole]
            use = use & self._inner_of_map(use, half)
            padded = np.pad(self._image[whole] - self._mean, half)
            filtered = kernels.correlate(padded)
            values = np.array([_clipped_std(one[use]) for one in filtered])
            # The filters are kept with it, so that no others get their number.
            self._everywhere[key] = values, kernels
        return self._everywhere[key][0]

    @staticmethod
    def _inner_of_map(use, half):
        inner = np.zeros(use.shape, dtype=bool)
        inner[half:-half, half:-half] = True
        return inner if (inner & use).any() else True


class FilterKernels:
    """
    Filters as images, ready to be run over windows of a map.

    Parameters
    ----------
    kernels : 3D `~numpy.ndarray`
        The filters, of shape (K, side, side).
    """

    def __init__(self, kernels):
        self._kernels = kernels
        self._transforms = {}

    @property
    def radius(self):
        """
        Half the side of the filters, in pixels (int).
        """
        return self._kernels.shape[-1] // 2

    def correlate(self, image):
        """
        Sum a window's pixels with the filters' weights, place by place.

        Parameters
        ----------
        image : 2D `~numpy.ndarray`
            The window.

        Yields
        ------
        filtered : 2D `~numpy.ndarray`
            The output of each filter where it lies within the window.
        """
        half = self.radius
        shape = tuple(fft.next_fast_len(size, real=True) for size in image.shape)
        if shape not in self._transforms:
            # A correlation: the kernels turned by half a turn.
            turned = self._kernels[:, ::-1, ::-1]
            self._transforms = {shape: [fft.rfft2(one, shape) for one in turned]}
        transform = fft.rfft2(image, shape)
        rows = slice(2 * half, image.shape[0])
        columns = slice(2 * half, image.shape[1])
        for one in self._transforms[shape]:
            yield fft.irfft2(transform * one, shape)[rows, columns]


def _clipped_std(values):
    """
    Calculate the standard deviation about zero, clipped at 4 sigma.

    A filter's output has the mean zero where there is no source.
    """
    if values.size == 0:
        return np.nan
    squares = values**2
    mean = squares.mean()
    return float(np.sqrt(squares[squares <= _CLIP**2 * mean].mean()))
