# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The fine and the coarse structure of a map, and how much it scatters around holes.
"""

from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from photutils_pconv._utils.medians import robust_std
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
#: How far beyond a hole's rim a map is looked at for that, in pixels.
SURROUNDINGS = RING_GAP + _RING_WIDTH + 2.0 * _COARSE


def split_scales(data, unusable, *, part=(slice(None), slice(None))):
    """
    Part the fine and the coarse structure of a map.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.

    unusable : 2D bool `~numpy.ndarray`
        Pixels not to use: missing ones and holes.

    part : 2-tuple of slice, optional
        The rows and columns that are wanted (default: all).

    Returns
    -------
    parts : (2, ny, nx) `~numpy.ndarray`
        The map minus its mean over a Gaussian of 1.5 pixels; and that
        minus the mean over 8 pixels. NaN where unusable.
    """
    means = [
        smooth(data[near], unusable[near], sigma, inner)
        for sigma in (FINE, _COARSE)
        for near, inner in [_find_near(data.shape, part, sigma)]
    ]
    parts = np.array([data[part] - means[0], means[0] - means[1]])
    parts[:, unusable[part]] = np.nan
    return parts


def _find_near(shape, part, sigma):
    """
    Find the pixels that a Gaussian sees from a part, and the part within them.
    """
    reach = int(_TRUNCATE * sigma + 0.5)
    near, inner = [], []
    for one, size in zip(part, shape, strict=True):
        start, stop, _ = one.indices(size)
        first = max(start - reach, 0)
        near.append(slice(first, min(stop + reach, size)))
        inner.append(slice(start - first, stop - first))
    return tuple(near), tuple(inner)


def smooth(data, unusable, sigma, part=(slice(None), slice(None))):
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
    if max(data.shape) > _LARGEST_MATRIX:
        images = ~unusable, np.where(unusable, 0.0, data)
        weight, total = (
            gaussian_filter(one.astype(float), sigma, mode='constant')[part]
            for one in images
        )
        return total / np.maximum(weight, _SMALLEST_WEIGHT)
    # In single precision, twice as fast, which is enough about the mean, but has fewer
    # powers of ten than maps.
    values = np.where(unusable, 0.0, data)
    level = values.sum() / max(np.count_nonzero(~unusable), 1)
    values = np.where(unusable, 0.0, values - level)
    largest = float(np.abs(values).max()) or 1.0
    images = np.array([~unusable, values / largest], dtype=np.float32)
    rows, columns = (_smoothing(size, sigma) for size in data.shape)
    weight, total = rows[part[0]] @ images @ columns[:, part[1]]
    mean = (total / np.maximum(weight, _SMALLEST_WEIGHT)).astype(float)
    return level + largest * mean


@lru_cache(maxsize=256)
def _smoothing(size, sigma):
    """
    Give the average over a Gaussian along an axis as a symmetric matrix.
    """
    matrix = gaussian_filter1d(np.eye(size), sigma, axis=0, mode='constant')
    return matrix.astype(np.float32)


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
        ring = window.distance > radius[i] + RING_GAP
        ring &= window.distance <= outer
        ring &= np.isfinite(values[0])
        values = values.reshape(2, -1).take(np.flatnonzero(ring), axis=1)
        if values.size:
            scales[:, i] = robust_std(values)
    return scales


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
        What `local_scales` gives on the parts of the whole map.
    """
    scales = np.full((2, len(x)), np.nan)
    for i in range(len(x)):
        reach = radius[i] + RING_GAP + _RING_WIDTH
        inner = find_window(data.shape, x[i], y[i], reach)
        if inner is None:
            continue
        # What is averaged reaches beyond the ring.
        window = find_window(data.shape, x[i], y[i], radius[i] + SURROUNDINGS)
        avoid = unusable[window.region]
        if avoid.all():
            continue
        part = tuple(
            slice(one.start - whole.start, one.stop - whole.start)
            for one, whole in zip(inner.region, window.region, strict=True)
        )
        parts = split_scales(data[window.region], avoid, part=part)
        rows, columns = inner.region
        place = np.array([x[i] - columns.start]), np.array([y[i] - rows.start])
        scales[:, i] = local_scales(parts, *place, radius[i : i + 1])[:, 0]
    return scales
