# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The parts of a map: values, mask, unit, uncertainty and metadata.
"""

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.nddata import (
    InverseVariance,
    NDData,
    NDUncertainty,
    StdDevUncertainty,
    VarianceUncertainty,
)
from astropy.utils.masked import Masked
from scipy.ndimage import binary_dilation

from photutils_pconv._utils.warnings import warn_user

__all__ = [
    'add_history',
    'as_array',
    'check_dimensions',
    'check_mask',
    'check_some_left',
    'convert_unit',
    'find_unknown_error',
    'output_dtype',
    'parse_error',
    'split_map',
    'uncertainty_kind',
    'uncertainty_power',
    'warn_about_blank_border',
]

_POWERS = {StdDevUncertainty: 1, VarianceUncertainty: 2, InverseVariance: -2}
# Larger errors have no finite variance.
_MAX_ERROR = float(np.sqrt(np.finfo(float).max))


def uncertainty_kind(uncertainty):
    """
    The class of astropy that an uncertainty is one of.

    Parameters
    ----------
    uncertainty : `~astropy.nddata.NDUncertainty`
        The uncertainty; its class may be derived from one of astropy's.

    Returns
    -------
    kind : type
        StdDevUncertainty, VarianceUncertainty or InverseVariance.

    Raises
    ------
    ValueError
        If it is none of the three.
    """
    for kind in _POWERS:
        if isinstance(uncertainty, kind):
            return kind
    msg = (
        'The uncertainty of the map must be a StdDevUncertainty, '
        'VarianceUncertainty or InverseVariance, got '
        f'{type(uncertainty).__name__}.'
    )
    raise ValueError(msg)


def uncertainty_power(uncertainty):
    """
    The power of the standard deviation that an uncertainty holds: 1, 2 or -2.

    Parameters
    ----------
    uncertainty : `~astropy.nddata.NDUncertainty`
        The uncertainty.

    Returns
    -------
    power : int
        The power.
    """
    return _POWERS[uncertainty_kind(uncertainty)]


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


def convert_unit(unit, to_unit, power):
    """
    Get the factor from a power of a unit to another unit.

    Parameters
    ----------
    unit : `~astropy.units.Unit` or `None`
        The unit, of a standard deviation; `None` for numbers.

    to_unit : `~astropy.units.Unit` or `None`
        The other unit; `None` for the power itself.

    power : int
        The power: 1, or as `uncertainty_power` has it.

    Returns
    -------
    factor : float
        The factor.
    """
    unit = (u.one if unit is None else unit) ** power
    return float(unit.to(unit if to_unit is None else to_unit))


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


def parse_error(error, unit, shape):
    """
    Return an uncertainty or an array as standard deviation.

    Parameters
    ----------
    error : array_like, `~astropy.units.Quantity` or `~astropy.nddata.NDUncertainty`
        The uncertainty; an array is the standard deviation.

    unit : `~astropy.units.Unit` or `None`
        The unit of the map.

    shape : tuple of int
        The shape of the map.

    Returns
    -------
    error : `~numpy.ndarray`
        The standard deviation, in the map's unit; NaN where it is masked.

    Raises
    ------
    TypeError, ValueError
        If its type, shape, values or unit are not accepted.
    """
    power = 1
    error_unit = getattr(error, 'unit', None)
    if isinstance(error, NDUncertainty):
        power = uncertainty_power(error)
        error = error.array
    elif isinstance(error, NDData):
        msg = (
            'error must be an array, a Quantity, or an uncertainty of astropy, got '
            f'{type(error).__name__}: give its data.'
        )
        raise TypeError(msg)
    if isinstance(error, np.ma.MaskedArray | Masked):
        # nothing is known where it is masked
        error_mask = np.array(error.mask)
        error = error.unmasked if isinstance(error, Masked) else error.data
    else:
        error_mask = False
    try:
        array = np.array(getattr(error, 'value', error))
    except ValueError:
        msg = 'error must be an array of the shape of the map, got ragged rows.'
        raise ValueError(msg) from None
    if array.dtype.kind not in 'fiu':
        msg = f'error must hold real numbers, got dtype {array.dtype}.'
        raise TypeError(msg)
    if array.shape != shape:
        msg = f'error must have the shape {shape} of the map, got {array.shape}.'
        raise ValueError(msg)
    array = array.astype(float)
    if np.any(array < 0):
        msg = 'error must not be negative.'
        raise ValueError(msg)
    factor = 1.0
    if error_unit is not None:
        try:
            factor = u.Unit(error_unit).to((u.one if unit is None else unit) ** power)
        except u.UnitConversionError:
            msg = f'error must have the unit of the map ({unit}), got {error_unit}.'
            raise ValueError(msg) from None
    array[np.broadcast_to(error_mask, shape)] = np.nan
    with np.errstate(divide='ignore', over='ignore'):
        return (array * factor) ** (1 / power)


def find_unknown_error(error, missing):
    """
    Find pixels with data whose error says nothing, and warn of them.

    Parameters
    ----------
    error : 2D `~numpy.ndarray`
        The standard deviation.

    missing : 2D bool `~numpy.ndarray`
        The pixels without data.

    Returns
    -------
    unknown : 2D bool `~numpy.ndarray`
        True where the map has data, but the error is NaN, infinite, beyond
        the square root of the largest float, or 0 in a map of other errors.
    """
    with np.errstate(invalid='ignore'):
        unknown = ~(error < _MAX_ERROR)
        if np.any(error > 0):
            unknown |= error == 0
    unknown &= ~missing
    if np.any(unknown):
        msg = (
            f'The error of {np.count_nonzero(unknown)} pixels with data is not finite '
            'or 0: it is unknown there. Give errors for all pixels, or mask those.'
        )
        warn_user(msg)
    return unknown


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
