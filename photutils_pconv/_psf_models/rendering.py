# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What all models of the PSF do to draw a source on pixels.

A model gives the surface density at any offset from the source. Turning and
stretching it, averaging it over pixels and placing it on the grid are the same
for all of them.
"""

import numpy as np

from photutils_pconv._utils.checks import to_float

__all__ = ['DEFAULT_OVERSAMPLING', 'average_over_pixels', 'turn_and_stretch']

#: Points along a pixel's side over which a density is averaged (by choice: on
#: the bundled PSFs' native pixels the flux is kept to 1e-3 with them).
DEFAULT_OVERSAMPLING = 3


def turn_and_stretch(dx, dy, *, angle, stretch, unit=1.0):
    """
    Give offsets in a PSF's own frame.

    Parameters
    ----------
    dx, dy : `~numpy.ndarray`
        Offsets from the source.

    angle : float
        The PSF's rotation, in radians, counter-clockwise.

    stretch : float
        Its stretch along the rotated x axis; the other axis shrinks by as
        much, so that the flux is kept.

    unit : float, optional
        The length, in the unit of ``dx``, that is 1 in the PSF's frame.

    Returns
    -------
    u, v : `~numpy.ndarray`
        The offsets along the PSF's own axes.
    """
    cos, sin = np.cos(angle), np.sin(angle)
    u = (cos * dx + sin * dy) / (stretch * unit)
    v = (-sin * dx + cos * dy) * (stretch / unit)
    return u, v


def average_over_pixels(
    density, shape, x, y, *, pixel_scale, oversampling=DEFAULT_OVERSAMPLING, box=None
):
    """
    Draw a source of flux 1, its density averaged over each pixel.

    Parameters
    ----------
    density : callable
        Takes offsets from the source, in arcsec, and gives the density there,
        per arcsec^2.

    shape : tuple of int
        The shape (ny, nx) of the image.

    x, y : float
        The source's position, 0-based, pixel centres at integers.

    pixel_scale : float
        The pixel's side, in arcsec.

    oversampling : int, optional
        Points along a side of the square over which is averaged.

    box : float, optional
        The side of that square, in arcsec (default: the pixel's); 0 takes the
        value at each pixel's centre.

    Returns
    -------
    image : 2D `~numpy.ndarray`
        The flux in each pixel.

    Raises
    ------
    TypeError, ValueError
        If the pixel scale is not a positive number.
    """
    ny, nx = shape
    pixel_scale = to_float(pixel_scale, 'pixel_scale')
    share = 1.0 if box is None else box / pixel_scale
    n = 1 if share == 0 else oversampling
    sub = share * ((np.arange(n) + 0.5) / n - 0.5)
    dx = (np.arange(nx)[:, None] + sub).ravel() - x
    dy = (np.arange(ny)[:, None] + sub).ravel() - y
    dx, dy = np.meshgrid(dx * pixel_scale, dy * pixel_scale)
    image = density(dx, dy).reshape(ny, n, nx, n).mean(axis=(1, 3))
    return image * pixel_scale**2
