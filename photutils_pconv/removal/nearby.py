# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The part of a map that a removal works on: what is near the sources.

The rest is neither copied nor looked at, so that time and memory follow the number
of sources rather than the size of the map.
"""

from dataclasses import dataclass, replace

import astropy.units as u
import numpy as np

from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.geometry.holes import Holes
from photutils_pconv.geometry.parts import MapParts, Overlaid, find_parts
from photutils_pconv.removal.settings import EMPIRICAL
from photutils_pconv.removal.structure import SURROUNDINGS

__all__ = ['Nearby', 'find_reach']

# How far from a source anything is looked at or drawn, in pixels: the wings of the
# brightest ones (80, ``inpainting.wings``), PSFs (60), filters and what they are
# compared with (50), and cutouts (48); with some pixels for fitted positions.
_REACH = 82
# The same without wings: for empty holes into which PSFs were put.
_WINGLESS_REACH = 64
# Images of resolved sources (90, ``psf.resolved``), likewise.
_RESOLVED_REACH = 92
# The room around annuli and apertures, for parts of pixels and fitted positions.
_ROOM = 4


@dataclass(frozen=True, eq=False)
class Nearby:
    """
    What is near the sources of a map.

    Parameters
    ----------
    grid : `~photutils_pconv.geometry.MapGrid`
        The parts of the map, in double precision; or all of it.

    holes : `~photutils_pconv.geometry.Holes`
        The holes as they lie on ``grid``.

    parts : `~photutils_pconv.geometry.parts.MapParts` or `None`
        The parts; `None` for the whole map.
    """

    grid: MapGrid
    holes: Holes
    parts: MapParts | None

    @classmethod
    def around(cls, whole, holes, settings, *, by_parts, scales=None):
        """
        Take what is near the sources of a map.

        Parameters
        ----------
        whole : `~photutils_pconv.geometry.MapGrid`
            The map.

        holes : `~photutils_pconv.geometry.Holes`
            The holes of its sources.

        settings : `~photutils_pconv.removal.RemovalSettings`
            The settings. A PSF that is built from the map, and a map that is
            resampled, need all of the map.

        by_parts : bool
            Whether parts may be taken.

        scales : (M,) `~numpy.ndarray`, optional
            How much larger than the PSF the sources are.

        Returns
        -------
        nearby : `Nearby`
            The parts, or the whole map where these are not much smaller.
        """
        parts = None
        if by_parts and whole.factor == 1 and settings.psf_name != EMPIRICAL:
            reach = find_reach(
                holes.radius,
                settings.setup.annulus_radii[1].to_value(u.arcsec) / whole.pixel_scale,
                np.max(settings.aperture_radii) / whole.pixel_scale,
                scales=scales,
            )
            parts = find_parts(whole.data.shape, holes.x, holes.y, reach)
        if parts is None:
            return cls(whole.in_double(), holes, None)
        return cls(parts.gather_grid(whole), parts.move_holes(holes), parts)

    def widen(self, whole, holes, scales, settings):
        """
        Take more of the map, for sources that turned out to be resolved.

        Parameters
        ----------
        whole, holes, scales, settings
            As for `around`.

        Returns
        -------
        nearby : `Nearby`
            What is near the sources.
        """
        if self.parts is None:
            return replace(self, holes=holes)
        return self.around(whole, holes, settings, by_parts=True, scales=scales)

    def carry(self, fit, other):
        """
        Give the positions of a fit as they are on other parts of the map.

        Parameters
        ----------
        fit : `~photutils_pconv.psf_photometry.PSFFit`
            The fit.

        other : `Nearby`
            The other parts.

        Returns
        -------
        fit : `~photutils_pconv.psf_photometry.PSFFit`
            The fit.
        """
        x, y = fit.x, fit.y
        if self.parts is not None:
            x, y = self.parts.move_back(x, y)
        if other.parts is not None:
            x, y = other.parts.move(x, y)
        return replace(fit, x=x, y=y)

    def lay_over(self, image, values, where):
        """
        Give an image of the whole map with pixels changed near the sources.

        Parameters
        ----------
        image : 2D `~numpy.ndarray`
            The image.

        values : 2D `~numpy.ndarray`
            The pixels near the sources.

        where : 2D bool `~numpy.ndarray`
            Which of them changed.

        Returns
        -------
        image : 2D `~numpy.ndarray` or `~photutils_pconv.geometry.parts.Overlaid`
            The image; ``values`` themselves if they are of the whole map.
        """
        if self.parts is None:
            return values
        return Overlaid(image, self.parts, values, where)


def find_reach(
    hole_radius, annulus_radius, aperture_radius, *, scales=None, wings=True
):
    """
    Find how far from sources anything is looked at or drawn.

    Parameters
    ----------
    hole_radius : (M,) `~numpy.ndarray`
        The radii of their holes, in pixels; NaN without one.

    annulus_radius, aperture_radius : float
        The outer radius of the annulus, and that of the largest aperture, in pixels.

    scales : (M,) `~numpy.ndarray`, optional
        How much larger than the PSF the sources are (default: all are unresolved).

    wings : bool, optional
        Whether the wings of bright sources are looked for.

    Returns
    -------
    reach : (M,) `~numpy.ndarray`
        The distances along either axis, in pixels.
    """
    scales = np.ones(len(hole_radius)) if scales is None else scales
    least = _REACH if wings else _WINGLESS_REACH
    reach = np.where(scales > 1.0, _RESOLVED_REACH, least)
    reach = np.fmax(reach, hole_radius + SURROUNDINGS + 1.0)
    return np.fmax(reach, scales * max(annulus_radius, aperture_radius) + _ROOM)
