# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Checks of single values and short lists of them: numbers, counts, choices,
switches, seeds.

The checks of arrays that have the shape of a map, or a value for each source,
are in `photutils_pconv._utils.arrays`.
"""

from dataclasses import fields
from numbers import Real

import astropy.units as u
import numpy as np

__all__ = [
    'as_radii',
    'check_choice',
    'check_count',
    'check_seed',
    'check_switches',
    'to_bool',
    'to_float',
    'to_quantity',
]


def to_quantity(value, unit, name, *, shape=()):
    """
    Return a value as a positive float Quantity.

    Parameters
    ----------
    value : `~astropy.units.Quantity`, float or array_like
        The value; a number is in ``unit``.

    unit : `~astropy.units.Unit`
        The unit of the result.

    name : str
        The value's name for error messages.

    shape : tuple of int, optional
        The shape that the value must have.

    Returns
    -------
    value : `~astropy.units.Quantity`
        The value in ``unit``.

    Raises
    ------
    TypeError, ValueError
        If the value is not a number, or has another unit, shape or sign.
    """
    try:
        value = u.Quantity(value, unit, dtype=float)
    except u.UnitConversionError:
        msg = (
            f'{name} must have a unit convertible to {unit}, got '
            f'{getattr(value, "unit", None)!s}.'
        )
        raise ValueError(msg) from None
    except (TypeError, ValueError):
        msg = f'{name} must be a number or a Quantity, got {value!r}.'
        raise TypeError(msg) from None
    if value.shape != shape:
        what = 'a scalar' if shape == () else f'of shape {shape}'
        msg = f'{name} must be {what}, got shape {value.shape}.'
        raise ValueError(msg)
    if not np.all(np.isfinite(value.value) & (value.value > 0)):
        msg = f'{name} must be finite and positive, got {value}.'
        raise ValueError(msg)
    return value


def to_float(value, name):
    """
    Return a value as a positive, finite float.

    Parameters
    ----------
    value : float
        The value.

    name : str
        The value's name for error messages.

    Returns
    -------
    value : float
        The value.

    Raises
    ------
    TypeError, ValueError
        If the value is not a number, or not positive.
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        msg = f'{name} must be a number, got {value!r}.'
        raise TypeError(msg)
    if not (np.isfinite(value) and value > 0):
        msg = f'{name} must be finite and positive, got {value!r}.'
        raise ValueError(msg)
    return float(value)


def as_radii(radii, name='radii'):
    """Return a 1-D array of positive radii; a number makes an array of one."""
    radii = np.atleast_1d(np.asarray(radii, dtype=float))
    if (
        radii.ndim != 1
        or radii.size == 0
        or not np.all(np.isfinite(radii) & (radii > 0))
    ):
        msg = f'{name} must be one or more positive numbers, got {radii.tolist()}.'
        raise ValueError(msg)
    return radii


def check_choice(value, name, accepted):
    """
    Refuse a value that is not one of those accepted.

    Parameters
    ----------
    value : str
        The value.

    name : str
        The value's name for error messages.

    accepted : sequence of str
        The accepted values.

    Raises
    ------
    ValueError
        If the value is another one.
    """
    # What is no text may not even be comparable, such as an array.
    if not isinstance(value, str) or value not in accepted:
        msg = f'{name} must be one of {accepted}, got {value!r}.'
        raise ValueError(msg)


def to_bool(value, name):
    """
    Return the value of a switch as a bool.

    Whatever else has a truth value is refused: that of ``'no'`` and of NaN
    is True.

    Parameters
    ----------
    value : bool or `numpy.bool_`
        The value; an array of no dimensions counts as its element.

    name : str
        The switch's name for error messages.

    Returns
    -------
    value : bool
        The value.

    Raises
    ------
    TypeError
        If the value is anything else.
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if not isinstance(value, bool | np.bool_):
        msg = f'{name} must be True or False, got {value!r}.'
        raise TypeError(msg)
    return bool(value)


def check_switches(settings):
    """
    Let every field of a dataclass that is annotated as bool hold one.

    A field that is annotated as ``bool | None`` may also hold `None`.

    Parameters
    ----------
    settings : object
        The dataclass; it may be a frozen one.

    Raises
    ------
    TypeError
        If such a field holds anything else.
    """
    for item in fields(settings):
        value = getattr(settings, item.name)
        if item.type is bool or (item.type == bool | None and value is not None):
            object.__setattr__(settings, item.name, to_bool(value, item.name))


def check_seed(seed, name):
    """
    Refuse what numpy would not take as a seed, and truth values.

    Parameters
    ----------
    seed : int, sequence of int, `numpy.random.Generator` or `None`
        The seed, or whatever else `numpy.random.default_rng` takes.

    name : str
        The seed's name for error messages.

    Raises
    ------
    TypeError, ValueError
        If it is not accepted.
    """
    error = TypeError
    if not isinstance(seed, bool | np.bool_):
        try:
            np.random.default_rng(seed)
        except (TypeError, ValueError) as exc:
            error = type(exc) if type(exc) is ValueError else TypeError
        else:
            return
    msg = (
        f'{name} must be an integer of 0 or more, several of them, a numpy Generator '
        f'or SeedSequence, or None, got {seed!r}.'
    )
    raise error(msg)


def check_count(value, name, *, minimum=1):
    """
    Refuse a value that is not an integer, or is too small.

    Parameters
    ----------
    value : int
        The value; a bool is no count.

    name : str
        The value's name for error messages.

    minimum : int, optional
        The smallest accepted value.

    Raises
    ------
    ValueError
        If the value is not accepted.
    """
    is_integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_integer or value < minimum:
        what = 'a positive integer'
        if minimum != 1:
            what = f'an integer of {minimum} or more'
        msg = f'{name} must be {what}, got {value!r}'
        raise ValueError(msg)
