# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Fill holes of cutouts by kriging, with a covariance that each cutout chooses.

Ordinary kriging is the best linear unbiased estimate of what a hole hides, if
the covariance of emission and noise is known (Cressie 1993, *Statistics for
Spatial Data*, section 3.2). Here it is one of a bank
(`photutils_pconv.inpainting.choose_covariance`).

What a source's wings may hold beyond the expected ones adds to the covariance:
kriging then finds it from the emission, by its shape.
"""

from functools import cache, lru_cache

import numpy as np
from scipy import fft
from scipy.linalg import LinAlgError, get_blas_funcs, get_lapack_funcs
from scipy.linalg.lapack import dposv
from scipy.ndimage import map_coordinates
from threadpoolctl import ThreadpoolController

from photutils_pconv._utils.medians import median
from photutils_pconv.inpainting.covariances import (
    choose_covariance,
    choose_covariances,
    covariance_matrix,
    transformed_covariance,
)
from photutils_pconv.psf.wing_terms import DrawnTerms

__all__ = ['krige_cutout', 'krige_cutouts']

# What follows is by choice, 2026-11-25, and what concerns wings 2026-11-26. What it
# is worth was measured: docs/development/model_search.rst, and, beside the optimum,
# docs/explanations/accuracy.rst.

# Usable pixels this close (pixels) to a hole are looked at: behind them, others
# tell nothing more of smooth emission. With 4, which take longer, errors in
# holes and the scatter of fluxes are the same within 2 percent; with 2, they are up to
# 1.03 times as large (benchmarks/psf_accuracy.py --over, 2026-11-30).
_RING = 3.0
# Beyond this radius (pixels) pixels are made coarser, so that no hole takes a
# system of more than some 500 equations.
_LARGEST = 16.0
# A coarse pixel is usable if this share of its pixels is.
_USABLE_SHARE = 0.5
# The fewest usable pixels around a hole that tell anything.
_FEWEST = 64
# With this much noise, in units of the scatter, single precision changes what is
# estimated by some thousandths of it at most, with less noise by more
# (tests/inpainting/test_kriging.py); by choice.
_SINGLE_NOISE = 0.3
# Terms that are brighter than this, in units of the scatter, need double precision
# (tests/inpainting/test_kriging.py).
_SINGLE_TERMS = 1.0e3
# The shapes of cutouts and holes whose pixels are remembered.
_KEPT = 64


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

    terms : `~photutils_pconv.psf.DrawnTerms`, optional
        What else the cutout may hold: independent contributions, of one standard
        deviation each; or `~photutils_pconv.psf.WingTerms`
        (see `~photutils_pconv.psf.WingProfile.terms`).

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
            binned = [_bin(one, validity, factor)[0] for one in terms.draw()]
            blocks = DrawnTerms(np.array(binned))
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
    return terms.combine(amplitude)


def _krige(image, validity, beam, radius, level, terms, member=None):
    """
    Give the pixels of the hole, what is estimated there, and the terms' amplitudes.
    """
    row, column = _near(image.shape, radius + _RING)
    good = validity[row, column]
    if good.sum() < _FEWEST or good.all():
        return (row[:0], column[:0]), np.zeros(0), None
    if member is None:
        uncertain = None if terms is None else terms.scatter()
        member = choose_covariance(image, validity, beam=beam, uncertain=uncertain)
    slope, noise, variance = member
    used = row[good], column[good]
    # Known up to an amplitude each: the unknown mean, and the terms.
    shapes = np.ones((1 if terms is None else 1 + len(terms), used[0].size))
    if terms is not None:
        np.divide(terms.pick(used), np.sqrt(variance), out=shapes[1:])
    single = bool(noise >= _SINGLE_NOISE and np.abs(shapes).max() < _SINGLE_TERMS)
    matrix = covariance_matrix(beam, slope, *used, single=single)
    matrix.ravel()[:: len(matrix) + 1] += noise**2
    weighted, (mean, *amplitude) = _solve(
        matrix, (image[used] - level) / np.sqrt(variance), shapes
    )
    # What the pixels around tell of those in the hole depends on their offsets alone:
    # all sums of their covariances are one product of transforms.
    first, last = row[0], row[-1]
    left, right = column.min(), column.max()
    side = max(last - first, right - left) + 1
    transform, size = transformed_covariance(beam, slope, int(side), single=single)
    image = np.zeros((size, size), dtype=matrix.dtype)
    image[used[0] - first, used[1] - left] = weighted
    sums = fft.irfft2(fft.rfft2(image) * transform, s=(size, size))
    hole = row[~good], column[~good]
    inside = mean + sums[hole[0] - first, hole[1] - left]
    estimate = level + np.sqrt(variance) * inside
    return hole, estimate, None if terms is None else np.array(amplitude)


def _solve(matrix, values, shapes):
    """
    Solve the equations of kriging with a mean and terms of unknown amplitudes.

    The amplitudes are a generalised least-squares fit, in which those of the terms
    have a variance of 1 beforehand. Bright wings would dominate the matrix if they
    were added to it; as right-hand sides they leave it well-conditioned.

    Parameters
    ----------
    matrix : (N, N) `~numpy.ndarray`
        The covariance of the pixels, noise included. It is overwritten.

    values : (N,) `~numpy.ndarray`
        The pixels.

    shapes : (T, N) `~numpy.ndarray`
        What is known up to an amplitude: first the mean.

    Returns
    -------
    weighted : (N,) `~numpy.ndarray`
        The solution for what the shapes leave.

    amplitude : (T,) `~numpy.ndarray`
        The amplitudes.
    """
    # LAPACK itself, of which each call is worth a tenth of a solution: the matrix
    # turned, which is the same, lies in memory as it has it.
    potrf, trtrs = get_lapack_funcs(('potrf', 'trtrs'), (matrix,))
    trsv = get_blas_funcs('trsv', (matrix,))
    factor, failed = potrf(matrix.T, lower=1, clean=0, overwrite_a=1)
    if failed:
        msg = f'the covariance of {values.size} pixels is not positive definite'
        raise LinAlgError(msg)
    sides = np.vstack([values, shapes]).astype(matrix.dtype)
    whitened, _ = trtrs(factor, sides.T, lower=1, overwrite_b=1)
    # In double precision, since the shapes may be much alike.
    whitened = whitened.T.astype(float)
    products = whitened @ whitened.T
    normal = products[1:, 1:].copy()
    normal.ravel()[len(normal) + 1 :: len(normal) + 1] += 1.0
    # In units of their own, for a mean is as small as wings may be bright.
    unit = 1.0 / np.sqrt(np.diag(normal))
    normal *= unit[:, None] * unit
    right = unit * products[1:, 0]
    _, amplitude, failed = dposv(normal, right)
    if failed:
        # Wings so bright that rounding exceeds what is known beforehand.
        amplitude = np.linalg.lstsq(normal, right)[0]
    amplitude *= unit
    left = (values - amplitude @ shapes).astype(matrix.dtype)
    # Faster than `potrs` for a single right-hand side.
    weighted = trsv(factor, trsv(factor, left, lower=1), lower=1, trans=1)
    return weighted, amplitude


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
        What else each cutout may hold, as for `krige_cutout`.

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
                uncertain = np.array([terms[i].scatter() for i in same])
            chosen = choose_covariances(
                images[same], validity[same], beam=one, uncertain=uncertain
            )
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
