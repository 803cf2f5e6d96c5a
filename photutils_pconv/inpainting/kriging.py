# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Fill holes of cutouts by kriging, with a covariance that each cutout chooses.

Ordinary kriging is the best linear unbiased estimate of what a hole hides, if
the covariance of emission and noise is known (Cressie 1993, *Statistics for
Spatial Data*, section 3.2). Here it is one of a bank: power laws of several
slopes, seen through the beam, with more or less noise. The mean squared
differences of usable pixels at a few distances determine which one.

What a source's wings may hold beyond the expected ones adds to the covariance:
kriging then finds it from the emission, by its shape.
"""

from functools import cache, lru_cache

import numpy as np
from astropy.stats import gaussian_fwhm_to_sigma
from scipy import fft
from scipy.linalg import LinAlgError
from scipy.linalg.blas import dsyrk
from scipy.linalg.lapack import dpotrf, dpotrs
from scipy.ndimage import map_coordinates
from threadpoolctl import ThreadpoolController

from photutils_pconv._utils.medians import median, robust_std

__all__ = ['NOISES', 'SLOPES', 'choose_covariance', 'krige_cutout', 'krige_cutouts']

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

# Usable pixels this close (pixels) to a hole are looked at: behind them, others
# tell nothing more of smooth emission.
_RING = 4.0
# Beyond this radius (pixels) pixels are made coarser, so that no hole takes a
# system of more than some 500 equations.
_LARGEST = 16.0
# A coarse pixel is usable if this share of its pixels is.
_USABLE_SHARE = 0.5
# Distances (pixels) at which pixels are compared, how far out (pixels), and the
# fewest pairs, or usable pixels around a hole, that tell anything.
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
def _covariance_table(beam, slope):
    """Give the covariance by row * width + column of the offset, less the first."""
    covariance, _ = _spectrum_functions(beam, slope)
    offset = np.arange(-_REACH, _REACH + 1)
    return covariance[offset[:, None], offset].ravel()


@lru_cache(maxsize=_KEPT)
def _transformed_covariance(beam, slope, side):
    """
    Give the transform of the covariance, for sums over a square of pixels.

    Its size is such that what lies on opposite sides does not meet.
    """
    size = fft.next_fast_len(2 * side - 1, real=True)
    offset = np.arange(size)
    offset[offset >= side] -= size
    covariance, _ = _spectrum_functions(beam, slope)
    return fft.rfft2(covariance[offset[:, None], offset]), size


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
    (member,) = _choose_covariances(image[None], validity[None], beam, uncertain)
    return member


def _choose_covariances(images, validity, beam, uncertain):
    """
    Choose members of the bank for many cutouts of one beam, all of them at once.
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
    return [_find_member(curve, beam) for curve in curves]


def _find_member(curve, beam):
    """Find the member of the bank with the structure function of a cutout."""
    members, curves = _bank(_quantise(beam))
    known = np.isfinite(curve)
    if known.sum() < 2:
        return (*members[0], 1.0)
    difference = curve[known] - curves[:, known]
    mean = difference.mean(axis=1, keepdims=True)
    best = int(np.argmin(np.sum((difference - mean) ** 2, axis=1)))
    return (*members[best], float(np.exp(mean[best, 0])))


def _without_wings(image, validity, uncertain):
    """Leave out pixels whose wings are not known well, if others suffice."""
    if uncertain is None or not validity.any():
        return validity
    well_known = validity & (uncertain < _WING_SHARE * robust_std(image[validity]))
    return well_known if np.count_nonzero(well_known) >= _ENOUGH else validity


def _quantise(beam):
    """Round a beam to the step by which covariances differ."""
    return max(_BEAM_STEP * round(beam / _BEAM_STEP), _BEAM_STEP)


def krige_cutout(image, validity, *, beam, radius, terms=None, member=None):
    """
    Fill the hole about a cutout's centre.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The cutout; unusable pixels may hold anything.

    validity : 2D bool `~numpy.ndarray`
        Usable pixels.

    beam : float
        The beam's FWHM, in pixels.

    radius : float
        The hole's radius, in pixels.

    terms : 3D `~numpy.ndarray`, optional
        What else the cutout may hold, (T, H, W): independent contributions,
        of one standard deviation each (see
        `~photutils_pconv.psf.WingProfile.terms`).

    member : tuple of float, optional
        What `choose_covariance` gives for the cutout, where it is at hand; holes
        whose pixels are made coarser have a choice of their own.

    Returns
    -------
    filled : 2D `~numpy.ndarray`
        The cutout without these contributions, and with the unusable pixels
        in and near its hole filled; beyond, they are the median of the
        usable pixels.

    contribution : 2D `~numpy.ndarray`
        Their sum, as far as it can be separated from the emission.
    """
    level = median(image[validity]) if validity.any() else 0.0
    factor = int(np.ceil(radius / _LARGEST))
    if factor == 1:
        place, estimate, amplitude = _krige(
            image, validity, beam, radius, level, terms, member
        )
    else:
        coarse, usable = _bin(np.where(validity, image, level), validity, factor)
        blocks = None
        if terms is not None:
            blocks = np.array([_bin(one, validity, factor)[0] for one in terms])
        place, values, amplitude = _krige(
            coarse,
            usable,
            np.hypot(beam, factor) / factor,
            radius / factor,
            level,
            blocks,
        )
        coarse = np.where(usable, coarse - _combine(amplitude, blocks, coarse), level)
        coarse[place] = values
        place = np.nonzero(~validity)
        estimate = _refine(coarse, factor, image.shape)[place]
    contribution = _combine(amplitude, terms, image)
    filled = np.where(validity, image - contribution, level)
    filled[place] = estimate
    return filled, contribution


def _combine(amplitude, terms, image):
    """Sum up terms by their amplitudes, if there are any."""
    if terms is None or amplitude is None:
        return np.zeros(image.shape)
    return np.tensordot(amplitude, terms, axes=1)


def _krige(image, validity, beam, radius, level, terms, member=None):
    """
    Give the pixels of the hole, what is estimated there, and the terms' amplitudes.
    """
    row, column = _near(image.shape, radius + _RING)
    good = validity[row, column]
    if good.sum() < _FEWEST or good.all():
        return (row[:0], column[:0]), np.zeros(0), None
    if member is None:
        uncertain = None if terms is None else _add_in_quadrature(terms)
        member = choose_covariance(image, validity, beam=beam, uncertain=uncertain)
    slope, noise, variance = member
    beam = _quantise(beam)
    used = row[good], column[good]
    # One table entry an offset, which a single subtraction gives.
    place = used[0] * _WIDTH + used[1]
    offset = (place + _NO_OFFSET)[:, None] - place
    matrix = _covariance_table(beam, slope).take(offset)
    matrix.ravel()[:: len(matrix) + 1] += noise**2
    values = image[used] - level
    # LAPACK and BLAS themselves, of which each call is worth a tenth of a solution:
    # the matrix turned, which is the same, lies in memory as they have it, and its
    # lower half is enough for them.
    matrix = matrix.T
    if terms is not None:
        known = terms[:, *used] / np.sqrt(variance)
        matrix = dsyrk(1.0, known.T, beta=1.0, c=matrix, lower=1, overwrite_c=1)
    factor, failed = dpotrf(matrix, lower=1, clean=0, overwrite_a=1)
    if failed:
        msg = f'the covariance of {values.size} pixels is not positive definite'
        raise LinAlgError(msg)
    right = np.array([values, np.ones(values.size)])
    solved, _ = dpotrs(factor, right.T, lower=1, overwrite_b=1)
    weighted, unit = solved.T
    # The unknown mean, by generalised least squares.
    mean = weighted.sum() / unit.sum()
    weighted = weighted - mean * unit
    # What the pixels around tell of those in the hole depends on their offsets alone:
    # all sums of their covariances are one product of transforms.
    first, last = row[0], row[-1]
    left, right = column.min(), column.max()
    side = max(last - first, right - left) + 1
    transform, size = _transformed_covariance(beam, slope, int(side))
    image = np.zeros((size, size))
    image[used[0] - first, used[1] - left] = weighted
    sums = fft.irfft2(fft.rfft2(image) * transform, s=(size, size))
    hole = row[~good], column[~good]
    estimate = level + mean + sums[hole[0] - first, hole[1] - left]
    amplitude = None if terms is None else known @ weighted / np.sqrt(variance)
    return hole, estimate, amplitude


def _add_in_quadrature(terms):
    """Give the standard deviation of the sum of independent terms."""
    return np.sqrt(np.einsum('tij,tij->ij', terms, terms))


@lru_cache(maxsize=_KEPT)
def _near(shape, reach):
    """Find the rows and columns of the pixels within reach of a cutout's centre."""
    # Sources lie on the middle pixel or up to a pixel below it.
    y, x = (np.arange(n) - n // 2 + 0.5 for n in shape)
    return np.nonzero(np.hypot(y[:, None], x) <= reach + 0.5)


def _bin(image, validity, factor):
    """Average blocks of pixels, keeping the centre's place."""
    size = image.shape[0] // (2 * factor) * 2 * factor
    start = image.shape[0] // 2 - size // 2
    part = np.s_[start : start + size, start : start + size]
    shape = (size // factor, factor, size // factor, factor)
    count = validity[part].reshape(shape).sum(axis=(1, 3))
    total = np.where(validity, image, 0.0)[part].reshape(shape).sum(axis=(1, 3))
    return total / np.maximum(count, 1), count >= _USABLE_SHARE * factor**2


def _refine(coarse, factor, shape):
    """Interpolate block means back to pixels."""
    start = [n // 2 - m * factor // 2 for n, m in zip(shape, coarse.shape, strict=True)]
    rows, columns = (
        (np.arange(n) - s + 0.5) / factor - 0.5
        for n, s in zip(shape, start, strict=True)
    )
    grid = np.meshgrid(rows, columns, indexing='ij')
    return map_coordinates(coarse, grid, order=1, mode='nearest')


@cache
def _blas():
    """
    Find what limits the threads of linear algebra.

    Systems as small as these gain nothing from several, which wait for each other
    as soon as anything else runs on the machine.
    """
    return ThreadpoolController().select(user_api='blas')


def krige_cutouts(images, validity, *, beam, radius, terms=None):
    """
    Fill the holes about the centres of many cutouts.

    Parameters
    ----------
    images, validity : `~numpy.ndarray`
        The cutouts and their usable pixels, (N, H, W).

    beam, radius : array_like
        The beam's FWHM and the holes' radii, in pixels; a number or (N,).

    terms : sequence, optional
        What else each cutout may hold.

    Returns
    -------
    filled, contribution : `~numpy.ndarray`
        The filled cutouts, and what the terms contribute to them
        (see `krige_cutout`).
    """
    beam, radius = (np.broadcast_to(one, len(images)) for one in (beam, radius))
    # A choice for each beam of them, with no hole so large that it is made coarser.
    members = [None] * len(images)
    for one in np.unique(beam):
        same = np.flatnonzero((beam == one) & (radius <= _LARGEST))
        if same.size:
            uncertain = None
            if terms is not None:
                uncertain = np.array([_add_in_quadrature(terms[i]) for i in same])
            chosen = _choose_covariances(images[same], validity[same], one, uncertain)
            for i, member in zip(same, chosen, strict=True):
                members[i] = member
    with _blas().limit(limits=1):
        pairs = [
            krige_cutout(
                image,
                validity[i],
                beam=beam[i],
                radius=radius[i],
                terms=None if terms is None else terms[i],
                member=members[i],
            )
            for i, image in enumerate(images)
        ]
    filled, contribution = (np.stack(one) for one in zip(*pairs, strict=True))
    return filled, contribution
