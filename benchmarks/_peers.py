# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What others put into a hole: the benchmarks' peers.

Each peer is a function from an image and a hole (True = to be filled) to
the filled image; pixels outside the hole stay as they are. Image and
hole are stamps around a single source.
"""

from functools import partial

import numpy as np
from astropy.convolution import Gaussian2DKernel, interpolate_replace_nans
from photutils.background import LocalBackground

__all__ = [
    'fill_annulus_mean',
    'fill_biharmonic',
    'fill_interpolated',
    'fill_local_median',
    'fill_maskfill',
    'make_peers',
]


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


def fill_local_median(image, hole, *, gap=2.0, width=6.0):
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
    """
    from skimage.restoration import inpaint_biharmonic

    filled = inpaint_biharmonic(np.array(image, dtype=float), hole)
    return _put(image, hole, filled[hole])


def fill_interpolated(image, hole):
    """
    Fill a hole with astropy's Gaussian-weighted mean of what is known.

    The kernel's sigma is half the hole's radius: the least that leaves
    the middle of the hole a weight.

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
    """
    _, _, radius = _centre_and_radius(hole)
    kernel = Gaussian2DKernel(max(radius / 2.0, 1.0))
    blank = _put(image, hole, np.nan)
    filled = interpolate_replace_nans(blank, kernel, boundary='extend')
    return _put(image, hole, filled[hole])


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
    from maskfill import maskfill

    filled, _ = maskfill(np.array(image, dtype=float), hole.astype(float))
    return _put(image, hole, filled[hole])


def _is_installed(name):
    from importlib.util import find_spec

    return find_spec(name) is not None


def make_peers(*, inner, outer):
    """
    Collect the peers that can be run here.

    Parameters
    ----------
    inner, outer : float
        The radii of the standard annulus, in pixels.

    Returns
    -------
    peers : dict
        The names of the peers and their functions of image and hole.
        scikit-image and maskfill are optional: without one of them, its
        peer is left out.
    """
    peers = {
        'annulus': partial(fill_annulus_mean, inner=inner, outer=outer),
        'local median': fill_local_median,
        'interpolated': fill_interpolated,
    }
    if _is_installed('skimage'):
        peers['biharmonic'] = fill_biharmonic
    if _is_installed('maskfill'):
        peers['maskfill'] = fill_maskfill
    return peers
