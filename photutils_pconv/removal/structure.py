# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The fine and the coarse structure of a map, and how much it scatters around holes.
"""

from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from photutils_pconv._utils.medians import robust_std
from photutils_pconv.geometry.squares import SquareStack, group_alike
from photutils_pconv.geometry.windows import find_window

__all__ = [
    'FINE',
    'RING_GAP',
    'SURROUNDINGS',
    'local_scales',
    'measure_structure',
    'scales_around',
    'smooth',
    'split_scales',
]

#: The Gaussians that part fine from coarse structure, and coarse structure
#: from the large-scale emission, in pixels; by choice: half a beam, and the largest
#: holes' half.
FINE, _COARSE = 1.5, 8.0
_EVERYWHERE = (slice(None), slice(None))
# Where scipy ends its Gaussians, in sigma.
_TRUNCATE = 4.0
# The smallest share of a Gaussian that is divided by.
_SMALLEST_WEIGHT = 1.0e-12
# Up to this size (pixels) a product with a matrix is faster than a filter; measured.
_LARGEST_MATRIX = 160
#: The ring around a hole in which the scales are measured, in pixels: beyond the
#: taper, and as wide as the circle that normalises cutouts; by choice.
RING_GAP = 2.0
_RING_WIDTH = 24.0
# The scatter around a hole is taken from every second row, if so many pixels are
# left: it changes by some percent then (tests/removal/test_structure.py); by choice.
_STEP, _FEWEST_SAMPLES = 2, 300
#: How far beyond a hole's rim a map is looked at for that, in pixels.
SURROUNDINGS = RING_GAP + _RING_WIDTH + 2.0 * _COARSE


def split_scales(data, unusable, *, part=_EVERYWHERE):
    """
    Part the fine and the coarse structure of a map, or of each of many.

    Parameters
    ----------
    data : (..., ny, nx) `~numpy.ndarray`
        The map, or many.

    unusable : (..., ny, nx) bool `~numpy.ndarray`
        Pixels not to use: missing ones and holes.

    part : 2-tuple of slice, optional
        The rows and columns that are wanted (default: all).

    Returns
    -------
    parts : (2, ..., ny, nx) `~numpy.ndarray`
        The map minus its mean over a Gaussian of 1.5 pixels; and that
        minus the mean over 8 pixels. NaN where unusable.
    """
    averages = _Averages(data, unusable)
    fine, coarse = (averages.over(sigma, part) for sigma in (FINE, _COARSE))
    parts = np.array([data[..., *part] - fine, fine - coarse])
    parts[:, unusable[..., *part]] = np.nan
    return parts


def smooth(data, unusable, sigma, part=_EVERYWHERE):
    """
    Average a map's usable pixels over a Gaussian.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.

    unusable : 2D bool `~numpy.ndarray`
        Pixels not to use.

    sigma : float
        The Gaussian's standard deviation, in pixels.

    part : 2-tuple of slice, optional
        The rows and columns that are wanted (default: all).

    Returns
    -------
    mean : 2D `~numpy.ndarray`
        The average.
    """
    return _Averages(data, unusable).over(sigma, part)


class _Averages:
    """
    Averages of usable pixels over Gaussians, of a map or of each of many.

    Parameters
    ----------
    data : (..., ny, nx) `~numpy.ndarray`
        The map, or many.

    unusable : (..., ny, nx) bool `~numpy.ndarray`
        Pixels not to use.
    """

    def __init__(self, data, unusable):
        self._is_small = max(data.shape[-2:]) <= _LARGEST_MATRIX
        values = np.where(unusable, 0.0, data)
        self._level, self._largest = 0.0, 1.0
        if self._is_small:
            # In single precision, twice as fast, which is enough about the mean, but
            # has fewer powers of ten than maps.
            axes = {'axis': (-2, -1), 'keepdims': True}
            usable = ~unusable
            n_usable = np.count_nonzero(usable, **axes)
            self._level = values.sum(**axes) / np.maximum(n_usable, 1)
            values -= self._level
            values *= usable
            largest = np.maximum(values.max(**axes), -values.min(**axes))
            self._largest = np.where(largest > 0, largest, 1.0)
            values /= self._largest
        dtype = np.float32 if self._is_small else float
        self._images = np.empty((2, *data.shape), dtype=dtype)
        np.logical_not(unusable, out=self._images[0], casting='unsafe')
        self._images[1] = values

    def over(self, sigma, part):
        """
        Average over a Gaussian, in some rows and columns.
        """
        near, inner = _find_near(self._images.shape[-2:], part, sigma)
        images = self._images[..., *near]
        if self._is_small:
            rows, columns = (
                _smoothing(size, sigma, one.start, one.stop, one.step)
                for size, one in zip(images.shape[-2:], inner, strict=True)
            )
            weight, total = rows @ images @ columns.T
        else:
            weight, total = (
                gaussian_filter(one, sigma, mode='constant', axes=(-2, -1))[..., *inner]
                for one in images
            )
        mean = total / np.maximum(weight, _SMALLEST_WEIGHT)
        return self._level + self._largest * mean.astype(float)


def _find_near(shape, part, sigma):
    """
    Find the pixels that a Gaussian sees from a part, and the part within them.
    """
    reach = int(_TRUNCATE * sigma + 0.5)
    near, inner = [], []
    for one, size in zip(part, shape, strict=True):
        start, stop, step = one.indices(size)
        first = max(start - reach, 0)
        near.append(slice(first, min(stop + reach, size)))
        inner.append(slice(start - first, stop - first, step))
    return tuple(near), tuple(inner)


@lru_cache(maxsize=256)
def _smoothing(size, sigma, start, stop, step):
    """
    Give the average over a Gaussian along an axis, at some pixels, as a matrix.
    """
    matrix = gaussian_filter1d(np.eye(size), sigma, axis=0, mode='constant')
    return matrix[start:stop:step].astype(np.float32)


def local_scales(parts, x, y, radius):
    """
    Measure the scatter of fine and coarse structure around holes.

    Parameters
    ----------
    parts : (2, ny, nx) `~numpy.ndarray`
        The map as `split_scales` gives it.

    x, y, radius : (N,) `~numpy.ndarray`
        The holes, in pixels.

    Returns
    -------
    scales : (2, N) `~numpy.ndarray`
        The robust standard deviations in a ring of 24 pixels, 2 pixels
        beyond the rim, wide enough for the wings of a bright source to
        count little; NaN without usable pixels.
    """
    scales = np.full((2, len(x)), np.nan)
    for i in range(len(x)):
        outer = radius[i] + RING_GAP + _RING_WIDTH
        window = find_window(parts.shape[1:], x[i], y[i], outer)
        if window is None:
            continue
        values = parts[:, *window.region]
        ring = _find_ring(window.dx, window.dy, radius[i]) & np.isfinite(values[0])
        scales[:, i] = _scatter_within(values, ring)
    return scales


def _find_ring(dx, dy, radius):
    """
    Find which offsets lie in the ring around a hole where scales are measured.
    """
    square = dx**2 + dy**2
    inner = radius + RING_GAP
    return (square > inner**2) & (square <= (inner + _RING_WIDTH) ** 2)


def _scatter_within(parts, ring):
    """
    Measure the scatter of both scales in a ring; NaN without pixels.
    """
    values = parts.reshape(2, -1).take(np.flatnonzero(ring), axis=1)
    return robust_std(values) if values.size else np.nan


def measure_structure(data, unusable, x, y, radius):
    """
    Measure the structure around holes that their surroundings do not determine.

    That is the scatter of what is smaller than a hole, noise included: the
    fine and the coarse structure of `local_scales`, in quadrature. On real
    backgrounds it predicts the error of a reconstruction within 15 percent, the
    local scatter, to which smooth gradients add, within 37
    (``benchmarks/composition.py``).

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map without sources.

    unusable : 2D bool `~numpy.ndarray`
        Pixels not to use: missing ones and holes.

    x, y, radius : (N,) `~numpy.ndarray`
        The holes, in pixels.

    Returns
    -------
    structure : (N,) `~numpy.ndarray`
        The scatter, in the map's unit; 0 where no pixel is usable.
    """
    scales = scales_around(data, unusable, x, y, radius)
    return np.nan_to_num(np.hypot(*scales))


def scales_around(data, unusable, x, y, radius):
    """
    Measure the scatter of fine and coarse structure, in windows around holes.

    Parameters
    ----------
    data, unusable, x, y, radius
        As for `measure_structure`.

    Returns
    -------
    scales : (2, N) `~numpy.ndarray`
        What `local_scales` gives on the parts of the whole map, from every second
        row where that leaves enough pixels.
    """
    scales = np.full((2, len(x)), np.nan)
    x, y, radius = (np.asarray(one, dtype=float) for one in (x, y, radius))
    for group in group_alike(range(len(x)), lambda i: radius[i]):
        for step in (_STEP, 1):
            where = x[group], y[group], radius[group[0]]
            scales[:, group] = _measure_alike(data, unusable, *where, step)
            group = group[np.isnan(scales[0, group])]
            if not group.size:
                break
    return scales


def _measure_alike(data, unusable, x, y, radius, step):
    """
    Measure the scatter around holes of one radius on every so many rows.

    It is NaN where too few pixels are left.
    """
    # What is averaged reaches beyond the ring.
    reach, half = (
        int(np.ceil(radius + one)) for one in (RING_GAP + _RING_WIDTH, SURROUNDINGS)
    )
    squares = SquareStack.around(x, y, half)
    avoid = squares.cut(unusable, fill_value=True)
    part = tuple(slice(half - reach, half + reach + 1, one) for one in (step, 1))
    dx, dy = squares.offsets(x, y)
    ring = _find_ring(dx[..., part[1]], dy[..., part[0], :], radius)
    ring &= ~avoid[..., *part]
    least = _FEWEST_SAMPLES if step > 1 else 1
    enough = np.count_nonzero(ring, axis=(1, 2)) >= least
    scales = np.full((2, len(x)), np.nan)
    if enough.any():
        parts = split_scales(squares.cut(data)[enough], avoid[enough], part=part)
        rings = ring[enough]
        scales[:, enough] = np.transpose(
            [_scatter_within(parts[:, k], one) for k, one in enumerate(rings)]
        )
    return scales
