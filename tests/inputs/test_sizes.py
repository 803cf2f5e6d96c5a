# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the columns that hold the sizes of sources.
"""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable, Table
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv.inputs.sizes import find_sizes


@pytest.mark.parametrize(
    'names',
    [
        ('fwhm_major', 'fwhm_minor', 'pa'),
        ('FWHM_1', 'FWHM_2', 'PA'),
        ('AFWHM01', 'BFWHM01', 'THEP01'),
        ('FWHMA70', 'FWHMB70', 'PA70'),
        ('MajAxis', 'MinAxis', 'PA'),
        ('maj', 'min', 'PosAng'),
    ],
)
def test_spellings(names):
    table = Table(dict(zip(names, ([9.0, 8.0], [7.0, 8.0], [30.0, 0.0]), strict=True)))
    sizes = find_sizes(table, has_sky=True)
    np.testing.assert_array_equal(sizes.major, [9.0, 8.0])
    np.testing.assert_array_equal(sizes.minor, [7.0, 8.0])
    np.testing.assert_array_equal(sizes.angle, [30.0, 0.0])
    assert sizes.unit == u.arcsec
    assert sizes.from_north


@pytest.mark.parametrize(
    ('name', 'unit', 'has_sky', 'expected', 'value'),
    [
        ('fwhm', None, True, u.arcsec, 8.0),
        ('fwhm', None, False, u.pix, 8.0),
        ('fwhm', u.pix, True, u.pix, 8.0),
        ('fwhm', u.arcmin, False, u.arcsec, 480.0),
        ('fwhm_pix', None, True, u.pix, 8.0),
        ('fwhm_arcsec', None, False, u.arcsec, 8.0),
    ],
)
def test_units(name, unit, has_sky, expected, value):
    column = [8.0] if unit is None else [8.0] * unit
    sizes = find_sizes(QTable({name: column}), has_sky=has_sky)
    assert sizes.unit == expected
    np.testing.assert_allclose(sizes.major, value)


def test_swapped_axes_turn_the_angle():
    table = Table({'fwhm_major': [6.0], 'fwhm_minor': [9.0], 'theta': [10.0]})
    sizes = find_sizes(table, has_sky=False)
    assert (sizes.major[0], sizes.minor[0], sizes.angle[0]) == (9.0, 6.0, 100.0)
    assert not sizes.from_north


def test_unknown_sizes():
    table = Table({'fwhm': [np.nan, 0.0, 5.0]})
    np.testing.assert_array_equal(
        find_sizes(table, has_sky=True).major, [np.nan, np.nan, 5.0]
    )
    assert find_sizes(Table({'flux': [1.0], 'major': [2.0]}), has_sky=True) is None
    with pytest.warns(AstropyUserWarning, match='below 0'):
        find_sizes(Table({'fwhm': [-1.0]}), has_sky=True)
    with pytest.raises(ValueError, match="'fwhm' must hold numbers"):
        find_sizes(Table({'fwhm': ['a']}), has_sky=True)


def test_several_bands_are_asked_about():
    table = Table({'AFWHM01': [1.0], 'BFWHM01': [1.0], 'AFWHM02': [2.0]})
    with pytest.warns(AstropyUserWarning, match='several bands'):
        assert find_sizes(table, has_sky=True) is None
