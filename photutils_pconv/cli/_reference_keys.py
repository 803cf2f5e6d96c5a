# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The configuration files of the paper authors' program: JSON with comments.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ['KeyNote', 'ReferenceKeys', 'read_reference_config']

# Texts first, so that what looks like a comment inside of one is left alone.
_COMMENTS = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMAS = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])')


@dataclass(frozen=True)
class KeyNote:
    """
    What becomes of a key.

    Parameters
    ----------
    key : str
        The key, with those of the tables that it is in, joined by dots.

    status : {'taken over', 'no counterpart', 'unknown'}
        What becomes of it.

    note : str
        What it is in this package, or why it is not needed.
    """

    key: str
    status: str
    note: str


class ReferenceKeys:
    """
    The keys of a configuration, and what became of each that was asked for.

    Parameters
    ----------
    values : dict
        The configuration: tables in tables.
    """

    def __init__(self, values):
        self._values = dict(_flatten(values))
        self._notes = {}

    def get(self, key, kind, default=None):
        """
        Give the value of a key.

        Parameters
        ----------
        key : str
            The key, with dots.

        kind : type or tuple of type
            What the value has to be.

        default : object, optional
            What is given where there is no such key.

        Returns
        -------
        value : object
            The value.

        Raises
        ------
        TypeError
            If the value is of another kind.
        """
        if key not in self._values:
            return default
        value = self._values[key]
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if not isinstance(value, kinds) or (isinstance(value, bool) > (bool in kinds)):
            names = ' or '.join(one.__name__ for one in kinds)
            msg = f'{key} must be of type {names}, got {value!r}'
            raise TypeError(msg)
        return value

    def take(self, key, note):
        """
        Note that a key is taken over, if it is there.

        Parameters
        ----------
        key : str
            The key.

        note : str
            What it becomes.
        """
        self._note(key, 'taken over', note)

    def leave(self, key, why):
        """
        Note that a key has no counterpart, if it is there.

        Parameters
        ----------
        key : str
            The key; ``'table.*'`` for all that are left in a table.

        why : str
            Why.
        """
        if key.endswith('.*'):
            for one in self._values:
                if one.startswith(key[:-1]) and one not in self._notes:
                    self._note(one, 'no counterpart', why)
        else:
            self._note(key, 'no counterpart', why)

    def _note(self, key, status, note):
        if key in self._values:
            self._notes[key] = KeyNote(key=key, status=status, note=note)

    def list_notes(self):
        """
        List what became of every key.

        Returns
        -------
        notes : tuple of `KeyNote`
            In the order of the file.
        """
        unknown = 'not a key of the released program; it was not looked at'
        return tuple(
            self._notes.get(key, KeyNote(key=key, status='unknown', note=unknown))
            for key in self._values
        )


def read_reference_config(path):
    """
    Read a configuration of the paper authors' program.

    Parameters
    ----------
    path : path-like
        The file: JSON, with comments and trailing commas as JSON5 has them.

    Returns
    -------
    values : dict
        The configuration.

    Raises
    ------
    FileNotFoundError
        If there is no such file.

    ValueError
        If it is not JSON, or no table.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        msg = f'no configuration file {str(path)!r}'
        raise FileNotFoundError(msg)
    try:
        text = path.read_text(encoding='utf-8-sig')
        for pattern in (_COMMENTS, _TRAILING_COMMAS):
            text = pattern.sub(lambda match: match[1] or '', text)
        values = json.loads(text)
    except (ValueError, RecursionError) as exc:
        msg = f'{str(path)!r} is no JSON: {exc}'
        raise ValueError(msg) from exc
    if not isinstance(values, Mapping):
        msg = f'{str(path)!r} is no configuration: it holds no table of keys'
        raise ValueError(msg)
    return values


def _flatten(values, prefix=''):
    """Give each key, joined by dots, and its value."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flatten(value, f'{prefix}{key}.')
        else:
            yield f'{prefix}{key}', value
