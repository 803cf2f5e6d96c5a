# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The wings of sources beyond their holes, from the setup alone.

A hole never holds the whole source. What lies beyond it is expected to
follow the mean of the setup's PSFs, azimuthally averaged, and is taken off
the pixels around the holes before a network looks at them. How a source's own
wings may differ from that is told as well (`~photutils_pconv.psf`), so
that it can be told from emission. No PSF is needed, no position is fitted, and
the map itself keeps its wings.
"""

from dataclasses import dataclass
from functools import cache

import astropy.units as u
import numpy as np

from photutils_pconv.geometry.cutouts import taper_weight
from photutils_pconv.geometry.holes import hole_stamp
from photutils_pconv.psf.library import get_psf, lobed_psf
from photutils_pconv.psf.profile_modes import wing_modes

__all__ = [
    'SourceWings',
    'WingProfile',
    'expected_wings',
    'pixel_profile',
    'wing_profile',
    'wings_beyond_holes',
]

# The profile's table: beyond it nothing is left to take off.
_STEP, _REACH = 0.1, 160.0
_N_ANGLES = 72
# A core's radius, in units of the FWHM, and the width of the ring of usable
# pixels around a hole that tells the local background, in pixels.
_CORE, _RING = 0.75, 4.0
_SMALLEST_CORE = 1.5
_FEWEST = 8
# Wings are followed to this distance from a source, in pixels.
_EXTENT = 80
# What the mean profile has of the setup's physical PSF, which is nearer to those of
# asteroids; the rest are lobes with the setup's encircled energy.
_SHARE = 0.75
# A flux that a core tells is good to this, even without a background.
_FLUX_SCATTER = 0.02


@dataclass(frozen=True)
class SourceWings:
    """
    The wings that sources are expected to have.

    Parameters
    ----------
    image : 2D `~numpy.ndarray`
        The mean wings of all sources, in the map's unit: everywhere, cores
        included.

    flux, flux_err : 1D `~numpy.ndarray`
        The sources' fluxes from their cores, and their standard deviations,
        in the map's unit times pixels. 0 where there is no source.
    """

    image: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray


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

    modes : `~photutils_pconv.psf.WingModes`, optional
        How the wings of one source may differ from the mean.
    """

    def __init__(self, density, beam_fwhm, *, modes=None):
        self.density = np.asarray(density, dtype=float)
        self.beam_fwhm = float(beam_fwhm)
        self.core_radius = max(_CORE * self.beam_fwhm, _SMALLEST_CORE)
        self.modes = modes
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

    def terms(self, dx, dy, *, flux, flux_err):
        """
        Give what a source's wings may hold beyond the expected ones.

        Parameters
        ----------
        dx, dy : array_like
            Offsets from the source, in pixels, of one shape (...).

        flux, flux_err : float
            The source's flux and its standard deviation.

        Returns
        -------
        terms : `~numpy.ndarray`
            Independent contributions of one standard deviation each,
            (T, ...), in the unit of the flux a pixel.
        """
        scatter = np.hypot(flux_err, _FLUX_SCATTER * flux)
        terms = scatter * self(np.hypot(dx, dy))[None]
        if self.modes is None:
            return terms
        return np.concatenate([terms, flux * self.modes(dx, dy)])


@cache
def wing_profile(setup):
    """
    Make a setup's profile, on its native pixels.

    Parameters
    ----------
    setup : `~photutils_pconv.setups.ObservingSetup`
        The setup: three quarters are its own PSF
        (`~photutils_pconv.psf.get_psf`), and a quarter is
        `~photutils_pconv.psf.lobed_psf`, which has its encircled energies.

    Returns
    -------
    profile : `WingProfile`
        The profile.
    """
    scale = setup.pixel_scale.to_value(u.arcsec)
    lobed, own = lobed_psf(setup), get_psf(setup)
    density = (1.0 - _SHARE) * _radial_density(lobed, scale)
    density += _SHARE * _mean_density(own, scale)
    beam = setup.psf_fwhm.to_value(u.arcsec) / scale
    modes = wing_modes(
        (lobed, own),
        weights=(1.0 - _SHARE, _SHARE),
        mean=WingProfile(density, beam),
        pixel_scale=scale,
    )
    return WingProfile(density, beam, modes=modes)


@cache
def pixel_profile(setup, pixel_scale):
    """
    Make a setup's profile as pixels see it, for aperture photometry.

    Parameters
    ----------
    setup : `~photutils_pconv.setups.ObservingSetup`
        The setup.

    pixel_scale : float
        The side of the map's pixels, in arcsec.

    Returns
    -------
    profile : `WingProfile`
        The mean flux in a pixel by the distance of its centre.
    """
    beam = setup.psf_fwhm.to_value(u.arcsec) / pixel_scale
    density = _radial_density(
        lobed_psf(setup), pixel_scale, variance=pixel_scale**2 / 12.0
    )
    return WingProfile(density, beam)


def _radial_density(psf, pixel_scale, *, variance=0.0):
    """Tabulate a PSF's mean density, in units of 1/pixel."""
    r2 = (pixel_scale * np.arange(0.0, _REACH + _STEP, _STEP)) ** 2
    density = 0.0
    for sigma, weight in zip(psf.sigmas, psf.weights, strict=True):
        width = sigma**2 + variance
        density += weight * np.exp(-0.5 * r2 / width) / (2.0 * np.pi * width)
    return density * pixel_scale**2


def _mean_density(psf, pixel_scale):
    """Average a PSF's density over all angles, in units of 1/pixel."""
    radius = pixel_scale * np.arange(0.0, _REACH + _STEP, _STEP)[:, None]
    angle = 2.0 * np.pi * np.arange(_N_ANGLES) / _N_ANGLES
    density = psf.density(radius * np.cos(angle), radius * np.sin(angle))
    return density.mean(axis=1) * pixel_scale**2


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
    wings : `SourceWings`
        The wings.
    """
    image = np.zeros(data.shape)
    flux, flux_err = np.zeros((2, len(x)))
    # A sum's rounding depends on its order: take that from the positions.
    for i in np.lexsort((radius, x, y)):
        value, error = _core_flux(data, x[i], y[i], radius[i], profile, usable)
        if value <= 0:
            continue
        flux[i], flux_err[i] = value, error
        rows, columns, distance = _window(data.shape, x[i], y[i], _EXTENT)
        image[rows, columns] += value * profile(distance)
    return SourceWings(image, flux, flux_err)


def wings_beyond_holes(shape, x, y, radius, flux, *, profile, taper_width):
    """
    Draw what sources are expected to have beyond their own holes.

    This is what one source's hole holds of the other sources.

    Parameters
    ----------
    shape : tuple of int
        The map's shape (ny, nx).

    x, y, radius : 1D array_like
        The sources' positions and the radii of their holes, in pixels.

    flux : 1D array_like
        Their fluxes (see `expected_wings`).

    profile : `WingProfile`
        The profile, on the map's pixels.

    taper_width : float
        The width of the taper around each hole, over which the wings set in,
        in pixels.

    Returns
    -------
    image : 2D `~numpy.ndarray`
        The wings, in the unit of the fluxes a pixel.
    """
    image = np.zeros(shape)
    for i in np.lexsort((radius, x, y)):
        if flux[i] <= 0:
            continue
        rows, columns, distance = _window(shape, x[i], y[i], _EXTENT)
        beyond = 1.0 - taper_weight(distance, radius[i], width=taper_width)
        image[rows, columns] += flux[i] * beyond * profile(distance)
    return image


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
        return 0.0, 0.0
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
        return 0.0, 0.0
    flux = float((image[core] - np.median(image[ring])).sum() / share)
    # The core's background may be off by as much as the ring scatters.
    scatter = np.std(image[ring] - flux * expected[ring])
    return flux, float(scatter * np.count_nonzero(core) / share)
