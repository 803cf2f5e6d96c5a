# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The covariances by which holes are kriged: a bank, of which each cutout chooses one.

They are those of power laws of several slopes, seen through the beam, with more or
less noise. The mean squared differences of usable pixels at a few distances
determine which one a cutout has.
"""

from functools import cache, lru_cache

import numpy as np
from astropy.stats import gaussian_fwhm_to_sigma
from scipy import fft

from photutils_pconv._utils.medians import robust_std

__all__ = [
    'NOISES',
    'SLOPES',
    'choose_covariance',
    'choose_covariances',
    'covariance_matrix',
    'transformed_covariance',
]

# What follows is by choice, 2026-11-25, and what concerns wings 2026-11-26. What it
# is worth was measured: docs/development/model_search.rst, and, beside the optimum,
# docs/explanations/accuracy.rst.

#: The slopes of the power spectra of the bank.
SLOPES = (-2.0, -2.6, -3.2, -3.8)
#: The noise of a pixel in units of the scatter of the emission within
#: about 20 pixels.
NOISES = (0.01, 0.03, 0.1, 0.3, 1.0, 4.0)
# That number of pixels.
_SCATTER_LAG = 20
# Distances (pixels) at which pixels are compared, how far out (pixels), and the
# fewest pairs that tell anything.
_LAGS = (1, 2, 3, 5, 8, 12)
_RADIUS = 24.0
_FEWEST = 64
# Pixels where wings are known no better than this share of the scatter do not
# choose the covariance, if so many others are left.
_WING_SHARE, _ENOUGH = 0.3, 600
# The largest offset (pixels) between pixels of a cutout's middle, along an axis.
_REACH = 48
_WIDTH = 2 * _REACH + 1
# Where the offset 0 is in a table of all of them.
_NO_OFFSET = _REACH * _WIDTH + _REACH
# Double and single precision.
_TYPES = (np.float64, np.float32)
# Periodic fields of this size (pixels) stand for endless ones.
_PERIOD = 256
# Beams that differ by less than this step (pixels) share a covariance.
_BEAM_STEP = 0.25
# The covariances that are kept: those of some sixteen beams.
_KEPT = 64


@lru_cache(maxsize=_KEPT)
def _spectrum_functions(beam, slope):
    """Give the covariance by offset, and the structure function at the lags."""
    k = np.hypot(np.fft.fftfreq(_PERIOD)[:, None], np.fft.rfftfreq(_PERIOD)[None, :])
    k[0, 0] = np.inf
    sigma = beam * gaussian_fwhm_to_sigma
    power = k**slope * np.exp(-((2.0 * np.pi * k * sigma) ** 2))
    covariance = np.fft.irfft2(power, s=(_PERIOD, _PERIOD))
    structure = 2.0 * (covariance[0, 0] - covariance[0, np.array(_LAGS)])
    # In units of the scatter within that many pixels.
    unit = covariance[0, 0] - covariance[0, _SCATTER_LAG]
    return covariance / unit, structure / unit


@lru_cache(maxsize=_KEPT)
def _covariance_table(beam, slope, dtype):
    """Give the covariance by row * width + column of the offset, less the first."""
    covariance, _ = _spectrum_functions(beam, slope)
    offset = np.arange(-_REACH, _REACH + 1)
    return covariance[offset[:, None], offset].ravel().astype(dtype)


def covariance_matrix(beam, slope, rows, columns, *, single=False):
    """
    Give the covariance of the emission in some pixels of a cutout's middle.

    Parameters
    ----------
    beam : float
        The beam's FWHM, in pixels.

    slope : float
        The slope of the emission's power spectrum.

    rows, columns : (N,) int `~numpy.ndarray`
        The pixels.

    single : bool, optional
        Whether single precision is enough.

    Returns
    -------
    matrix : (N, N) `~numpy.ndarray`
        The covariance, for a scatter of 1, less that of equal pixels.
    """
    table = _covariance_table(_quantise(beam), slope, _TYPES[single])
    # One table entry an offset, which a single subtraction gives.
    place = rows * _WIDTH + columns
    return table.take((place + _NO_OFFSET)[:, None] - place)


def transformed_covariance(beam, slope, side, *, single=False):
    """
    Give the transform of the covariance, for sums over a square of pixels.

    Parameters
    ----------
    beam, slope : float
        As for `covariance_matrix`.

    side : int
        The square's side, in pixels.

    single : bool, optional
        Whether single precision is enough.

    Returns
    -------
    transform : 2D complex `~numpy.ndarray`
        The transform, as `scipy.fft.rfft2` gives it.

    size : int
        The size of the image that was transformed: such that what lies on opposite
        sides of the square does not meet.
    """
    return _transformed(_quantise(beam), slope, side, _TYPES[single])


@lru_cache(maxsize=_KEPT)
def _transformed(beam, slope, side, dtype):
    """Give the transform of the covariance for a beam that others share."""
    size = fft.next_fast_len(2 * side - 1, real=True)
    offset = np.arange(size)
    offset[offset >= side] -= size
    covariance, _ = _spectrum_functions(beam, slope)
    return fft.rfft2(covariance[offset[:, None], offset].astype(dtype)), size


@cache
def _bank(beam):
    """Give slope, noise and logarithmic structure function of every member."""
    members, curves = [], []
    for slope in SLOPES:
        _, structure = _spectrum_functions(beam, slope)
        for noise in NOISES:
            members.append((slope, noise))
            curves.append(np.log(structure + 2.0 * noise**2))
    return members, np.array(curves)


def choose_covariance(image, validity, *, beam, uncertain=None):
    """
    Choose the member of the bank that is most like a cutout.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The cutout.

    validity : 2D bool `~numpy.ndarray`
        Usable pixels.

    beam : float
        The beam's FWHM, in pixels.

    uncertain : 2D `~numpy.ndarray`, optional
        The standard deviation of the wings that the cutout may still hold.

    Returns
    -------
    slope, noise : float
        Slope and noise of the member.

    variance : float
        What the member's covariance is to be multiplied with.
    """
    uncertain = None if uncertain is None else uncertain[None]
    (member,) = choose_covariances(
        image[None], validity[None], beam=beam, uncertain=uncertain
    )
    return member


def choose_covariances(images, validity, *, beam, uncertain=None):
    """
    Choose members of the bank for many cutouts of one beam, all of them at once.

    Parameters
    ----------
    images, validity : (N, H, W) `~numpy.ndarray`
        The cutouts and their usable pixels.

    beam : float
        The beam's FWHM, in pixels.

    uncertain : (N, H, W) `~numpy.ndarray`, optional
        As for `choose_covariance`.

    Returns
    -------
    members : list of tuple of float
        What `choose_covariance` gives for each cutout.
    """
    if uncertain is not None:
        validity = np.array(
            [
                _without_wings(*one)
                for one in zip(images, validity, uncertain, strict=True)
            ]
        )
    ny, nx = images.shape[1:]
    half = int(min(_RADIUS, ny // 2, nx // 2))
    part = np.s_[:, ny // 2 - half : ny // 2 + half, nx // 2 - half : nx // 2 + half]
    good = validity[part]
    values = np.where(good, images[part], 0.0)
    curves = np.full((len(images), len(_LAGS)), np.nan)
    for i, lag in enumerate(_LAGS):
        total, n_pairs = np.zeros((2, len(images)))
        for a, b in (
            (np.s_[:, lag:, :], np.s_[:, :-lag, :]),
            (np.s_[:, :, lag:], np.s_[:, :, :-lag]),
        ):
            both = good[a] & good[b]
            difference = values[a] - values[b]
            difference *= both
            total += np.einsum('nij,nij->n', difference, difference)
            n_pairs += np.count_nonzero(both, axis=(1, 2))
        known = (n_pairs >= _FEWEST) & (total > 0)
        curves[known, i] = np.log(total[known] / n_pairs[known])
    return _find_members(curves, beam)


def _find_members(curves, beam):
    """Find the members of the bank with the structure functions of cutouts, (N, L)."""
    members, bank = _bank(_quantise(beam))
    known = np.isfinite(curves)[:, None]
    difference = np.where(known, curves[:, None] - bank, 0.0)
    n_known = known.sum(axis=2)
    mean = difference.sum(axis=2) / np.maximum(n_known, 1)
    scatter = np.sum(np.where(known, difference - mean[:, :, None], 0.0) ** 2, axis=2)
    best = scatter.argmin(axis=1)
    variance = np.exp(mean[np.arange(len(best)), best])
    return [
        (*members[i], float(one)) if n >= 2 else (*members[0], 1.0)
        for i, one, n in zip(best, variance, n_known[:, 0], strict=True)
    ]


def _without_wings(image, validity, uncertain):
    """Leave out pixels whose wings are not known well, if others suffice."""
    if uncertain is None:
        return validity
    # A threshold: every second row tells enough of it.
    seen = image[::2][validity[::2]]
    if not seen.size:
        return validity
    well_known = validity & (uncertain < _WING_SHARE * robust_std(seen))
    return well_known if np.count_nonzero(well_known) >= _ENOUGH else validity


def _quantise(beam):
    """Round a beam to the step by which covariances differ."""
    return max(_BEAM_STEP * round(beam / _BEAM_STEP), _BEAM_STEP)
