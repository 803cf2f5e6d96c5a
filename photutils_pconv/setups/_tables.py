# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Checks of a setup's tables.
"""

import operator
from collections.abc import Mapping

import astropy.units as u
import numpy as np
from astropy.table import Table

from photutils_pconv._utils.checks import to_float

__all__ = [
    'parse_eef_table',
    'to_descending',
]

# A table that is normalised at some finite radius may pass 1 by a rounding
# (by choice).
_LARGEST_EEF = 1.01


def to_descending(values, name, *, strictly):
    """
    Return values as a tuple of positive floats, largest first.

    Parameters
    ----------
    values : sequence of float
        The values.

    name : str
        Their name for error messages.

    strictly : bool
        Whether equal neighbours are refused.

    Returns
    -------
    values : tuple of float
        The values.

    Raises
    ------
    TypeError, ValueError
        If the values are no sequence of positive numbers, or not sorted.
    """
    if isinstance(values, str) or np.ndim(values) != 1:
        msg = f'{name} must be a sequence of numbers, got {values!r}.'
        raise TypeError(msg)
    values = tuple(to_float(value, name) for value in values)
    in_order = operator.gt if strictly else operator.ge
    if not all(map(in_order, values, values[1:])):
        msg = f'{name} must be sorted, the largest first, got {values}.'
        raise ValueError(msg)
    return values


def parse_eef_table(table, name):
    """
    Return an encircled-energy table as two arrays.

    Parameters
    ----------
    table : table-like
        A (radii, eef) pair, a `~astropy.table.Table` or a dict with the
        columns ``radius`` and ``eef``, or a dict of radius to fraction.
        Radii without a unit are in arcsec.

    name : str
        The table's name for error messages.

    Returns
    -------
    radius, eef : 1D `~numpy.ndarray`
        The radii (arcsec) and the encircled-energy fractions, both
        read-only.

    Raises
    ------
    TypeError, ValueError
        If the table has another form, or its radii do not ascend, or its
        fractions fall with radius or leave the interval from 0 to 1.
    """
    if isinstance(table, Table | Mapping):
        names = list(table.keys())
        if {'radius', 'eef'} <= set(names):
            radius, eef = table['radius'], table['eef']
        elif isinstance(table, Mapping):
            radius, eef = names, list(table.values())
        else:
            msg = f'{name} must have the columns "radius" and "eef", got {names}.'
            raise ValueError(msg)
    else:
        try:
            radius, eef = table
        except (TypeError, ValueError):
            msg = (
                f'{name} must be a (radii, eef) pair, a table with the '
                'columns "radius" and "eef", or a dict of radius: eef, '
                f'got {table!r}.'
            )
            raise TypeError(msg) from None

    try:
        radius = u.Quantity(radius, u.arcsec, dtype=float).value.copy()
        eef = u.Quantity(eef, u.one, dtype=float).value.copy()
    except u.UnitConversionError as exc:
        msg = f'{name} must have radii in arcsec and plain fractions: {exc}'
        raise ValueError(msg) from None
    except (TypeError, ValueError):
        msg = f'{name} must hold numbers, got {radius!r} and {eef!r}.'
        raise TypeError(msg) from None
    if radius.ndim != 1 or radius.shape != eef.shape or len(radius) < 2:
        msg = (
            f'{name} must hold two 1-D arrays of equal length, two or '
            f'more, got shapes {radius.shape} and {eef.shape}.'
        )
        raise ValueError(msg)
    if not (
        np.all(np.isfinite(radius)) and radius[0] > 0 and np.all(np.diff(radius) > 0)
    ):
        msg = f'{name} must have positive radii in ascending order, got {radius}.'
        raise ValueError(msg)
    if not (
        np.all(np.isfinite(eef))
        and eef[0] > 0
        and eef[-1] <= _LARGEST_EEF
        and np.all(np.diff(eef) >= 0)
    ):
        msg = (
            f'{name} must have fractions in (0, 1] that do not fall with '
            f'radius, got {eef}.'
        )
        raise ValueError(msg)
    radius.flags.writeable = False
    eef.flags.writeable = False
    return radius, eef
