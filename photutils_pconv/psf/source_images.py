# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Images of sources: their PSFs on the pixels of a map, summed up.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv.geometry.holes import taper_weight
from photutils_pconv.geometry.windows import find_window

__all__ = [
    'DrawnSubtraction',
    'TaperedHoles',
    'draw_subtraction',
    'expected_error_image',
    'model_image',
    'shape_image',
]

# Sources are drawn at least to this radius, in pixels: that of the window of a
# fit, ``FIT_RADIUS`` of ``psf_photometry.fit_windows``.
_LEAST_EXTENT = 9.0
# `shape_image` draws PSFs down to this share of their peak: that with which the
# networks were trained (by choice, 2026-11-22).
_SHAPE_SHARE = 1.0e-3


@dataclass(frozen=True, eq=False)
class TaperedHoles:
    """
    Round holes with a taper around them.

    Parameters
    ----------
    x, y, radius : 1D `~numpy.ndarray`
        Positions and radii, in pixels.

    taper_width : float
        The width of the taper, in pixels.
    """

    x: np.ndarray
    y: np.ndarray
    radius: np.ndarray
    taper_width: float

    def outside(self, i, x, y):
        """
        Give the weight of what lies beyond a hole: 0 in it, 1 beyond its taper.

        Parameters
        ----------
        i : int
            The hole.

        x, y : `~numpy.ndarray`
            The pixels' positions.

        Returns
        -------
        weight : `~numpy.ndarray`
            The weight.
        """
        distance = np.hypot(x - self.x[i], y - self.y[i])
        return 1.0 - taper_weight(distance, self.radius[i], width=self.taper_width)


@dataclass(frozen=True, eq=False)
class DrawnSubtraction:
    """
    The image of sources that are to be subtracted.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The sources.

    beyond : 2D `~numpy.ndarray`
        What they have beyond their own holes: what one source's hole holds of
        the other sources.

    error : 2D `~numpy.ndarray`
        The error left in each pixel when ``image`` is subtracted: the PSF's
        expected mismatch and what the errors of fluxes and positions make,
        in quadrature.
    """

    image: np.ndarray
    beyond: np.ndarray
    error: np.ndarray


def model_image(shape, x, y, flux, pixel_psf, *, level=None):
    """
    Sum the images of sources.

    Parameters
    ----------
    shape : tuple of int
        The map's shape.

    x, y, flux : 1D `~numpy.ndarray`
        The sources; those of flux NaN are left out.

    pixel_psf : `~photutils_pconv.psf.PixelPSF` or `SourcePSFs`
        The PSF on the map's pixels, or that of each source.

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
        image[region] += flux[i] * pixel_psf.of(i).evaluate(dx, dy)
    return image


def draw_subtraction(shape, x, y, flux, pixel_psf, *, holes, errors, level=None):
    """
    Draw sources that are to be subtracted, and how well they are known.

    Parameters
    ----------
    shape, x, y, flux, pixel_psf, level
        As for `model_image`.

    holes : `TaperedHoles`
        The sources' holes.

    errors : 2-tuple of 1D `~numpy.ndarray`
        The errors of the fluxes, and of the positions along an axis, in
        pixels.

    Returns
    -------
    subtraction : `DrawnSubtraction`
        The images.
    """
    image, beyond, variance = np.zeros((3, *shape))
    flux_err, position_err = (np.nan_to_num(one) for one in errors)
    for i, region, dx, dy in _source_windows(shape, x, y, flux, pixel_psf, level):
        psf = pixel_psf.of(i)
        values = psf.evaluate(dx, dy)
        image[region] += flux[i] * values
        beyond[region] += flux[i] * holes.outside(i, dx + x[i], dy + y[i]) * values
        variance[region] += (flux[i] * psf.expected_error(dx, dy)) ** 2
        variance[region] += (flux_err[i] * values) ** 2
        if position_err[i] > 0 and min(values.shape) > 1:
            slope = sum(one**2 for one in np.gradient(values))
            variance[region] += (flux[i] * position_err[i]) ** 2 * slope
    return DrawnSubtraction(image, beyond, _take_root(variance))


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
        variance[region] += (flux[i] * pixel_psf.of(i).expected_error(dx, dy)) ** 2
    return _take_root(variance)


def shape_image(shape, x, y, pixel_psf, *, share=_SHAPE_SHARE):
    """
    Draw the sources' PSFs, each with the peak 1.

    Parameters
    ----------
    shape : tuple of int
        The map's shape.

    x, y : 1D `~numpy.ndarray`
        The positions.

    pixel_psf : `~photutils_pconv.psf.PixelPSF` or `SourcePSFs`
        The PSF on the map's pixels, or that of each source.

    share : float, optional
        The share of the peak down to which the PSFs are drawn.

    Returns
    -------
    image : 2D `~numpy.ndarray`
        The largest of all PSFs in each pixel.
    """
    image = np.zeros(shape)
    for i in range(len(x)):
        psf = pixel_psf.of(i)
        extent = psf.extent(share * psf.peak)
        window = find_window(shape, x[i], y[i], extent)
        if window is not None:
            values = psf.evaluate(window.dx, window.dy) / psf.peak
            values = np.where(window.distance <= extent, values, 0.0)
            image[window.region] = np.maximum(image[window.region], values)
    return image


def _take_root(image):
    """Take the root of an image in place, and leave alone what is 0."""
    return np.sqrt(image, out=image, where=image > 0)


def _source_windows(shape, x, y, flux, pixel_psf, level):
    """
    Yield each source's number, its part of the map, and the offsets there.
    """
    for i in range(len(x)):
        if not np.isfinite(flux[i]) or flux[i] == 0:
            continue
        psf = pixel_psf.of(i)
        extent = psf.radius
        if level is not None and level[i] > 0:
            extent = max(psf.extent(level[i] / abs(flux[i])), _LEAST_EXTENT)
        window = find_window(shape, x[i], y[i], extent)
        if window is not None:
            yield i, window.region, window.dx, window.dy
