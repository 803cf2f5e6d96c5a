# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
One parser for every accepted map and one for every accepted source list.

Whatever the form of a map, `parse_map` gives an array with the missing
pixels as NaN, and `MapInput.like_input` puts a result into that form
again. `parse_sources` gives pixel positions.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import astropy.units as u
import numpy as np
from astropy.nddata import NDData, StdDevUncertainty
from astropy.utils.masked import Masked

from photutils_pconv._utils.scratch import copy_to_scratch, make_zeros
from photutils_pconv._utils.warnings import hold_filters
from photutils_pconv.inputs.opening import open_map
from photutils_pconv.inputs.regions import regions_to_mask
from photutils_pconv.inputs.units import (
    celestial_wcs,
    depends_on_area,
    get_area_ratio,
    get_jy_per_pixel,
    get_pixel_scale,
)
from photutils_pconv.inputs.values import (
    add_history,
    check_dimensions,
    check_mask,
    convert_unit,
    find_unknown_error,
    output_dtype,
    parse_error,
    split_map,
    uncertainty_power,
    warn_about_blank_border,
)

__all__ = [
    'MapInput',
    'parse_map',
    'parse_opened',
]

_NOTHING_LEFT = 'The map has no usable pixel: all are NaN, masked or without coverage.'


@dataclass(eq=False)
class MapInput:
    """
    A map in the form that the package works on.

    `parse_map` makes it.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map, a copy of the input, with NaN in missing pixels: in single
        precision where the input is, and else in double precision.

    missing : 2D bool `~numpy.ndarray`
        Where pixels are missing: not finite, masked, or not covered.

    error : 2D float64 `~numpy.ndarray` or `None`
        The standard deviation of ``data``, in its unit; NaN where it is not
        known.

    unknown_error : 2D bool `~numpy.ndarray` or `None`
        Where the map has data, but its error is NaN, infinite, or 0.

    unit : `~astropy.units.Unit` or `None`
        The map's unit.

    jy_per_pixel : float
        The factor from ``unit`` to Jy/pixel; 1 for a map without unit. It
        is that at the centre of the map (see `jy_per_pixel_at`).

    flux_unit : `~astropy.units.Unit` or `None`
        The unit of fluxes: Jy, or `None` for a map without unit.

    wcs : WCS or `None`
        The celestial WCS.

    pixel_scale : `~astropy.units.Quantity` or `None`
        The pixel scale (arcsec) of the WCS.

    meta : mapping
        A copy of the input's metadata.

    original : object
        The input itself; for a path or HDUs, the
        `~astropy.nddata.CCDData` that was read from it.

    scratch : str or path-like, optional
        The folder where images of the map's size are kept in files (default: in
        memory).
    """

    data: np.ndarray
    missing: np.ndarray
    error: np.ndarray | None
    unknown_error: np.ndarray | None
    unit: u.UnitBase | None
    jy_per_pixel: float
    flux_unit: u.UnitBase | None
    wcs: Any
    pixel_scale: u.Quantity | None
    meta: Any
    original: Any
    scratch: Any = None

    @property
    def shape(self) -> tuple[int, int]:
        """
        The shape (ny, nx) of the map.
        """
        return self.data.shape

    def jy_per_pixel_at(self, x: np.ndarray, y: np.ndarray) -> float | np.ndarray:
        """
        Give the factor from ``unit`` to Jy/pixel at each of some positions.

        Parameters
        ----------
        x, y : 1D `~numpy.ndarray`
            The positions (pixels, from 0).

        Returns
        -------
        factor : float or 1D `~numpy.ndarray`
            ``jy_per_pixel``, in the ratio of the pixels' areas where the
            unit has a solid angle and these areas vary over the map (by
            over 0.1 percent).
        """
        if self.wcs is None or not depends_on_area(self.unit):
            return self.jy_per_pixel
        ratio = get_area_ratio(self.wcs, self.shape, self.pixel_scale, x, y)
        return self.jy_per_pixel if ratio is None else self.jy_per_pixel * ratio

    def make_zeros(self, dtype=float):
        """
        Make an image of zeros of the map's size, in memory or in a file.

        Parameters
        ----------
        dtype : `numpy.dtype`, optional
            Its type.

        Returns
        -------
        image : 2D `~numpy.ndarray`
            The image.
        """
        return make_zeros(self.shape, dtype, self.scratch)

    def without(self, mask):
        """
        Give the same map with further pixels missing.

        Parameters
        ----------
        mask : 2D bool `~numpy.ndarray`
            True for those pixels.

        Returns
        -------
        map_input : `MapInput`
            The map.

        Raises
        ------
        ValueError
            If no pixel is left.
        """
        missing = self.missing | mask
        if np.all(missing):
            raise ValueError(_NOTHING_LEFT)
        if self.scratch is None:
            data = np.where(missing, np.nan, self.data)
        else:
            data = copy_to_scratch(self.data, self.data.dtype, self.scratch)
            data[missing] = np.nan
        changes = {'missing': missing, 'data': data}
        if self.error is not None:
            changes['error'] = np.where(missing, np.nan, self.error)
            changes['unknown_error'] = self.unknown_error & ~missing
        return replace(self, **changes)

    @hold_filters
    def like_input(
        self,
        data: np.ndarray,
        *,
        error: np.ndarray | None = None,
        history: Sequence[str] = (),
        fill: float | None = None,
    ) -> Any:
        """
        Put a result into the form of the input.

        Unit, WCS, mask and metadata are those of the input. Floats of up
        to 64 bits keep their precision, so that unchanged pixels are equal
        bit for bit to the input's; longer floats and integers become
        float64, in which the package calculates.

        Parameters
        ----------
        data : 2D `~numpy.ndarray`
            The result, in the unit of the input.

        error : 2D `~numpy.ndarray`, optional
            Its standard deviation. NDData get it as the kind of
            uncertainty that they have, or a standard deviation if they
            have none; other inputs cannot hold it. By default, the
            uncertainty of the input is kept.

        history : sequence of str, optional
            What was done, to go to the metadata of NDData.

        fill : float, optional
            The value of missing pixels. By default they keep the value
            that they have in the input.

        Returns
        -------
        result : object
            An object of the input's class; `~astropy.nddata.CCDData` for
            a path, HDUs, or an image with its header.

        Raises
        ------
        ValueError
            If the result has another shape than the map.
        """
        original = self.original
        values, mask = split_map(original)[:2]
        dtype = output_dtype(values.dtype)
        if self.scratch is not None:
            result = copy_to_scratch(data, dtype, self.scratch)
        elif isinstance(data, np.ndarray):
            result = np.array(data, dtype=dtype)
        else:
            # what is no array yet becomes a new one
            result = np.asarray(data, dtype=dtype)
        if result.shape != self.shape:
            msg = (
                f'data must have the shape {self.shape} of the map, got {result.shape}.'
            )
            raise ValueError(msg)
        if np.any(self.missing):
            kept = fill
            if fill is None:
                with np.errstate(over='ignore'):
                    kept = values[self.missing].astype(dtype)
            result[self.missing] = kept

        if isinstance(original, NDData):
            return self._like_nddata(result, error, history)
        if isinstance(original, u.Quantity):
            result = u.Quantity(result, original.unit, copy=False)
        if isinstance(original, Masked):
            return Masked(result, mask=mask.copy())
        if isinstance(original, np.ma.MaskedArray):
            with np.errstate(over='ignore'):
                # numpy's usual fill value is none of half precision
                return np.ma.MaskedArray(
                    result, mask=mask.copy(), fill_value=original.fill_value
                )
        return result

    def _like_nddata(self, values, error, history):
        original = self.original
        # the copy has the new pixels, rather than ones that are thrown away
        result = copy.deepcopy(original, {id(original.data): values})
        try:
            result.data = values
        except AttributeError:
            # plain NDData have no setter, and their subclasses' arguments
            # are unknown here
            result._data = values

        old = original.uncertainty
        if old is not None or error is not None:
            kind = StdDevUncertainty if old is None else type(old)
            unit = None if old is None else old.unit
            if error is None:
                array = np.array(old.array)
            else:
                power = 1 if old is None else uncertainty_power(old)
                factor = (
                    convert_unit(self.unit, unit, power)
                    if power != 1 or unit != self.unit
                    else 1.0
                )
                with np.errstate(divide='ignore'):
                    array = np.asarray(error, dtype=float) ** power * factor
                if old is not None:
                    kept = self.missing
                    if self.unknown_error is not None:
                        kept = kept | (self.unknown_error & ~np.isfinite(error))
                    array[kept] = old.array[kept]
                array = array.astype(
                    output_dtype(values.dtype if old is None else old.array.dtype)
                )
            result.uncertainty = kind(array, unit=unit)
        if result.wcs is None and self.wcs is not None:
            result.wcs = self.wcs
        add_history(result.meta, history)
        return result


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
    missing = np.isfinite(array, out=make_zeros(array.shape, bool, scratch))
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
    if np.all(missing):
        raise ValueError(_NOTHING_LEFT)
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
