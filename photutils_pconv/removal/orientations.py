# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Directions of a catalogue on the map: of sources' axes, and of the PSF at each source.
"""

import astropy.units as u
import numpy as np

from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.psf.library import GriddedPSF
from photutils_pconv.removal.settings import EMPIRICAL

__all__ = ['find_turns', 'to_map_angles']

# A step (arcsec) along the position angle, to see its direction on the map; small
# beside a pixel's curvature, by choice.
_STEP = 0.5


def find_turns(settings, psf, sources):
    """
    Give the angles by which the PSF is turned at each source.

    Parameters
    ----------
    settings : `~photutils_pconv.removal.RemovalSettings`
        Where the PSF is from.

    psf : PSF or `None`
        The PSF.

    sources : `~photutils_pconv.removal.Sources`
        The sources, of which the M distinct ones on the map are meant.

    Returns
    -------
    angles : (M,) `~numpy.ndarray` or `None`
        The angles, in radians counter-clockwise on the map; NaN where the angle is not
        known. `None` if the catalogue has none, or the PSF cannot be turned: a
        PSF that was built from the map or varies over it is as it is seen there,
        which warns.
    """
    given = sources.source_input.psf_angles
    if given is None or psf is None:
        return None
    if settings.psf_name == EMPIRICAL or isinstance(psf, GriddedPSF):
        what = 'built from the map' if settings.psf_name == EMPIRICAL else 'of a grid'
        msg = (
            f"The PSF {what} is not turned: the catalogue's angles of the PSF are not "
            "used. Give the instrument's PSF (psf) to use them."
        )
        warn_user(msg)
        return None
    first = np.flatnonzero(sources.inside)[sources.distinct.first]
    angle = np.radians(given.angle[first])
    if given.from_north:
        # The position angle is where the PSF's y axis points.
        angle = to_map_angles(sources, first, angle) - 0.5 * np.pi
    return angle


def to_map_angles(sources, chosen, position_angle):
    """
    Turn position angles into angles from the map's x axis.

    Parameters
    ----------
    sources : `~photutils_pconv.removal.Sources`
        The sources, and the map's WCS.

    chosen : (M,) `~numpy.ndarray`
        The rows of the sources in question.

    position_angle : (M,) `~numpy.ndarray`
        Their position angles, in radians.

    Returns
    -------
    angle : (M,) `~numpy.ndarray`
        The angles counter-clockwise from the x axis, in radians. Without a WCS north
        is up, and east is left.
    """
    sky, wcs = sources.source_input.sky, sources.wcs
    if sky is None or wcs is None:
        return position_angle + 0.5 * np.pi
    place = sky[chosen]
    ahead = place.directional_offset_by(position_angle * u.rad, _STEP * u.arcsec)
    x0, y0 = wcs.world_to_pixel(place)
    x1, y1 = wcs.world_to_pixel(ahead)
    return np.arctan2(y1 - y0, x1 - x0)
