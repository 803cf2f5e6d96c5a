# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What others put into a hole, and the fluxes that this gives.

``fill_...`` are functions from an image and a hole (True = to be filled)
to the filled image; pixels outside the hole stay as they are. Image and
hole are stamps around a source. A hole may have several parts, and
contain missing pixels; where a centre and a radius are needed and not
given, the hole is taken to be a single disc.
"""

import numpy as np
from astropy.convolution import Gaussian2DKernel, convolve
from photutils.background import LocalBackground

from photutils_pconv._utils import optional
from photutils_pconv.evaluation.methods.annuli import (
    BACKGROUND_GAP,
    BACKGROUND_WIDTH,
)
from photutils_pconv.evaluation.methods.scene import MethodResult
from photutils_pconv.photometry.apertures import removed_photometry

__all__ = [
    'fill_annulus_mean',
    'fill_biharmonic',
    'fill_interpolated',
    'fill_local_median',
    'fill_maskfill',
    'measure_biharmonic',
    'measure_filled',
    'measure_interpolated',
    'measure_maskfill',
]

# Half the side of the stamps that the fills see, in pixels (by choice).
_HALF = 32


def require(name, package):
    """
    Import a package that only some of the methods need.

    Parameters
    ----------
    name : str
        The module.

    package : str
        The package's name for pip.

    Returns
    -------
    module : module
        The module.

    Raises
    ------
    ImportError
        If it is missing; the message says what to install.
    """
    return optional.require(
        name,
        package=package,
        purpose='this method',
        install=package,
        otherwise='leave the method out of names',
    )


def _centre_and_radius(hole):
    """
    Return the centre of a round hole and the radius of its area.
    """
    y, x = np.nonzero(hole)
    return x.mean(), y.mean(), np.sqrt(len(x) / np.pi)


def _put(image, hole, values):
    filled = np.array(image, dtype=float)
    filled[hole] = values
    return filled


def fill_annulus_mean(image, hole, *, inner, outer):
    """
    Fill a hole with the mean of an annulus, as standard photometry does.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The stamp.

    hole : 2D bool `~numpy.ndarray`
        The pixels to fill.

    inner, outer : float
        The annulus' radii about the hole's centre, in pixels.

    Returns
    -------
    filled : 2D `~numpy.ndarray`
        The filled stamp.
    """
    x, y, _ = _centre_and_radius(hole)
    rows, columns = np.indices(image.shape)
    distance = np.hypot(columns - x, rows - y)
    annulus = (distance >= inner) & (distance <= outer) & ~hole
    return _put(image, hole, image[annulus].mean())


def fill_local_median(image, hole, *, gap=BACKGROUND_GAP, width=BACKGROUND_WIDTH):
    """
    Fill a hole with photutils' LocalBackground: a clipped median.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The stamp.

    hole : 2D bool `~numpy.ndarray`
        The pixels to fill.

    gap, width : float, optional
        The annulus begins ``gap`` pixels outside the hole and is
        ``width`` pixels wide.

    Returns
    -------
    filled : 2D `~numpy.ndarray`
        The filled stamp.
    """
    x, y, radius = _centre_and_radius(hole)
    background = LocalBackground(radius + gap, radius + gap + width)
    return _put(image, hole, background(image, x, y, mask=hole))


def fill_biharmonic(image, hole):
    """
    Fill a hole with the biharmonic surface of scikit-image.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The stamp.

    hole : 2D bool `~numpy.ndarray`
        The pixels to fill.

    Returns
    -------
    filled : 2D `~numpy.ndarray`
        The filled stamp.

    Raises
    ------
    ImportError
        If scikit-image is not installed.
    """
    restoration = require('skimage.restoration', 'scikit-image')
    filled = restoration.inpaint_biharmonic(_put(image, hole, 0.0), hole)
    return _put(image, hole, filled[hole])


def fill_interpolated(image, hole, *, radius=None):
    """
    Fill a hole with astropy's Gaussian-weighted mean of what is known.

    The kernel's sigma is half the hole's radius: the least that leaves
    the middle of the hole a weight. What is left where holes overlap is
    filled with kernels twice as wide each time.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The stamp.

    hole : 2D bool `~numpy.ndarray`
        The pixels to fill.

    radius : float, optional
        The hole's radius, in pixels (default: that of its area).

    Returns
    -------
    filled : 2D `~numpy.ndarray`
        The filled stamp.
    """
    if radius is None:
        _, _, radius = _centre_and_radius(hole)
    filled = _put(image, hole, np.nan)
    sigma = max(radius / 2.0, 1.0)
    while np.isnan(filled[hole]).any() and sigma < 2 * max(image.shape):
        filled = _interpolate_nans(filled, Gaussian2DKernel(sigma))
        sigma *= 2.0
    return _put(image, hole, filled[hole])


def _interpolate_nans(image, kernel):
    """
    Interpolate NaN as astropy's interpolate_replace_nans does, bit for bit.

    Where holes overlap, only a wider kernel sees out of them. Astropy warns
    of that, which no other thread could be spared.
    """
    options = {
        'boundary': 'extend',
        'nan_treatment': 'fill',
        'normalize_kernel': False,
    }
    unknown = np.isnan(image)
    total = convolve(np.where(unknown, 0.0, image), kernel.array, **options)
    weight = convolve((~unknown).astype(float), kernel.array, **options)
    smooth = np.full(image.shape, np.nan)
    np.divide(total, weight, out=smooth, where=weight > 0)
    return np.where(unknown, smooth, image)


def fill_maskfill(image, hole):
    """
    Fill a hole inwards with medians of 3 x 3 pixels, then smooth it.

    This is maskfill (van Dokkum & Pasha 2024, PASP 136, 034503) with its
    default settings.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The stamp.

    hole : 2D bool `~numpy.ndarray`
        The pixels to fill.

    Returns
    -------
    filled : 2D `~numpy.ndarray`
        The filled stamp.

    Raises
    ------
    ImportError
        If maskfill is not installed.
    """
    maskfill = require('maskfill', 'maskfill')
    filled, _ = maskfill.maskfill(_put(image, hole, 0.0), hole.astype(float))
    return _put(image, hole, filled[hole])


def measure_maskfill(scene):
    """
    Fill the holes by maskfill.

    Parameters
    ----------
    scene : `~photutils_pconv.evaluation.methods.Scene`
        Map and sources.

    Returns
    -------
    result : `~photutils_pconv.evaluation.MethodResult`
        The fluxes, and the filled map.

    Raises
    ------
    ImportError
        If maskfill is not installed.
    """
    return _measure(scene, lambda image, hole, _: fill_maskfill(image, hole))


def measure_biharmonic(scene):
    """
    Fill the holes by biharmonic surfaces.

    Parameters
    ----------
    scene : `~photutils_pconv.evaluation.methods.Scene`
        Map and sources.

    Returns
    -------
    result : `~photutils_pconv.evaluation.MethodResult`
        The fluxes, and the filled map.

    Raises
    ------
    ImportError
        If scikit-image is not installed.
    """
    return _measure(scene, lambda image, hole, _: fill_biharmonic(image, hole))


def measure_interpolated(scene):
    """
    Fill the holes by astropy's ``interpolate_replace_nans``.

    Parameters
    ----------
    scene : `~photutils_pconv.evaluation.methods.Scene`
        Map and sources.

    Returns
    -------
    result : `~photutils_pconv.evaluation.MethodResult`
        The fluxes, and the filled map.
    """

    def fill(image, hole, radius):
        return fill_interpolated(image, hole, radius=radius)

    return _measure(scene, fill)


def _measure(scene, fill):
    """
    Fill all holes, and measure what was removed.

    The function ``fill`` gets a stamp, the pixels to fill, and the radius of
    the hole in its middle.
    """
    background = scene.data.copy()
    for i in np.flatnonzero(scene.usable):
        window = scene.window(i, _HALF)
        region, hole = window.region, scene.hole(i, window)
        unknown = scene.holes[region] | scene.missing[region]
        filled = fill(scene.data[region], unknown, scene.hole_radius[i])
        background[region][hole] = filled[hole]
    return measure_filled(scene, background)


def measure_filled(scene, background):
    """
    Measure in apertures what a filled map lacks.

    Parameters
    ----------
    scene : `~photutils_pconv.evaluation.methods.Scene`
        Map and sources.

    background : 2D `~numpy.ndarray`
        The map with its holes filled.

    Returns
    -------
    result : `~photutils_pconv.evaluation.MethodResult`
        The fluxes, and the filled map, NaN where it is missing.
    """
    background = np.where(scene.missing, np.nan, background)
    removed = np.where(scene.missing, 0.0, scene.data - background)
    measured = removed_photometry(
        removed,
        scene.x,
        scene.y,
        radii=[scene.aperture_radius],
        hole_radius=np.where(scene.usable, scene.hole_radius, np.nan),
        local_std=0.0,
        missing=scene.missing,
    )
    flux = scene.in_aperture(measured.flux[:, 0], measured.hole_fraction[:, 0])
    return MethodResult(flux=flux / scene.pixel_response, background=background)
