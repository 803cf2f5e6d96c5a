# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Configurations with sections, from and to dictionaries and TOML files.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

from photutils_pconv._utils.config import Section, unknown_key

__all__ = ['Configuration']


class Configuration(Section):
    """
    The base of configurations: frozen dataclasses whose fields check themselves.

    A field whose metadata have ``section`` holds a `Section` of that class;
    one with ``path`` holds a path, and one with ``path_keys`` a table, or
    several, of which those keys hold paths.
    """

    def to_dict(self, *, full_paths=True):
        """
        Give the configuration as a dictionary of plain values.

        Parameters
        ----------
        full_paths : bool, optional
            Whether paths are kept, or cut down to their last part, as
            befits a model card that is published.

        Returns
        -------
        values : dict
            What `from_dict` takes; sections are dictionaries.
        """
        return _to_plain(self, full_paths)

    @classmethod
    def from_dict(cls, values):
        """
        Make a configuration from a dictionary.

        Parameters
        ----------
        values : dict
            Keys as the attributes; sections are dictionaries.

        Returns
        -------
        config : object
            The configuration.

        Raises
        ------
        TypeError
            If a value has the wrong type.

        ValueError
            If a key is unknown (the message names the closest one), or a
            value not accepted.
        """
        return _build(cls, values, 'the configuration', _list_homes(cls))

    @classmethod
    def from_toml(cls, path):
        """
        Read a configuration from a TOML file.

        Parameters
        ----------
        path : path-like
            The file. Relative paths in it begin at its folder.

        Returns
        -------
        config : object
            The configuration.

        Raises
        ------
        FileNotFoundError
            If there is no such file.

        TypeError
            If a value has the wrong type.

        ValueError
            If the file is not TOML, a key is unknown, or a value is not
            accepted; the message names the file.
        """
        path = Path(path).expanduser()
        if not path.is_file():
            msg = f'no configuration file {str(path)!r}'
            raise FileNotFoundError(msg)
        try:
            config = cls.from_dict(tomllib.loads(path.read_text(encoding='utf-8')))
        except (ValueError, TypeError) as exc:
            kind = TypeError if isinstance(exc, TypeError) else ValueError
            msg = f'{str(path)!r}: {exc}'
            raise kind(msg) from exc
        except RecursionError as exc:
            msg = f'{str(path)!r}: its tables or lists are nested too deeply'
            raise ValueError(msg) from exc
        return config.resolve(path.resolve().parent)

    def resolve(self, folder):
        """
        Let relative paths begin at a folder.

        Parameters
        ----------
        folder : path-like
            The folder. A name that is no file there is kept, since it
            may be a bundled model's.

        Returns
        -------
        config : object
            The configuration with full paths.
        """
        return _resolve(self, Path(folder))


def _to_plain(section, full_paths):
    """Give the values of a section, and of those in it."""
    values = {}
    for item in fields(section):
        value = getattr(section, item.name)
        if is_dataclass(value):
            value = _to_plain(value, full_paths)
        elif 'path' in item.metadata and not full_paths:
            many = isinstance(value, tuple)
            value = [Path(name).name for name in value] if many else Path(value).name
        values[item.name] = _copy(value)
    return values


def _copy(value):
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(item) for item in value]
    return value


def _build(kind, values, where, homes):
    """Make a section out of a table, and the sections in it."""
    if not isinstance(values, Mapping):
        msg = f'{where} must be a table, got {values!r}'
        raise TypeError(msg)
    known = {item.name: item for item in fields(kind)}
    arguments = {}
    for key, value in values.items():
        if key not in known:
            elsewhere = [home for home, names in homes.items() if key in names]
            raise ValueError(unknown_key(key, known, where, elsewhere=elsewhere))
        section = known[key].metadata.get('section')
        if section is not None:
            value = _build(section, value, section._title, homes)
        arguments[key] = value
    return kind(**arguments)


def _list_homes(kind):
    """List the keys of every section, by its title."""
    sections = [item.metadata.get('section') for item in fields(kind)]
    homes = {'the top level': [item.name for item in fields(kind)]}
    homes |= {
        section._title: [item.name for item in fields(section)]
        for section in sections
        if section is not None
    }
    return homes if len(homes) > 1 else {}


def _resolve(section, folder):
    """Let the relative paths of a section begin at a folder."""
    changes = {}
    for item in fields(section):
        value = getattr(section, item.name)
        kind = item.metadata.get('path')
        keys = item.metadata.get('path_keys', ())
        if 'section' in item.metadata:
            changes[item.name] = _resolve(value, folder)
        elif kind == 'output':
            changes[item.name] = str(folder / Path(value).expanduser())
        elif kind == 'input':
            single = isinstance(value, str)
            found = [_find(name, folder) for name in ([value] if single else value)]
            changes[item.name] = found[0] if single else tuple(found)
        elif keys and isinstance(value, Mapping):
            changes[item.name] = _resolve_table(value, keys, folder)
        elif keys:
            changes[item.name] = [_resolve_table(one, keys, folder) for one in value]
    return replace(section, **changes)


def _resolve_table(table, keys, folder):
    return {
        key: _find(value, folder)
        if key in keys and isinstance(value, str | os.PathLike)
        else value
        for key, value in table.items()
    }


def _find(name, folder):
    candidate = folder / Path(name).expanduser()
    return str(candidate) if name and candidate.exists() else name
