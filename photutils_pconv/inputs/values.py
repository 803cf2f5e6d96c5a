# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The parts of a map: values, mask, unit, uncertainty and metadata.
"""

import warnings

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
from astropy.utils.exceptions import AstropyUserWarning
from astropy.utils.masked import Masked
from scipy.ndimage import binary_dilation

__all__ = [
    'UNCERTAINTY_POWERS',
    'add_history',
    'as_array',
    'check_dimensions',
    'check_mask',
    'convert_unit',
    'output_dtype',
    'parse_error',
    'split_map',
    'warn_about_blank_border',
]

# The power of the standard deviation that an uncertainty holds.
UNCERTAINTY_POWERS = {StdDevUncertainty: 1, VarianceUncertainty: 2, InverseVariance: -2}


def add_history(meta, lines):
    """
    Add lines to a header or another mapping, which remains writable.
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
    The dtype of results: the input's if it is a float, else float64.
    """
    if dtype.kind == 'f' and dtype.itemsize <= 8:
        return dtype.newbyteorder('=')
    return np.dtype(float)


def convert_unit(unit, to_unit, power):
    """
    The factor between units of a standard deviation and of its power.
    """
    unit = (u.one if unit is None else unit) ** power
    return float(unit.to(unit if to_unit is None else to_unit))


def split_map(data):
    """
    Split a map into its values, mask (or None) and unit (or None).
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
    return values, mask, None if unit in (None, u.one) else u.Unit(unit)


def check_mask(mask, name, shape):
    """
    Return a mask as a bool array.
    """
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
    """
    power = 1
    error_unit = getattr(error, 'unit', None)
    if isinstance(error, NDUncertainty):
        power = next(
            (
                power
                for kind, power in UNCERTAINTY_POWERS.items()
                if isinstance(error, kind)
            ),
            None,
        )
        if power is None:
            msg = (
                'The uncertainty of the map must be a StdDevUncertainty, '
                'VarianceUncertainty or InverseVariance, got '
                f'{type(error).__name__}.'
            )
            raise ValueError(msg)
        error = error.array
    array = np.array(getattr(error, 'value', error))
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
    with np.errstate(divide='ignore'):
        return (array * factor) ** (1 / power)


def warn_about_blank_border(data):
    """
    Warn if zeros around the map look like pixels without coverage.
    """
    blank = data == 0
    corners = blank[[0, 0, -1, -1], [0, -1, 0, -1]]
    if not np.all(corners) or np.mean(blank) < 0.02 or np.all(blank):
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
        warnings.warn(msg, AstropyUserWarning, stacklevel=3)


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
