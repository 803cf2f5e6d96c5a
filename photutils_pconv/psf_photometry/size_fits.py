# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The sizes of sources that are larger than the PSF.

Every source is a PSF convolved with a Gaussian. Its size is fitted to the first
order, in the window of the flux fit, with the flux, the position, the fluxes of the
neighbours and a polynomial background free; then all fluxes are fitted anew.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv.psf.resolved import SourcePSFs, SourceSizes
from photutils_pconv.psf.source_images import model_image
from photutils_pconv.psf_photometry.fit_windows import (
    FIT_RADIUS,
    NEIGHBOUR_DISTANCE,
    FitWindow,
    find_neighbours,
    solve_window,
)
from photutils_pconv.psf_photometry.fitting import fit_psf

__all__ = ['LARGEST_SIZE', 'find_resolved', 'fit_sizes']

#: The largest size that is fitted, in units of the PSF; by choice.
LARGEST_SIZE = 3.0

# All by choice.
# A source that nobody said is resolved must be larger than the PSF by this much (in
# the first order of the size), which the PSF's own width does not differ by, and by
# so many of its errors.
_LEAST_EXCESS, _LEAST_SIGNIFICANCE = 0.15, 4.0
# The window in which they are looked for, in units of that of the flux fit.
_WIDER = 1.5
# The rounds of a fit at most, the largest step of ln(size), and that which is
# small enough.
_MOST_ROUNDS, _LARGEST_STEP, _SETTLED = 12, 0.25, 0.003
# Sources are drawn so far (pixels): the windows of the largest ones end at 27.
_REACH = 30.0
# The degree of the background's polynomial.
_DEGREE = 2
# The background around a source is not white: a fit sees fewer pixels.
_CORRELATED_PIXELS = 4.0
# The prior of ln(size): sizes are as given, or those of the PSF, within this factor.
_PRIOR = 1.0


@dataclass(frozen=True, eq=False)
class _Step:
    """
    What a fit to the first order says of the size of a source.
    """

    change: float
    error: float


def find_resolved(data, fit, psf, *, missing, chosen):
    """
    Find sources that are larger than the PSF.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map; missing pixels hold any finite value.

    fit : `~photutils_pconv.psf_photometry.PSFFit`
        The fit of the PSF to all of its sources.

    psf : `~photutils_pconv.psf.PixelPSF`
        The PSF on the map's pixels.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels.

    chosen : (M,) bool `~numpy.ndarray`
        The sources that are looked at.

    Returns
    -------
    resolved : (M,) bool `~numpy.ndarray`
        The sources.
    """
    n = len(fit.x)
    resolved = np.zeros(n, dtype=bool)
    psfs = _for_fits(psf, SourceSizes.of_points(n))
    residual = data - model_image(data.shape, fit.x, fit.y, fit.flux, psf)
    neighbours = find_neighbours(fit.x, fit.y, _WIDER * NEIGHBOUR_DISTANCE)
    for i in np.flatnonzero(chosen):
        step = _fit_step(
            residual, fit, psfs, missing, i, neighbours[i], _WIDER * FIT_RADIUS
        )
        resolved[i] = step is not None and (
            step.change > max(_LEAST_EXCESS, _LEAST_SIGNIFICANCE * step.error)
        )
    return resolved


def fit_sizes(data, x, y, psf, sizes, *, missing, chosen, fit_position):
    """
    Fit the sizes of sources.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map; missing pixels hold any finite value.

    x, y : (M,) `~numpy.ndarray`
        The positions of all sources, in pixels.

    psf : `~photutils_pconv.psf.PixelPSF`
        The PSF on the map's pixels.

    sizes : `~photutils_pconv.psf.SourceSizes`
        The sizes as they are known, with which the fit begins. The shapes stay.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels.

    chosen, fit_position : (M,) bool `~numpy.ndarray`
        The sources whose sizes and positions are fitted.

    Returns
    -------
    sizes : `~photutils_pconv.psf.SourceSizes`
        The sizes, with their errors, from the PSF's to three times that; those of
        other sources as they were.
    """
    psfs = _for_fits(psf, sizes)
    near = _find_near(x, y, chosen)
    fit = fit_psf(data, x, y, psfs, missing=missing, fit_position=fit_position)
    far = np.where(near, np.nan, fit.flux)
    data = data - model_image(data.shape, fit.x, fit.y, far, psfs)
    x, y, chosen, fit_position = (one[near] for one in (x, y, chosen, fit_position))
    first = sizes.select(near)
    log_size, error = np.zeros(len(x)), first.error.copy()
    limits = np.log(1.0 / first.minor), np.log(LARGEST_SIZE / first.major)
    for _ in range(_MOST_ROUNDS):
        psfs = _for_fits(psf, first.scaled(np.exp(log_size), error=error), psfs.drawn)
        scale = psfs.scales(len(x))
        fit = fit_psf(data, x, y, psfs, missing=missing, fit_position=fit_position)
        residual = data - model_image(data.shape, fit.x, fit.y, fit.flux, psfs)
        neighbours = find_neighbours(x, y, NEIGHBOUR_DISTANCE, scale=scale)
        largest = 0.0
        for i in np.flatnonzero(chosen):
            radius = FIT_RADIUS * scale[i]
            step = _fit_step(
                residual, fit, psfs, missing, i, neighbours[i], radius, log_size[i]
            )
            if step is None:
                continue
            new = log_size[i] + np.clip(step.change, -_LARGEST_STEP, _LARGEST_STEP)
            new = np.clip(new, min(limits[0][i], 0.0), max(limits[1][i], 0.0))
            largest = max(largest, abs(new - log_size[i]))
            log_size[i], error[i] = new, step.error
        if largest < _SETTLED:
            break
    fitted = first.scaled(np.exp(log_size), error=error)
    columns = {}
    for name in ('major', 'minor', 'angle', 'error'):
        columns[name] = getattr(sizes, name).copy()
        columns[name][near] = getattr(fitted, name)
    return SourceSizes(**columns)


def _for_fits(psf, sizes, drawn=None):
    """Give the images of sources as far as windows of fits reach."""
    return SourcePSFs(psf, sizes, _REACH, {} if drawn is None else drawn)


def _find_near(x, y, chosen):
    """Find which sources are chosen ones, or may lie in the windows of those."""
    distance = np.hypot(x[:, None] - x[chosen], y[:, None] - y[chosen])
    return np.any(distance <= 2.0 * LARGEST_SIZE * FIT_RADIUS, axis=1)


def _fit_step(residual, fit, psfs, missing, i, neighbours, radius, log_size=0.0):
    """
    Fit the change of ln(size) of a source; `None` where there is too little to see.
    """
    window = FitWindow(residual.shape, missing, fit.x[i], fit.y[i], radius, _DEGREE)
    flux = fit.flux[i]
    if not (window.enough and np.isfinite(flux) and flux > 0):
        return None
    place = fit.x[i], fit.y[i]
    psf = psfs.of(i)
    templates = [window.draw(psfs.by_size(i), *place), window.draw(psf, *place)]
    templates += window.draw_gradient(psf, *place)
    templates += [window.draw(psfs.of(j), fit.x[j], fit.y[j]) for j in neighbours]
    templates += window.terms
    values = residual[window.region][window.use]
    coefficients, covariance = solve_window(values, templates)
    left = values - np.stack(templates, axis=1) @ coefficients
    variance = covariance[0, 0] * left.var() * _CORRELATED_PIXELS / flux**2
    # The prior of the whole change, as one more measurement of it.
    weight = variance / (variance + _PRIOR**2)
    change = (1.0 - weight) * coefficients[0] / flux - weight * log_size
    return _Step(float(change), float(np.sqrt(variance * (1.0 - weight))))
