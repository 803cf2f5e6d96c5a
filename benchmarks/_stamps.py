# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Sources of known flux, rendered on stamps that hold their wings.
"""

import numpy as np
from photutils.aperture import CircularAperture

from photutils_pconv.photometry import local_background

__all__ = ['STAMP_SIZE', 'flux_for_snr', 'measured_eef', 'place_stamp']

STAMP_SIZE = 193
"""
The side of the stamps, in pixels: they hold a source's wings.
"""

# Only the inner pixels are finely sampled, where it matters.
_CORE = 65
# The radii of the encircled energies (arcsec), by choice.
_EEF_RADII = np.arange(2.0, 36.1, 0.5)
# Positions spread evenly over a pixel.
_OFFSETS = (-0.375, -0.125, 0.125, 0.375)
# The share of the SNR that even a perfect map can give, which sources may have.
_REACHABLE = 0.85


def _render_stamp(psf, x, y, *, pixel_scale, angle):
    """
    Render a source on a stamp, about whose middle pixel (x, y) lies.
    """
    shift = (STAMP_SIZE - _CORE) // 2
    shape, core_shape = (STAMP_SIZE, STAMP_SIZE), (_CORE, _CORE)
    stamp = psf.render(
        shape, x, y, pixel_scale=pixel_scale, angle=angle, oversampling=1
    )
    core = psf.render(
        core_shape, x - shift, y - shift, pixel_scale=pixel_scale, angle=angle
    )
    stamp[shift : shift + _CORE, shift : shift + _CORE] = core
    return stamp


def place_stamp(psf, x, y, pixel_scale, angle):
    """
    Render a source of flux 1, and tell where it belongs.

    Parameters
    ----------
    psf : object
        The PSF, with a method ``render``.

    x, y : float
        The position on the map (pixels).

    pixel_scale : float
        The pixel scale (arcsec).

    angle : float
        The PSF's angle (radians).

    Returns
    -------
    region : tuple of slice
        The part of the map, padded by `STAMP_SIZE` on all sides.

    stamp : 2D `~numpy.ndarray`
        The flux in each of its pixels.
    """
    half = STAMP_SIZE // 2
    x0, y0 = int(x) - half, int(y) - half
    stamp = _render_stamp(psf, x - x0, y - y0, pixel_scale=pixel_scale, angle=angle)
    region = np.s_[
        y0 + STAMP_SIZE : y0 + 2 * STAMP_SIZE, x0 + STAMP_SIZE : x0 + 2 * STAMP_SIZE
    ]
    return region, stamp


def flux_for_snr(stamp, target, scatter, ring):
    """
    Calculate the flux that has an SNR (Eq. 1) above the given scatter.

    Parameters
    ----------
    stamp : 2D `~numpy.ndarray`
        The source of flux 1.

    target : float
        The SNR.

    scatter : float
        The standard deviation of the map in the annulus (Jy/pixel).

    ring : tuple of float
        The radii of the annulus (pixels).

    Returns
    -------
    flux : float
        The flux (Jy). The source's own wings limit the SNR, and so it.
    """
    half = STAMP_SIZE // 2
    own = local_background(stamp, [half], [half], annulus_radii=ring)
    wings = own.local_bkg_std[0]
    peak = stamp.max() - own.local_bkg[0]
    # The wings limit the SNR that even a perfect map can give.
    goal = min(target, _REACHABLE * peak / wings)
    return goal * scatter / np.sqrt(peak**2 - (goal * wings) ** 2)


def measured_eef(psf, pixel_scale):
    """
    Measure a PSF's encircled energy as photometry sees it: in pixels.

    The pixels widen the PSF: with those of the parallel mode a 6 arcsec
    aperture holds some percent less than the PSF's own encircled energy.
    The fraction is the mean over positions within a pixel.

    Parameters
    ----------
    psf : object
        The PSF, with a method ``render``.

    pixel_scale : float
        The pixel scale (arcsec).

    Returns
    -------
    radii, eef : 1D `~numpy.ndarray`
        The radii (arcsec) and fractions.
    """
    middle = STAMP_SIZE // 2
    eef = []
    for dx in _OFFSETS:
        for dy in _OFFSETS:
            x, y = middle + dx, middle + dy
            # The angle averages out over a circle, but not over pixels.
            stamp = _render_stamp(
                psf, x, y, pixel_scale=pixel_scale, angle=7.0 * dx + dy
            )
            eef.append(
                [
                    CircularAperture((x, y), radius).do_photometry(stamp)[0][0]
                    for radius in _EEF_RADII / pixel_scale
                ]
            )
    # Splines may fall by a rounding error where there is nothing.
    return _EEF_RADII, np.maximum.accumulate(np.mean(eef, axis=0))
