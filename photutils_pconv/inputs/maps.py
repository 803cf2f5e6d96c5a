# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
One parser for every accepted map.

Whatever the form of a map, `parse_map` gives an array with the missing
pixels as NaN, and `MapInput.like_input` puts a result into that form
again.
"""

from __future__ import annotations

import copy
from typing import Any

import astropy.units as u
import numpy as np
from astropy.nddata import NDData

from photutils_pconv._utils.scratch import copy_to_scratch, make_zeros
from photutils_pconv._utils.warnings import hold_filters
from photutils_pconv.inputs.map_input import MapInput
from photutils_pconv.inputs.opening import open_map
from photutils_pconv.inputs.regions import regions_to_mask
from photutils_pconv.inputs.uncertainties import find_unknown_error, parse_error
from photutils_pconv.inputs.units import (
    celestial_wcs,
    get_jy_per_pixel,
    get_pixel_scale,
)
from photutils_pconv.inputs.values import (
    check_dimensions,
    check_mask,
    check_some_left,
    split_map,
    warn_about_blank_border,
)

__all__ = ['parse_map', 'parse_opened']


@hold_filters
def parse_map(
    data: Any,
    *,
    hdu: int | str | tuple | None = None,
    mask: Any = None,
    coverage_mask: Any = None,
    error: Any = None,
    wcs: Any = None,
    beam: Any = None,
    pixel_scale: Any = None,
    setup_fwhm: Any = None,
) -> MapInput:
    """
    Bring a map of any accepted form to one form.

    Parameters
    ----------
    data : 2D array_like, NDData, Quantity, masked array, path or HDUs
        The map: `~astropy.nddata.CCDData` or another
        `~astropy.nddata.NDData`, `~astropy.units.Quantity`,
        `~numpy.ndarray`, masked array, the path of a FITS file, an
        `~astropy.io.fits.HDUList`, an image HDU, or a pair of an array
        and its header or WCS. Which image of a file is the map, and which
        of its extensions count, see `read_fits_map`.

    hdu : int, str or tuple, optional
        The HDU of a file that holds the map: its number, its name, or a
        pair of name and version. By default the names say.

    mask : 2D bool `~numpy.ndarray`, str, int or Regions, optional
        True for bad pixels. For a file it can be the name or number of the
        extension that is not 0 in bad pixels. Regions, or the name of a region
        file (``.reg``), are bad in all of their areas, with or without a minus
        sign.

    coverage_mask : 2D bool `~numpy.ndarray`, optional
        True for pixels without data. Both masks make pixels missing, and
        so does a value that is not finite.

    error : 2D array_like, Quantity, str or int, optional
        The standard deviation of the map. For a file, it can be the name
        of the extension that holds it (``'error'`` or ``'stDev'`` in
        PACS products). No extension is taken for it unasked, since
        ``stDev`` of a JScanam map is the scatter within a pixel and not
        the error of a map with correlated noise.

    wcs : WCS or `~astropy.io.fits.Header`, optional
        The celestial WCS of a map that has none itself.

    beam : float, pair of float or `~astropy.units.Quantity`, optional
        The FWHM of the beam, or of its axes (arcsec), for a map in
        Jy/beam without ``BMAJ`` and ``BMIN`` in its header.

    pixel_scale : `~astropy.units.Quantity` or float, optional
        The pixel scale (arcsec) with which to convert the unit of a map
        without WCS. The WCS is used where there is one.

    setup_fwhm : `~astropy.units.Quantity`, optional
        The FWHM that the beam of a map in Jy/beam should have. A beam that
        differs from it by more than a factor of 2 is refused.

    Returns
    -------
    map_input : `MapInput`
        The map.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If the map is not 2-D, not of real numbers, without a finite
        pixel or in a unit that is not of surface brightness, its pixels
        are not square, its beam is not plausible, a mask or an error does
        not fit it, if something is given that the map has already, or it is
        not clear which image of a file is the map.
    """
    given = open_map(data, hdu=hdu, mask=mask, error=error, wcs=wcs)
    return parse_opened(
        given,
        coverage_mask=coverage_mask,
        beam=beam,
        pixel_scale=pixel_scale,
        setup_fwhm=setup_fwhm,
    )


@hold_filters
def parse_opened(
    given,
    *,
    coverage_mask=None,
    beam=None,
    pixel_scale=None,
    setup_fwhm=None,
    scratch=None,
):
    """
    Bring a map that was opened to one form.

    Parameters
    ----------
    given : `~photutils_pconv.inputs.opening.OpenedMap`
        The map.

    coverage_mask, beam, pixel_scale, setup_fwhm : optional
        As for `parse_map`.

    scratch : str or path-like, optional
        A folder for files in which images of the map's size are kept, rather than in
        memory; an image of a file that is not packed or scaled stays where it is.

    Returns
    -------
    map_input : `MapInput`
        The map.
    """
    data, mask, error, wcs = given.data, given.mask, given.error, given.wcs
    is_file = given.is_file
    is_nddata = isinstance(data, NDData)
    values, own_mask, unit = split_map(data)
    if values.dtype.kind not in 'fiu':
        msg = (
            'data must be CCDData, NDData, a Quantity, an array or a '
            'masked array of real numbers, an image HDU, an HDUList, a pair of array '
            'and header, or the path of a FITS file, '
            f'got {type(data).__name__} of {values.dtype}.'
        )
        raise TypeError(msg)
    check_dimensions(values.shape, 'data')

    own = {}
    if is_nddata:
        # a file's coverage is no reason to refuse the user's mask
        own = {
            'mask': None if is_file else own_mask,
            'error': data.uncertainty,
            'wcs': celestial_wcs(data.wcs),
        }
    named = {
        'mask': mask if given.regions is None else given.regions,
        'error': error,
        'wcs': wcs,
    }
    for key, value in named.items():
        if value is not None and own.get(key) is not None:
            msg = (
                f'{key} was given, but the map has its own: leave it out '
                f'or remove it from the {type(data).__name__}.'
            )
            raise ValueError(msg)

    # twice the memory would make nothing of it better
    dtype = np.float32 if values.dtype.newbyteorder('=') == np.float32 else float
    in_place = given.is_file and scratch is not None and values.dtype.kind == 'f'
    with np.errstate(over='ignore'):
        # a long double can be more than a double holds: missing, then
        array = values if in_place else np.array(values, dtype=dtype, order='C')
    missing = None if scratch is None else make_zeros(array.shape, bool, scratch)
    missing = np.isfinite(array, out=missing)
    np.logical_not(missing, out=missing)
    for name, one in (
        ('The mask of the map', own_mask),
        ('mask', mask),
        ('coverage_mask', coverage_mask),
    ):
        if one is not None:
            missing |= check_mask(one, name, array.shape)
    wcs = own.get('wcs') if wcs is None else wcs
    celestial = celestial_wcs(wcs)
    if given.regions is not None:
        missing |= regions_to_mask(given.regions, array.shape, wcs=celestial)
    check_some_left(missing)
    if np.any(missing):
        if in_place and np.isfinite(array[missing]).any():
            # the file's own pixels come back in the result
            array = copy_to_scratch(array, dtype, scratch)
        if not in_place or array is not values:
            array[missing] = np.nan
    else:
        warn_about_blank_border(array)

    if wcs is not None and celestial is None:
        msg = 'wcs must have two celestial axes.'
        raise ValueError(msg)
    meta = copy.deepcopy(data.meta) if is_nddata else {}
    scale = fallback = None
    if celestial is not None:
        scale = get_pixel_scale(celestial, array.shape)
    elif pixel_scale is not None:
        fallback = u.Quantity(pixel_scale, u.arcsec)
    factor = get_jy_per_pixel(
        unit,
        fallback if scale is None else scale,
        beam=beam,
        meta=meta,
        setup_fwhm=setup_fwhm,
    )

    error = own.get('error') if error is None else error
    unknown = None
    if error is not None:
        error = parse_error(error, unit, array.shape)
        unknown = find_unknown_error(error, missing)
        error[unknown] = np.nan
    return MapInput(
        data=array,
        missing=missing,
        error=error,
        unknown_error=unknown,
        unit=unit,
        jy_per_pixel=factor,
        flux_unit=None if unit is None else u.Jy,
        wcs=celestial,
        pixel_scale=scale,
        meta=meta,
        original=data,
        scratch=scratch,
    )
