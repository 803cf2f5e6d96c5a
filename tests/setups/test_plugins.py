# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of setups that other packages bring along."""

import sys
import types
from importlib.metadata import EntryPoint

import astropy.units as u
import pytest
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv import ObservingSetup, get_setup, list_setups, register_setup
from photutils_pconv.setups import plugins

ONE, TWO = (
    ObservingSetup.from_psf(18 * u.arcsec, name=name, mode='plug', band=name)
    for name in ('one', 'two')
)


def fail():
    msg = 'the data\nare missing'
    raise OSError(msg)


@pytest.fixture
def install(monkeypatch):
    """Pretend that a package with entry points is installed."""
    module = types.ModuleType('another_package')
    module.one, module.both, module.fail, module.three = ONE, (ONE, TWO), fail, 3
    module.make = lambda: TWO
    monkeypatch.setitem(sys.modules, 'another_package', module)

    def install(*names):
        points = [
            EntryPoint(name, f'another_package:{name}', plugins.GROUP) for name in names
        ]
        monkeypatch.setattr(plugins, 'entry_points', lambda group: points)
        plugins.plugin_setups.cache_clear()

    yield install
    plugins.plugin_setups.cache_clear()


@pytest.mark.parametrize(
    ('points', 'names'),
    [(['one'], ['one']), (['make'], ['two']), (['both'], ['one', 'two']), ([], [])],
)
def test_setups_are_found(install, points, names):
    known = list_setups()
    install(*points)
    assert list_setups() == (*known, *names)
    for name in names:
        assert get_setup(setup=name).name == name
        assert get_setup('plug', name) is get_setup(setup=name)


@pytest.mark.parametrize(
    ('point', 'reason'),
    [
        ('fail', 'the data are missing'),
        ('three', 'it gives a int, not an ObservingSetup'),
        ('missing', "no attribute 'missing'"),
    ],
)
def test_one_that_fails_is_left_out(install, point, reason):
    install(point, 'one')
    with pytest.warns(AstropyUserWarning, match=reason):
        assert list_setups()[-1] == 'one'
    # and it is told once
    assert list_setups()[-1] == 'one'


def test_names_are_taken_once(install):
    install('one', 'both')
    with pytest.warns(AstropyUserWarning, match="another package has a setup 'one'"):
        assert list_setups()[-1] == 'one'
    with pytest.raises(ValueError, match="mode 'plug' and the band 'one' already"):
        register_setup(
            ObservingSetup.from_psf(9 * u.arcsec, name='new', mode='plug', band='one')
        )
