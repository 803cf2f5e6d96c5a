# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the checks of values and arrays.
"""

from dataclasses import dataclass

import astropy.units as u
import numpy as np
import pytest

from photutils_pconv._utils.arrays import (
    as_map,
    join_missing,
    match_radius,
    on_map,
    one_per_source,
    pair_positions,
)
from photutils_pconv._utils.checks import (
    as_radii,
    check_choice,
    check_count,
    check_seed,
    check_switches,
    to_bool,
    to_float,
    to_quantity,
)

NO_SWITCHES = ['no', 'False', '', np.nan, None, 0, 1, 1.0, [False], np.array([True])]


@dataclass(frozen=True)
class Switches:
    wanted: bool = True
    chosen: bool | None = None
    other: int = 0


class TestSwitches:
    @pytest.mark.parametrize('kind', [bool, np.bool_, np.array])
    @pytest.mark.parametrize('value', [True, False])
    def test_bool(self, value, kind):
        assert to_bool(kind(value), 'x') is value

    @pytest.mark.parametrize('value', NO_SWITCHES)
    def test_no_bool(self, value):
        with pytest.raises(TypeError, match='x must be True or False, got'):
            to_bool(value, 'x')

    def test_fields(self):
        switches = Switches(np.False_, np.True_, 2)
        check_switches(switches)
        assert switches.wanted is False
        assert switches.chosen is True
        assert switches.other == 2

    @pytest.mark.parametrize('name', ['wanted', 'chosen'])
    def test_bad_field(self, name):
        with pytest.raises(TypeError, match=f'{name} must be True or False'):
            check_switches(Switches(**{name: 'no'}))


class TestSeeds:
    @pytest.mark.parametrize(
        'seed',
        [
            0,
            2**70,
            np.int32(4),
            [1, 2],
            None,
            np.random.default_rng(1),
            np.random.SeedSequence(1),
            np.random.PCG64(1),
        ],
    )
    def test_seed(self, seed):
        check_seed(seed, 'x')

    @pytest.mark.parametrize(
        ('seed', 'error'),
        [
            (-1, ValueError),
            ([1, -2], ValueError),
            (1.0, TypeError),
            (np.nan, TypeError),
            ('1', TypeError),
            (True, TypeError),
            ({}, TypeError),
        ],
    )
    def test_no_seed(self, seed, error):
        with pytest.raises(error, match='x must be an integer of 0 or more, '):
            check_seed(seed, 'x')


class TestNumbers:
    @pytest.mark.parametrize('value', [3, 3.0, np.float32(3), np.int16(3)])
    def test_to_float(self, value):
        found = to_float(value, 'x')
        assert type(found) is float
        assert found == 3.0

    @pytest.mark.parametrize('value', ['3', None, True, [3.0], 3 * u.pix])
    def test_no_number(self, value):
        with pytest.raises(TypeError, match='x must be a number'):
            to_float(value, 'x')

    @pytest.mark.parametrize('value', [0, -1.0, np.nan, np.inf])
    def test_not_positive(self, value):
        with pytest.raises(ValueError, match='x must be finite and positive'):
            to_float(value, 'x')

    def test_to_quantity(self):
        assert to_quantity(1 * u.arcmin, u.arcsec, 'x') == 60 * u.arcsec
        assert to_quantity(2, u.arcsec, 'x').unit == u.arcsec

    @pytest.mark.parametrize(
        ('value', 'error', 'match'),
        [
            (1 * u.Jy, ValueError, 'unit convertible to arcsec'),
            ('wide', TypeError, 'a number or a Quantity'),
            ([1, 2], ValueError, 'must be a scalar'),
            (-1 * u.arcsec, ValueError, 'finite and positive'),
        ],
    )
    def test_bad_quantity(self, value, error, match):
        with pytest.raises(error, match=match):
            to_quantity(value, u.arcsec, 'x')

    @pytest.mark.parametrize(('given', 'n'), [(2.0, 1), ([1, 2, 3], 3)])
    def test_as_radii(self, given, n):
        assert as_radii(given).shape == (n,)

    @pytest.mark.parametrize('given', [[], [[1.0]], [1.0, 0.0], [np.nan]])
    def test_bad_radii(self, given):
        with pytest.raises(ValueError, match='one or more positive numbers'):
            as_radii(given)


class TestChoices:
    @pytest.mark.parametrize('value', [1, 7, np.int64(1)])
    def test_count(self, value):
        check_count(value, 'n')

    @pytest.mark.parametrize('value', [0, -1, 1.0, True, '1', None])
    def test_no_count(self, value):
        with pytest.raises(ValueError, match='n must be a positive integer, got'):
            check_count(value, 'n')

    def test_minimum(self):
        check_count(0, 'n', minimum=0)
        with pytest.raises(
            ValueError, match='n must be an integer of 2 or more, got 1'
        ):
            check_count(1, 'n', minimum=2)

    def test_choice(self):
        check_choice('a', 'x', ('a', 'b'))
        with pytest.raises(ValueError, match=r"x must be one of \('a', 'b'\), got 'c'"):
            check_choice('c', 'x', ('a', 'b'))


class TestArrays:
    def test_as_map(self):
        assert as_map([[1, 2]], 'data').dtype == float
        with pytest.raises(ValueError, match='data must be a 2-D map, got 1'):
            as_map([1, 2], 'data')
        with pytest.raises(ValueError, match=r"error must have the map's shape"):
            as_map([[1, 2]], 'error', shape=(2, 1))

    def test_join_missing(self):
        data = np.array([[1.0, np.nan, 2.0]])
        given = np.array([[True, False, False]])
        assert join_missing(None, data).tolist() == [[False, True, False]]
        assert join_missing(given, data).tolist() == [[True, True, False]]
        for bad in (given.astype(int), given.T):
            with pytest.raises(ValueError, match='missing must be boolean'):
                join_missing(bad, data)

    def test_positions(self):
        x, y = pair_positions(1, 2)
        assert x.shape == y.shape == (1,)
        with pytest.raises(ValueError, match='1-D and of one length'):
            pair_positions([1, 2], [1])
        # The outermost pixels reach half a pixel beyond their centres.
        x = np.array([-0.5, -0.6, 2.4, 2.5])
        assert on_map(x, np.zeros(4), (1, 3)).tolist() == [True, False, True, False]

    def test_one_per_source(self):
        assert one_per_source(2, (3,), 'flux').tolist() == [2, 2, 2]
        with pytest.raises(ValueError, match='one for each of the 3'):
            one_per_source([1, 2], (3,), 'flux')
        assert np.isnan(match_radius(np.nan, (2,))).all()
        for bad in (-1, np.inf):
            with pytest.raises(ValueError, match='radius must not be negative'):
                match_radius(bad, (2,))
