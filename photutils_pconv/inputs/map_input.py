# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A map as the package works on it, and the way back to the form that it came in.
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
from photutils_pconv.inputs.uncertainties import convert_unit, uncertainty_power
from photutils_pconv.inputs.units import depends_on_area, get_area_ratio
from photutils_pconv.inputs.values import (
    add_history,
    check_some_left,
    output_dtype,
    split_map,
)

__all__ = ['MapInput']


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
        check_some_left(missing)
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
