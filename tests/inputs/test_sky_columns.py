# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of tables with positions: sky columns win, in every spelling."""

import importlib.util

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


@pytest.mark.parametrize('make', [Frame, dict, pandas_frame])
def test_data_frame_without_positions(map_wcs, make):
    with pytest.raises(ValueError, match='no columns with positions; it has: a, b'):
        parse_sources(make({'a': X, 'b': Y}), wcs=map_wcs)
