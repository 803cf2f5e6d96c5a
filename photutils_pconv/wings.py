# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The wings of sources beyond their holes, from the encircled energy alone.

A hole never holds the whole source. What lies beyond it is expected to
follow the setup's encircled energies, azimuthally averaged, and is taken off
the pixels around the holes before a network looks at them. No PSF is needed,
no position is fitted, and the map itself keeps its wings.
"""

from functools import cache

import astropy.units as u
import numpy as np

from photutils_pconv.masks import hole_stamp
from photutils_pconv.psf import lobed_psf

__all__ = ['WingProfile', 'expected_wings', 'wing_profile']

# The profile's table: beyond it nothing is left to take off.
_STEP, _REACH = 0.1, 160.0
# A core's radius, in units of the FWHM, and the width of the ring of usable
# pixels around a hole that tells the local background, in pixels.
_CORE, _RING = 0.75, 4.0
_SMALLEST_CORE = 1.5
_FEWEST = 8
# Wings are followed to this distance from a source, in pixels.
_EXTENT = 80


class WingProfile:
    """
    The mean surface brightness of a source of flux 1 by radius, in pixels.

    Parameters
    ----------
    density : array_like
        The flux a pixel at radii of 0, 0.1, 0.2, ... pixels.

    beam_fwhm : float
        The beam's FWHM, in pixels. A source's flux is measured within 0.75
        of it.
    """

    def __init__(self, density, beam_fwhm):
        self.density = np.asarray(density, dtype=float)
        self.beam_fwhm = float(beam_fwhm)
        self.core_radius = max(_CORE * self.beam_fwhm, _SMALLEST_CORE)
        self._radii = _STEP * np.arange(self.density.size)

    def __call__(self, radius):
        """
        Evaluate the profile.

        Parameters
        ----------
        radius : array_like
            The distance from the source, in pixels.

        Returns
        -------
        density : `~numpy.ndarray`
            The flux a pixel; 0 beyond 160 pixels.
        """
        return np.interp(radius, self._radii, self.density, right=0.0)


@cache
def wing_profile(setup):
    """
    Make a setup's profile, on its native pixels.

    Parameters
    ----------
    setup : `~photutils_pconv.setups.ObservingSetup`
        The setup; its encircled energies (and FWHM) decide.

    Returns
    -------
    profile : `WingProfile`
        The profile.
    """
    psf = lobed_psf(setup)
    scale = setup.pixel_scale.to_value(u.arcsec)
    r2 = (scale * np.arange(0.0, _REACH + _STEP, _STEP)) ** 2
    density = sum(
        weight * np.exp(-0.5 * r2 / sigma**2) / (2.0 * np.pi * sigma**2)
        for sigma, weight in zip(psf.sigmas, psf.weights, strict=True)
    )
    return WingProfile(density * scale**2, setup.psf_fwhm.to_value(u.arcsec) / scale)


def expected_wings(data, x, y, radius, *, profile, usable):
    """
    Draw the wings that sources are expected to have.

    A source's flux comes from its core, above the median of the usable
    pixels in a ring around its hole; negative fluxes count as none.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map; finite where pixels are not missing.

    x, y : 1D array_like
        The sources' positions, 0-based, in pixels.

    radius : 1D array_like
        The radii of their holes, in pixels.

    profile : `WingProfile`
        The profile, on the map's pixels.

    usable : 2D bool `~numpy.ndarray`
        Pixels that are neither missing nor in any hole.

    Returns
    -------
    wings : 2D `~numpy.ndarray`
        The wings of all sources, in the map's unit: everywhere, cores
        included.
    """
    wings = np.zeros(data.shape)
    order = np.lexsort((radius, x, y))
    for x0, y0, r0 in np.stack([x, y, radius], axis=1)[order]:
        flux = _core_flux(data, x0, y0, r0, profile, usable)
        if flux <= 0:
            continue
        rows, columns, distance = _window(data.shape, x0, y0, _EXTENT)
        wings[rows, columns] += flux * profile(distance)
    return wings


def _window(shape, x, y, reach):
    """Give the part of a map around a position, and distances in it."""
    rows, columns = (
        slice(max(int(np.ceil(c - reach)), 0), max(min(int(c + reach) + 1, n), 0))
        for c, n in ((y, shape[0]), (x, shape[1]))
    )
    dy = np.arange(rows.start, rows.stop) - y
    dx = np.arange(columns.start, columns.stop) - x
    return rows, columns, np.hypot(dy[:, None], dx)


def _core_flux(data, x, y, radius, profile, usable):
    reach = radius + _RING
    rows, columns, distance = _window(data.shape, x, y, reach)
    image, good = data[rows, columns], usable[rows, columns]
    ring = good & (distance <= reach)
    if np.count_nonzero(ring) < _FEWEST:
        return 0.0
    core = hole_stamp(
        np.arange(rows.start, rows.stop),
        np.arange(columns.start, columns.stop),
        x,
        y,
        min(profile.core_radius, radius),
    )
    core &= np.isfinite(image)
    expected = profile(distance)
    # The ring lies in the source's own wings.
    share = (expected[core] - expected[ring].mean()).sum()
    if share <= 0:
        return 0.0
    return float((image[core] - np.median(image[ring])).sum() / share)
