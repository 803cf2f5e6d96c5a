# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the check of docstrings: it finds what is wrong, and that alone."""

import importlib.util
import re
from pathlib import Path

import pytest
from numpydoc.hooks.validate_docstrings import parse_config

ROOT = Path(__file__).parents[1]

RIGHT = '''"""Shapes."""

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Protocol

__all__ = ['LIMIT', 'Circle', 'Shape', 'add', 'count', 'double', 'hold']

LIMIT = 3


@lru_cache
def double(value):
    """
    Double a value.

    Parameters
    ----------
    value : float
        The value.

    Returns
    -------
    doubled : float
        Twice the value.
    """
    return 2 * value


def add(first, second, *, power=1, root=1, scale=1):
    """
    Add two values.

    Parameters
    ----------
    first, second : float
        The values.

    power, \\
    scale
        As for `double`.

    root : float, optional
        The root.
    """
    print(first + second)


@contextmanager
def hold():
    """
    Hold everything within a block.
    """
    yield


def count(number):
    """
    Count.

    Parameters
    ----------
    number : int
        How far.

    Yields
    ------
    value : int
        The next number.
    """
    return iter(range(number))


class Shape(Protocol):
    """
    What has a size.
    """

    def measure(self, scale):
        """
        Measure it.

        Parameters
        ----------
        scale : float
            The scale.
        """


class _Named:
    def rename(self):
        """
        Give it another name.
        """


@dataclass
class Circle(_Named):
    """
    A circle.

    Parameters
    ----------
    radius : float
        The radius.

    color : str, optional
        The color.
    """

    radius: float
    color: str = 'red'
    found: list = field(default_factory=list, init=False)

    def __call__(self):
        """
        Draw it.
        """

    @property
    def area(self):
        """
        The area.
        """
        return 3 * self.radius**2

    @cached_property
    def outline(self):
        """
        The outline.
        """
        return 6 * self.radius

    @classmethod
    def make(cls):
        """
        Make one.

        Returns
        -------
        circle : `Circle`
            A new one.
        """
        return cls(1)

    @staticmethod
    def name():
        """
        Give the name.

        Returns
        -------
        name : str
            The name.
        """
        return 'circle'

    def _hidden(self, value):
        return value
'''
# What is written instead of what, and then the check that fails, the line's text and
# the name; together they are every kind of object, and each convention of the tool.
WRONG = {
    'module': ('"""Shapes."""', '# Shapes.', 'GL08', '# Shapes.', ''),
    'parameter': ('(value)', '(value, more)', 'PR01', 'def double', '.double'),
    'field': ("    color: str = 'red'\n", '', 'PR02', 'class Circle', '.Circle'),
    'new field': (', init=False', '', 'PR01', 'class Circle', '.Circle'),
    'order': ('(first, second', '(second, first', 'PR03', 'def add', '.add'),
    'order of groups': (
        'power=1, root=1, scale=1',
        'root=1, power=1, scale=1',
        'PR03',
        'def add',
        '.add',
    ),
    'order in a group': (
        'power=1, root=1, scale=1',
        'scale=1, power=1, root=1',
        'PR03',
        'def add',
        '.add',
    ),
    'type': ('    value : float', '    value', 'PR04', 'def double', '.double'),
    'types of a group': ('As for `double`.', 'More.', 'PR04', 'def add', '.add'),
    'description': ('        The values.\n', '', 'PR07', 'def add', '.add'),
    'returns': ('    print(', '    return (', 'RT01', 'def add', '.add'),
    'yields of another': (
        'Yields\n    ------',
        'Notes\n    -----',
        'RT01',
        'def count',
        '',
    ),
    'yields': ('    yield\n', '    yield 1\n', 'YD01', 'def hold', '.hold'),
    'protocol': ('(self, scale', '(self, to, scale', 'PR01', 'def measure', 'measure'),
    'inherited': ('Give it', 'Gives it', 'SS05', 'def rename', '.Circle.rename'),
    'call': (
        '        """\n        Draw it.\n        """',
        '        return',
        'GL08',
        'def __call__',
        '.Circle.__call__',
    ),
    'property': ('The area.', 'The area', 'SS03', 'def area', '.Circle.area'),
    'cached': ('The outline.', 'the outline.', 'SS02', 'def outline', 'outline'),
    'class method': ('A new one.', 'A new one', 'RT05', 'def make', '.Circle.make'),
    'static method': ('Give the', 'Gives the', 'SS05', 'def name', '.Circle.name'),
}


@pytest.fixture(scope='module')
def tool():
    """Import the script."""
    path = ROOT / 'tools' / 'check_docstrings.py'
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def check(tool, tmp_path, monkeypatch, capsys, request):
    """Write a module and check it: the exit status, and the lines printed."""
    # Modules stay imported.
    name = 'shapes_' + re.sub(r'\W', '_', request.node.name)
    path = tmp_path / f'{name}.py'
    monkeypatch.syspath_prepend(tmp_path)

    def run(text):
        path.write_text(text)
        status = tool.main([name])
        return status, capsys.readouterr().out.replace(str(path), 'PATH').splitlines()

    return run


def test_right(check):
    status, lines = check(RIGHT)
    assert lines == ['14 docstrings, 0 faults']
    assert status == 0


@pytest.mark.parametrize('case', WRONG)
def test_wrong(check, case):
    old, new, code, where, name = WRONG[case]
    assert RIGHT.count(old) == 1
    text = RIGHT.replace(old, new)
    status, (*lines, last) = check(text)
    assert status == 1
    found = [re.match(r'PATH:(\d+): (\w+) (\S+): ', one).groups() for one in lines]
    (number,) = [
        str(number)
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip().startswith(where)
    ]
    assert code in {code for _, code, _ in found}
    assert {line for line, _, _ in found} == {number}
    assert all(one.endswith(name) for _, _, one in found)
    assert last == f'14 docstrings, {len(lines)} faults'


def test_nothing_to_validate_is_a_fault(check):
    assert check('')[0] == 1


def test_ours(tool):
    """A package whose docstrings are right, by the settings of the project."""
    name = 'photutils_pconv.photometry'
    objects = [
        shown
        for module in tool.list_modules(name)
        for shown in tool.list_objects(module)
    ]
    names, faults = tool.check_objects(objects, parse_config(ROOT))
    assert faults == []
    shown = {'', '.flags', '.spectra.Spectrum.__call__', '.get_passband'}
    assert {name + one for one in shown} < set(names)
    # What is private, and what has been validated by another name.
    assert not any('._' in one and '__call__' not in one for one in names)
    assert f'{name}.passbands.get_passband' not in names
