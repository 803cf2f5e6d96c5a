# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What the other methods take, a map and its sources, and what they give.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import astropy.units as u
import numpy as np

from photutils_pconv.geometry.holes import draw_holes
from photutils_pconv.geometry.windows import Window, find_window
from photutils_pconv.photometry.apertures import encircled_energy_correction
from photutils_pconv.photometry.flags import flag_positions
from photutils_pconv.photometry.response import pixel_response
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.profiles import pixel_profile

__all__ = ['MethodResult', 'Scene']


@dataclass(frozen=True, kw_only=True, eq=False)
class MethodResult:
    """
    What a method makes of a map: fluxes, and the map that it leaves.

    Parameters
    ----------
    flux : 1D `~numpy.ndarray`
        The total fluxes of the ``N`` sources, in the map's unit times
        pixel; NaN where the method failed.

    background : 2D `~numpy.ndarray`
        The map without the sources, NaN where it is missing. Fills and
        annuli change the holes only, PSF fits subtract the whole PSF.

    polynomial : 2D `~numpy.ndarray` or `None`
        Of a fit of PSF and polynomial, the same with the polynomial in
        the part of each hole that was fitted.

    flux_err : 1D `~numpy.ndarray` or `None`
        The standard deviations of the fluxes' errors, where the method
        estimates them.
    """

    flux: np.ndarray
    background: np.ndarray = field(repr=False)
    polynomial: np.ndarray | None = field(default=None, repr=False)
    flux_err: np.ndarray | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """
    A map and its sources, as the methods take them.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map, on the setup's pixel scale.

    x, y : 1D `~numpy.ndarray`
        The ``N`` positions, 0-based (pixels).

    hole_radius : 1D `~numpy.ndarray`
        The radii of the holes (pixels).

    setup : `~photutils_pconv.ObservingSetup`
        The setup.

    psf : `~photutils_pconv.psf.SampledPSF` or `~photutils_pconv.psf.LobedPSF`
        The PSF for those who fit one.

    eef : callable
        The encircled-energy fraction of a radius (arcsec), for those who
        measure in apertures.

    missing : 2D bool `~numpy.ndarray`
        Pixels not to use.
    """

    data: np.ndarray
    x: np.ndarray
    y: np.ndarray
    hole_radius: np.ndarray
    setup: Any
    psf: Any
    eef: Any
    missing: np.ndarray = field(repr=False)

    @property
    def pixel_scale(self):
        """
        The side of a pixel (arcsec).
        """
        return self.setup.pixel_scale.to_value(u.arcsec)

    @property
    def aperture_radius(self):
        """
        The radius of the aperture (pixels).
        """
        return self.setup.aperture_radius.to_value(u.arcsec) / self.pixel_scale

    @property
    def annulus_radii(self):
        """
        The radii of the standard annulus (pixels).
        """
        return self.setup.annulus_radii.to_value(u.arcsec) / self.pixel_scale

    @cached_property
    def pixel_psf(self):
        """
        The PSF on the map's pixels, averaged over all angles.
        """
        return PixelPSF(self.psf, self.pixel_scale)

    @cached_property
    def holes(self):
        """
        The pixels of all holes (2D bool `~numpy.ndarray`).
        """
        return draw_holes(self.data.shape, self.x, self.y, self.hole_radius)

    @cached_property
    def usable(self):
        """
        Whether each source has a hole on the map (1D bool `~numpy.ndarray`).
        """
        _, _, inside, _ = flag_positions(self.x, self.y, self.data.shape)
        return inside & (np.nan_to_num(self.hole_radius) > 0)

    def window(self, i, half):
        """
        Find the part of the map around a source.

        Parameters
        ----------
        i : int
            The source; it lies on the map.

        half : int
            Half the side of the part, in pixels.

        Returns
        -------
        window : `~photutils_pconv.geometry.windows.Window`
            The square about the source's pixel, whose offsets are those
            from its position.
        """
        x, y = self.x[i], self.y[i]
        rows, columns = find_window(self.data.shape, int(x), int(y), half).region
        return Window(rows, columns, x, y)

    def hole(self, i, window):
        """
        Find which pixels of a window belong to a source's hole.

        Parameters
        ----------
        i : int
            The source.

        window : `~photutils_pconv.geometry.windows.Window`
            Its window.

        Returns
        -------
        hole : 2D bool `~numpy.ndarray`
            True in the hole.
        """
        return window.within(self.hole_radius[i])

    @cached_property
    def pixel_response(self):
        """
        What the aperture's pixels in the hole hold, over its circle.
        """
        return pixel_response(
            self.x,
            self.y,
            radii=[self.aperture_radius],
            hole_radius=self.hole_radius,
            profile=pixel_profile(self.setup, self.pixel_scale),
        )[:, 0]

    def in_aperture(self, fluxes, fraction):
        """
        Correct sums in the aperture to total fluxes.

        Parameters
        ----------
        fluxes : 1D `~numpy.ndarray`
            The sums.

        fraction : 1D `~numpy.ndarray`
            The share of the aperture that was usable.

        Returns
        -------
        fluxes : 1D `~numpy.ndarray`
            The total fluxes.
        """
        correction = encircled_energy_correction(
            [self.setup.aperture_radius.to_value(u.arcsec)], fraction[:, None], self.eef
        )
        return fluxes * correction[:, 0]
