# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the parser of source lists: tables and their columns."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, QTable, Table
from numpy.testing import assert_allclose, assert_array_equal
from photutils.detection import DAOStarFinder

from photutils_pconv.inputs.sources import parse_sources
from tests.inputs.conftest import X, Y, check_sources


@pytest.mark.parametrize('cls', [Table, QTable])
@pytest.mark.parametrize('name', ['sky_center', 'sky_centroid', 'position'])
def test_sky_column(cls, name, sky, map_wcs):
    # what is in the other columns does not matter
    table = cls({'flux': X * u.Jy, name: sky, 'x': X + 100, 'y': ['a'] * 4})
    parsed = parse_sources(table, wcs=map_wcs)
    check_sources(parsed, sky)
    assert isinstance(parsed.table, QTable)
    assert parsed.table.colnames == table.colnames
    parsed.table['x'] = 0
    assert table['x'][0] == X[0] + 100


def test_sky_column_order(sky, map_wcs):
    other = SkyCoord(sky.ra + 1 * u.deg, sky.dec)
    table = QTable(
        {
            'target': other,
            'ra': other.ra,
            'dec': other.dec,
            'sky_centroid': other,
            'sky_center': sky,
        }
    )
    check_sources(parse_sources(table, wcs=map_wcs), sky)


@pytest.mark.parametrize(
    'names',
    [
        ('ra', 'dec'),
        ('RA', 'DEC'),
        ('Ra', 'Dec'),
        ('RAJ2000', 'DEJ2000'),
        ('_RAJ2000', '_DEJ2000'),
        ('RA_ICRS', 'DE_ICRS'),
        ('ALPHA_J2000', 'DELTA_J2000'),
    ],
)
@pytest.mark.parametrize('form', ['number', 'deg', 'rad', 'hours', 'text', 'float32'])
def test_ra_dec(names, form, sky, map_wcs):
    ra, dec = {
        'number': (sky.ra.deg, sky.dec.deg),
        'deg': (sky.ra, sky.dec),
        'rad': (sky.ra.to(u.rad), sky.dec.to(u.rad)),
        'hours': (sky.ra.hourangle * u.hourangle, sky.dec),
        'text': (
            sky.ra.to_string(u.hour, sep=':', precision=6),
            sky.dec.to_string(u.deg, sep=':', precision=5),
        ),
        'float32': (sky.ra.deg.astype('f4'), sky.dec.deg.astype('f4')),
    }[form]
    table = Table({'id': range(4), names[1]: dec, names[0]: ra})
    parsed = parse_sources(table, wcs=map_wcs)
    if form == 'float32':
        assert_allclose(parsed.x, X, atol=0.02)
    else:
        check_sources(parsed, sky, atol=1e-4)


def test_text_of_numbers(sky, map_wcs):
    """Degrees that were read as text are not taken for hours."""
    table = Table(
        {
            'ra': [f'{value:.9f}' for value in sky.ra.deg],
            'dec': [f'{value:.9f}' for value in sky.dec.deg],
        }
    )
    check_sources(parse_sources(table, wcs=map_wcs), sky, atol=1e-4)


def test_galactic_columns(sky, map_wcs):
    table = Table({'GLON': sky.galactic.l.deg, 'GLAT': sky.galactic.b.deg})
    check_sources(parse_sources(table, wcs=map_wcs), sky, atol=1e-4)


@pytest.mark.parametrize(
    'names',
    [
        ('x_center', 'y_center'),
        ('x_centroid', 'y_centroid'),
        ('xcentroid', 'ycentroid'),
        ('x', 'y'),
        ('X', 'Y'),
        ('x_fit', 'y_fit'),
        ('x_0', 'y_0'),
        ('x_init', 'y_init'),
    ],
)
@pytest.mark.parametrize('unit', [None, u.pix])
def test_pixel_columns(names, unit):
    table = Table({'id': range(4), names[0]: X, names[1]: Y})
    for name in names:
        table[name].unit = unit
    check_sources(parse_sources(table))
    check_sources(parse_sources(QTable(table)))


def test_pixel_column_order():
    """Photutils' PSFPhotometry has initial and fitted positions."""
    table = Table({'x_init': X + 9, 'y_init': Y, 'x_fit': X, 'y_fit': Y})
    check_sources(parse_sources(table))
    table['x_center'] = X + 1
    table['y_center'] = Y
    assert_array_equal(parse_sources(table).x, X + 1)


def test_pixel_columns_without_wcs(sky):
    """Both positions and no WCS: the pixels may be those of another map."""
    table = QTable({'sky_center': sky, 'x_center': X, 'y_center': Y})
    with pytest.raises(ValueError, match='these two alone'):
        parse_sources(table)
    check_sources(parse_sources(table['x_center', 'y_center']))


def test_photutils_table(map_wcs):
    """What photutils' finders give is taken as it is."""
    y, x = np.mgrid[:30, :40]
    data = np.exp(-((x - 20.3) ** 2 + (y - 14.6) ** 2) / 8)
    found = DAOStarFinder(threshold=0.1, fwhm=4.7)(data)
    parsed = parse_sources(found, wcs=map_wcs)
    assert_allclose([parsed.x[0], parsed.y[0]], [20.3, 14.6], atol=0.1)


def test_row_and_structured_array(sky, map_wcs):
    table = Table({'x': X, 'y': Y})
    parsed = parse_sources(table[2])
    assert_array_equal([parsed.x, parsed.y], [[X[2]], [Y[2]]])
    check_sources(parse_sources(table.as_array()))


@pytest.mark.parametrize(
    ('table', 'match'),
    [
        (
            Table({'a': [1], 'ra': [2]}),
            r'it has: a, ra\. Accepted are: sky_center, .*ra/dec.*x_center/y_center',
        ),
        (Table({'x': ['a'], 'y': ['b']}), "column 'x' must hold numbers"),
        (
            Table({'x': [1] * u.deg, 'y': [1]}),
            "'x' must have a unit convertible to pix",
        ),
        (Table({'ra': [1] * u.Jy, 'dec': [1]}), "'ra' must have a unit convertible"),
        (Table({'ra': [1], 'dec': [91]}), 'are no sky positions'),
        (Table({'ra': ['here'], 'dec': ['there']}), 'text that is no position'),
        (Table({'x': [[1, 2]], 'y': [[1, 2]]}), 'must hold a number per row'),
    ],
)
def test_bad_tables(table, match, map_wcs):
    with pytest.raises(ValueError, match=match):
        parse_sources(table, wcs=map_wcs)


def test_masked_and_text_columns(sky, map_wcs):
    table = Table({'x': MaskedColumn(X, mask=[0, 0, 1, 0]), 'y': Y})
    for given in (table, QTable(table)):
        assert_array_equal(np.isnan(parse_sources(given).x), [0, 0, 1, 0])
    table = Table(
        {
            'ra': MaskedColumn(sky.ra.to_string(u.hour, sep=' '), mask=[0, 1, 0, 0]),
            'dec': sky.dec.to_string(sep=' '),
        }
    )
    table['dec'][3] = ''
    parsed = parse_sources(table, wcs=map_wcs)
    assert_array_equal(np.isnan(parsed.x), [0, 1, 0, 1])
    assert_allclose(parsed.x[[0, 2]], X[[0, 2]], atol=1e-3)
