# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The values of a table's column, as floats or as texts.
"""

import astropy.units as u
import numpy as np
from astropy.utils.masked import Masked

__all__ = ['to_plain_floats', 'to_texts']

# What stands for nothing in a catalogue, in lower case.
_BLANKS = frozenset(('', '--', '...', 'nan', 'n/a', 'na', 'null', 'none', '<na>'))


def to_texts(column):
    """
    The texts of a column.

    Parameters
    ----------
    column : `~astropy.table.Column` or array_like
        The column.

    Returns
    -------
    texts : list of str or `None`
        The texts without blanks around them, `None` instead of those
        that are masked, empty or stand for nothing; `None` if the column
        holds numbers.
    """
    dtype = getattr(column, 'dtype', np.dtype(float))
    if dtype.kind not in 'OSU':
        return None
    mask = np.broadcast_to(np.ma.getmaskarray(np.ma.asarray(column)), column.shape)
    values = np.ma.getdata(np.ma.asarray(column))
    if values.ndim != 1:
        return None
    texts = []
    for value, masked in zip(values.tolist(), mask.tolist(), strict=True):
        text = value.decode('latin-1') if isinstance(value, bytes) else str(value)
        text = text.strip().strip('"').strip()
        texts.append(None if masked or text.lower() in _BLANKS else text)
    return texts


def to_plain_floats(column, unit, name):
    """
    The values of a column, in a unit and with NaN where masked or blank.

    Parameters
    ----------
    column : `~astropy.table.Column`, `~astropy.units.Quantity` or array_like
        The column.

    unit : `~astropy.units.Unit` or `None`
        The unit of the result; `None` to take the numbers as they are.

    name : str
        The column's name, for messages.

    Returns
    -------
    values : 1D `~numpy.ndarray`
        The values.

    Raises
    ------
    ValueError
        If the column holds no numbers, or has another unit.
    """
    mask = np.array(getattr(column, 'mask', False))
    column_unit = getattr(column, 'unit', None)
    texts = to_texts(column)
    if isinstance(column, Masked):
        column = column.unmasked
    values = np.array(getattr(column, 'value', column))
    try:
        if texts is not None:
            values = np.array([np.nan if one is None else one for one in texts])
        elif values.dtype.kind not in 'iuf':
            # numpy makes floats of truth values, times and complex numbers
            raise TypeError
        values = np.array(np.ma.getdata(values), dtype=float)
    except (TypeError, ValueError):
        msg = f'The column {name!r} must hold numbers, got {values[:3]!r}.'
        raise ValueError(msg) from None
    if values.ndim != 1:
        msg = (
            f'The column {name!r} must hold a number per row, got the shape '
            f'{values.shape}.'
        )
        raise ValueError(msg)
    if unit is not None and column_unit not in (None, u.one):
        try:
            values = (values * u.Unit(column_unit)).to_value(unit)
        except (u.UnitConversionError, ValueError, TypeError):
            msg = (
                f'The column {name!r} must have a unit convertible to '
                f'{unit}, got {column_unit}.'
            )
            raise ValueError(msg) from None
    values[np.broadcast_to(mask, values.shape)] = np.nan
    return values
