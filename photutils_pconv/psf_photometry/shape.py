# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The angle, width and profile that the PSF has on a map.

Bright sources determine what the PSF is like on their map: a PSF from
elsewhere differs by some percent, be it by another speed or direction of
the scans, by a source's colour or by the map maker.
"""

from functools import partial

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from photutils_pconv.psf_photometry.bright_sources import (
    CORRELATED_PIXELS,
    SMALLEST_FLUX,
    choose_bright_sources,
)
from photutils_pconv.psf_photometry.fit_windows import FIT_RADIUS
from photutils_pconv.psf_photometry.fitting import BRIGHT_SNR

__all__ = ['find_telling', 'fit_shape']

# All by choice, 2026-11-22.
# The number of sources that are used at most: the brightest.
_N_SOURCES = 8
# The relative width is searched for in these bounds, and expected to be 1 with
# this standard deviation.
_WIDTH_BOUNDS = (0.9, 1.12)
_WIDTH_PRIOR = 0.05
# Of sources of several widths the narrow ones have the PSF's: a source is left out that
# is wider than the narrowest one by so much (slightly resolved sources of 1.1 FWHM are
# to be seen) and by so many of its errors. So many are looked at, the brightest ones.
_LEAST_WIDER, _WIDER_SIGNIFICANCE, _MOST_COMPARED = 0.03, 2.0, 100
# A source's weight: it tells the shape with the relative error of its SNR and, in
# quadrature, this.
_SHAPE_SCATTER = 0.02
# The number of angles that are tried first, the steps of the search (rad, and of
# the width), and where it ends: the most evaluations, and the changes of angle
# and width, and of the cost, that are small enough.
_N_ANGLES = 18
_ANGLE_STEP, _WIDTH_STEP = 0.15, 0.02
_MOST_EVALUATIONS = 30
_MOST_WIDTHS = 12
_PARAMETER_TOLERANCE, _COST_TOLERANCE = 0.005, 0.1
# An angle must lower the cost (-2 ln likelihood) by so much: it costs parameters,
# and must be seen, not guessed.
_ANGLE_GAIN = 15.0
# The smallest mean square whose logarithm is taken.
_SMALLEST_SQUARE = 1.0e-300

# The knots of the profile's correction, in pixels, and the correction's prior: a
# share of the PSF at its radius, and one of its peak.
_KNOTS = np.array([0.0, 1.0, 2.0, 3.0, 4.5, 6.5, FIT_RADIUS])
_CORRECTION_SHARE, _CORRECTION_OF_PEAK = 0.03, 0.002

# The rings in which the mismatch that is left is measured, and half their width,
# in pixels.
_RINGS = np.arange(0.0, FIT_RADIUS)
_RING_HALF_WIDTH = 1.0


def find_telling(data, x, y, psf, *, missing, snr, usable, bright_snr=BRIGHT_SNR):
    """
    Find the sources that determine the PSF's shape: those that are not resolved.

    Sources that are larger than the PSF, though nobody said so, are clearly wider than
    the narrowest ones. Those of 1.1 FWHM, which fits of sizes take for unresolved ones,
    would make the PSF too wide, and all fluxes too large.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map; missing pixels hold any finite value.

    x, y : (M,) `~numpy.ndarray`
        The positions of the sources.

    psf : `~photutils_pconv.psf.PixelPSF` or `~photutils_pconv.psf.SourcePSFs`
        The PSF on the map's pixels, or that of each source.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels.

    snr : (M,) `~numpy.ndarray`
        The sources' signal-to-noise ratios (Eq. 1).

    usable : (M,) bool `~numpy.ndarray`
        The sources that are bright enough, and not known to be resolved.

    bright_snr : float, optional
        The SNR from which sources are compared with each other, if there are any;
        else all that are usable are.

    Returns
    -------
    telling : (M,) bool `~numpy.ndarray`
        The usable sources less those that are clearly wider. Sources with neighbours
        are not looked at.
    """
    numbers = np.flatnonzero(usable)
    telling = np.array(usable)
    sources = choose_bright_sources(
        data,
        x[numbers],
        y[numbers],
        missing,
        snr[numbers],
        psf.turns(len(x))[numbers],
        _MOST_COMPARED,
    )
    is_bright = sources.snr >= bright_snr
    sources = sources.select(is_bright) if is_bright.any() else sources
    if not len(sources):
        return telling
    change, error = sources.measure_widths(psf.point)
    # What is narrower than any PSF may be is no source.
    known = change > np.log(_WIDTH_BOUNDS[0])
    if not known.any():
        return telling
    # The least width that is known to be one: a faint source may look narrow.
    reference = np.min((change + error)[known])
    limit = np.maximum(_LEAST_WIDER, _WIDER_SIGNIFICANCE * error)
    wide = change - reference > limit
    telling[numbers[sources.number[wide | ~known]]] = False
    return telling


def fit_shape(
    data,
    x,
    y,
    pixel_psf,
    *,
    missing,
    snr,
    angles=None,
    n_sources=_N_SOURCES,
    width_prior=_WIDTH_PRIOR,
    bright_snr=BRIGHT_SNR,
):
    """
    Fit the angle and width that a map's PSF has.

    Both are the same for all sources of the map. Each source is fitted
    in its window, with its position and a quadratic background free.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map; missing pixels hold any finite value.

    x, y : 1D `~numpy.ndarray`
        The positions of bright sources.

    pixel_psf : `~photutils_pconv.psf.PixelPSF`
        The nominal PSF on the map's pixels.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels.

    snr : 1D `~numpy.ndarray`
        The sources' signal-to-noise ratios (Eq. 1), by which they are
        chosen and weighted.

    angles : 1D `~numpy.ndarray`, optional
        The angle of the PSF at each source, in radians, where that is known; NaN
        where it is the one that is fitted (default: everywhere).

    n_sources : int, optional
        The number of sources used: the brightest of those without
        neighbours.

    width_prior : float, optional
        The standard deviation of the relative width that is expected.

    bright_snr : float, optional
        The SNR from which what the PSF leaves of a source is its mismatch
        rather than noise. Without such a source the expected error stays.

    Returns
    -------
    pixel_psf : `~photutils_pconv.psf.PixelPSF`
        The PSF with the fitted width, and with an angle where the
        sources determine one; the PSF that was given where there is no source
        to fit. An angle that it had is kept.
    """
    if angles is None:
        angles = np.full(len(x), np.nan)
    sources = choose_bright_sources(data, x, y, missing, snr, angles, n_sources)
    if not len(sources):
        return pixel_psf
    # Next to bright sources, faint ones only add the emission behind them.
    bright = sources.snr >= bright_snr
    sources = sources.select(bright) if bright.any() else sources
    cost = partial(
        _cost,
        sources=sources,
        n_beams=sources.n_pixels.sum() * pixel_psf.peak,
        width_prior=width_prior,
    )
    width, least = _fit_width(pixel_psf, cost)
    fitted = pixel_psf.adjusted(angle=pixel_psf.angle, width=width)
    if pixel_psf.is_round:
        turned, turned_cost = _fit_angle(pixel_psf, width, cost)
        if turned_cost < least - _ANGLE_GAIN:
            fitted = turned
    fitted = _correct_profile(sources, fitted)
    if not bright.any():
        # What they leave is the noise.
        return fitted
    return fitted.with_expected_error(_RINGS, _measure_mismatch(sources, fitted))


def _cost(candidate, *, sources, n_beams, width_prior):
    """
    Calculate -2 ln of the likelihood of a PSF, times the prior of its width.
    """
    fits = sources.fit(candidate)
    weight = 1.0 / (1.0 / sources.snr**2 + _SHAPE_SCATTER**2)
    flux = np.maximum(fits.flux, SMALLEST_FLUX)
    square = np.sum(fits.residual**2, axis=1) / sources.n_pixels / flux**2
    mean = np.sum(weight * square) / weight.sum()
    prior = ((candidate.width - 1.0) / width_prior) ** 2
    return n_beams * np.log(max(mean, _SMALLEST_SQUARE)) + prior


def _fit_width(pixel_psf, cost):
    """
    Find the width of least cost; the angle stays. Also give that cost.
    """
    found = minimize_scalar(
        lambda width: cost(pixel_psf.adjusted(angle=pixel_psf.angle, width=width)),
        method='bounded',
        bounds=_WIDTH_BOUNDS,
        options={'maxiter': _MOST_WIDTHS},
    )
    return found.x, found.fun


def _fit_angle(pixel_psf, width, cost):
    """
    Find the PSF of least cost with an angle, and that cost.
    """
    angles = 2.0 * np.pi * np.arange(_N_ANGLES) / _N_ANGLES
    start = min(
        angles, key=lambda angle: cost(pixel_psf.adjusted(angle=angle, width=width))
    )
    best = minimize(
        lambda p: cost(
            pixel_psf.adjusted(angle=p[0], width=np.clip(p[1], *_WIDTH_BOUNDS))
        ),
        [start, width],
        method='Nelder-Mead',
        options={
            'initial_simplex': [
                [start, width],
                [start + _ANGLE_STEP, width],
                [start, width + _WIDTH_STEP],
            ],
            'maxfev': _MOST_EVALUATIONS,
            'xatol': _PARAMETER_TOLERANCE,
            'fatol': _COST_TOLERANCE,
        },
    )
    angle, width = best.x[0] % (2.0 * np.pi), np.clip(best.x[1], *_WIDTH_BOUNDS)
    return pixel_psf.adjusted(angle=angle, width=width), best.fun


def _measure_mismatch(sources, pixel_psf):
    """
    Measure what the PSF leaves of the sources, ring by ring.

    Emission adds to it, so the source of which least is left determines most.
    """
    fits, distance = sources.fit(pixel_psf), sources.distances()
    level = np.full(len(_RINGS), pixel_psf.mismatch * pixel_psf.peak)
    for k, ring in enumerate(_RINGS):
        near = sources.used & (np.abs(distance - ring) < _RING_HALF_WIDTH)
        seen = near.any(axis=1) & (fits.flux > 0)
        if seen.any():
            number = np.count_nonzero(near[seen], axis=1)
            square = np.sum(np.where(near, fits.residual, 0.0)[seen] ** 2, axis=1)
            level[k] = np.min(np.sqrt(square / number) / fits.flux[seen])
    return level


def _correct_profile(sources, pixel_psf):
    """
    Correct the PSF's radial profile by what the fits leave.

    The correction has a prior: some percent of the PSF at its radius.
    """
    basis = np.eye(len(_KNOTS))[:, :-1]
    prior = _CORRECTION_SHARE * pixel_psf.evaluate(_KNOTS[:-1], 0.0)
    prior = prior + _CORRECTION_OF_PEAK * pixel_psf.peak
    normal = np.diag(1.0 / prior**2)
    right = np.zeros(len(prior))
    fits, distances = sources.fit(pixel_psf), sources.distances()
    for k in np.flatnonzero(fits.flux > 0):
        used = sources.used[k]
        residual = fits.residual[k, used] / fits.flux[k]
        matrix, distance = fits.matrix[k][:, used], distances[k, used]
        hats = np.stack(
            [np.interp(distance, _KNOTS, column) for column in basis.T], axis=1
        )
        # Flux, position and background of each source stay free.
        hats -= matrix.T @ np.linalg.lstsq(matrix.T, hats, rcond=None)[0]
        variance = CORRELATED_PIXELS * np.mean(residual**2)
        normal += hats.T @ hats / variance
        right += hats.T @ residual / variance
    correction = np.linalg.solve(normal, right)
    return pixel_psf.corrected(_KNOTS, np.append(correction, 0.0))
