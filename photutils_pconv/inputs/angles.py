# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Angles in the columns of catalogues: numbers with or without a unit, and text.
"""

import re

import astropy.units as u
import numpy as np
from astropy.coordinates import Angle, SkyCoord

from photutils_pconv.inputs.column_values import to_plain_floats, to_texts
from photutils_pconv.inputs.unit_texts import parse_angle_unit

__all__ = ['parse_angles', 'parse_sexagesimal_columns']

_HOURS_OF_CIRCLE = 24.0
_CIRCLE = 360.0 * (1 + 1e-12)  # deg; with room for the rounding of units
# The longest part of a column that a message shows.
_N_SHOWN = 3


def parse_angles(column, name, *, hours):
    """
    Parse a column of longitudes or latitudes.

    Parameters
    ----------
    column : `~astropy.table.Column` or `~astropy.units.Quantity`
        The column, of numbers, of numbers as text, or of sexagesimal text.

    name : str
        Its name.

    hours : bool
        Whether sexagesimal text without a unit is in hours.

    Returns
    -------
    angles : 1D `~numpy.ndarray`
        The angles (deg), NaN where masked or blank.

    Raises
    ------
    ValueError
        If the column holds anything else, or both kinds of text.
    """
    unit = getattr(column, 'unit', None)
    if unit is None:
        # where `to_qtable` puts the units that a QTable has no place for
        unit = (getattr(getattr(column, 'info', None), 'meta', None) or {}).get('unit')
    angle_unit = None if unit in (None, '', u.one) else parse_angle_unit(unit)
    if unit not in (None, '', u.one) and angle_unit is None:
        msg = (
            f'The column {name!r} must have a unit convertible to deg, got {unit}. '
            'Accepted are deg, rad, hourangle, arcmin, arcsec and their like.'
        )
        raise ValueError(msg)
    texts = to_texts(column)
    if texts is None:
        values = to_plain_floats(column, None, name)
        return _convert(values, angle_unit or u.deg, name)
    given = np.array([text is not None for text in texts], dtype=bool)
    values = np.full(len(texts), np.nan)
    numbers = [_to_number(text) for text in texts if text is not None]
    if all(number is not None for number in numbers):
        values[given] = numbers
        return _convert(values, angle_unit or u.deg, name)
    some = [text for text in texts if text is not None]
    if any(number is not None for number in numbers):
        msg = (
            f'The column {name!r} holds text that is no position, or of two kinds: '
            f'some are decimal, others are not: {_show(some, numbers)}. Write all '
            'in degrees, or all in sexagesimal form.'
        )
        raise ValueError(msg)
    default = u.hourangle if hours else u.deg
    try:
        angles = Angle(some, unit=angle_unit or default)
    except (ValueError, TypeError, u.UnitsError) as exc:
        msg = (
            f'The column {name!r} holds text that is no position: '
            f'{some[:_N_SHOWN]}: {exc}'
        )
        if default == u.hourangle and angle_unit is None:
            msg += ' It is taken for hours; degrees need the unit deg.'
        raise ValueError(msg) from None
    values[given] = angles.to_value(u.deg)
    if hours and angle_unit is None:
        _check_hours(angles.hour, name)
    return values


def _show(texts, numbers):
    decimal = next(
        text for text, one in zip(texts, numbers, strict=True) if one is not None
    )
    other = next(text for text, one in zip(texts, numbers, strict=True) if one is None)
    return f'{decimal!r} and {other!r}'


def _convert(values, unit, name):
    # astropy's angles fail on infinite ones
    values = np.where(np.isinf(values), np.nan, values)
    if unit == u.hourangle:
        _check_hours(values, name)
    # degrees are not to be rounded by a conversion
    angles = values if unit == u.deg else (values * unit).to_value(u.deg)
    largest = np.nanmax(np.abs(angles), initial=0.0)
    if largest > _CIRCLE:
        msg = (
            f'The column {name!r} is taken for angles in {unit}, but reaches '
            f'{largest:.6g} degrees: more than 360. Give the column its unit.'
        )
        raise ValueError(msg)
    return angles


def _check_hours(hours, name):
    largest = np.nanmax(np.abs(hours), initial=0.0)
    if largest > _HOURS_OF_CIRCLE:
        msg = (
            f'The column {name!r} is taken for hours, but reaches {largest:.6g}: more '
            'than 24. Write degrees as numbers, or give the column the unit deg.'
        )
        raise ValueError(msg)


def _to_number(text):
    try:
        return float(text)
    except ValueError:
        return None


def parse_sexagesimal_columns(table, find_pair):
    """
    Join hours, minutes and seconds in columns of their own (tables of the CDS).

    Parameters
    ----------
    table : `~astropy.table.Table`
        The table, with ``RAh``, ``DEd`` and as many of ``RAm``, ``RAs``,
        ``DE-``, ``DEm`` and ``DEs`` as there are.

    find_pair : callable
        Finds columns by their names in lower case.

    Returns
    -------
    sky : `~astropy.coordinates.SkyCoord`
        The positions, taken as ICRS.

    Raises
    ------
    ValueError
        If the columns are described as of another equinox than 2000, or hold
        anything but numbers.
    """
    parts = {}
    for key in ('rah', 'ram', 'ras', 'de-', 'ded', 'dem', 'des'):
        names = find_pair(table, [(key,)])
        if names is not None:
            parts[key] = table[names[0]]
    description = ' '.join(
        str(getattr(column.info, 'description', '')) for column in parts.values()
    )
    if re.search('1950|B19|1875|1900', description):
        msg = (
            'The columns RAh and DEd are described as of another equinox than '
            'J2000: convert them to ra and dec, or give a SkyCoord.'
        )
        raise ValueError(msg)

    def get(key):
        if key not in parts:
            return 0.0
        return to_plain_floats(parts[key], None, key)

    hours = get('rah') + get('ram') / 60 + get('ras') / 3600
    _check_hours(hours, 'RAh')
    degrees = get('ded')
    # -0 has a sign, too
    sign = np.where(np.signbit(degrees), -1.0, 1.0)
    if 'de-' in parts:
        texts = to_texts(parts['de-']) or []
        sign = np.array(
            [-1.0 if text in ('-', '\N{MINUS SIGN}') else 1.0 for text in texts]
        )
    latitude = sign * (np.abs(degrees) + get('dem') / 60 + get('des') / 3600)
    try:
        return SkyCoord(15.0 * hours, latitude, unit=u.deg)
    except ValueError as exc:
        msg = f'The columns RAh and DEd are no sky positions: {exc}'
        raise ValueError(msg) from None
