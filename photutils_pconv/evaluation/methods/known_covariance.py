# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The optimum for Gaussian fields of known covariance.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from photutils_pconv._utils.arrays import (
    as_map,
    join_missing,
    match_radius,
    pair_positions,
)
from photutils_pconv._utils.checks import to_bool
from photutils_pconv.geometry.windows import find_window

__all__ = ['KrigingResult', 'kriging']


@dataclass(frozen=True, kw_only=True, eq=False)
class KrigingResult:
    """
    What `kriging` estimates.

    Parameters
    ----------
    background : 2D `~numpy.ndarray`
        The map, with the estimate of the emission without noise in the
        holes.

    flux, flux_err : 1D `~numpy.ndarray` or `None`
        With a PSF, the PSF's total flux and the standard deviation of
        its error for each of the ``N`` sources, in the map's unit times
        pixel: those of the wings only, unless the pixels of the hole are
        used.
    """

    background: np.ndarray = field(repr=False)
    flux: np.ndarray | None = None
    flux_err: np.ndarray | None = None


def kriging(
    data,
    x,
    y,
    *,
    hole_radius,
    covariance,
    noise,
    psf=None,
    terms=None,
    use_hole=False,
    half=20,
):
    """
    Estimate emission and fluxes by the best linear unbiased estimator.

    Around each source the map is taken for a Gaussian field of known
    covariance with an unknown mean, plus white noise. The pixels of the
    hole are not looked at (ordinary kriging; Cressie 1993, *Statistics
    for Spatial Data*, section 3.2), or, with ``use_hole``, they are; with
    ``psf`` its flux is a further unknown (generalised least squares).
    For Gaussian fields no unbiased method scatters less.

    Parameters
    ----------
    data : 2D array_like
        The map, without missing pixels near the sources.

    x, y : array_like
        The ``N`` positions, 0-based (pixels). Each source is estimated
        as if it were alone within ``half``.

    hole_radius : float or array_like
        The radii of the holes (pixels).

    covariance : 2D array_like
        The covariance of the emission of two pixels by their offset,
        the offset 0 at the centre, with odd sides of at least
        ``4 * half + 1``.

    noise : float
        The standard deviation of the noise a pixel; positive.

    psf : `~photutils_pconv.psf.PixelPSF`, optional
        The PSF on the map's pixels, which has to be the true one.
        Without it the source's wings beyond the hole pass for emission.

    terms : callable, optional
        What else the map may hold around a source, such as the ways in which
        its wings may differ from what was subtracted: ``terms(i, dx, dy)``
        gives for source ``i`` at offsets from it (pixels) independent
        contributions of one standard deviation each, of shape
        ``(T, *dx.shape)``.

    use_hole : bool, optional
        Whether the pixels of the hole are used; this needs ``psf``.

    half : int, optional
        Pixels in a square of ``2 * half + 1`` around the source are
        used.

    Returns
    -------
    result : `~photutils_pconv.evaluation.KrigingResult`
        The map with the estimate in the holes, and with ``psf`` the
        fluxes and their errors.

    Raises
    ------
    ValueError
        If ``use_hole`` is asked for without ``psf``, the noise is not
        positive, shapes do not fit, a hole is larger than the square, or
        the square reaches beyond the map or holds missing pixels.
    """
    use_hole = to_bool(use_hole, 'use_hole')
    if use_hole and psf is None:
        msg = 'use_hole=True needs psf: without it the source would be emission'
        raise ValueError(msg)
    data = as_map(data, 'data')
    x, y = pair_positions(x, y)
    hole_radius = match_radius(hole_radius, x.shape, 'hole_radius')
    emission, precision = _matrices(covariance, noise, half)
    windows = [_window(data, x[i], y[i], half, i) for i in range(len(x))]
    side = np.arange(-half, half + 1)
    background = data.copy()
    flux, flux_err = np.full((2, x.size), np.nan)
    for i, (window, column, row) in enumerate(windows):
        dx, dy = np.meshgrid(side + column - x[i], side + row - y[i])
        inside = np.hypot(dx, dy).ravel() <= hole_radius[i]
        if inside.sum() == inside.size:
            msg = f'half={half} must be larger than the hole of {hole_radius[i]:g}'
            raise ValueError(msg)
        hole = np.flatnonzero(inside)
        values = data[window].ravel()
        design = np.ones((inside.size, 1))
        if psf is not None:
            design = np.column_stack([design, psf.evaluate(dx, dy).ravel()])
        known = precision
        if terms is not None:
            known = _with_terms(precision, terms(i, dx, dy))
        right = known @ design
        normal = design.T @ right
        if not use_hole:
            # Each pixel of the hole is an unknown of its own: the value
            # found there makes no difference.
            values = np.where(inside, 0.0, values)
            design = np.where(inside[:, None], 0.0, design)
            right = np.column_stack([known @ design, known[:, hole]])
            normal = np.vstack([design.T @ right, right[hole]])
        fitted = np.linalg.solve(normal, right.T @ values)
        weights = known @ values - right @ fitted
        part = background[window]
        part[inside.reshape(part.shape)] = fitted[0] + emission[hole] @ weights
        if psf is not None:
            flux[i] = fitted[1]
            flux_err[i] = np.sqrt(np.linalg.inv(normal)[1, 1])
    if psf is None:
        return KrigingResult(background=background)
    return KrigingResult(background=background, flux=flux, flux_err=flux_err)


def _matrices(covariance, noise, half):
    """
    Return the emission's covariance and the inverse of the map's.
    """
    covariance = as_map(covariance, 'covariance')
    n = 2 * half + 1
    if any(size % 2 == 0 or size < 2 * n - 1 for size in covariance.shape):
        msg = (
            f'covariance must have odd sides of at least {2 * n - 1} for half={half}, '
            f'got the shape {covariance.shape}'
        )
        raise ValueError(msg)
    if not (np.isfinite(noise) and noise > 0):
        msg = f'noise must be positive, got {noise}'
        raise ValueError(msg)
    row, column = (index.ravel() for index in np.indices((n, n)))
    middle_row, middle_column = (size // 2 for size in covariance.shape)
    emission = covariance[
        row[:, None] - row + middle_row, column[:, None] - column + middle_column
    ]
    factor = cho_factor(emission + noise**2 * np.eye(n * n), lower=True)
    return emission, cho_solve(factor, np.eye(n * n))


def _with_terms(precision, terms):
    """
    Add contributions to a covariance whose inverse is known (Woodbury).
    """
    terms = np.reshape(terms, (len(terms), -1))
    seen = terms @ precision
    return precision - seen.T @ np.linalg.solve(
        np.eye(len(terms)) + seen @ terms.T, seen
    )


def _window(data, x, y, half, i):
    """
    Return the square around a source, and its middle pixel.
    """
    if not (np.isfinite(x) and np.isfinite(y)):
        msg = f'position {i} is not finite'
        raise ValueError(msg)
    column, row = round(x), round(y)
    window = find_window(data.shape, column, row, half)
    if window is None or window.shape != (2 * half + 1, 2 * half + 1):
        msg = f'source {i} is less than half={half} pixels from the edge of the map'
        raise ValueError(msg)
    if join_missing(None, data[window.region]).any():
        msg = f'there are missing pixels within half={half} pixels of source {i}'
        raise ValueError(msg)
    return window.region, column, row
