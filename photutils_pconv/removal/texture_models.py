# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The statistics of what reconstructions lack, from residuals in empty holes.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from photutils_pconv.geometry.windows import find_window
from photutils_pconv.removal.structure import FINE, RING_GAP, smooth

__all__ = [
    'ResidualStamp',
    'TextureModel',
    'cut_residuals',
    'cut_surroundings',
    'fit_textures',
]

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
        coarse = smooth(values, beyond, FINE)
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
        outer = 2.0 * radius[i] + RING_GAP
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
