# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Maps as the map statistics take them: in any unit, with or without WCS.
"""

import os

import astropy.units as u
import numpy as np
from astropy.nddata import NDData

from photutils_pconv.inputs.fits import read_fits_map
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.values import split_map


def parse_any_unit(data, *, mask=None, coverage_mask=None, wcs=None, pixel_scale=None):
    """
    Parse a map whose unit need not be one of surface brightness.

    Column densities, temperatures and the like have statistics too.

    Returns
    -------
    values : 2D `~numpy.ndarray`
        The map, NaN where it is missing.

    unit : `~astropy.units.Unit`
        Its unit, dimensionless for a map without one.

    scale : `~astropy.units.Quantity`
        The pixel scale, in arcsec; 1 pix if it is not known.
    """
    own_wcs = None
    if isinstance(data, str | os.PathLike):
        data = read_fits_map(data)
    values, own_mask, unit = split_map(data)
    if isinstance(data, NDData):
        own_wcs = data.wcs
    bare = NDData(values, mask=own_mask, wcs=own_wcs)
    parsed = parse_map(bare, mask=mask, coverage_mask=coverage_mask, wcs=wcs)
    return (
        parsed.data,
        u.dimensionless_unscaled if unit is None else unit,
        _pixel_scale(parsed.pixel_scale, pixel_scale),
    )


def parse_region(region, shape):
    """
    Return a region, `True` in the pixels to use, as a bool array.
    """
    if region is None:
        return np.ones(shape, dtype=bool)
    region = np.asarray(region)
    if region.dtype != bool or region.shape != shape:
        msg = (
            f"region must be boolean and of the map's shape {shape}, got "
            f'{region.dtype} of the shape {region.shape}.'
        )
        raise ValueError(msg)
    return region


def select_pixels(data, region, *, mask=None, coverage_mask=None):
    """
    Return the values with data in a region, and their unit or `None`.
    """
    values, unit, _ = parse_any_unit(data, mask=mask, coverage_mask=coverage_mask)
    chosen = parse_region(region, values.shape) & np.isfinite(values)
    if not chosen.any():
        msg = 'region holds no pixel with data.'
        raise ValueError(msg)
    return values[chosen], None if unit == u.dimensionless_unscaled else unit


def _pixel_scale(own, given):
    if given is None:
        return 1.0 * u.pix if own is None else own
    if own is not None:
        msg = 'pixel_scale was given, but the map has a WCS: leave it out.'
        raise ValueError(msg)
    try:
        scale = u.Quantity(given, u.arcsec)
    except (TypeError, u.UnitConversionError) as exc:
        msg = f'pixel_scale must be an angle, in arcsec, got {given!r}.'
        raise ValueError(msg) from exc
    if not (scale.isscalar and np.isfinite(scale) and scale > 0):
        msg = f'pixel_scale must be positive, got {given!r}.'
        raise ValueError(msg)
    return scale
