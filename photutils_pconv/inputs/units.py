# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
WCS, pixel scale, and the factor from a map's unit to Jy/pixel.
"""

import astropy.units as u
import numpy as np
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_area, proj_plane_pixel_scales

__all__ = [
    'ACCEPTED_UNITS',
    'celestial_wcs',
    'get_jy_per_pixel',
    'get_pixel_scale',
]

ACCEPTED_UNITS = (
    'Jy/pixel (or Jy, taken as Jy/pixel), Jy/sr, Jy/arcsec2 and '
    'Jy/beam, each with any prefix or as another unit of flux '
    'density, or no unit'
)
_SIZE_GUARD = 0.01  # the relative difference of pixel sides that is let pass


def celestial_wcs(wcs):
    """
    The 2-D celestial WCS of a map.

    Parameters
    ----------
    wcs : WCS or `None`
        A `~astropy.wcs.WCS` or another WCS with astropy's shared
        interface (APE 14).

    Returns
    -------
    wcs : WCS or `None`
        The WCS, without further axes; `None` if it is not celestial.

    Raises
    ------
    TypeError
        If ``wcs`` is not a WCS.
    """
    if wcs is None:
        return None
    if isinstance(wcs, WCS):
        if not wcs.has_celestial:
            return None
        return wcs if wcs.naxis == 2 else wcs.celestial
    if not (hasattr(wcs, 'world_to_pixel') and hasattr(wcs, 'pixel_to_world')):
        msg = (
            'wcs must be an astropy WCS or have its interface, got '
            f'{type(wcs).__name__}.'
        )
        raise TypeError(msg)
    low = wcs.low_level_wcs
    kinds = low.world_axis_physical_types
    if low.pixel_n_dim == low.world_n_dim == 2 and all(
        'pos.' in (kind or '') for kind in kinds
    ):
        return wcs
    return None


def get_pixel_scale(wcs, shape):
    """
    The pixel scale of a celestial WCS.

    Parameters
    ----------
    wcs : WCS
        The result of `celestial_wcs`.

    shape : tuple of int
        The shape (ny, nx) of the map.

    Returns
    -------
    scale : `~astropy.units.Quantity`
        The pixel scale (arcsec): the square root of the pixel's area.

    Raises
    ------
    ValueError
        If the pixels are not square, to 1 percent.
    """
    if isinstance(wcs, WCS):
        sides = proj_plane_pixel_scales(wcs) * u.deg
        area = proj_plane_pixel_area(wcs) * u.deg**2
    else:
        y, x = (size / 2 for size in shape)
        origin, along_x, along_y = wcs.pixel_to_world([x, x + 1, x], [y, y, y + 1])
        sides = u.Quantity([origin.separation(along_x), origin.separation(along_y)])
        angle = origin.position_angle(along_x) - origin.position_angle(along_y)
        area = np.abs(np.sin(angle)) * sides[0] * sides[1]
    sides = sides.to(u.arcsec)
    if not (np.all(np.isfinite(sides.value)) and np.all(sides.value > 0)):
        msg = f'The WCS has no valid pixel scale, got {sides}.'
        raise ValueError(msg)
    squareness = (area / np.max(sides) ** 2).to_value(u.one)
    if squareness < 1 - _SIZE_GUARD:
        msg = (
            f'The pixels of the map are not square: {sides[0]:.4g} by '
            f'{sides[1]:.4g}. Reproject the map to square pixels.'
        )
        raise ValueError(msg)
    return np.sqrt(area).to(u.arcsec)


def _get_beam_area(beam, meta):
    """
    The solid angle of a Gaussian beam from its FWHM or from a header.
    """
    if beam is not None:
        try:
            axes = np.atleast_1d(u.Quantity(beam, u.arcsec, dtype=float))
        except (TypeError, u.UnitConversionError):
            axes = np.array([])
        if axes.shape not in ((1,), (2,)) or not np.all(axes > 0):
            msg = (
                "beam must be the beam's FWHM in arcsec, or a pair of the "
                f'FWHM of its axes, all positive, got {beam!r}.'
            )
            raise ValueError(msg)
        major, minor = axes[0], axes[-1]
    else:
        header = {str(key).upper(): value for key, value in meta.items()}
        major = header.get('BMAJ')
        minor = header.get('BMIN', major)
        if major is None:
            msg = (
                "The map's unit is per beam, but its header has no BMAJ "
                "and BMIN: give beam, the beam's FWHM in arcsec."
            )
            raise ValueError(msg)
        major, minor = u.Quantity([major, minor], u.deg, dtype=float)
    return np.pi / (4 * np.log(2)) * major * minor


def get_jy_per_pixel(unit, pixel_scale, *, beam=None, meta=None):
    """
    The factor from a map's unit to Jy/pixel.

    Parameters
    ----------
    unit : `~astropy.units.Unit` or `None`
        The map's unit. Flux density without a solid angle is taken as
        per pixel, as the labels of PACS products ask for.

    pixel_scale : `~astropy.units.Quantity` or `None`
        The pixel scale, needed if the unit has a solid angle.

    beam : float, pair of float or `~astropy.units.Quantity`, optional
        The FWHM of the beam (arcsec), or of its two axes, for units per
        beam; by default ``BMAJ`` and ``BMIN`` (deg) of ``meta``.

    meta : mapping, optional
        The map's header.

    Returns
    -------
    factor : float
        The factor; 1 if there is no unit.

    Raises
    ------
    ValueError
        If the unit is not of surface brightness, or the pixel scale or
        the beam are needed and not known.
    """
    per_beam = unit is not None and unit.is_equivalent(u.Jy / u.beam)
    if beam is not None and not per_beam:
        msg = (
            f'beam is for maps in Jy/beam, but the unit of this map is '
            f'{unit}: leave it out.'
        )
        raise ValueError(msg)
    if unit is None:
        return 1.0
    for per_pixel in (u.Jy / u.pix, u.Jy):
        if unit.is_equivalent(per_pixel):
            return float(unit.to(per_pixel))
    if not (per_beam or unit.is_equivalent(u.Jy / u.sr)):
        msg = (
            f'The unit {unit.to_string()!r} of the map is not accepted; '
            f'accepted are {ACCEPTED_UNITS}.'
        )
        raise ValueError(msg)
    if pixel_scale is None:
        msg = (
            f'A map in {unit} without a celestial WCS has no pixel area: '
            'give wcs, or the map in Jy/pixel.'
        )
        raise ValueError(msg)
    if per_beam:
        area = pixel_scale**2 / _get_beam_area(beam, meta or {})
        return float(unit.to(u.Jy / u.beam) * area.to_value(u.one))
    return float(unit.to(u.Jy / u.sr) * (pixel_scale**2).to_value(u.sr))
