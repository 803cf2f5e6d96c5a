# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How much matched filters scatter on a map, in windows around positions.
"""

import numpy as np
from scipy import fft

from photutils_pconv.geometry.squares import SquareStack

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
# So many windows are filtered at once, by choice: the outputs of more do not fit into a
# processor's cache.
_TOGETHER = 8


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
    x, y = (np.asarray(one, dtype=float) for one in (x, y))
    return FilterScatter(image, use).measure(x, y, FilterKernels(kernels))


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
        Measure the scatter around positions.

        Parameters
        ----------
        x, y : (N,) `~numpy.ndarray`
            The positions, in pixels.

        kernels : `FilterKernels`
            The filters.

        Returns
        -------
        scatter : (N, K) `~numpy.ndarray`
            The standard deviation, clipped at 4 sigma, of each filter's
            output: within 30 pixels, or on the whole map where there is too
            little to see.
        """
        first = np.stack([x, y], axis=1).astype(int) - _SCATTER_RADIUS
        scatter = np.empty((len(first), len(kernels)))
        for start in range(0, len(first), _TOGETHER):
            part = slice(start, start + _TOGETHER)
            scatter[part] = self._measure_together(first[part], kernels)
        return scatter

    def _measure_together(self, first, kernels):
        """
        Measure the scatter in windows from their first pixels (x, y) on.
        """
        half, side = kernels.radius, 2 * _SCATTER_RADIUS + 1
        scatter = np.empty((len(first), len(kernels)))
        avoid = SquareStack(first, side).cut(self._avoid, fill_value=True)
        use = ~avoid & self._inner(first, side, half)
        seen = np.count_nonzero(use, axis=(1, 2)) >= _FEWEST_PIXELS
        if not seen.all():
            scatter[~seen] = self._measure_everywhere(kernels)
        if seen.any():
            squares = SquareStack(first[seen] - half, side + 2 * half)
            windows = squares.cut(self._image, fill_value=np.nan)
            known = np.isfinite(windows)
            if self._missing is not None:
                known &= ~squares.cut(self._missing)
            windows = _take_off_mean(windows, known)
            scatter[seen] = _measure(windows, use[seen], kernels)
        return scatter

    def _inner(self, first, side, half):
        """
        Find where in windows a filter lies on the map; all, if it nowhere does.
        """
        ny, nx = self._image.shape
        if min(ny, nx) <= 2 * half:
            return True
        columns, rows = first.T[:, :, None] + np.arange(side)
        rows = (rows >= half) & (rows < ny - half)
        columns = (columns >= half) & (columns < nx - half)
        return rows[:, :, None] & columns[:, None]

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
            padded = np.pad(_take_off_mean(whole, known), half)[None]
            # One by one: a map may be large.
            values = np.concatenate(
                [_measure(padded, use, one)[0] for one in kernels.separately()]
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
        A few images of which all filters are sums, for `sample`: what
        `~photutils_pconv.psf_photometry.filters.FilterBank.factor` gives.
    """

    def __init__(self, kernels, *, factors=None):
        self._kernels = kernels
        self._mixing, self._images = (None, kernels) if factors is None else factors
        self._transforms, self._halves = {}, {}

    def __len__(self):
        return len(self._kernels)

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

    def sample(self, images):
        """
        Give every second row and column of what `correlate` gives.

        Parameters
        ----------
        images : 3D `~numpy.ndarray`
            Windows of one shape, (N, ny, nx).

        Returns
        -------
        filtered : 4D `~numpy.ndarray`
            The output of each filter in each window, (N, K, ...), from the first row
            and column on; with factors to about a thousandth of its scatter.
        """
        shape = tuple((n - 2 * self.radius + 1) // 2 for n in images.shape[1:])
        parts = _split(images.astype(np.float32))
        size = (
            fft.next_fast_len(parts.shape[-2]),
            fft.next_fast_len(parts.shape[-1], real=True),
        )
        if size not in self._halves:
            split = _split(self._images.astype(np.float32))
            self._halves = {size: fft.rfft2(split, size).conj()}
        halves = self._halves[size]
        # What a filter sees from every second pixel is four sums: over even and odd
        # rows and columns.
        product = np.empty_like(halves[0])
        totals = np.zeros((len(images), *product.shape), dtype=product.dtype)
        for total, ours in zip(
            totals, fft.rfft2(parts, size).swapaxes(0, 1), strict=True
        ):
            for one, part in zip(halves, ours, strict=True):
                total += np.multiply(one, part, out=product)
        filtered = fft.ifft(totals, axis=2, overwrite_x=True)
        filtered = fft.irfft(filtered[:, :, : shape[0]], size[1], axis=3)
        filtered = filtered[..., : shape[1]]
        if self._mixing is None:
            return filtered
        pixels = filtered.reshape(*filtered.shape[:2], -1)
        mixed = self._mixing.astype(np.float32) @ pixels
        return mixed.reshape(len(images), len(self), *shape)

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


def _take_off_mean(images, known):
    """
    Take images' means off, which would ring at edges; what is not known becomes 0.
    """
    known = np.broadcast_to(known, images.shape)
    n_known = np.count_nonzero(known, axis=(-2, -1), keepdims=True)
    level = np.where(known, images, 0.0).sum(axis=(-2, -1), keepdims=True)
    return np.where(known, images - level / np.maximum(n_known, 1), 0.0)


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


def _measure(windows, use, kernels):
    """
    Measure the scatter of filters where they lie within windows, (N, K).
    """
    # Single precision has fewer powers of ten than maps.
    largest = np.abs(windows).max(axis=(1, 2))
    largest[largest == 0] = 1.0
    windows = windows / largest[:, None, None]
    inner = [size - 2 * kernels.radius for size in windows.shape[1:]]
    use = np.broadcast_to(use, (len(windows), *inner))
    every_second = use[:, ::2, ::2]
    enough = np.count_nonzero(every_second, axis=(1, 2)) >= _FEWEST_SAMPLES
    scatter = np.empty((len(windows), len(kernels)))
    if enough.any():
        filtered = kernels.sample(windows[enough])
        scatter[enough] = _clipped_std(filtered, every_second[enough])
    for i in np.flatnonzero(~enough):
        filtered = kernels.correlate(windows[i])[None]
        scatter[i] = _clipped_std(filtered, use[i][None])[0]
    return largest[:, None] * scatter


def _clipped_std(values, use):
    """
    Calculate the standard deviation of images' used pixels about zero, clipped at 4
    sigma: of images (N, K, ny, nx) and pixels (N, ny, nx).

    A filter's output has the mean zero where there is no source.
    """
    n_used = np.count_nonzero(use, axis=(1, 2))[:, None]
    # Numpy sums by pairs, so that single precision is kept.
    squares = np.square(values).reshape(*values.shape[:2], -1)
    squares *= use.reshape(len(use), 1, -1)
    with np.errstate(invalid='ignore'):
        mean = squares.sum(axis=2) / n_used
        far = squares > _CLIP**2 * mean[:, :, None]
        squares[far] = 0.0
        kept = n_used - np.count_nonzero(far, axis=2)
        return np.sqrt(squares.sum(axis=2) / kept)
