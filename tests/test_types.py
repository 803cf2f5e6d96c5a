# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the type hints that users see; mypy checks that they are true."""

import inspect
from pathlib import Path

import pytest

import photutils_pconv
from photutils_pconv import datasets, setups
from photutils_pconv.inputs import parse_map, read_fits_map
from photutils_pconv.photometry import count_flags, decode_flags, has_warning


def _list_callables():
    """Public functions, and public methods of public classes."""
    found = {'parse_map': parse_map, 'read_fits_map': read_fits_map}
    found |= {one.__name__: one for one in (count_flags, decode_flags, has_warning)}
    for module in (photutils_pconv, setups, datasets):
        for name in module.__all__:
            one = getattr(module, name)
            if not inspect.isclass(one):
                found[name] = one
                continue
            for key, value in vars(one).items():
                value = getattr(value, 'fget', None) or getattr(value, 'func', value)
                value = getattr(value, '__func__', value)
                is_shown = not key.startswith('_') or key in ('__init__', '__call__')
                # Dataclasses make the methods without a line of their own.
                if is_shown and inspect.isfunction(value) and _has_source(value):
                    found[f'{name}.{key}'] = value
    return found


def _has_source(function):
    return Path(function.__code__.co_filename).is_file()


CALLABLES = _list_callables()


@pytest.mark.parametrize('name', CALLABLES)
def test_hints_are_complete(name):
    signature = inspect.signature(CALLABLES[name])
    bare = [
        one.name
        for one in signature.parameters.values()
        if one.annotation is one.empty and one.name not in ('self', 'cls')
    ]
    assert bare == []
    assert signature.return_annotation is not signature.empty


def test_marker():
    folder = Path(photutils_pconv.__file__).parent
    assert (folder / 'py.typed').is_file()
