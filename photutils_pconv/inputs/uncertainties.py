# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The uncertainty of a map, in any of astropy's forms, as a standard deviation.
"""

import astropy.units as u
import numpy as np
from astropy.nddata import (
    InverseVariance,
    NDData,
    NDUncertainty,
    StdDevUncertainty,
    VarianceUncertainty,
)
from astropy.utils.masked import Masked

from photutils_pconv._utils.warnings import warn_user

__all__ = [
    'convert_unit',
    'find_unknown_error',
    'parse_error',
    'uncertainty_kind',
    'uncertainty_power',
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
