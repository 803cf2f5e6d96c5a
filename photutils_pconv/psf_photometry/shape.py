# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The angle, width and profile that the PSF has on a map.

Bright sources tell what the PSF is like on their map: a PSF from
elsewhere differs by some percent, be it by another speed or direction of
the scans, by a source's colour or by the map maker.
"""

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from photutils_pconv.psf_photometry.fitting import (
    FIT_RADIUS,
    NEIGHBOUR_DISTANCE,
    FitWindow,
    find_neighbours,
    solve_window,
)

__all__ = ['fit_shape']

# The knots of the profile's correction, in pixels.
_KNOTS = np.array([0.0, 1.0, 2.0, 3.0, 4.5, 6.5, FIT_RADIUS])

# The rings in which the mismatch that is left is measured, in pixels.
_RINGS = np.arange(0.0, FIT_RADIUS)

# The background around a source is not white: a fit sees fewer pixels.
_CORRELATED_PIXELS = 10.0


def fit_shape(data, x, y, psf, *, missing, weight, n_sources=8, width_prior=0.05):
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

    psf : `~photutils_pconv.psf.PixelPSF`
        The nominal PSF.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels.

    weight : 1D `~numpy.ndarray`
        The sources' signal-to-noise ratios, by which they are chosen and
        weighted.

    n_sources : int, optional
        The number of sources used: the brightest of those without
        neighbours.

    width_prior : float, optional
        The standard deviation of the relative width that is expected.

    Returns
    -------
    psf : `~photutils_pconv.psf.PixelPSF`
        The PSF with the fitted width, and with an angle where the
        sources tell one; the PSF that was given where there is no source
        to fit. An angle that it had is kept.
    """
    neighbours = find_neighbours(x, y, 2 * NEIGHBOUR_DISTANCE)
    fits = []
    for i in np.argsort(-weight, kind='stable'):
        window = FitWindow(data.shape, missing, x[i], y[i], FIT_RADIUS, 2)
        if window.enough and not neighbours[i]:
            values = data[window.region][window.use]
            fits.append((window, values, x[i], y[i], weight[i]))
        if len(fits) == n_sources:
            break
    if not fits:
        return psf
    n_beams = sum(fit[0].n_pixels for fit in fits) * psf.peak

    def cost(candidate):
        total, norm = 0.0, 0.0
        for window, values, x_i, y_i, snr in fits:
            offsets = window.offsets(x_i, y_i)
            templates = [candidate.evaluate(*offsets), *candidate.gradient(*offsets)]
            templates += window.terms
            coefficients, _ = solve_window(values, templates)
            residual = values - np.stack(templates, axis=1) @ coefficients
            share = 1.0 / (1.0 / snr**2 + 0.02**2)
            total += share * np.mean(residual**2) / max(coefficients[0], 1e-30) ** 2
            norm += share
        prior = ((candidate.width - 1.0) / width_prior) ** 2
        return n_beams * np.log(max(total / norm, 1e-300)) + prior

    options = {'method': 'bounded', 'bounds': (0.9, 1.12), 'options': {'maxiter': 12}}
    if psf.is_round:
        round_fit = minimize_scalar(
            lambda width: cost(psf.adjusted(width=width)), **options
        )
        angles = 2.0 * np.pi * np.arange(18) / 18
        start = min(
            angles,
            key=lambda angle: cost(psf.adjusted(angle=angle, width=round_fit.x)),
        )
        best = minimize(
            lambda p: cost(psf.adjusted(angle=p[0], width=np.clip(p[1], 0.9, 1.12))),
            [start, round_fit.x],
            method='Nelder-Mead',
            options={
                'initial_simplex': [
                    [start, round_fit.x],
                    [start + 0.15, round_fit.x],
                    [start, round_fit.x + 0.02],
                ],
                'maxfev': 30,
                'xatol': 0.005,
                'fatol': 0.1,
            },
        )
        # An angle costs parameters: it must be seen, not guessed.
        if best.fun < round_fit.fun - 15.0:
            fitted = psf.adjusted(
                angle=best.x[0] % (2.0 * np.pi), width=np.clip(best.x[1], 0.9, 1.12)
            )
        else:
            fitted = psf.adjusted(width=round_fit.x)
    else:
        found = minimize_scalar(
            lambda width: cost(psf.adjusted(angle=psf.angle, width=width)), **options
        )
        fitted = psf.adjusted(angle=psf.angle, width=found.x)
    fitted = _correct_profile(fits, fitted)
    return fitted.with_expected_error(_RINGS, _measure_mismatch(fits, fitted))


def _measure_mismatch(fits, psf):
    """
    Measure what the PSF leaves of the sources, ring by ring.

    Emission adds to it, so the source of which least is left tells most.
    """
    least = np.full(len(_RINGS), np.inf)
    for window, values, x_i, y_i, _ in fits:
        offsets = window.offsets(x_i, y_i)
        templates = [psf.evaluate(*offsets), *psf.gradient(*offsets), *window.terms]
        coefficients, _ = solve_window(values, templates)
        residual = values - np.stack(templates, axis=1) @ coefficients
        r = np.hypot(*offsets)
        for k, ring in enumerate(_RINGS):
            near = np.abs(r - ring) < 1.0
            if near.any() and coefficients[0] > 0:
                left = np.sqrt(np.mean(residual[near] ** 2)) / coefficients[0]
                least[k] = min(least[k], left)
    return np.where(np.isfinite(least), least, psf.mismatch * psf.peak)


def _correct_profile(fits, psf):
    """
    Correct the PSF's radial profile by what the fits leave.

    The correction has a prior: some percent of the PSF at its radius.
    """
    basis = np.eye(len(_KNOTS))[:, :-1]
    prior = 0.03 * psf.evaluate(_KNOTS[:-1], 0.0) + 0.002 * psf.peak
    normal = np.diag(1.0 / prior**2)
    right = np.zeros(len(prior))
    for window, values, x_i, y_i, _ in fits:
        offsets = window.offsets(x_i, y_i)
        templates = [psf.evaluate(*offsets), *psf.gradient(*offsets), *window.terms]
        coefficients, _ = solve_window(values, templates)
        flux = coefficients[0]
        if flux <= 0:
            continue
        matrix = np.stack(templates, axis=1)
        residual = (values - matrix @ coefficients) / flux
        r = np.hypot(*offsets)
        hats = np.stack([np.interp(r, _KNOTS, column) for column in basis.T], axis=1)
        # Flux, position and background of each source stay free.
        hats -= matrix @ np.linalg.lstsq(matrix, hats, rcond=None)[0]
        variance = _CORRELATED_PIXELS * np.mean(residual**2)
        normal += hats.T @ hats / variance
        right += hats.T @ residual / variance
    correction = np.linalg.solve(normal, right)
    return psf.corrected(_KNOTS, np.append(correction, 0.0))
