# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Local pixelwise infilling (Saydjari & Finkbeiner 2022, ApJ 933, 155).

`measure_infilling` fills holes as it was published: with the conditional mean
of a Gaussian whose mean and covariance are those of the surroundings. What is
above is the source. `measure_infilling_psf` knows the PSF, too: with the same
covariance, averaged over turns and flips, it weights the pixels in which the
PSF is fitted.
"""

from dataclasses import replace

import numpy as np

from photutils_pconv.evaluation.methods.fills import measure_filled
from photutils_pconv.evaluation.methods.local_covariance import (
    condition,
    estimate_noise,
    generalised_flux,
    infill_roughly,
    patch_statistics,
    stationary_covariance,
)
from photutils_pconv.evaluation.methods.psf_fits import (
    FIT_RADIUS,
    fit_psf_polynomial,
    subtract_psfs,
)
from photutils_pconv.evaluation.methods.scene import MethodResult
from photutils_pconv.geometry.windows import disc

__all__ = ['measure_infilling', 'measure_infilling_psf']

# Half the side of a patch, the largest shift, the radius within which pixels are
# looked at, and the least number of them in units of the patch's side: the
# defaults of CloudCovErr.jl (33, 129, 16 pixels and 4).
_HALF, _REACH, _SEEN_RADIUS, _FEWEST_SIDES = 16, 64, 16.0, 4
# Half the side of the patch, in pixels, in which a PSF is fitted: that of our
# filters; and the share of the covariance that only offsets tell (by choice).
_FIT_HALF, _SHARE = 10, 0.5
# Neighbours up to this distance have free fluxes (pixels, by choice).
_NEIGHBOUR_DISTANCE = 12.0
# A ridge that keeps matrices from being singular, over their mean variance.
_RIDGE = 1.0e-8
_SEED = 2022


def measure_infilling(scene):
    """
    Fill the holes by local pixelwise infilling, as published.

    Parameters
    ----------
    scene : `~photutils_pconv.evaluation.methods.Scene`
        Map and sources.

    Returns
    -------
    result : `~photutils_pconv.evaluation.MethodResult`
        The fluxes in apertures above the filling, and the filled map; the
        errors are those that the filling makes in the aperture.
    """
    bad = scene.holes | scene.missing
    padded = _prepare(scene.data, bad, _HALF)
    filled = scene.data.copy()
    error = np.full(len(scene.x), np.nan)
    side = np.arange(-_HALF, _HALF + 1)
    unusable = np.pad(bad, _HALF, constant_values=True)
    values = np.pad(np.where(bad, 0.0, scene.data), _HALF)
    for i in np.flatnonzero(scene.usable):
        column, row = int(np.rint(scene.x[i])), int(np.rint(scene.y[i]))
        dx = (side + column - scene.x[i])[None, :]
        dy = (side + row - scene.y[i])[:, None]
        part = np.s_[row : row + side.size, column : column + side.size]
        hidden = disc(dx, dy, scene.hole_radius[i])
        clean = ~unusable[part] & ~hidden
        known = clean & disc(dx, dy, _SEEN_RADIUS)
        if known.sum() < _FEWEST_SIDES * side.size:
            known = clean
        statistics = _with_ridge(_around(padded, row, column, _HALF))
        mean, covariance = condition(
            statistics, values[part].ravel(), known.ravel(), hidden.ravel()
        )
        rows, columns = np.nonzero(hidden)
        rows, columns = rows + row - _HALF, columns + column - _HALF
        inside = (rows >= 0) & (columns >= 0)
        inside &= (rows < filled.shape[0]) & (columns < filled.shape[1])
        filled[rows[inside], columns[inside]] = mean[inside]
        weight = disc(dx, dy, scene.aperture_radius)[hidden].astype(float)
        error[i] = np.sqrt(max(weight @ covariance @ weight, 0.0))
    result = measure_filled(scene, filled)
    return replace(result, flux_err=scene.in_aperture(error, np.ones(len(error))))


def measure_infilling_psf(scene):
    """
    Fit the PSF with the covariance of local pixelwise infilling.

    The covariance is that of the map without its sources, averaged over the
    eight turns and flips of a patch of 21 x 21 pixels, and mixed half and half
    with the one that offsets alone determine. The PSF's expected mismatch is added to
    the variances. The flux is the generalised least-squares estimate, with a
    free constant and the fluxes of sources within 12 pixels.

    Parameters
    ----------
    scene : `~photutils_pconv.evaluation.methods.Scene`
        Map and sources.

    Returns
    -------
    result : `~photutils_pconv.evaluation.MethodResult`
        The fluxes and their errors, and the map without the fitted PSFs.
    """
    first = fit_psf_polynomial(
        scene.data,
        scene.x,
        scene.y,
        scene.pixel_psf,
        radius=FIT_RADIUS,
        missing=scene.missing,
    )[:, 0]
    residual = subtract_psfs(scene, first)
    # Under a source, its PSF's mismatch would pass for emission.
    padded = _prepare(residual, scene.holes | scene.missing, _FIT_HALF)
    usable = np.pad(~scene.missing, _FIT_HALF)
    values = np.pad(np.where(scene.missing, 0.0, residual), _FIT_HALF)
    flux, flux_err = np.full((2, len(scene.x)), np.nan)
    side = np.arange(-_FIT_HALF, _FIT_HALF + 1)
    found = scene.usable & np.isfinite(first)
    for i in np.flatnonzero(found):
        column, row = int(np.rint(scene.x[i])), int(np.rint(scene.y[i]))
        covariance = _fit_covariance(padded, row, column)
        distance = np.hypot(scene.x - scene.x[i], scene.y - scene.y[i])
        near = found & (distance < _NEIGHBOUR_DISTANCE)
        near[i] = False
        # What is fitted is the flux that the first fit has left.
        offsets = [
            np.meshgrid(side + column - scene.x[j], side + row - scene.y[j])
            for j in (i, *np.flatnonzero(near))
        ]
        templates = [scene.pixel_psf.evaluate(*one).ravel() for one in offsets]
        templates.append(np.ones(side.size**2))
        # What the published program does with a star's photon noise.
        mismatch = first[i] * scene.pixel_psf.expected_error(*offsets[0]).ravel()
        covariance[np.diag_indices_from(covariance)] += mismatch**2
        part = np.s_[row : row + side.size, column : column + side.size]
        use = usable[part].ravel()
        more, flux_err[i] = generalised_flux(
            covariance[np.ix_(use, use)],
            values[part].ravel()[use],
            [template[use] for template in templates],
        )
        flux[i] = first[i] + more
    background = subtract_psfs(scene, flux)
    return MethodResult(flux=flux, background=background, flux_err=flux_err)


def _prepare(image, bad, half):
    """
    Fill and pad a map, so that patches can be moved about every position.
    """
    rng = np.random.default_rng(_SEED)
    clean = np.where(bad, 0.0, image)
    noise = estimate_noise(clean, bad)
    filled = infill_roughly(clean, bad, noise=noise, rng=rng)
    return np.pad(filled, half + _REACH, mode='reflect')


def _around(padded, row, column, half):
    """
    Give the statistics of the patch about a pixel of the map.
    """
    shift = half + _REACH
    return patch_statistics(
        padded, row + shift, column + shift, half=half, reach=_REACH
    )


def _fit_covariance(padded, row, column):
    """
    Give the covariance of the pixels in which a PSF is fitted.
    """
    shift = _FIT_HALF + _REACH
    target = stationary_covariance(
        padded, row + shift, column + shift, half=_FIT_HALF, reach=_REACH
    )
    statistics = _around(padded, row, column, _FIT_HALF).symmetrised()
    return _with_ridge(statistics.mixed(target, _SHARE)).covariance


def _with_ridge(statistics):
    """
    Add a little to the variances.
    """
    covariance = statistics.covariance.copy()
    diagonal = np.diag_indices_from(covariance)
    # The least number keeps a map without any scatter from failing.
    least = np.finfo(float).tiny
    covariance[diagonal] += _RIDGE * covariance[diagonal].mean() + least
    return replace(statistics, covariance=covariance)
