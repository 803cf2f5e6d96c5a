# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What the subtraction of a PSF leaves of sources, and what follows from it.

Where more is left than expected, a fit is poor: the source is no PSF. And where
what is left exceeds the structure of the map, the emission under a source is
found as well without a look into the hole; the two estimates then share it.
"""

from dataclasses import dataclass, replace

import numpy as np

from photutils_pconv._utils.medians import median
from photutils_pconv.geometry.lazy_images import copy_sparse
from photutils_pconv.geometry.squares import SquareStack, group_alike
from photutils_pconv.inpainting.blending import BlendedPixels
from photutils_pconv.inpainting.hole_filling import inpaint_chosen
from photutils_pconv.psf.source_images import expected_error_image
from photutils_pconv.psf_photometry.fit_windows import FIT_RADIUS

__all__ = [
    'UnseenEmission',
    'estimate_position_errors',
    'expected_middles',
    'find_poor_fits',
    'find_unseen_emission',
    'mix_emissions',
    'with_poor_fits',
]

# The mismatch in the middle of a source, in units of the structure around it, at
# which the emission under it is found as well without a look into the hole:
# on real backgrounds with in-flight PSFs the errors are 1.02 and 1.05 from 0.7 to 1.5
# (benchmarks/composition.py, 2026-11-29).
_EVEN_MISMATCH = 1.0
# A fit is poor that leaves more than this of a source, in units of what is expected,
# the structure around included; by choice: of 331 sources that differ from the PSF
# as in-flight ones do, 1 does (benchmarks/composition.py, 2026-11-29).
_POOR = 4.0
# The ring of the local background for that, in FWHM; by choice.
_RING_INNER, _RING_OUTER = 1.5, 2.5
# The share of an inpainted hole below which it is not worth the time: from 0.5 on
# instead, the errors in holes are 1.04 and 1.02 times as large at SNR 40 to 130 and
# 130 to 400 (benchmarks/composition.py --set, 2026-11-29).
_LEAST_INPAINTED = 0.3
# The share from which it is taken for the whole, so that no network looks into the
# hole; by choice, that of a mismatch of three times the structure.
_MOST_INPAINTED = 0.9


def find_poor_fits(
    residual, missing, fit, flux, structure, pixel_psf, *, expected_error=None
):
    """
    Find sources of which the PSF leaves more than it is expected to.

    Parameters
    ----------
    residual : 2D `~numpy.ndarray`
        The map minus all sources.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels.

    fit : `~photutils_pconv.psf_photometry.PSFFit`
        The sources' positions.

    flux : (M,) `~numpy.ndarray`
        Their fluxes, in the map's unit times pixel.

    structure : (M,) `~numpy.ndarray`
        The scatter around each of what its surroundings do not determine.

    pixel_psf : `~photutils_pconv.psf.PixelPSF`
        The PSF on the map's pixels.

    expected_error : 2D `~numpy.ndarray`, optional
        The expected error of the sources' images, where it is at hand.

    Returns
    -------
    poor : (M,) bool `~numpy.ndarray`
        The sources.

    core : (M,) `~numpy.ndarray`
        The root mean square of what is left within a FWHM; 0 for all others.
    """
    if expected_error is None:
        # With that of neighbours: a faint one beside a bright one is not to blame.
        expected_error = expected_error_image(
            residual.shape, fit.x, fit.y, np.nan_to_num(flux), pixel_psf
        )
    poor, core = np.zeros(len(fit.x), dtype=bool), np.zeros(len(fit.x))
    fwhm = np.array([pixel_psf.of(i).fwhm for i in range(len(fit.x))])
    for group in group_alike(np.flatnonzero(np.isfinite(flux)), lambda i: fwhm[i]):
        width, where = fwhm[group[0]], (fit.x[group], fit.y[group])
        squares = SquareStack.around(*where, int(np.ceil(_RING_OUTER * width)))
        dx, dy = squares.offsets(*where)
        distance = np.sqrt(dx**2 + dy**2)
        use = ~squares.cut(missing, fill_value=True)
        inner = use & (distance <= width)
        # A square that goes by whole pixels may be larger.
        ring = use & (distance >= _RING_INNER * width)
        ring &= (np.abs(dx) <= _RING_OUTER * width) & (
            np.abs(dy) <= _RING_OUTER * width
        )
        values, expected = squares.cut(residual), squares.cut(expected_error)
        for k, i in enumerate(group):
            if not inner[k].any() or not ring[k].any():
                continue
            above = values[k][inner[k]] - median(values[k][ring[k]])
            left = np.sqrt(np.mean(above**2))
            known = np.sqrt(np.mean(expected[k][inner[k]] ** 2))
            if left > _POOR * np.hypot(known, structure[i]):
                poor[i], core[i] = True, left
    return poor, core


def with_poor_fits(error, fit, core, pixel_psf):
    """
    Add what poor fits leave to the expected error of the subtraction.

    Parameters
    ----------
    error : 2D `~numpy.ndarray`
        The expected error.

    fit, pixel_psf
        As for `find_poor_fits`.

    core : (M,) `~numpy.ndarray`
        What `find_poor_fits` found.

    Returns
    -------
    error : 2D `~numpy.ndarray`
        The error, with theirs in quadrature.
    """
    poor = core > 0
    if not poor.any():
        return error
    psfs = pixel_psf.select(poor)
    middle = [psfs.of(i).expected_error(0.0, 0.0) for i in range(poor.sum())]
    level = core[poor] / np.array(middle)
    more = expected_error_image(error.shape, fit.x[poor], fit.y[poor], level, psfs)
    return np.hypot(error, more, out=error, where=more > 0)


@dataclass(frozen=True, eq=False)
class UnseenEmission:
    """
    The emission in holes that was found without a look into them.

    Parameters
    ----------
    pixels : `~photutils_pconv.inpainting.blending.BlendedPixels`
        The emission, in some of the holes.

    share : (M,) `~numpy.ndarray`
        What it counts in the best estimate; 0 for holes without it.

    drowned : (M,) bool `~numpy.ndarray`
        The holes in which it is all that counts.
    """

    pixels: BlendedPixels
    share: np.ndarray
    drowned: np.ndarray


def find_unseen_emission(
    mismatch, data, missing, holes, inpainting, *, jy_per_pixel, taper_width
):
    """
    Find the emission without a look into holes, where that counts.

    The error of what the residual shows grows with the mismatch, which is in
    units of the structure around; that of an inpainted hole does not.

    Parameters
    ----------
    mismatch : (M,) `~numpy.ndarray`
        What is left in the middle of each source.

    data, missing, holes, jy_per_pixel, taper_width
        As for `~photutils_pconv.removal.psf_subtraction.remove_with_psf`.

    inpainting : `~photutils_pconv.inpainting.InpaintSettings` or `None`
        How holes are filled; `None` for not at all.

    Returns
    -------
    unseen : `UnseenEmission` or `None`
        The emission; `None` where it counts nowhere.
    """
    share = np.nan_to_num(mismatch**2 / (_EVEN_MISMATCH**2 + mismatch**2))
    chosen = share > _LEAST_INPAINTED
    if inpainting is None or not chosen.any():
        return None
    inpainted = inpaint_chosen(
        data,
        missing,
        holes,
        inpainting,
        chosen,
        jy_per_pixel=jy_per_pixel,
        taper_width=taper_width,
    )
    share = np.where(chosen & inpainted.filled, share, 0.0)
    return UnseenEmission(inpainted, share, share > _MOST_INPAINTED)


def mix_emissions(seen, unseen):
    """
    Put together the emission that was seen, and that found without a look.

    Parameters
    ----------
    seen : `~photutils_pconv.inpainting.Reconstruction`
        What the residual shows. It may be changed.

    unseen : `UnseenEmission` or `None`
        What was found without it.

    Returns
    -------
    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        What was seen, and in drowned holes the other.

    emission : 2D `~numpy.ndarray`
        The best estimate: the mean of both by their shares.
    """
    if unseen is None:
        return seen, seen.emission
    found = unseen.pixels
    numbers = found.numbers
    share = found.spread(np.where(unseen.drowned, 1.0, unseen.share))
    emission = copy_sparse(seen.emission)
    mixed = emission.ravel()
    mixed[numbers] = (1.0 - share) * mixed[numbers] + share * found.emission
    if unseen.drowned.any():
        alone = share >= 1.0
        numbers = numbers[alone]
        seen.emission.ravel()[numbers] = found.emission[alone]
        weight = seen.weight.ravel()
        weight[numbers] = np.maximum(weight[numbers], found.weight[alone])
        seen = replace(seen, filled=seen.filled | unseen.drowned)
    return seen, emission


def expected_middles(pixel_psf, n):
    """
    Give the expected errors of sources of flux 1 in their middle.

    Parameters
    ----------
    pixel_psf : `~photutils_pconv.psf.PixelPSF` or `~photutils_pconv.psf.SourcePSFs`
        The PSF on the map's pixels, or that of each source.

    n : int
        The number of sources.

    Returns
    -------
    error : (n,) `~numpy.ndarray`
        The errors, in 1/pixel.
    """
    # Most sources have the same PSF.
    point = pixel_psf.point
    error = np.full(n, float(point.expected_error(0.0, 0.0)))
    for i in range(n):
        psf = pixel_psf.of(i)
        if psf is not point:
            error[i] = psf.expected_error(0.0, 0.0)
    return error


def estimate_position_errors(flux, flux_err, pixel_psf, *, moved):
    """
    Give the errors that the background makes of fitted positions, in pixels.

    A matched filter's: as the flux' by the relative steepness of the PSF.

    Parameters
    ----------
    flux, flux_err : (M,) `~numpy.ndarray`
        The fluxes and their errors.

    pixel_psf : `~photutils_pconv.psf.PixelPSF`
        The PSF on the map's pixels.

    moved : (M,) bool `~numpy.ndarray`
        The sources whose position was fitted.

    Returns
    -------
    error : (M,) `~numpy.ndarray`
        The errors along an axis; 0 for all other sources.
    """
    half = int(np.ceil(FIT_RADIUS))
    y, x = np.indices((2 * half + 1, 2 * half + 1)) - float(half)
    of_point, steepness = None, np.ones(len(flux))
    for i in np.flatnonzero(moved):
        psf = pixel_psf.of(i)
        if psf is not pixel_psf.point:
            steepness[i] = _steepness(psf, x, y)
            continue
        of_point = _steepness(psf, x, y) if of_point is None else of_point
        steepness[i] = of_point
    with np.errstate(divide='ignore', invalid='ignore'):
        error = np.abs(flux_err / flux) / steepness
    return np.where(moved & np.isfinite(error), error, 0.0)


def _steepness(psf, x, y):
    """Give the root mean square of a PSF's slope along an axis, over its own."""
    by_x, by_y = psf.gradient(x, y)
    return np.sqrt(0.5 * np.sum(by_x**2 + by_y**2) / np.sum(psf.evaluate(x, y) ** 2))
