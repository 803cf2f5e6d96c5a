# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How much matched filters scatter on a map, in windows around positions.
"""

import numpy as np
from scipy import fft

from photutils_pconv.geometry.cutouts import extract_cutout

__all__ = ['FilterKernels', 'FilterScatter', 'filter_scatter', 'grow']

# All by choice, 2026-11-22.
# The scatter of a filter is measured within this radius (pixels), on at least so
# many pixels, and clipped at so many sigma.
_SCATTER_RADIUS = 30
_FEWEST_PIXELS = 300
_CLIP = 4.0
# It is taken from every second row and column, if so many pixels are left: what is
# seen through a beam is sampled well enough by that, at less work; by choice
# (tests/psf_photometry/test_filters.py compares both).
_FEWEST_SAMPLES = _FEWEST_PIXELS // 4


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

    use : 2D bool `~numpy.ndarray`
        The pixels where the filtered map may be looked at.

    missing : 2D bool `~numpy.ndarray`, optional
        Missing pixels, which filters may overlap: they count as the mean of those
        around the position (default: none).

    margin : int, optional
        How many pixels filters stay away from others, along each axis.
    """

    def __init__(self, image, use, *, missing=None, margin=0):
        self._image = image
        self._missing = missing
        self._avoid = grow(~use, margin)
        self._everywhere = {}

    @property
    def shape(self):
        """
        The map's shape (tuple of int).
        """
        return self._image.shape

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
        avoid = extract_cutout(self._avoid, x0, y0, size=side, fill_value=True)
        use = ~avoid & self._inner(x0, y0, side, half)
        if np.count_nonzero(use) < _FEWEST_PIXELS:
            return self._measure_everywhere(kernels)
        where = (x0 - half, y0 - half)
        size = side + 2 * half
        window = extract_cutout(self._image, *where, size=size, fill_value=np.nan)
        known = np.isfinite(window)
        if self._missing is not None:
            known &= ~extract_cutout(self._missing, *where, size=size)
        return _measure(_take_off_mean(window, known), use, kernels)

    def _inner(self, x0, y0, side, half):
        """
        Find where in a window a filter lies on the map; all, if it nowhere does.
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
            use = ~self._avoid & self._inner_of_map(half, ~self._avoid)
            known = True if self._missing is None else ~self._missing
            whole = self._image[: use.shape[0], : use.shape[1]]
            padded = np.pad(_take_off_mean(whole, known), half)
            # One by one: a map may be large.
            values = np.concatenate(
                [_measure(padded, use, one) for one in kernels.separately()]
            )
            # The filters are kept with it, so that no others get their number.
            self._everywhere[key] = values, kernels
        return self._everywhere[key][0]

    def _inner_of_map(self, half, use):
        inner = np.zeros(self._image.shape, dtype=bool)
        inner[half:-half, half:-half] = True
        return inner if (inner & use).any() else True


class FilterKernels:
    """
    Filters as images, ready to be run over windows of a map.

    Parameters
    ----------
    kernels : 3D `~numpy.ndarray`
        The filters, of shape (K, side, side).

    factors : pair of `~numpy.ndarray`, optional
        Few images of which all filters are sums, for `sample`: what
        `~photutils_pconv.psf_photometry.filters.FilterBank.factor` gives.
    """

    def __init__(self, kernels, factors=None):
        self._kernels = kernels
        self._mixing, self._images = (None, kernels) if factors is None else factors
        self._transforms, self._halves = {}, {}

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

        Returns
        -------
        filtered : 3D `~numpy.ndarray`
            The output of each filter where it lies within the window, in single
            precision.
        """
        half = self.radius
        shape = tuple(fft.next_fast_len(size, real=True) for size in image.shape)
        rows = slice(2 * half, image.shape[0])
        columns = slice(2 * half, image.shape[1])
        if shape not in self._transforms:
            # A correlation: the kernels turned by half a turn.
            turned = self._kernels[:, ::-1, ::-1].astype(np.float32)
            self._transforms = {shape: fft.rfft2(turned, shape)}
        transform = fft.rfft2(image.astype(np.float32), shape)
        # By columns first: of the rows those that are wanted are left.
        filtered = fft.ifft(transform * self._transforms[shape], axis=1)
        return fft.irfft(filtered[:, rows], shape[1], axis=2)[:, :, columns]

    def sample(self, image):
        """
        Give every second row and column of what `correlate` gives.

        Parameters
        ----------
        image : 2D `~numpy.ndarray`
            The window.

        Returns
        -------
        filtered : 3D `~numpy.ndarray`
            The output, from the first row and column on; with factors to about a
            thousandth of its scatter.
        """
        shape = tuple((size - 2 * self.radius + 1) // 2 for size in image.shape)
        parts = _split(image.astype(np.float32)[None])
        size = (
            fft.next_fast_len(parts.shape[-2]),
            fft.next_fast_len(parts.shape[-1], real=True),
        )
        if size not in self._halves:
            split = _split(self._images.astype(np.float32))
            self._halves = {size: fft.rfft2(split, size).conj()}
        # What a filter sees from every second pixel is four sums: over even and odd
        # rows and columns.
        total = np.zeros(self._halves[size].shape[1:], dtype=np.complex64)
        product = np.empty_like(total)
        for one, part in zip(self._halves[size], fft.rfft2(parts, size), strict=True):
            total += np.multiply(one, part, out=product)
        filtered = fft.ifft(total, axis=1, overwrite_x=True)
        filtered = fft.irfft(filtered[:, : shape[0]], size[1], axis=2)
        filtered = filtered[:, :, : shape[1]]
        if self._mixing is None:
            return filtered
        pixels = filtered.reshape(len(filtered), -1)
        mixed = self._mixing.astype(np.float32) @ pixels
        return mixed.reshape(-1, *filtered.shape[1:])

    def separately(self):
        """
        Give the filters one by one.

        Returns
        -------
        kernels : list of `FilterKernels`
            The filters.
        """
        return [FilterKernels(one[None]) for one in self._kernels]


def _split(images):
    """
    Split images into those of even and odd rows and columns, (4, K, rows, columns).
    """
    n, ny, nx = images.shape
    parts = np.zeros((2, 2, n, (ny + 1) // 2, (nx + 1) // 2), dtype=images.dtype)
    for a in (0, 1):
        for b in (0, 1):
            # Of an odd number of rows or columns, the even ones are more.
            parts[a, b, :, : (ny + 1 - a) // 2, : (nx + 1 - b) // 2] = images[
                :, a::2, b::2
            ]
    return parts.reshape(4, *parts.shape[2:])


def _take_off_mean(image, known):
    """
    Take an image's mean off, which would ring at edges; what is not known becomes 0.
    """
    known = np.broadcast_to(known, image.shape)
    n_known = np.count_nonzero(known)
    level = np.where(known, image, 0.0).sum() / max(n_known, 1)
    return np.where(known, image - level, 0.0)


def grow(mask, radius):
    """
    Grow a mask by a square.

    Parameters
    ----------
    mask : 2D bool `~numpy.ndarray`
        The mask.

    radius : int
        Half the square's side, without the pixel in the middle.

    Returns
    -------
    grown : 2D bool `~numpy.ndarray`
        The pixels with one of the mask in the square around them.
    """
    grown, width = np.pad(mask, radius), 2 * radius + 1
    for _ in range(2):
        # Pixels in a row, then twice as many, as long as there are more to come:
        # some times faster than a filter that takes any numbers.
        span = 1
        while span < width:
            step = min(span, width - span)
            grown = grown[:-step] | grown[step:]
            span += step
        grown = grown.T
    return grown


def _measure(window, use, kernels):
    """
    Measure the scatter of filters where they lie within a window.
    """
    # Single precision has fewer powers of ten than maps.
    largest = float(np.abs(window).max()) or 1.0
    inner = tuple(size - 2 * kernels.radius for size in window.shape)
    use = np.broadcast_to(use, inner)
    every_second = use[::2, ::2]
    if np.count_nonzero(every_second) >= _FEWEST_SAMPLES:
        use, filtered = every_second, kernels.sample(window / largest)
    else:
        filtered = kernels.correlate(window / largest)
    return largest * _clipped_std(filtered, use)


def _clipped_std(values, use):
    """
    Calculate the standard deviation of images' used pixels about zero, clipped at 4
    sigma.

    A filter's output has the mean zero where there is no source.
    """
    n_used = np.count_nonzero(use)
    if n_used == 0:
        return np.full(len(values), np.nan)
    # Numpy sums by pairs, so that single precision is kept.
    squares = np.square(values).reshape(len(values), -1)
    squares *= use.ravel()
    mean = squares.sum(axis=1, keepdims=True) / n_used
    far = squares > _CLIP**2 * mean
    squares[far] = 0.0
    kept = n_used - np.count_nonzero(far, axis=1)
    return np.sqrt(squares.sum(axis=1) / kept)
