# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
WCS, pixel scale, and the factor from a map's unit to Jy/pixel.
"""

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from astropy.wcs.utils import proj_plane_pixel_area, proj_plane_pixel_scales

from photutils_pconv._utils.warnings import hold_filters, warn_user
from photutils_pconv.inputs.beams import get_beam_area
from photutils_pconv.inputs.unit_texts import ACCEPTED_UNITS
from photutils_pconv.inputs.wcs_headers import read_wcs, with_known_frame

__all__ = [
    'celestial_wcs',
    'depends_on_area',
    'get_area_ratio',
    'get_jy_per_pixel',
    'get_pixel_scale',
]

# The relative difference of pixel sides, and of areas over a map, that is let pass;
# by choice, below the accuracy of photometry.
_SIZE_GUARD = 0.01
# By how much pixels at the centre may differ from the header's; by choice, to give
# maps near the reference position the pixel scale of their header.
_HEADER_GUARD = 1e-3
_N_SAMPLES = 9  # pixels along each side of a map that are measured on the sky


@hold_filters
def celestial_wcs(wcs):
    """
    The 2-D celestial WCS of a map.

    Parameters
    ----------
    wcs : WCS, `~astropy.io.fits.Header` or `None`
        A `~astropy.wcs.WCS` or another WCS with astropy's shared
        interface (APE 14), or a header that holds one.

    Returns
    -------
    wcs : WCS or `None`
        The WCS, without further axes; `None` if it is not celestial.

    Raises
    ------
    TypeError, ValueError
        If ``wcs`` is not a WCS, or its frame is not known.
    """
    if isinstance(wcs, fits.Header):
        wcs = read_wcs(wcs, None, 'the header')
    if wcs is None:
        return None
    if isinstance(wcs, WCS):
        if not wcs.has_celestial:
            return None
        return with_known_frame(wcs if wcs.naxis == 2 else wcs.celestial)
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


@hold_filters
def get_pixel_scale(wcs, shape):
    """
    The pixel scale of a celestial WCS.

    It is that of the header (the square root of the pixel's area there)
    where the pixels at the centre of the map have it, too, to 0.1 percent,
    and else that of the pixels at the centre of the map: far from the
    reference position of a projection, pixels have other sizes.

    Parameters
    ----------
    wcs : WCS
        The result of `celestial_wcs`.

    shape : tuple of int
        The shape (ny, nx) of the map.

    Returns
    -------
    scale : `~astropy.units.Quantity`
        The pixel scale (arcsec): the square root of the pixel's area. A
        warning says where the area varies by over 1 percent on the map.

    Raises
    ------
    ValueError
        If the pixels are not square, to 1 percent, or have no place on the sky.
    """
    local = _measure_pixels(wcs, shape)
    if local is None:
        msg = (
            'The WCS gives the pixels of the map no place on the sky: correct it, or '
            'give the map without it.'
        )
        raise ValueError(msg)
    if isinstance(wcs, WCS):
        with np.errstate(invalid='ignore'):
            sides = proj_plane_pixel_scales(wcs) * u.deg
            area = proj_plane_pixel_area(wcs) * u.deg**2
        centre = local.at_centre()
        nominal = np.array([*sides.to_value(u.rad), area.to_value(u.sr)])
        if not np.allclose(nominal, centre, rtol=_HEADER_GUARD, atol=0):
            sides, area = centre[:2] * u.rad, centre[2] * u.sr
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
        sine = min((area / (sides[0] * sides[1])).to_value(u.one), 1.0)
        angle = f', at {np.degrees(np.arcsin(sine)):.1f} deg' if sine < 0.999 else ''
        msg = (
            f'The pixels of the map are not square: {sides[0]:.4g} by '
            f'{sides[1]:.4g}{angle}. Reproject the map to square pixels.'
        )
        raise ValueError(msg)
    local.warn_if_uneven()
    return np.sqrt(area).to(u.arcsec)


@hold_filters
def get_area_ratio(wcs, shape, pixel_scale, x, y):
    """
    The area of pixels at some positions over that at the pixel scale.

    Parameters
    ----------
    wcs : WCS
        The result of `celestial_wcs`.

    shape : tuple of int
        The shape (ny, nx) of the map.

    pixel_scale : `~astropy.units.Quantity`
        The result of `get_pixel_scale`.

    x, y : 1D `~numpy.ndarray`
        The positions (pixels, from 0).

    Returns
    -------
    ratio : 1D `~numpy.ndarray` or `None`
        The ratios, 1 where a position has no counterpart on the sky; `None`
        for a map on which none differs from 1 by more than 0.1 percent.
    """
    local = _measure_pixels(wcs, shape)
    nominal = (pixel_scale**2).to_value(u.sr)
    if local is None or np.allclose(local.area, nominal, rtol=_HEADER_GUARD, atol=0):
        return None
    ratio = _Pixels.at(wcs, x, y).area / nominal
    return np.where(np.isfinite(ratio) & (ratio > 0), ratio, 1.0)


@dataclass(frozen=True)
class _Pixels:
    """Sides (rad) and areas (sr) of pixels on the sky."""

    side_x: np.ndarray
    side_y: np.ndarray
    area: np.ndarray

    @classmethod
    def at(cls, wcs, x, y):
        half = 0.5
        along_x = _to_vector(wcs, x + half, y) - _to_vector(wcs, x - half, y)
        along_y = _to_vector(wcs, x, y + half) - _to_vector(wcs, x, y - half)
        return cls(
            side_x=np.linalg.norm(along_x, axis=-1),
            side_y=np.linalg.norm(along_y, axis=-1),
            area=np.linalg.norm(np.cross(along_x, along_y), axis=-1),
        )

    def select(self, index):
        return _Pixels(self.side_x[index], self.side_y[index], self.area[index])

    def at_centre(self):
        return np.array([self.side_x[0], self.side_y[0], self.area[0]])

    def warn_if_uneven(self):
        low, high = self.area.min() / self.area[0], self.area.max() / self.area[0]
        squareness = np.min(self.area / np.maximum(self.side_x, self.side_y) ** 2)
        if high - low <= _SIZE_GUARD and squareness >= 1 - 2 * _SIZE_GUARD:
            return
        msg = (
            f'The area of the pixels varies over the map, from {low:.3f} to '
            f'{high:.3f} of that at its centre'
        )
        if squareness < 1 - 2 * _SIZE_GUARD:
            msg += f', and their sides differ by up to {1 / squareness - 1:.1%}'
        msg += (
            '. Surface brightness is converted to flux with the area at each source, '
            'but apertures, holes and the PSF are of the scale at the centre. Cut '
            'the map into parts, or reproject it.'
        )
        warn_user(msg)


def _measure_pixels(wcs, shape):
    """
    Measure pixels on a grid over the map, the one nearest to the centre first.

    Those without a place on the sky are left out; `None` if none has one.
    """
    ny, nx = shape
    x, y = np.meshgrid(
        np.linspace(0, nx - 1, _N_SAMPLES), np.linspace(0, ny - 1, _N_SAMPLES)
    )
    x, y = x.ravel(), y.ravel()
    order = np.argsort(np.hypot(x - (nx - 1) / 2, y - (ny - 1) / 2), kind='stable')
    pixels = _Pixels.at(wcs, x[order], y[order])
    good = np.isfinite(pixels.area) & (pixels.area > 0)
    return pixels.select(good) if np.any(good) else None


def _to_vector(wcs, x, y):
    """The unit vectors, (N, 3), to pixel positions."""
    with np.errstate(invalid='ignore'):
        # positions without a place on the sky
        sky = wcs.pixel_to_world(x, y)
    lon, lat = sky.spherical.lon.to_value(u.rad), sky.spherical.lat.to_value(u.rad)
    return np.stack(
        [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1
    )


def depends_on_area(unit):
    """
    Return whether a map's unit has a solid angle other than a pixel.

    Parameters
    ----------
    unit : `~astropy.units.Unit` or `None`
        The unit.

    Returns
    -------
    depends : bool
        Whether it does, so that Jy/pixel takes the area of a pixel.
    """
    return unit is not None and not any(
        unit.is_equivalent(one) for one in (u.Jy / u.pix, u.Jy)
    )


@hold_filters
def get_jy_per_pixel(unit, pixel_scale, *, beam=None, meta=None, setup_fwhm=None):
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

    setup_fwhm : `~astropy.units.Quantity`, optional
        The FWHM that the beam should have, to a factor of 2.

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
    if not isinstance(unit, u.UnitBase | None):
        # magnitudes and decibels are no fluxes until converted
        msg = (
            f'The unit {unit!s} of the map is not accepted, as it is logarithmic or '
            f'of several parts; accepted are {ACCEPTED_UNITS}. Convert the map first.'
        )
        raise ValueError(msg)
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
        area = pixel_scale**2 / get_beam_area(
            beam, meta or {}, pixel_scale, setup_fwhm=setup_fwhm
        )
        return float(unit.to(u.Jy / u.beam) * area.to_value(u.one))
    return float(unit.to(u.Jy / u.sr) * (pixel_scale**2).to_value(u.sr))
