# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The statistics of what reconstructions lack, from residuals in empty holes.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from photutils_pconv._utils.medians import robust_std
from photutils_pconv.geometry.windows import find_window

__all__ = [
    'SURROUNDINGS',
    'ResidualStamp',
    'TextureModel',
    'cut_residuals',
    'cut_surroundings',
    'fit_textures',
    'local_scales',
    'measure_structure',
    'scales_around',
    'split_scales',
]

# The Gaussians that part fine from coarse structure, and coarse structure
# from the large-scale emission, in pixels; by choice: half a beam, and the largest
# holes' half.
_FINE, _COARSE = 1.5, 8.0
# Up to this size (pixels) a product with a matrix is faster than a filter; measured.
_LARGEST_MATRIX = 160
# The ring around a hole in which the scales are measured, in pixels: beyond the
# taper, and as wide as the circle that normalises cutouts; by choice.
_RING_GAP = 2.0
_RING_WIDTH = 24.0
#: How far beyond a hole's rim a map is looked at for that, in pixels.
SURROUNDINGS = _RING_GAP + _RING_WIDTH + 2.0 * _COARSE
# Rings of equal area in a hole, in which the residual is described, in units of
# its radius; four of them, by choice.
_PROFILE_EDGES = np.sqrt(np.linspace(0.0, 1.0, 5))
# Fewer stamps than this of one radius do not make a model; by choice.
_LEAST_STAMPS = 4
# A stamp whose rms exceeds the median's by this factor holds a source; by choice.
_OUTLIER = 4.0


class ResidualStamp(NamedTuple):
    """
    The residual in one empty hole.

    Parameters
    ----------
    parts : (2, ny, nx) `~numpy.ndarray`
        The fine and the coarse part of map minus reconstruction, each in
        units of its local scale, NaN beyond the hole.

    share : 2D `~numpy.ndarray`
        The distance from the hole's centre in units of its radius.

    radius : float
        The hole's radius, in pixels.

    scales : (2,) `~numpy.ndarray`
        The local scales.
    """

    parts: np.ndarray
    share: np.ndarray
    radius: float
    scales: np.ndarray


@dataclass(frozen=True, eq=False)
class TextureModel:
    """
    The statistics of the residual in holes of one radius.

    Parameters
    ----------
    radius : float
        The holes' radius, in pixels.

    kernels : (2, m, m) `~numpy.ndarray`
        For either part the filter that gives white noise its power
        spectrum and the variance 1.

    share : 1D `~numpy.ndarray`
        Distances from the centre in units of the radius.

    amplitudes : (2, k) `~numpy.ndarray`
        The parts' standard deviations there, in units of the local
        scales.
    """

    radius: float
    kernels: np.ndarray
    share: np.ndarray
    amplitudes: np.ndarray


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
    smooth = [_smooth(data, unusable, sigma, part) for sigma in (_FINE, _COARSE)]
    parts = np.array([data[part] - smooth[0], smooth[0] - smooth[1]])
    parts[:, unusable[part]] = np.nan
    return parts


def _smooth(data, unusable, sigma, part=(slice(None), slice(None))):
    """
    Average a map's usable pixels over a Gaussian.
    """
    images = np.array([~unusable, np.where(unusable, 0.0, data)], dtype=float)
    if max(data.shape) <= _LARGEST_MATRIX:
        rows, columns = (_smoothing(size, sigma) for size in data.shape)
        weight, total = rows[part[0]] @ images @ columns[:, part[1]]
    else:
        weight, total = (
            gaussian_filter(one, sigma, mode='constant')[part] for one in images
        )
    return total / np.maximum(weight, 1.0e-12)


@lru_cache(maxsize=256)
def _smoothing(size, sigma):
    """
    Give the average over a Gaussian along an axis as a symmetric matrix.
    """
    return gaussian_filter1d(np.eye(size), sigma, axis=0, mode='constant')


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
        outer = radius[i] + _RING_GAP + _RING_WIDTH
        window = find_window(parts.shape[1:], x[i], y[i], outer)
        if window is None:
            continue
        values = parts[:, *window.region]
        ring = window.distance > radius[i] + _RING_GAP
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
        reach = radius[i] + _RING_GAP + _RING_WIDTH
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


def cut_residuals(residual, x, y, radius, scales):
    """
    Cut the residual in empty holes out of a map.

    Parameters
    ----------
    residual : 2D `~numpy.ndarray`
        The map minus the reconstruction.

    x, y, radius : (N,) `~numpy.ndarray`
        The holes, in pixels.

    scales : (2, N) `~numpy.ndarray`
        Their `local_scales`.

    Returns
    -------
    stamps : list of `ResidualStamp`
        The stamps, of those holes whose scales are positive.
    """
    stamps = []
    for i in range(len(x)):
        window = find_window(residual.shape, x[i], y[i], radius[i])
        if window is None or not np.all(scales[:, i] > 0):
            continue
        beyond = ~window.within(radius[i])
        values = np.where(beyond, np.nan, residual[window.region])
        coarse = _smooth(values, beyond, _FINE)
        parts = np.array([values - coarse, coarse + 0.0 * values])
        parts /= scales[:, i, None, None]
        share = window.distance / radius[i]
        stamps.append(ResidualStamp(parts, share, float(radius[i]), scales[:, i]))
    return stamps


def cut_surroundings(parts, x, y, radius, scales):
    """
    Cut the fine structure around holes, where there are no empty holes.

    Parameters
    ----------
    parts : (2, ny, nx) `~numpy.ndarray`
        The map as `split_scales` gives it.

    x, y, radius, scales : `~numpy.ndarray`
        The sources' holes and their `local_scales`.

    Returns
    -------
    stamps : list of `ResidualStamp`
        Stamps of the surroundings without their coarse structure: how
        much of that a reconstruction misses they do not show. All pixels
        count as being at the rim.
    """
    stamps = []
    for i in range(len(x)):
        outer = 2.0 * radius[i] + _RING_GAP
        window = find_window(parts.shape[1:], x[i], y[i], outer)
        if window is None or not scales[0, i] > 0:
            continue
        values = parts[:, *window.region] / scales[:, i, None, None]
        values[1] *= 0.0
        if np.isfinite(values[0]).any():
            share = np.ones(values.shape[1:])
            stamps.append(ResidualStamp(values, share, float(radius[i]), scales[:, i]))
    return stamps


def fit_textures(stamps):
    """
    Describe the residual in holes of each radius.

    Parameters
    ----------
    stamps : list of `ResidualStamp`
        The residual in empty holes.

    Returns
    -------
    models : list of `TextureModel`
        A model for each radius of which there are four stamps or more;
        one for all of them if there is no such radius.

    Notes
    -----
    The median residual is subtracted ring by ring: it is what the network
    expects of a bright source's wings, which empty holes lack.
    """
    radii = np.array([stamp.radius for stamp in stamps])
    classes, counts = np.unique(radii, return_counts=True)
    models = [
        _fit_texture([stamp for stamp in stamps if stamp.radius == one])
        for one in classes[counts >= _LEAST_STAMPS]
    ]
    if not models and stamps:
        models = [_fit_texture(stamps)]
    return models


def _fit_texture(stamps):
    """
    Fit one `TextureModel` to stamps.
    """
    radius = float(np.median([stamp.radius for stamp in stamps]))
    kernels, amplitudes = [], []
    for k in range(2):
        values = [stamp.parts[k] for stamp in stamps]
        level = np.array([np.sqrt(np.nanmean(value**2)) for value in values])
        use = np.flatnonzero(level <= _OUTLIER * np.median(level))
        values = [values[i] for i in use]
        shares = [stamps[i].share for i in use]
        weights = np.array([stamps[i].scales[k] ** 2 for i in use])
        centres, offset, amplitude = _describe_rings(values, shares, weights)
        whitened = [
            (value - np.interp(share, centres, offset))
            / np.interp(share, centres, amplitude)
            for value, share in zip(values, shares, strict=True)
        ]
        kernels.append(_kernel(whitened, reach=int(np.ceil(2.0 * radius))))
        amplitudes.append(amplitude)
    return TextureModel(radius, np.array(kernels), centres, np.array(amplitudes))


def _describe_rings(values, shares, weights):
    """
    Measure median and standard deviation about it, ring by ring.

    Stamps count by the square of their scale: then the variance of all holes
    together is right, even where the residual grows more slowly than the
    scatter around it.
    """
    known = [np.isfinite(value) for value in values]
    weight = np.concatenate(
        [np.full(np.count_nonzero(k), w) for k, w in zip(known, weights, strict=True)]
    )
    share = np.concatenate([s[k] for s, k in zip(shares, known, strict=True)])
    values = np.concatenate([v[k] for v, k in zip(values, known, strict=True)])
    ring = np.searchsorted(_PROFILE_EDGES, share) - 1
    ring = np.clip(ring, 0, _PROFILE_EDGES.size - 2)
    rows = []
    for one in np.unique(ring):
        members = values[ring == one]
        offset = np.median(members)
        square = np.average((members - offset) ** 2, weights=weight[ring == one])
        deviation = np.sqrt(square)
        # A hole without any residual has no spectrum either.
        rows.append((share[ring == one].mean(), offset, max(deviation, 1.0e-12)))
    return np.array(rows).T


def _kernel(stamps, *, reach):
    """
    Make the filter that gives white noise the stamps' mean spectrum.
    """
    size = 2 * reach + 1
    side = max(max(stamp.shape) for stamp in stamps)
    # Zero-padded, so that opposite edges do not meet.
    padded = (side + size, side + size)
    products, pairs = np.zeros(padded), np.zeros(padded)
    for stamp in stamps:
        known = np.isfinite(stamp)
        for image, total in ((np.where(known, stamp, 0.0), products), (known, pairs)):
            spectrum = np.abs(np.fft.fft2(image.astype(float), s=padded)) ** 2
            total += np.fft.ifft2(spectrum).real
    correlation = np.fft.fftshift(products / np.maximum(pairs, 0.5))
    pairs = np.fft.fftshift(pairs)
    lag = np.hypot(*(np.indices(padded) - padded[0] // 2))
    # Isotropic: a map has too few stamps for a correlation by direction.
    # Lags between the pixels count for the pixels' own lengths.
    lengths, which = np.unique(np.round(lag, 6), return_inverse=True)
    which = which.ravel()
    total = np.bincount(which, weights=(correlation * pairs).ravel())
    weight = np.bincount(which, weights=pairs.ravel())
    good = (weight > 0.5) & (lengths <= reach)
    mean = total[good] / weight[good]
    grid = np.hypot(*(np.indices((size, size)) - reach))
    taper = np.where(grid < reach, 0.5 * (1.0 + np.cos(np.pi * grid / reach)), 0.0)
    image = np.interp(grid, lengths[good], mean) * taper
    power = np.fft.fft2(np.fft.ifftshift(image)).real
    # What is below the depth of the most negative power is an estimate's
    # noise; to keep its positive half would make the field too fine.
    power[power <= -power.min()] = 0.0
    kernel = np.fft.fftshift(np.fft.ifft2(np.sqrt(np.maximum(power, 0.0))).real)
    norm = np.sqrt(np.sum(kernel**2))
    if norm > 0:
        return kernel / norm
    kernel[reach, reach] = 1.0
    return kernel
