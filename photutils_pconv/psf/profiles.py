# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The mean radial profile of a setup's sources.
"""

from functools import cache

import astropy.units as u
import numpy as np

from photutils_pconv._psf_models.lobed import LobedPSF
from photutils_pconv._psf_models.measures import mean_density
from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.lobed import has_lobes, lobed_psf
from photutils_pconv.psf.profile_modes import wing_modes
from photutils_pconv.psf.wing_terms import WingTerms

__all__ = [
    'WingProfile',
    'pixel_profile',
    'wing_profile',
]

# The step and the end of the profile's table, in pixels (by choice): beyond it
# nothing is left to take off.
_STEP, _REACH = 0.1, 160.0
# A core's radius, in units of the FWHM, and at least, in pixels (by choice).
_CORE = 0.75
_SMALLEST_CORE = 1.5
# The share that the setup's physical PSF has in the mean profile; it is nearer to
# those of asteroids, and the rest are lobes with the setup's encircled energy. With
# the lobes alone, wings were too bright around red holes, and fills 0.05 of the
# scatter too low (2026-11-26).
_OWN_SHARE = 0.75


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

    modes : ``WingModes``, optional
        How the wings of one source may differ from the mean.
    """

    def __init__(self, density, beam_fwhm, *, modes=None):
        self.density = np.asarray(density, dtype=float)
        self.beam_fwhm = float(beam_fwhm)
        self.core_radius = max(_CORE * self.beam_fwhm, _SMALLEST_CORE)
        self.modes = modes
        # Beyond the last step, at which it ends, there is nothing.
        self._steps = np.append(self.density[:-1], 0.0)
        self._rise = np.append(np.diff(self.density), 0.0)

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
            The flux a pixel; 0 from 160 pixels on.
        """
        # `numpy.interp`, which does not know that the steps are equal, looks for them.
        place = np.asarray(radius) / _STEP
        low = place.astype(int)
        density = self._rise.take(low, mode='clip')
        density *= place - low
        density += self._steps.take(low, mode='clip')
        return density

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
        terms : `WingTerms`
            Independent contributions of one standard deviation each, in the unit
            of the flux a pixel.
        """
        return WingTerms(self, dx, dy, flux, flux_err)


@cache
def wing_profile(setup):
    """
    Make a setup's profile, on its native pixels.

    Parameters
    ----------
    setup : `~photutils_pconv.setups.ObservingSetup`
        The setup. Its own PSF is taken (`~photutils_pconv.psf.get_psf`); for
        those of PACS a quarter is `~photutils_pconv.psf.lobed_psf`, which has
        their encircled energies.

    Returns
    -------
    profile : `WingProfile`
        The profile.
    """
    scale = setup.pixel_scale.to_value(u.arcsec)
    psfs, weights = (get_psf(setup),), (1.0,)
    if has_lobes(setup):
        psfs, weights = (lobed_psf(setup), *psfs), (1.0 - _OWN_SHARE, _OWN_SHARE)
    density = sum(
        weight * _table(psf, scale) for psf, weight in zip(psfs, weights, strict=True)
    )
    beam = setup.psf_fwhm.to_value(u.arcsec) / scale
    modes = wing_modes(
        psfs,
        weights=weights,
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
        The setup. Its own PSF is taken, but for PACS
        `~photutils_pconv.psf.lobed_psf`, which has its encircled energies.

    pixel_scale : float
        The side of the map's pixels, in arcsec.

    Returns
    -------
    profile : `WingProfile`
        The mean flux in a pixel by the distance of its centre.
    """
    beam = setup.psf_fwhm.to_value(u.arcsec) / pixel_scale
    psf = lobed_psf(setup) if has_lobes(setup) else get_psf(setup)
    return WingProfile(_table(psf, pixel_scale, on_pixels=True), beam)


def _table(psf, pixel_scale, *, on_pixels=False):
    """Tabulate a PSF's mean density, or its average over pixels, in 1/pixel."""
    if isinstance(psf, LobedPSF):
        # The variance of a square is a twelfth of its side's square.
        variance = pixel_scale**2 / 12.0 if on_pixels else 0.0
        return _radial_density(psf, pixel_scale, variance=variance)
    psf = psf.on_pixels(pixel_scale) if on_pixels else psf
    radius = pixel_scale * np.arange(0.0, _REACH + _STEP, _STEP)
    return mean_density(psf, radius) * pixel_scale**2


def _radial_density(psf, pixel_scale, *, variance=0.0):
    """Tabulate a PSF's mean density, in units of 1/pixel."""
    r2 = (pixel_scale * np.arange(0.0, _REACH + _STEP, _STEP)) ** 2
    density = 0.0
    for sigma, weight in zip(psf.sigmas, psf.weights, strict=True):
        width = sigma**2 + variance
        density += weight * np.exp(-0.5 * r2 / width) / (2.0 * np.pi * width)
    return density * pixel_scale**2
