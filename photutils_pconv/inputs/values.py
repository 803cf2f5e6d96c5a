# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The parts of a map: values, mask, unit and history.
"""

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.nddata import NDData
from astropy.utils.masked import Masked
from scipy.ndimage import binary_dilation

from photutils_pconv._utils.warnings import warn_user

__all__ = [
    'add_history',
    'as_array',
    'check_dimensions',
    'check_mask',
    'check_some_left',
    'output_dtype',
    'split_map',
    'warn_about_blank_border',
]


def add_history(meta, lines):
    """
    Add lines to the history of a header or another mapping, in place.

    Parameters
    ----------
    meta : `~astropy.io.fits.Header` or dict
        The header, or metadata, which remain writable to FITS.

    lines : list of str
        The lines.
    """
    if isinstance(meta, fits.Header):
        for line in lines:
            meta.add_history(line.encode('ascii', 'replace').decode())
        return
    if not lines:
        return
    key = next((key for key in meta if str(key).upper() == 'HISTORY'), 'HISTORY')
    if isinstance(meta.get(key), list):
        meta[key] = [*meta[key], *lines]
    else:
        before = [str(meta[key])] if key in meta else []
        meta[key] = '; '.join([*before, *lines])


def output_dtype(dtype):
    """
    Choose the dtype of results.

    Parameters
    ----------
    dtype : `~numpy.dtype`
        The dtype of the input.

    Returns
    -------
    dtype : `~numpy.dtype`
        The same, in native byte order, if it is a float of up to 64 bits, and else
        float64.
    """
    if dtype.kind == 'f' and dtype.itemsize <= 8:
        return dtype.newbyteorder('=')
    return np.dtype(float)


def split_map(data):
    """
    Split a map into its values, mask and unit.

    Parameters
    ----------
    data : NDData, Quantity, masked array or array_like
        The map.

    Returns
    -------
    values : `~numpy.ndarray`
        The values.

    mask : `~numpy.ndarray` or `None`
        The mask, if it has one.

    unit : `~astropy.units.Unit` or `None`
        The unit, if it has one.
    """
    mask = None
    if isinstance(data, NDData):
        mask, unit, values = data.mask, data.unit, data.data
        values = np.asarray(values)
    else:
        unit = getattr(data, 'unit', None)
        if isinstance(data, Masked):
            mask, data = data.mask, data.unmasked
        elif isinstance(data, np.ma.MaskedArray):
            mask, data = np.ma.getmaskarray(data), data.data
        values = np.asarray(getattr(data, 'value', data))
    if mask is not None and mask is not np.ma.nomask:
        mask = np.asarray(mask)
    else:
        mask = None
    return values, mask, None if unit is None or unit == u.one else u.Unit(unit)


def check_some_left(missing):
    """
    Refuse a map without a pixel that can be used.

    Parameters
    ----------
    missing : 2D bool `~numpy.ndarray`
        Where pixels are missing.

    Raises
    ------
    ValueError
        If all are.
    """
    if np.all(missing):
        msg = 'The map has no usable pixel: all are NaN, masked or without coverage.'
        raise ValueError(msg)


def check_mask(mask, name, shape):
    """
    Return a mask as a bool array.

    Parameters
    ----------
    mask : array_like or `False`
        The mask, True or not 0 for bad pixels; `False` for none.

    name : str
        Its name, for messages.

    shape : tuple of int
        The shape of the map.

    Returns
    -------
    mask : bool `~numpy.ndarray`
        The mask.

    Raises
    ------
    TypeError, ValueError
        If it has another type or shape.
    """
    if mask is np.ma.nomask or mask is False:
        return np.zeros(shape, dtype=bool)
    mask = np.asarray(mask)
    if mask.dtype.kind not in 'biu':
        msg = f'{name} must be a bool array (True = bad pixel), got dtype {mask.dtype}.'
        raise TypeError(msg)
    if mask.shape != shape:
        msg = f'{name} must have the shape {shape} of the map, got {mask.shape}.'
        raise ValueError(msg)
    return mask.astype(bool)


def warn_about_blank_border(data):
    """
    Warn if zeros around the map look like pixels without coverage.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.
    """
    if np.any(data[[0, 0, -1, -1], [0, -1, 0, -1]]):
        return
    blank = data == 0
    if np.mean(blank) < 0.02 or np.all(blank):
        return
    # a model on an empty background fades into its zeros, a map does not
    values = np.abs(data)
    rim = binary_dilation(blank) & ~blank
    if np.median(values[rim]) > 0.01 * np.median(values[~blank]):
        msg = (
            f'{np.mean(blank):.0%} of the pixels are exactly 0, at the '
            'corners, too. If they are outside the coverage of the map, '
            'give coverage_mask=(data == 0) or the path of a file with '
            'an extension "coverage".'
        )
        warn_user(msg)


def check_dimensions(shape, what):
    """
    Raise an error, with the remedy, unless a map has two dimensions.

    Parameters
    ----------
    shape : tuple of int
        The shape of the map.

    what : str
        The name of the map for the message.

    Raises
    ------
    ValueError
        If the shape is not that of a 2-D map with pixels.
    """
    if len(shape) == 2 and min(shape) > 0:
        return
    msg = f'{what} must be a 2-D map with pixels, got the shape {shape}.'
    if len(shape) > 2:
        index = ', '.join(['0'] * (len(shape) - 2))
        msg += f' Choose one plane of it, for example the first as data[{index}].'
    raise ValueError(msg)


def as_array(image):
    """
    Take the bare array out of a map of any class.

    Parameters
    ----------
    image : NDData, Quantity, masked array or `~numpy.ndarray`
        The map.

    Returns
    -------
    array : 2D `~numpy.ndarray`
        Its values.
    """
    if isinstance(image, NDData):
        image = image.data
    if isinstance(image, u.Quantity):
        image = image.value
    image = getattr(image, 'unmasked', image)
    return np.ma.getdata(np.asanyarray(image)).view(np.ndarray)
