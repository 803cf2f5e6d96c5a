# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Plain fits of a PSF: by photutils, and with a quadratic background.
"""

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.utils.exceptions import AstropyUserWarning
from photutils.background import LocalBackground
from photutils.psf import ImagePSF, PSFPhotometry, SourceGrouper

from photutils_pconv._utils.arrays import join_missing, on_map
from photutils_pconv._utils.warnings import quiet
from photutils_pconv.evaluation.methods.annuli import (
    BACKGROUND_GAP,
    BACKGROUND_WIDTH,
)
from photutils_pconv.evaluation.methods.scene import MethodResult

__all__ = [
    'FIT_RADIUS',
    'fit_psf_photometry',
    'fit_psf_polynomial',
    'measure_psf_photometry',
    'measure_psf_polynomial',
    'round_image_psf',
    'subtract_psfs',
]

FIT_RADIUS = 9.0
"""
The radius of the fit of PSF and quadratic background, in pixels (by
choice).
"""

# What photutils' PSFPhotometry is told, in units of the FWHM (by choice).
_WINDOW = 3.0
_GROUP_DISTANCE = 3.0

# Windows fitted at once: with a radius of 9 pixels some 20 MB.
_CHUNK = 1024
# The flux, and the six terms of a quadratic polynomial.
_TERMS = 7


def fit_psf_polynomial(data, x, y, psf, *, radius, missing=None):
    """
    Fit every source alone: PSF plus quadratic background, least squares.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.

    x, y : 1D `~numpy.ndarray`
        The ``N`` positions (pixels); they are not fitted.

    psf : `~photutils_pconv.psf.PixelPSF`
        The PSF.

    radius : float
        The pixels whose centres lie within this distance (pixels) are
        fitted, all with the same weight.

    missing : 2D bool `~numpy.ndarray`, optional
        Pixels not to use.

    Returns
    -------
    coefficients : (N, 7) `~numpy.ndarray`
        The flux, and the coefficients of 1, u, v, u^2, uv, v^2 with u
        and v the offsets from the source in units of ``radius``. NaN
        where there are too few pixels.
    """
    bad = join_missing(missing, data)
    half = int(np.ceil(radius)) + 1
    padded = np.pad(np.where(bad, 0.0, data), half)
    usable = np.pad(~bad, half)
    out = np.full((len(x), _TERMS), np.nan)
    todo = np.flatnonzero(on_map(x, y, data.shape))
    side = np.arange(-half, half + 1)
    for start in range(0, len(todo), _CHUNK):
        chunk = todo[start : start + _CHUNK]
        column, row = np.rint(x[chunk]).astype(int), np.rint(y[chunk]).astype(int)
        dx = np.broadcast_to(
            ((column - x[chunk])[:, None, None] + side), (len(chunk), *2 * side.shape)
        )
        dy = np.broadcast_to((row - y[chunk])[:, None, None] + side[:, None], dx.shape)
        window = (
            (row + half)[:, None, None] + side[:, None],
            (column + half)[:, None, None] + side,
        )
        use = usable[window] & (dx**2 + dy**2 <= radius**2)
        terms = np.concatenate(
            [
                psf.evaluate(dx, dy)[..., None] / psf.peak,
                polynomial(dx / radius, dy / radius),
            ],
            axis=-1,
        )
        terms = (terms * use[..., None]).reshape(len(chunk), -1, _TERMS)
        values = (padded[window] * use).reshape(len(chunk), -1)
        normal = np.einsum('nki,nkj->nij', terms, terms)
        right = np.einsum('nki,nk->ni', terms, values)
        # Half the pixels determine the seven terms well, few do not.
        enough = use.sum(axis=(1, 2)) > 0.5 * np.pi * radius**2
        solved = np.linalg.solve(normal[enough], right[enough][..., None])[..., 0]
        solved[:, 0] /= psf.peak
        out[chunk[enough]] = solved
    return out


def polynomial(u, v):
    """
    Return the terms of a quadratic polynomial along a new last axis.
    """
    return np.stack([np.ones_like(u), u, v, u**2, u * v, v**2], axis=-1)


def round_image_psf(psf, *, radius, oversampling=4):
    """
    Make photutils' ``ImagePSF``.

    Parameters
    ----------
    psf : `~photutils_pconv.psf.PixelPSF`
        The PSF.

    radius : float
        The radius of the image, in the map's pixels.

    oversampling : int, optional
        The number of samples a map pixel.

    Returns
    -------
    model : `~photutils.psf.ImagePSF`
        The effective PSF; what of the flux lies beyond the image is not
        added to what is inside.
    """
    reach = int(np.ceil(radius * oversampling))
    offset = np.arange(-reach, reach + 1) / oversampling
    return ImagePSF(
        psf.evaluate(*np.meshgrid(offset, offset)), oversampling=oversampling
    )


def fit_psf_photometry(
    data, x, y, model, *, fit_shape, annulus_radii, group_distance, missing=None
):
    """
    Fit sources with photutils' PSFPhotometry, at forced positions.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.

    x, y : 1D `~numpy.ndarray`
        The positions (pixels).

    model : `~photutils.psf.ImagePSF`
        The PSF.

    fit_shape : int
        The side of the fitted windows (pixels).

    annulus_radii : pair of float
        The annulus of the LocalBackground (pixels).

    group_distance : float
        Sources closer than this are fitted together (pixels).

    missing : 2D bool `~numpy.ndarray`, optional
        Pixels not to use.

    Returns
    -------
    flux, local_bkg : `~numpy.ndarray`
        The fluxes and the backgrounds a pixel; NaN where there was
        nothing to fit.
    """
    bad = join_missing(missing, data)
    flux, background = np.full((2, len(x)), np.nan)
    inside = np.flatnonzero(on_map(x, y, data.shape))
    if len(inside) == 0:
        return flux, background
    model = model.copy()
    model.x_0.fixed = model.y_0.fixed = True
    # The guess of the fluxes takes a circle of about the window's core.
    measure = PSFPhotometry(
        model,
        fit_shape,
        grouper=SourceGrouper(group_distance) if len(inside) > 1 else None,
        aperture_radius=fit_shape / 4.0,
        local_bkg_estimator=LocalBackground(*annulus_radii),
    )
    guess = QTable({'x': x[inside], 'y': y[inside]})
    # Sources without a fit are NaN in the result.
    with quiet(AstropyUserWarning):
        measured = measure(
            np.where(bad, 0.0, data), mask=bad if bad.any() else None, init_params=guess
        )
    flux[inside] = np.ma.filled(measured['flux_fit'].astype(float), np.nan)
    background[inside] = np.ma.filled(measured['local_bkg'].astype(float), np.nan)
    return flux, background


def measure_psf_photometry(scene):
    """
    Fit the PSF with photutils' PSFPhotometry, at forced positions.

    The window is as wide as three times the FWHM, the local background
    the one that ``LocalBackground`` takes around the smallest hole.
    Sources closer than three times the FWHM are fitted together.

    Parameters
    ----------
    scene : `~photutils_pconv.evaluation.methods.Scene`
        Map and sources.

    Returns
    -------
    result : `~photutils_pconv.evaluation.MethodResult`
        The fluxes, and the map without the fitted PSFs.
    """
    fwhm = scene.setup.psf_fwhm.to_value(u.arcsec) / scene.pixel_scale
    inner = scene.setup.hole_radii[-1] + BACKGROUND_GAP
    fit_shape = 2 * round(0.5 * _WINDOW * fwhm) + 1
    # No larger than the window: photutils makes its spline for each fit.
    model = round_image_psf(scene.pixel_psf, radius=fit_shape / 2 + 2)
    flux, _ = fit_psf_photometry(
        scene.data,
        scene.x,
        scene.y,
        model,
        fit_shape=fit_shape,
        annulus_radii=(inner, inner + BACKGROUND_WIDTH),
        group_distance=_GROUP_DISTANCE * fwhm,
        missing=scene.missing,
    )
    return MethodResult(flux=flux, background=subtract_psfs(scene, flux))


def measure_psf_polynomial(scene):
    """
    Fit the PSF and a quadratic background by linear least squares.

    Every source is fitted alone, within 9 pixels, its position forced.

    Parameters
    ----------
    scene : `~photutils_pconv.evaluation.methods.Scene`
        Map and sources.

    Returns
    -------
    result : `~photutils_pconv.evaluation.MethodResult`
        The fluxes, the map without the fitted PSFs, and the same with the
        quadratic background in the part of each hole that was fitted.
    """
    coefficients = fit_psf_polynomial(
        scene.data,
        scene.x,
        scene.y,
        scene.pixel_psf,
        radius=FIT_RADIUS,
        missing=scene.missing,
    )
    background = subtract_psfs(scene, coefficients[:, 0])
    surface = background.copy()
    for i in np.flatnonzero(scene.usable & np.isfinite(coefficients[:, 0])):
        window = scene.window(i, int(FIT_RADIUS) + 2)
        dx, dy = window.dx, window.dy
        inside = scene.hole(i, window) & window.within(FIT_RADIUS)
        values = polynomial(dx / FIT_RADIUS, dy / FIT_RADIUS) @ coefficients[i, 1:]
        surface[window.region][inside] = values[inside]
    surface[scene.missing] = np.nan
    return MethodResult(
        flux=coefficients[:, 0], background=background, polynomial=surface
    )


def subtract_psfs(scene, flux):
    """
    Subtract PSFs from the map.

    Parameters
    ----------
    scene : `~photutils_pconv.evaluation.methods.Scene`
        Map and sources.

    flux : 1D `~numpy.ndarray`
        The sources' fluxes; NaN for those that stay.

    Returns
    -------
    background : 2D `~numpy.ndarray`
        The map without them, NaN where it is missing.
    """
    model = np.zeros(scene.data.shape)
    half = int(scene.pixel_psf.radius)
    for i in np.flatnonzero(scene.usable & np.isfinite(flux)):
        window = scene.window(i, half)
        image = scene.pixel_psf.evaluate(window.dx, window.dy)
        model[window.region] += flux[i] * image
    return np.where(scene.missing, np.nan, scene.data - model)
