# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Checks of what simulations are given, each before any work.
"""

import math
import os
from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np

from photutils_pconv._utils.arrays import as_map
from photutils_pconv.setups.registry import get_setup

__all__ = [
    'as_fields',
    'as_integer',
    'as_number',
    'as_pair',
    'as_plane',
    'as_sequence',
    'as_setups',
    'as_shape',
    'check_mapping',
    'check_path',
    'check_psf',
    'check_rng',
    'is_row',
    'make_rng',
]

#: The pixels of a map at most, 3 GB of float64 (by choice).
MAXIMUM_PIXELS = 400_000_000
#: The most of anything that is counted: sources, fields, cutouts (by choice).
MAXIMUM_COUNT = 100_000_000
#: The largest slope of a power law, up or down (by choice: nature has -5 to 0).
MAXIMUM_SLOPE = 10.0
#: The largest pixel, in arcsec (by choice: a degree).
MAXIMUM_SCALE = 3600.0
#: The largest beam, width or smoothing, in pixels (by choice).
MAXIMUM_WIDTH = 10_000.0


def check_rng(rng):
    """Refuse what is no source of randomness."""
    if not isinstance(rng, np.random.Generator):
        msg = (
            'rng must be a numpy.random.Generator, such as '
            f'numpy.random.default_rng(1), got {rng!r}.'
        )
        raise TypeError(msg)


def make_rng(seed):
    """Return the generator of a seed, an integer or several of them."""
    msg = f'seed must be an integer of 0 or more, or a sequence of them, got {seed!r}.'
    if isinstance(seed, bool | np.bool_):
        raise TypeError(msg)
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError) as exc:
        raise type(exc)(msg) from None


def as_number(value, name, *, low=-math.inf, high=math.inf, above=None):
    """Return a finite number within limits as a float."""
    if not isinstance(value, Real) or isinstance(value, bool | np.bool_):
        msg = f'{name} must be a number, got {value!r}.'
        raise TypeError(msg)
    inside = low <= value <= high and (above is None or value > above)
    if not (np.isfinite(value) and inside):
        what = 'positive' if above == 0 else f'{low:g} or more'
        verb = 'must not be negative' if low == 0 else f'must be {what}'
        limit = 'finite' if math.isinf(high) else f'at most {high:g}'
        msg = f'{name} {verb} and must be {limit}, got {value!r}.'
        raise ValueError(msg)
    return float(value)


def as_integer(value, name, *, low=0, high=MAXIMUM_COUNT):
    """Return an integer within limits as an int."""
    if not isinstance(value, Integral) or isinstance(value, bool | np.bool_):
        msg = f'{name} must be an integer, got {value!r}.'
        raise TypeError(msg)
    if not low <= value <= high:
        verb = 'must not be negative and' if low == 0 else f'must be {low} or more and'
        msg = f'{name} {verb} at most {high}, got {value!r}.'
        raise ValueError(msg)
    return int(value)


def is_row(values, n):
    """Return whether values are n plain ones in a row."""
    if isinstance(values, np.ndarray):
        return values.shape == (n,) and getattr(values, 'unit', None) is None
    return isinstance(values, list | tuple) and len(values) == n


def as_pair(values, name, *, n=2, low=-math.inf, high=math.inf):
    """Return numbers within limits, in ascending order, as a tuple."""
    what = 'a pair' if n == 2 else f'{n} numbers'
    msg = f'{name} must be {what} in ascending order, got {values!r}.'
    if not is_row(values, n):
        raise ValueError(msg)
    numbers = [as_number(value, name, low=low, high=high) for value in values]
    if numbers != sorted(numbers):
        raise ValueError(msg)
    return tuple(numbers)


def as_shape(shape, *, minimum=2, name='shape', margin=0):
    """Return the shape of a map, with a margin no larger than memory holds."""
    if not is_row(shape, 2):
        msg = f'{name} must be that of a 2-D map, (ny, nx), got {shape!r}.'
        raise ValueError(msg)
    ny, nx = (as_integer(size, name, low=minimum) for size in shape)
    if (ny + 2 * margin) * (nx + 2 * margin) > MAXIMUM_PIXELS:
        msg = (
            f'{name} must have at most {MAXIMUM_PIXELS} pixels, its margin of '
            f'{margin} pixels included, got {shape!r}.'
        )
        raise ValueError(msg)
    return ny, nx


def as_plane(data, name, *, shape=None):
    """Return a 2-D float array of real numbers, a copy only if need be."""
    array = np.asarray(data)
    if array.dtype.kind not in 'fiub':
        msg = f'{name} must hold real numbers, got {array.dtype}.'
        raise TypeError(msg)
    return as_map(array, name, shape)


def as_fields(values, name):
    """Return the names of fields as a list of str."""
    values = as_sequence(values, name, 'names of fields')
    for value in values:
        if not isinstance(value, str | Integral) or isinstance(value, bool):
            msg = f'{name} must hold names (str), got {value!r}.'
            raise TypeError(msg)
    return [str(value) for value in values]


def as_sequence(values, name, what):
    """Return a sequence as a list; a text is none."""
    if isinstance(values, str | bytes | Mapping) or not np.iterable(values):
        msg = f'{name} must be a sequence of {what}, got {values!r}.'
        raise TypeError(msg)
    return list(values)


def as_setups(setups):
    """Return setups, given or named, as a tuple; there must be one at least."""
    setups = as_sequence(setups, 'setups', 'setups')
    if not setups:
        msg = 'setups must have at least one setup, got none.'
        raise ValueError(msg)
    return tuple(get_setup(setup=setup) for setup in setups)


def check_psf(psf):
    """Refuse what cannot be drawn, such as the name of a setup."""
    if not (hasattr(psf, 'render') and hasattr(psf, 'encircled_energy')):
        msg = (
            'psf must be a SampledPSF or LobedPSF, such as '
            f'photutils_pconv.psf.get_psf gives, got {psf!r}.'
        )
        raise TypeError(msg)


def check_mapping(values, name, what):
    """Refuse what is no dictionary."""
    if not isinstance(values, Mapping):
        msg = f'{name} must be a dict of {what}, got {type(values).__name__}.'
        raise TypeError(msg)


def check_path(path, name):
    """Refuse what is no path."""
    if not isinstance(path, str | os.PathLike):
        msg = f'{name} must be a path, got {path!r}.'
        raise TypeError(msg)
