# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Maps in the form in which they are given: read from disk, but not parsed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.nddata import NDData
from astropy.utils.masked import Masked

from photutils_pconv._utils.warnings import hold_filters
from photutils_pconv.inputs.fits import read_file_map, take_pair
from photutils_pconv.inputs.fits_files import is_fits_source
from photutils_pconv.inputs.regions import take_regions

__all__ = ['OpenedMap', 'open_map']


@dataclass(frozen=True, eq=False, kw_only=True)
class OpenedMap:
    """
    A map, and what was given with it.

    Parameters
    ----------
    data : NDData or array
        The map; `~astropy.nddata.CCDData` if it came from a file.

    mask, error, wcs : object
        What was given, or read from the map's file.

    is_file : bool
        Whether the map came from a file.

    regions : list of region or `None`
        The regions that were given as a mask.
    """

    data: Any
    mask: Any
    error: Any
    wcs: Any
    is_file: bool
    regions: Any = None

    @property
    def meta(self):
        """
        The map's header or other metadata; empty for arrays (mapping).
        """
        return self.data.meta if isinstance(self.data, NDData) else {}


@hold_filters
def open_map(data, *, hdu=None, mask=None, error=None, wcs=None):
    """
    Read a map from its file, if it is in one.

    Parameters
    ----------
    data, hdu, mask, error, wcs : optional
        As for `~photutils_pconv.inputs.parse_map`.

    Returns
    -------
    opened : `OpenedMap`
        The map.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If the file cannot be read, or an extension is named where there is no
        file.
    """
    is_file = is_fits_source(data)
    regions = take_regions(mask)
    mask = None if regions is not None else mask
    if is_file:
        file_map = read_file_map(data, hdu=hdu, mask=mask, error=error)
        data, mask, error = file_map.ccd, file_map.mask, file_map.error
    else:
        data, wcs, is_file = take_pair(data, wcs)
        for name, value in (('error', error), ('mask', mask)):
            if isinstance(value, str):
                msg = (
                    f'{name} = {value!r} names an extension: {name} can be the name of '
                    'an extension only if data is the path of a FITS file.'
                )
                raise TypeError(msg)
        if hdu is not None:
            msg = (
                f'hdu = {hdu!r} names an extension: hdu is for FITS files and HDUs, '
                f'got {type(data).__name__} as data.'
            )
            raise TypeError(msg)
    if not isinstance(data, NDData | np.ndarray | Masked):
        try:
            data = np.asarray(data)
        except ValueError:
            data = np.asarray(None)
    return OpenedMap(
        data=data,
        mask=None if mask is np.ma.nomask else mask,
        error=error,
        wcs=wcs,
        is_file=is_file,
        regions=regions,
    )
