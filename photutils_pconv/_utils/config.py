# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Checks of configuration values; a field of a dataclass carries its own.
"""

import difflib
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import field, fields

from photutils_pconv._utils.checks import to_bool

__all__ = [
    'TABLE',
    'Section',
    'choice',
    'flag',
    'number',
    'pair',
    'path',
    'text',
    'texts',
    'unknown_key',
]


def unknown_key(key, accepted, where, *, elsewhere=()):
    """
    Say that a key is unknown, and which one was probably meant.

    Parameters
    ----------
    key : str
        The key.

    accepted : sequence of str
        The accepted keys.

    where : str
        Where it stands.

    elsewhere : sequence of str, optional
        The sections that have such a key.

    Returns
    -------
    message : str
        The message.
    """
    accepted = list(accepted)
    if elsewhere:
        hint = f'it belongs to {" or ".join(elsewhere)}'
    else:
        # A far guess would only mislead: the accepted keys follow anyway.
        closest = difflib.get_close_matches(str(key), accepted, n=1)
        hint = f'did you mean {closest[0]!r}?' if closest else 'there is none like it'
        hint = hint if accepted else 'none is accepted here'
    return f'unknown key {key!r} in {where}: {hint} (accepted: {", ".join(accepted)})'


# Beyond it a number is no number of this package's; NaN is refused with it.
_LARGEST = sys.float_info.max


def _field(default, check, **metadata):
    return field(default=default, metadata={'check': check, **metadata})


def number(
    default, *, low=-math.inf, high=math.inf, above=None, kind=float, optional=False
):
    """
    Make a field for a number within limits.

    Parameters
    ----------
    default : float or int or `None`
        The default.

    low, high : float, optional
        The limits, inclusive.

    above : float, optional
        A lower limit, exclusive.

    kind : type, optional
        `float` or `int`.

    optional : bool, optional
        Whether `None` is accepted.

    Returns
    -------
    field : `dataclasses.Field`
        The field.
    """
    name = 'an integer' if kind is int else 'a number'
    lower = f'above {above:g}' if above is not None else f'from {low:g}'
    if above is None and math.isinf(low):
        lower = ''
    upper = '' if math.isinf(high) else f'to {high:g}'
    limits = ' '.join(part for part in (name, lower, upper) if part)
    limits += ' or None' if optional else ''

    def check(value, where):
        if value is None and optional:
            return None
        right = (int,) if kind is int else (int, float)
        if isinstance(value, bool) or not isinstance(value, right):
            msg = f'{where} must be {limits}, got {value!r}'
            raise TypeError(msg)
        # An integer may be too large for a float.
        inside = max(low, -_LARGEST) <= value <= min(high, _LARGEST)
        if not inside or (above is not None and value <= above):
            msg = f'{where} must be {limits}, got {value!r}'
            raise ValueError(msg)
        return kind(value)

    return _field(default, check)


def pair(default, *, low, high):
    """
    Make a field for two numbers within limits.

    Parameters
    ----------
    default : tuple of float
        The default.

    low, high : float
        The limits; the upper one is exclusive.

    Returns
    -------
    field : `dataclasses.Field`
        The field.
    """

    def check(value, where):
        numbers = isinstance(value, list | tuple) and all(
            isinstance(item, int | float) and not isinstance(item, bool)
            for item in value
        )
        if not numbers or len(value) != 2:
            msg = f'{where} must be two numbers, got {value!r}'
            raise TypeError(msg)
        if not all(low <= item < high for item in value):
            msg = f'{where} must lie from {low:g} to below {high:g}, got {value!r}'
            raise ValueError(msg)
        return tuple(float(item) for item in value)

    return _field(default, check)


def choice(*accepted):
    """
    Make a field for one of several values; the first is the default.

    Parameters
    ----------
    *accepted : tuple of str
        The accepted values.

    Returns
    -------
    field : `dataclasses.Field`
        The field.
    """

    def check(value, where):
        if value not in accepted:
            guess = difflib.get_close_matches(str(value), accepted, n=1)
            hint = f'; did you mean {guess[0]!r}?' if guess else ''
            msg = f'{where} must be one of {list(accepted)}, got {value!r}{hint}'
            raise ValueError(msg)
        return value

    return _field(accepted[0], check)


def flag(default):
    """
    Make a field for a truth value.

    Parameters
    ----------
    default : bool
        The default.

    Returns
    -------
    field : `dataclasses.Field`
        The field.
    """
    return _field(default, to_bool)


def text(default, *, pattern=None, rule=''):
    """
    Make a field for a text.

    Parameters
    ----------
    default : str
        The default.

    pattern : `re.Pattern`, optional
        What the whole text must match.

    rule : str, optional
        The pattern in words.

    Returns
    -------
    field : `dataclasses.Field`
        The field.
    """

    def check(value, where):
        if not isinstance(value, str):
            msg = f'{where} must be a text, got {value!r}'
            raise TypeError(msg)
        if pattern is not None and not pattern.fullmatch(value):
            msg = f'{where} must be {rule}, got {value!r}'
            raise ValueError(msg)
        return value

    return _field(default, check)


def path(default, *, output=False):
    """
    Make a field for the path of a file or folder; '' for none.

    Parameters
    ----------
    default : str
        The default.

    output : bool, optional
        Whether the path is one to be written.

    Returns
    -------
    field : `dataclasses.Field`
        The field.
    """

    def check(value, where):
        if not isinstance(value, str | os.PathLike):
            msg = f'{where} must be a path, got {value!r}'
            raise TypeError(msg)
        return os.fspath(value)

    return _field(default, check, path='output' if output else 'input')


def texts(*, paths=False):
    """
    Make a field for a list of texts, empty by default.

    Parameters
    ----------
    paths : bool, optional
        Whether they are paths of files.

    Returns
    -------
    field : `dataclasses.Field`
        The field.
    """

    def check(value, where):
        right = isinstance(value, list | tuple)
        if not right or not all(isinstance(item, str) for item in value):
            msg = f'{where} must be a list of texts, got {value!r}'
            raise TypeError(msg)
        return tuple(value)

    return _field((), check, **({'path': 'input'} if paths else {}))


def _check_table(value, where):
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        msg = f'{where} must be a table, got {value!r}'
        raise TypeError(msg)
    return dict(value)


TABLE = {'check': _check_table}
"""
The metadata of a field for a table, whose keys are checked by its user.
"""


class Section:
    """
    Check every field by the rule that it carries.
    """

    _title = 'the configuration'

    def __post_init__(self):
        for item in fields(self):
            value = getattr(self, item.name)
            kind = item.metadata.get('section')
            if kind is not None:
                if not isinstance(value, kind):
                    msg = f'{item.name} must be a {kind.__name__}, got {value!r}'
                    raise TypeError(msg)
                continue
            where = item.name
            if self._title.startswith('['):
                where = f'{self._title.strip("[]")}.{item.name}'
            object.__setattr__(self, item.name, item.metadata['check'](value, where))
