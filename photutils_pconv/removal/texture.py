# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The noise and small-scale texture that a smooth reconstruction lacks.

A reconstruction is the best estimate of the emission, and therefore
smoother than the map around it: it has neither noise nor what cannot be
known of the emission. What it lacks is seen in empty holes, where the map
is known (`photutils_pconv.geometry`): map minus reconstruction, the
residual. A Gaussian random field with the residual's variance, its
profile from the rim to the centre and its power spectrum completes the
cleaned map, for whoever needs its statistics rather than the best
estimate of each pixel.

Fine and coarse structure vary differently over a map, the one with the
noise and the other with the emission. They are therefore described apart,
each in units of its own scatter around the hole.
"""

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from astropy.stats import mad_std
from astropy.utils.exceptions import AstropyUserWarning
from scipy.ndimage import gaussian_filter
from scipy.signal import oaconvolve

from photutils_pconv.geometry.empty_holes import MINIMUM_EMPTY
from photutils_pconv.geometry.holes import (
    TAPER_WIDTH,
    draw_holes,
    taper_weight,
)
from photutils_pconv.geometry.windows import find_window

__all__ = [
    'ResidualStamp',
    'TextureModel',
    'cut_residuals',
    'cut_surroundings',
    'draw_texture',
    'fit_textures',
    'local_scales',
    'make_texture',
    'split_scales',
]

# The Gaussians that part fine from coarse structure, and coarse structure
# from the large-scale emission, in pixels.
_FINE, _COARSE = 1.5, 8.0
# The ring around a hole in which the scales are measured, in pixels.
_RING_GAP = 2.0
_RING_WIDTH = 24.0
# Rings of equal area in a hole, in which the residual is described.
_PROFILE_EDGES = np.sqrt(np.linspace(0.0, 1.0, 5))
_LEAST_STAMPS = 4
# A stamp whose rms exceeds the median's by more holds a source.
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


def split_scales(data, unusable):
    """
    Part the fine and the coarse structure of a map.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.

    unusable : 2D bool `~numpy.ndarray`
        Pixels not to use: missing ones and holes.

    Returns
    -------
    parts : (2, ny, nx) `~numpy.ndarray`
        The map minus its mean over a Gaussian of 1.5 pixels; and that
        minus the mean over 8 pixels. NaN where unusable.
    """
    smooth = [_smooth(data, unusable, sigma) for sigma in (_FINE, _COARSE)]
    parts = np.array([data - smooth[0], smooth[0] - smooth[1]])
    parts[:, unusable] = np.nan
    return parts


def _smooth(data, unusable, sigma):
    """
    Average a map's usable pixels over a Gaussian.
    """
    weight = gaussian_filter((~unusable).astype(float), sigma, mode='constant')
    total = gaussian_filter(np.where(unusable, 0.0, data), sigma, mode='constant')
    return total / np.maximum(weight, 1.0e-12)


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
        values = values[:, ring & np.isfinite(values[0])]
        if values.size:
            scales[:, i] = mad_std(values, axis=1)
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
        much of that a reconstruction misses they do not tell. All pixels
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


def draw_texture(models, x, y, radius, scales, usable, *, rng):
    """
    Draw a realisation of the texture in holes.

    Parameters
    ----------
    models : list of `TextureModel`
        The statistics; for each hole the model of the nearest radius is
        taken.

    x, y, radius : 1D `~numpy.ndarray`
        The holes, in pixels.

    scales : (2, N) `~numpy.ndarray`
        Their `local_scales`; a hole where one is NaN gets no texture.

    usable : 2D bool `~numpy.ndarray`
        Where texture may be added: the filled pixels.

    rng : `numpy.random.Generator`
        The source of randomness.

    Returns
    -------
    texture : 2D `~numpy.ndarray`
        To be added to the cleaned map; 0 beyond the holes' tapers. In
        the taper its variance makes up for what the map's share of the
        blend lacks.

    Notes
    -----
    The field is drawn for the whole map, so that a hole's texture does
    not depend on the order of the sources.
    """
    amplitudes = np.zeros((2, *usable.shape))
    weight = np.zeros(usable.shape)
    chosen = np.full(usable.shape, -1)
    known = np.array([model.radius for model in models])
    for i in range(len(x)):
        if not np.all(scales[:, i] > 0):
            continue
        window = find_window(usable.shape, x[i], y[i], radius[i] + TAPER_WIDTH)
        if window is None:
            continue
        region, distance = window.region, window.distance
        taper = taper_weight(distance, radius[i], width=TAPER_WIDTH)
        np.maximum(weight[region], taper, out=weight[region])
        k = np.argmin(np.abs(known - radius[i]))
        model = models[k]
        share = distance / radius[i]
        one = np.array([np.interp(share, model.share, a) for a in model.amplitudes])
        one *= scales[:, i, None, None]
        larger = np.hypot(*one) > np.hypot(*amplitudes[:, *region])
        larger &= (taper > 0) & usable[region]
        amplitudes[:, *region][:, larger] = one[:, larger]
        chosen[region][larger] = k
    texture = np.zeros(usable.shape)
    # Parts of one field: a filter parted them, so one noise drives both.
    white = rng.standard_normal(usable.shape)
    for k in np.unique(chosen[chosen >= 0]):
        here = chosen == k
        for kernel, amplitude in zip(models[k].kernels, amplitudes, strict=True):
            field = oaconvolve(white, kernel, mode='same')
            texture[here] += amplitude[here] * field[here]
    # (1 - w)**2 of the map's own variance is still there.
    return texture * np.sqrt(weight * (2.0 - weight))


def make_texture(cleaned, missing, holes, reconstruction, *, stamps, seed):
    """
    Draw the texture that the reconstruction lacks.

    Parameters
    ----------
    cleaned : 2D `~numpy.ndarray`
        The map without its sources.

    missing : 2D bool `~numpy.ndarray`
        Its missing pixels.

    holes : tuple of 1D `~numpy.ndarray`
        Positions and radii of the holes.

    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        The reconstruction.

    stamps : list of `~photutils_pconv.removal.ResidualStamp`
        The residuals in empty holes.

    seed : int or `numpy.random.Generator`
        The source of randomness.

    Returns
    -------
    texture : 2D `~numpy.ndarray`
        The texture.
    """
    holes = tuple(value[reconstruction.filled] for value in holes)
    parts = split_scales(cleaned, missing | draw_holes(missing.shape, *holes))
    scales = local_scales(parts, *holes)
    if len(stamps) < MINIMUM_EMPTY:
        msg = (
            f'the map has free positions for only {len(stamps)} empty holes, of '
            f'{MINIMUM_EMPTY} that are needed: the texture is made from the '
            'small-scale structure around the holes and lacks what is larger'
        )
        warnings.warn(msg, AstropyUserWarning, stacklevel=4)
        stamps = cut_surroundings(parts, *holes, scales)
    models = fit_textures(stamps)
    if not models:
        return np.zeros(cleaned.shape)
    usable = reconstruction.holes & ~missing
    rng = np.random.default_rng(seed)
    return draw_texture(models, *holes, scales, usable, rng=rng)
