# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests that every switch of every public name takes True and False alone.

The switches are found by their defaults, so that new ones are tested too.
"""

import importlib
import inspect
import pkgutil
from types import SimpleNamespace

import numpy as np
import pytest

import photutils_pconv

# What is no switch though it is a bool: the package makes these, not a user.
MADE_INSIDE = (
    'Filled',
    'estimate_errors',
    'sample_empty_holes',
    'FlagDefinition',
    'Background',
)
# Arguments without which a call does not come as far as its switches.
GIVEN = {
    'data': np.ones((8, 8)),
    'destination': 'nowhere',
    'directory': 'nowhere',
    'image': np.ones((1, 4, 4)),
    'map_input': SimpleNamespace(pixel_scale=None),
    'maps': (),
    'path': 'nowhere.fits',
    'pixel_scale': 1.0,
    'setup': 'scanmap/green',
    'size': 1,
    'spectrum': -1.0,
    'target': np.ones((1, 4, 4)),
    'validity': np.ones((1, 4, 4), dtype=bool),
}


def list_modules():
    yield photutils_pconv
    for package in pkgutil.iter_modules(photutils_pconv.__path__):
        if not package.name.startswith('_') and package.name != 'cli':
            yield importlib.import_module(f'photutils_pconv.{package.name}')


def find_switches(function):
    parameters = inspect.signature(function).parameters.values()
    return [one.name for one in parameters if isinstance(one.default, bool)]


def list_switches():
    """List (label, function, switch) of all public callables, once each."""
    found = {}
    for module in list_modules():
        for name in module.__all__:
            public = getattr(module, name)
            if name in MADE_INSIDE or not callable(public):
                continue
            if inspect.isclass(public) and issubclass(public, Exception):
                continue
            functions = {name: public}
            if inspect.isclass(public):
                functions |= {
                    f'{name}.{key}': getattr(public, key)
                    for key, value in vars(public).items()
                    if not key.startswith('_')
                    and isinstance(value, classmethod | type(list_modules))
                }
            for label, function in functions.items():
                for switch in find_switches(function):
                    found[f'{label}-{switch}'] = (function, switch)
    return found


SWITCHES = list_switches()


def call(function, switch, value):
    """Call with a switch and, for all else that is needed, what there is."""
    arguments = {}
    for one in inspect.signature(function).parameters.values():
        needed = one.default is one.empty and one.kind not in (
            one.VAR_KEYWORD,
            one.VAR_POSITIONAL,
        )
        if needed:
            arguments[one.name] = GIVEN.get(one.name)
    if 'self' in arguments:
        owner = function.__qualname__.rpartition('.')[0]
        cls = getattr(inspect.getmodule(function), owner)
        arguments['self'] = object.__new__(cls)
    function(**{**arguments, switch: value})


def test_found():
    assert len(SWITCHES) > 60
    assert 'NeuralSourceRemover-fit_positions' in SWITCHES


@pytest.mark.parametrize(
    'value', ['no', np.nan, [False], None], ids=['text', 'nan', 'list', 'none']
)
@pytest.mark.parametrize('name', SWITCHES)
def test_no_truth_value(name, value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    function, switch = SWITCHES[name]
    with pytest.raises(TypeError, match=rf'\b{switch} must be True or False, got'):
        call(function, switch, value)
    assert not list(tmp_path.iterdir())
