# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the parser of source lists: files."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable, Table
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.inputs.sources import parse_sources
from tests.inputs.conftest import X, Y, check_sources

FORMATS = [
    ('csv', 'ascii.csv'),
    ('ecsv', 'ascii.ecsv'),
    ('csv', 'ascii.ecsv'),
    ('vot', 'votable'),
    ('xml', 'votable'),
    ('fits', 'fits'),
    ('fits.gz', 'fits'),
    ('txt', 'ascii.commented_header'),
    ('dat', 'ascii.basic'),
    ('none', 'ascii.ecsv'),
    ('ECSV', 'ascii.ecsv'),
]


@pytest.mark.parametrize(('ending', 'table_format'), FORMATS)
@pytest.mark.parametrize('kind', ['ra', 'x'])
@pytest.mark.parametrize('as_str', [False, True])
def test_file(tmp_path, sky, map_wcs, ending, table_format, kind, as_str):
    if kind == 'ra':
        table = Table({'id': range(4), 'ra': sky.ra.deg, 'dec': sky.dec.deg})
    else:
        table = Table({'id': range(4), 'x': X, 'y': Y})
    path = tmp_path / f'sources.{ending}'
    table.write(path, format=table_format)
    parsed = parse_sources(str(path) if as_str else path, wcs=map_wcs)
    check_sources(parsed, sky)
    assert_array_equal(parsed.table['id'], range(4))


@pytest.mark.parametrize(
    ('ending', 'table_format'),
    [('ecsv', 'ascii.ecsv'), ('csv', 'ascii.ecsv'), ('fits', 'fits')],
)
def test_file_with_sky_column(tmp_path, sky, map_wcs, ending, table_format):
    """A SkyCoord column, in the formats that can hold one."""
    path = tmp_path / f'sources.{ending}'
    table = QTable({'sky_center': sky, 'flux': X * u.Jy})
    table.write(path, format=table_format)
    check_sources(parse_sources(path, wcs=map_wcs), sky)


def test_file_with_units(tmp_path, sky, map_wcs):
    path = tmp_path / 'sources.ecsv'
    QTable({'ra': sky.ra.to(u.rad), 'dec': sky.dec.to(u.arcmin)}).write(path)
    check_sources(parse_sources(path, wcs=map_wcs), sky)


def test_file_empty(tmp_path, map_wcs):
    path = tmp_path / 'sources.csv'
    path.write_text('ra,dec\n')
    assert len(parse_sources(path, wcs=map_wcs)) == 0


def test_file_csv_with_gaps(tmp_path, sky, map_wcs):
    path = tmp_path / 'sources.csv'
    path.write_text(f'name,ra,dec\na,{sky.ra.deg[0]:.9f},{sky.dec.deg[0]:.9f}\nb,,\n')
    parsed = parse_sources(path, wcs=map_wcs)
    assert_allclose(parsed.x, [X[0], np.nan], atol=1e-4)


def test_file_votable_with_odd_units(tmp_path, sky, map_wcs):
    """Units as VizieR has them, which astropy does not know."""
    path = tmp_path / 'sources.vot'
    rows = ''.join(
        f'<TR><TD>{ra:.9f}</TD><TD>{dec:.9f}</TD><TD>1</TD></TR>'
        for ra, dec in zip(sky.ra.deg, sky.dec.deg, strict=True)
    )
    path.write_text(
        '<?xml version="1.0"?><VOTABLE version="1.4" '
        'xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>'
        '<FIELD name="RAJ2000" datatype="double" unit="deg"/>'
        '<FIELD name="DEJ2000" datatype="double" unit="deg"/>'
        '<FIELD name="n" datatype="int" unit="furlongs per pixel"/>'
        f'<DATA><TABLEDATA>{rows}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>'
    )
    check_sources(parse_sources(path, wcs=map_wcs), sky, atol=1e-4)


@pytest.mark.parametrize(
    'name', ['sources.ecsv', 'sources.fits', 'sources.xml', 'sources.png']
)
def test_file_unreadable(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b'\x89PNG\x00 nothing of the kind')
    with pytest.raises(ValueError, match='cannot be read as'):
        parse_sources(path)


def test_file_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match='does not exist'):
        parse_sources(tmp_path / 'sources.csv')
