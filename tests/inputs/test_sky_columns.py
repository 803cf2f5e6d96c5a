# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of tables with positions: sky columns win, in every spelling."""

import importlib.util
import re

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table
from astropy.utils.exceptions import AstropyUserWarning
from numpy.testing import assert_allclose

from photutils_pconv.inputs import parse_sources

X = np.array([3.25, 20.5, 30.0, 11.75])
Y = np.array([4.0, 25.5, 10.25, 7.5])
# those of another map
OTHER = {'x_center': X / 2 + 9, 'y_center': Y / 2 - 1}


@pytest.fixture
def sky(map_wcs):
    """Return the sky positions of X and Y."""
    return map_wcs.pixel_to_world(X, Y)


def check(parsed, atol=1e-5):
    """Compare pixel positions with the true ones."""
    assert_allclose(parsed.x, X, atol=atol)
    assert_allclose(parsed.y, Y, atol=atol)


@pytest.mark.parametrize(
    ('lon', 'lat', 'frame'),
    [
        ('sky_center.ra', 'sky_center.dec', 'icrs'),
        ('sky_centroid.ra', 'sky_centroid.dec', 'icrs'),
        ('sky_center_ra', 'sky_center_dec', 'icrs'),
        ('SKY_CENTER.RA', 'SKY_CENTER.DEC', 'icrs'),
        ('coord.ra', 'coord.dec', 'icrs'),
        ('position.l', 'position.b', 'galactic'),
        ('sky_center.l', 'sky_center.b', 'galactic'),
        ('RAdeg', 'DEdeg', 'icrs'),
        ('RA_d', 'DEC_d', 'icrs'),
        ('_RA.icrs', '_DE.icrs', 'icrs'),
        ('Right Ascension', 'Declination', 'icrs'),
        ('_Glon', '_Glat', 'galactic'),
        ('l', 'b', 'galactic'),
        (' ra ', 'dec', 'icrs'),
    ],
)
@pytest.mark.parametrize('order', [1, -1])
def test_names(sky, map_wcs, lon, lat, frame, order):
    """Whatever the spelling and the order, the pixels are not used."""
    own = sky.transform_to(frame).spherical
    columns = {**OTHER, lon: own.lon.deg, lat: own.lat.deg}
    table = Table({key: columns[key] for key in list(columns)[::order]})
    check(parse_sources(table, wcs=map_wcs))


@pytest.mark.parametrize(
    'table_format',
    [
        'ascii.csv',
        'ascii.tab',
        'ascii.basic',
        'ascii.fixed_width',
        'ascii.fixed_width_two_line',
        'ascii.commented_header',
        'ascii.rst',
        'ascii.ecsv',
        'fits',
        'votable',
    ],
)
@pytest.mark.parametrize('split', [False, True])
def test_written_photometry(tmp_path, sky, map_wcs, table_format, split):
    """Photometry of one map as the source list of another."""
    table = QTable({'id': [1, 2, 3, 4], **OTHER, 'flux': X * u.Jy})
    if split or table_format == 'votable':
        table['sky_center.ra'], table['sky_center.dec'] = sky.ra, sky.dec
    else:
        table['sky_center'] = sky
    path = tmp_path / 'photometry.txt'
    table.write(path, format=table_format)
    if split or table_format in ('ascii.ecsv', 'fits', 'votable'):
        check(parse_sources(path, wcs=map_wcs))
        return
    # astropy writes the column as text then, without the frame
    with pytest.warns(AstropyUserWarning, match='taken as ICRS'):
        check(parse_sources(path, wcs=map_wcs))


@pytest.mark.parametrize(
    'name', ['RAB1950', 'ra_1', 'lon', 'alpha', 'RA (J2000)', 'elon', 'sky_position']
)
def test_sky_that_is_not_understood(map_wcs, name):
    """Pixels are no substitute for sky positions that cannot be read."""
    table = Table({**OTHER, name: X})
    with pytest.raises(ValueError, match='x_center, y_center.*not understood'):
        parse_sources(table, wcs=map_wcs)
    check_pixels = parse_sources(table['x_center', 'y_center'], wcs=map_wcs)
    assert_allclose(check_pixels.x, OTHER['x_center'])


@pytest.mark.parametrize(
    'names', [['mag', 'label'], ['sky', 'flux'], ['dx', 'peak'], ['area', 'deblended']]
)
def test_columns_beside_pixels(map_wcs, names):
    """Columns of finders that only sound like positions."""
    table = Table({'x': X, 'y': Y} | dict.fromkeys(names, X))
    check(parse_sources(table, wcs=map_wcs))


def test_several_sky_columns(sky, map_wcs):
    """Photutils' catalogues have corners, too."""
    away = SkyCoord(sky.ra + 1 * u.arcmin, sky.dec)
    table = QTable({'sky_bbox_ll': away, 'sky_centroid_icrs': sky, 'sky_bbox_ur': away})
    check(parse_sources(table, wcs=map_wcs))
    table = QTable({'first': sky, 'second': away})
    with pytest.warns(AstropyUserWarning, match='several sky.*first is taken'):
        check(parse_sources(table, wcs=map_wcs))


class Frame:
    """What pandas' and polars' DataFrames have in common."""

    iloc = None

    def __init__(self, columns):
        self._columns = {key: np.array(value) for key, value in columns.items()}
        self.columns = list(self._columns)

    def __getitem__(self, name):
        return self._columns[name]

    def __len__(self):
        return len(next(iter(self._columns.values())))

    def __array__(self, dtype=None, copy=None):
        return np.array(list(self._columns.values()), dtype=dtype).T


def pandas_frame(columns):
    """Return a DataFrame of pandas."""
    return pytest.importorskip('pandas').DataFrame(columns)


def table_of_pandas(columns):
    """Return a DataFrame as astropy makes it."""
    if importlib.util.find_spec('pandas') is None:
        pytest.skip('needs pandas')
    return Table(columns).to_pandas()


@pytest.mark.parametrize('make', [Frame, dict, pandas_frame, table_of_pandas])
@pytest.mark.parametrize('kind', ['y,x', 'id,x,y', 'ra,dec', 'dec,ra', 'sky and x'])
def test_data_frame(sky, map_wcs, make, kind):
    """Columns go by their names, not by their order."""
    columns = {
        'y,x': {'y_centroid': Y, 'x_centroid': X},
        'id,x,y': {'id': ['a', 'b', 'c', 'd'], 'x': X, 'y': Y},
        'ra,dec': {'ra': sky.ra.deg, 'dec': sky.dec.deg},
        'dec,ra': {'dec': sky.dec.deg, 'ra': sky.ra.deg},
        'sky and x': {**OTHER, 'RAJ2000': sky.ra.deg, 'DEJ2000': sky.dec.deg},
    }[kind]
    check(parse_sources(make(columns), wcs=map_wcs))


def pandas_column(kind):
    """Return X as a column of a type of pandas' own."""
    pandas = pytest.importorskip('pandas')
    if kind == 'category':
        return pandas.Categorical(X)
    if kind == 'sparse':
        return pandas.arrays.SparseArray(X)
    return pandas.array(X.astype(str) if kind in ('string', 'str') else X, dtype=kind)


@pytest.mark.parametrize(
    'kind', ['object', 'category', 'Float64', 'Float32', 'string', 'sparse']
)
@pytest.mark.parametrize('index', [None, [7, 3, 5, 1], list('dbca')])
def test_types_of_pandas(map_wcs, kind, index):
    """All columns of numbers, in the order of the rows, whatever the index."""
    pandas = pytest.importorskip('pandas')
    frame = pandas.DataFrame({'y': Y, 'x': pandas_column(kind)})
    if index is not None:
        frame.index = index
    check(parse_sources(frame, wcs=map_wcs))


@pytest.mark.parametrize('dtype', ['Int64', 'Float64', 'object', 'string'])
def test_missing_values_of_pandas(dtype):
    """A row without a position stays in its place."""
    pandas = pytest.importorskip('pandas')
    x = [3, None, 30, 11]
    if dtype == 'string':
        x = [None if one is None else str(one) for one in x]
    frame = pandas.DataFrame({'x': pandas.array(x, dtype=dtype), 'y': Y})
    parsed = parse_sources(frame)
    assert_allclose(parsed.x, [3, np.nan, 30, 11])
    assert_allclose(parsed.y, Y)


def test_other_columns_of_pandas(sky, map_wcs):
    """Names, times, truth values and lists do not disturb."""
    pandas = pytest.importorskip('pandas')
    columns = {
        'name': ['a', None, 'c', 'd'],
        'time': pandas.to_datetime(['2020-01-01'] * 4),
        'good': [True, False, None, True],
        'list': [[1], [2], [3], []],
        'ra': sky.ra.to_string(unit='hourangle', sep=':', precision=6),
        'dec': sky.dec.to_string(sep=':', precision=5),
    }
    parsed = parse_sources(pandas.DataFrame(columns), wcs=map_wcs)
    check(parsed, atol=1e-4)
    assert parsed.table.colnames == list(columns)


@pytest.mark.parametrize(
    ('make', 'match'),
    [
        (lambda p: p.DataFrame({('map', 'x'): X, ('map', 'y'): Y}), 'several levels'),
        (lambda p: p.DataFrame({0: X, 1: Y}), r'no columns with .* it has: 0, 1'),
        (lambda p: p.DataFrame({'x': X, 'y': Y}).set_index('x'), r'reset_index\(\)'),
        (
            lambda p: p.DataFrame(np.c_[X, Y, Y], columns=list('xyy')),
            "several columns of the name 'y'",
        ),
        (lambda p: p.DataFrame({'x': X > 9, 'y': Y}), "'x' must hold numbers"),
        (
            lambda p: p.DataFrame({'x': p.to_datetime(X), 'y': Y}),
            "'x' must hold numbers",
        ),
        (lambda p: p.DataFrame({'x': X + 1j, 'y': Y}), "'x' must hold numbers"),
        (lambda p: p.DataFrame({'x': list('abcd'), 'y': Y}), "'x' must hold numbers"),
    ],
)
def test_data_frame_refused(make, match):
    with pytest.raises(ValueError, match=match):
        parse_sources(make(pytest.importorskip('pandas')))


@pytest.mark.parametrize('dtype', [bool, complex, 'm8[s]'])
def test_array_of_no_real_numbers(dtype):
    with pytest.raises(TypeError, match=re.escape(f'of {np.dtype(dtype)}.')):
        parse_sources(np.array([[1, 0], [0, 1]]).astype(dtype))


@pytest.mark.parametrize(
    ('pixels', 'asked'),
    [
        (('x', 'y'), ('x', 'y')),
        (('x_center', 'y_center'), ('x_center', 'y_center')),
        (('X', 'Y'), ('X', 'Y')),
    ],
)
def test_pixels_only_when_asked(sky, pixels, asked):
    """On a map without WCS, a table of both is refused with the way out."""
    table = QTable({'sky_center': sky, pixels[0]: X, pixels[1]: Y})
    with pytest.raises(
        ValueError, match=r'no celestial WCS: give wcs.*table\['
    ) as info:
        parse_sources(table)
    # what the message says is what works
    code = str(info.value)[str(info.value).rindex('table[') :].rstrip('.')
    assert code == f'table[{asked[0]!r}, {asked[1]!r}]'
    check(parse_sources(table[asked]), atol=0)


@pytest.mark.parametrize('make', [Frame, dict, pandas_frame])
def test_data_frame_without_positions(map_wcs, make):
    with pytest.raises(ValueError, match='no columns with positions; it has: a, b'):
        parse_sources(make({'a': X, 'b': Y}), wcs=map_wcs)
