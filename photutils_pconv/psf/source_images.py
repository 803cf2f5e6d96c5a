# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Images of sources: their PSFs on the pixels of a map, summed up.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv.geometry.holes import taper_weight
from photutils_pconv.geometry.windows import (
    disc,
    find_regions,
    find_window,
    region_within,
)

__all__ = [
    'DrawnSubtraction',
    'TaperedHoles',
    'draw_sources',
    'draw_subtraction',
    'expected_error_image',
    'find_extents',
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

    def empty(self, i, values, region):
        """
        Take what lies in a hole out of an image, in place: all in it, nothing beyond
        its taper.

        Parameters
        ----------
        i : int
            The hole.

        values : 2D `~numpy.ndarray`
            The image.

        region : 2-tuple of slice
            The rows and columns of the map that it covers.
        """
        stops = tuple(one.stop for one in region)
        reach = self.radius[i] + self.taper_width
        window = find_window(stops, self.x[i], self.y[i], reach)
        if window is None:
            return
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
            values[part] *= 1.0 - weight


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

    expected_error : 2D `~numpy.ndarray`, optional
        What `expected_error_image` draws for the fluxes of a fit.

    shapes : 2D `~numpy.ndarray`, optional
        What `shape_image` draws.
    """

    image: np.ndarray
    beyond: np.ndarray
    error: np.ndarray | None = None
    expected_error: np.ndarray | None = None
    shapes: np.ndarray | None = None


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
        values = pixel_psf.of(i).draw(region, x[i], y[i])
        values *= flux[i]
        image[region] += values


def draw_subtraction(
    shape, x, y, flux, pixel_psf, *, holes, errors=None, level=None, fit_flux=None
):
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

    fit_flux : 1D `~numpy.ndarray`, optional
        The fluxes of a fit whose residual is looked at: what that needs is drawn
        along with the rest, at little more work (default: it is not drawn).

    Returns
    -------
    subtraction : `DrawnSubtraction`
        The images.
    """
    image, beyond = np.zeros(shape), np.zeros(shape)
    variance = expected = shapes = None
    extents = [find_extents(pixel_psf, flux, level)]
    if errors is not None:
        variance = np.zeros(shape)
        flux_err, position_err = (np.nan_to_num(one) for one in errors)
    if fit_flux is not None:
        expected, shapes = np.zeros(shape), np.zeros(shape)
        extents.append(find_extents(pixel_psf, fit_flux, level))
        extents.append(_find_shape_extents(pixel_psf, len(x), _SHAPE_SHARE))
    # What is drawn of a source, and what each image holds of it.
    outer, near = (
        find_regions(shape, x, y, np.fmax.reduce(one)) for one in (extents, extents[:2])
    )
    inner = zip(*(find_regions(shape, x, y, one) for one in extents), strict=True)
    for i, (region, parts) in enumerate(zip(outer, inner, strict=True)):
        if region is None:
            continue
        psf = pixel_psf.of(i)
        drawn = psf.draw(region, x[i], y[i])
        if near[i] is not None and not (variance is None and fit_flux is None):
            off = psf.draw_error(near[i], x[i], y[i])
        if parts[0] is not None:
            part = region_within(parts[0], region)
            values = drawn[part]
            source = flux[i] * values
            image[parts[0]] += source
            holes.empty(i, source, parts[0])
            beyond[parts[0]] += source
            if variance is not None:
                squares = (flux[i] * off[region_within(parts[0], near[i])]) ** 2
                squares += (flux_err[i] * values) ** 2
                if position_err[i] > 0:
                    _add_slopes(squares, values, flux[i] * position_err[i])
                variance[parts[0]] += squares
        if fit_flux is None:
            continue
        if parts[1] is not None:
            off = fit_flux[i] * off[region_within(parts[1], near[i])]
            expected[parts[1]] += np.square(off, out=off)
        if parts[2] is not None:
            values = drawn[region_within(parts[2], region)]
            _add_shape(shapes, psf, (x[i], y[i]), parts[2], values, extents[2][i])
    roots = (None if one is None else _take_root(one) for one in (variance, expected))
    return DrawnSubtraction(image, beyond, *roots, shapes)


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


def find_extents(pixel_psf, flux, level, *, least=_LEAST_EXTENT):
    """
    Find how far each source is drawn.

    Parameters
    ----------
    pixel_psf, flux, level
        As for `model_image`.

    least : float, optional
        The least distance, in pixels: that of the window of a fit.

    Returns
    -------
    extent : 1D `~numpy.ndarray`
        The distances, in pixels; NaN for a source that is not drawn.
    """
    flux = np.asarray(flux, dtype=float)
    is_drawn = np.isfinite(flux) & (flux != 0)
    share = np.zeros(len(flux))
    if level is not None:
        np.divide(level, np.abs(flux), out=share, where=is_drawn)

    def find(psf, share):
        found = np.maximum(psf.extent(share), least)
        return np.where(share > 0, found, psf.radius)

    extents = _for_each_psf(pixel_psf, find, share)
    return np.where(is_drawn, extents, np.nan)


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
    extents = _find_shape_extents(pixel_psf, len(x), share)
    for i, region in enumerate(find_regions(shape, x, y, extents)):
        if region is not None:
            psf = pixel_psf.of(i)
            values = psf.draw(region, x[i], y[i])
            _add_shape(image, psf, (x[i], y[i]), region, values, extents[i])
    return image


def _add_slopes(squares, values, factor):
    """
    Add the squares of an image's slopes, times a factor, in place.

    At the edges, where a source is fainter than anything, those across are left out.
    """
    for axis in (0, 1):
        lines, total = np.moveaxis(values, axis, 0), np.moveaxis(squares, axis, 0)
        step = lines[2:] - lines[:-2]
        step *= 0.5 * factor
        total[1:-1] += np.square(step, out=step)


def _add_shape(image, psf, place, region, values, extent):
    """
    Draw a PSF with the peak 1, in place, where it exceeds what is there.
    """
    dx, dy = (
        np.arange(part.start, part.stop) - middle
        for part, middle in zip(region[::-1], place, strict=True)
    )
    values = np.where(disc(dx, dy[:, None], extent), values / psf.peak, 0.0)
    np.maximum(image[region], values, out=image[region])


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
    extents = find_extents(pixel_psf, flux, level)
    for i, region in enumerate(find_regions(shape, x, y, extents)):
        if region is not None:
            yield i, region


def _find_shape_extents(pixel_psf, n, share):
    """
    Find how far the shapes of sources are drawn, in pixels.
    """
    return _for_each_psf(
        pixel_psf, lambda psf, share: psf.extent(share * psf.peak), np.full(n, share)
    )


def _for_each_psf(pixel_psf, find, values):
    """
    Find a number for the PSF of each source, all at once for that which most have.
    """
    point = pixel_psf.point
    found = np.array(find(point, values), dtype=float)
    for i in range(len(values)):
        psf = pixel_psf.of(i)
        if psf is not point:
            found[i] = find(psf, values[i])
    return found
