# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Images of sources: their PSFs on the pixels of a map, summed up.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv.geometry.holes import taper_weight
from photutils_pconv.geometry.windows import find_regions, find_window

__all__ = [
    'DrawnSubtraction',
    'TaperedHoles',
    'draw_sources',
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
# Rows of an image that are worked on together.
_ROWS = 64


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

    def beyond(self, i, values, region):
        """
        Give what an image has beyond a hole: nothing in it, all beyond its taper.

        Parameters
        ----------
        i : int
            The hole.

        values : 2D `~numpy.ndarray`
            The image.

        region : 2-tuple of slice
            The rows and columns of the map that it covers.

        Returns
        -------
        beyond : 2D `~numpy.ndarray`
            The image, weighted.
        """
        stops = tuple(one.stop for one in region)
        reach = self.radius[i] + self.taper_width
        window = find_window(stops, self.x[i], self.y[i], reach)
        beyond = values.copy()
        if window is None:
            return beyond
        # The image may be smaller than the hole.
        part, cut = zip(
            *(
                (
                    slice(max(near.start - whole.start, 0), near.stop - whole.start),
                    slice(max(whole.start - near.start, 0), None),
                )
                for near, whole in zip(window.region, region, strict=True)
            ),
            strict=True,
        )
        distance = window.distance[cut]
        weight = taper_weight(distance, self.radius[i], width=self.taper_width)
        if weight.size:
            beyond[part] *= 1.0 - weight
        return beyond


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

    error : 2D `~numpy.ndarray`, optional
        The error left in each pixel when ``image`` is subtracted: the PSF's
        expected mismatch and what the errors of fluxes and positions make,
        in quadrature.
    """

    image: np.ndarray
    beyond: np.ndarray
    error: np.ndarray | None = None


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
    draw_sources(image, x, y, flux, pixel_psf, level=level)
    return image


def draw_sources(image, x, y, flux, pixel_psf, *, level=None):
    """
    Add sources to an image, in place.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The image.

    x, y, flux, pixel_psf, level
        As for `model_image`.
    """
    for i, region in _source_regions(image.shape, x, y, flux, pixel_psf, level):
        image[region] += flux[i] * pixel_psf.of(i).draw(region, x[i], y[i])


def draw_subtraction(shape, x, y, flux, pixel_psf, *, holes, errors=None, level=None):
    """
    Draw sources that are to be subtracted, and how well they are known.

    Parameters
    ----------
    shape, x, y, flux, pixel_psf, level
        As for `model_image`.

    holes : `TaperedHoles`
        The sources' holes.

    errors : 2-tuple of 1D `~numpy.ndarray`, optional
        The errors of the fluxes, and of the positions along an axis, in
        pixels (default: the error that is left is not drawn).

    Returns
    -------
    subtraction : `DrawnSubtraction`
        The images.
    """
    image, beyond = np.zeros(shape), np.zeros(shape)
    variance = None
    if errors is not None:
        variance = np.zeros(shape)
        flux_err, position_err = (np.nan_to_num(one) for one in errors)
    for i, region in _source_regions(shape, x, y, flux, pixel_psf, level):
        psf = pixel_psf.of(i)
        values = psf.draw(region, x[i], y[i])
        source = flux[i] * values
        image[region] += source
        beyond[region] += holes.beyond(i, source, region)
        if variance is None:
            continue
        squares = (flux[i] * psf.draw_error(region, x[i], y[i])) ** 2
        if position_err[i] > 0 and min(values.shape) > 1:
            slope = sum(one**2 for one in np.gradient(values))
            squares += (flux[i] * position_err[i]) ** 2 * slope
        squares += (flux_err[i] * values) ** 2
        variance[region] += squares
    error = None if variance is None else _take_root(variance)
    return DrawnSubtraction(image, beyond, error)


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
    for i, region in _source_regions(shape, x, y, flux, pixel_psf, level):
        error = pixel_psf.of(i).draw_error(region, x[i], y[i])
        variance[region] += (flux[i] * error) ** 2
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
            values = psf.draw(window.region, x[i], y[i]) / psf.peak
            values = np.where(window.distance <= extent, values, 0.0)
            image[window.region] = np.maximum(image[window.region], values)
    return image


def _take_root(image):
    """Take the root of an image in place, and leave alone rows that are 0."""
    for start in range(0, len(image), _ROWS):
        part = image[start : start + _ROWS]
        if part.any():
            np.sqrt(part, out=part)
    return image


def _source_regions(shape, x, y, flux, pixel_psf, level):
    """
    Yield each source's number and the rows and columns of the map that it covers.
    """
    x, y, flux = (np.asarray(one, dtype=float) for one in (x, y, flux))
    numbers = np.flatnonzero(np.isfinite(flux) & (flux != 0))
    least = np.zeros(len(flux))
    if level is not None:
        np.divide(level, np.abs(flux), out=least, where=flux != 0)
    # All at once for the PSF that most sources have.
    point = pixel_psf.point
    extent = _find_extent(point, least[numbers])
    regions = find_regions(shape, x[numbers], y[numbers], extent)
    for i, region in zip(numbers.tolist(), regions, strict=True):
        psf = pixel_psf.of(i)
        if psf is not point:
            window = find_window(shape, x[i], y[i], float(_find_extent(psf, least[i])))
            region = None if window is None else window.region
        if region is not None:
            yield i, region


def _find_extent(psf, least):
    """
    Find how far sources are drawn: down to a level for a flux of 1, or altogether.
    """
    found = np.maximum(psf.extent(least), _LEAST_EXTENT)
    return np.where(least > 0, found, psf.radius)
