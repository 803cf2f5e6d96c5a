# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what the packages show of themselves."""

import pkgutil
from importlib import import_module

import pytest

import photutils_pconv

PACKAGES = ['photutils_pconv'] + [
    f'photutils_pconv.{one.name}'
    for one in pkgutil.iter_modules(photutils_pconv.__path__)
    if not one.name.startswith('_') and one.name != 'cli'
]


@pytest.mark.parametrize('name', PACKAGES)
def test_only_public_names_are_listed(name):
    package = import_module(name)
    names = dir(package)
    assert names == sorted(package.__all__)
    for one in names:
        assert getattr(package, one) is not None
