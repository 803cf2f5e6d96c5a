# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Images of sources: their PSFs on the pixels of a map, summed up.
"""

import numpy as np

from photutils_pconv.geometry.holes import taper_weight
from photutils_pconv.geometry.windows import find_window

__all__ = [
    'expected_error_image',
    'image_beyond_holes',
    'model_image',
    'shape_image',
]

# Sources are drawn at least to this radius, in pixels: that of the window of a
# fit, ``FIT_RADIUS`` of ``psf_photometry.fit_windows``.
_LEAST_EXTENT = 9.0
# `shape_image` draws PSFs down to this share of their peak: that with which the
# networks were trained (by choice, 2026-11-22).
_SHAPE_SHARE = 1.0e-3


def model_image(shape, x, y, flux, pixel_psf, *, level=None):
    """
    Sum the images of sources.

    Parameters
    ----------
    shape : tuple of int
        The map's shape.

    x, y, flux : 1D `~numpy.ndarray`
        The sources; those of flux NaN are left out.

    pixel_psf : `~photutils_pconv.psf.PixelPSF`
        The PSF on the map's pixels.

    level : 1D `~numpy.ndarray`, optional
        The brightness, in the map's unit, below which each source's wings
        are left out (default: 0, the whole PSF).

    Returns
    -------
    image : 2D `~numpy.ndarray`
        The sources' image.
    """
    image = np.zeros(shape)
    for i, region, dx, dy in _source_windows(shape, x, y, flux, pixel_psf, level):
        image[region] += flux[i] * pixel_psf.evaluate(dx, dy)
    return image


def image_beyond_holes(shape, x, y, flux, pixel_psf, holes, *, taper_width, level=None):
    """
    Sum what sources have beyond their own holes.

    This is what one source's hole holds of the other sources.

    Parameters
    ----------
    shape, x, y, flux, pixel_psf, level
        As for `model_image`.

    holes : tuple of 1D `~numpy.ndarray`
        Positions and radii of the holes, in pixels.

    taper_width : float
        The width of the taper around each hole, over which the wings set in,
        in pixels.

    Returns
    -------
    image : 2D `~numpy.ndarray`
        The image.
    """
    image = np.zeros(shape)
    x_hole, y_hole, radius = holes
    for i, region, dx, dy in _source_windows(shape, x, y, flux, pixel_psf, level):
        distance = np.hypot(dx + x[i] - x_hole[i], dy + y[i] - y_hole[i])
        beyond = 1.0 - taper_weight(distance, radius[i], width=taper_width)
        image[region] += flux[i] * beyond * pixel_psf.evaluate(dx, dy)
    return image


def expected_error_image(shape, x, y, flux, pixel_psf, *, level=None):
    """
    Add up the expected errors of sources' images, in quadrature.

    Parameters
    ----------
    shape, x, y, flux, pixel_psf, level
        As for `model_image`.

    Returns
    -------
    error : 2D `~numpy.ndarray`
        The error left in each pixel when the sources are subtracted.
    """
    variance = np.zeros(shape)
    for i, region, dx, dy in _source_windows(shape, x, y, flux, pixel_psf, level):
        variance[region] += (flux[i] * pixel_psf.expected_error(dx, dy)) ** 2
    return np.sqrt(variance)


def shape_image(shape, x, y, pixel_psf, *, share=_SHAPE_SHARE):
    """
    Draw the sources' PSFs, each with the peak 1.

    Parameters
    ----------
    shape : tuple of int
        The map's shape.

    x, y : 1D `~numpy.ndarray`
        The positions.

    pixel_psf : `~photutils_pconv.psf.PixelPSF`
        The PSF on the map's pixels.

    share : float, optional
        The share of the peak down to which the PSFs are drawn.

    Returns
    -------
    image : 2D `~numpy.ndarray`
        The largest of all PSFs in each pixel.
    """
    image = np.zeros(shape)
    extent = pixel_psf.extent(share * pixel_psf.peak)
    for i in range(len(x)):
        window = find_window(shape, x[i], y[i], extent)
        if window is not None:
            values = pixel_psf.evaluate(window.dx, window.dy) / pixel_psf.peak
            values = np.where(window.distance <= extent, values, 0.0)
            image[window.region] = np.maximum(image[window.region], values)
    return image


def _source_windows(shape, x, y, flux, pixel_psf, level):
    """
    Yield each source's number, its part of the map, and the offsets there.
    """
    for i in range(len(x)):
        if not np.isfinite(flux[i]) or flux[i] == 0:
            continue
        extent = pixel_psf.radius
        if level is not None and level[i] > 0:
            extent = max(pixel_psf.extent(level[i] / abs(flux[i])), _LEAST_EXTENT)
        window = find_window(shape, x[i], y[i], extent)
        if window is not None:
            yield i, window.region, window.dx, window.dy
