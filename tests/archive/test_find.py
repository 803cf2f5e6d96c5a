# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of finding observations, against a server that speaks TAP."""

import re

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.coordinates.name_resolve import NameResolveError
from astropy.table import QTable
from astropy.utils.exceptions import AstropyUserWarning
from numpy.testing import assert_allclose

from photutils_pconv.archive import (
    ArchiveConnectionError,
    ArchiveFormatError,
    NotInArchiveError,
    find_observations,
)
from photutils_pconv.archive.footprints import footprint_size, parse_footprint
from photutils_pconv.archive.positions import parse_position


def test_the_query_that_arrives(server, make, patience):
    find_observations(make.centre, patience=patience)
    (query,) = [q for q in server.queries if q.startswith('SELECT TOP 1000000 o.')]
    assert (
        "1=CONTAINS(POINT('ICRS', 269.15154000, 51.48889000), o.polygon_fov)" in query
    )
    assert "i.instrument_name = 'PACS'" in query
    assert "(o.status IS NULL OR o.status <> 'FAILED')" in query
    assert 'JOIN hsa.instrument AS i ON o.instrument_oid = i.instrument_oid' in query


def test_circles_intersect(server, make, patience):
    find_observations(make.centre, radius=6 * u.arcmin, patience=patience)
    (query,) = [q for q in server.queries if q.startswith('SELECT TOP 1000000 o.')]
    assert (
        "1=INTERSECTS(CIRCLE('ICRS', 269.15154000, 51.48889000, 0.10000000), "
        'o.polygon_fov)' in query
    )


def test_the_table(server, make, patience):
    server.esasky = [
        {
            'observation_id': make.obsid,
            'instrument': 'PACS',
            'filter': '70, 160 micron',
            'product_url': '',
        }
    ]
    table = find_observations(make.centre, patience=patience)
    assert isinstance(table, QTable)
    assert table.colnames == [
        *('obsid', 'target', 'mode', 'bands', 'level', 'position', 'size', 'date'),
        'public',
    ]
    (row,) = table
    assert row['obsid'] == make.obsid
    assert row['target'] == 'gamma Dra'
    assert row['mode'] == 'scanmap'
    assert row['bands'] == 'blue,red'
    assert row['level'] == '2.5'
    assert row['position'].separation(make.centre) < 1 * u.arcsec
    assert u.isclose(row['size'], np.sqrt(2) * 20 * u.arcmin, rtol=1e-3)
    assert row['date'].isot.startswith('2011-03-29T18:14:25')
    assert row['public']


def test_a_footprint_counts_and_not_the_centre_of_the_pointing(server, make, patience):
    """A degree off the centre of a large map, and beside a small one."""
    far = make.centre.directional_offset_by(90 * u.deg, 1 * u.deg)
    server.observations = [
        make.observation('1342000001', centre=far, side=4 * u.deg),
        make.observation('1342000002', centre=far, side=10 * u.arcmin),
    ]
    table = find_observations(make.centre, patience=patience)
    assert list(table['obsid']) == ['1342000001']


def test_more_than_two_thousand_rows(server, make, patience):
    """astroquery itself would give 2000."""
    server.observations = [make.observation(f'1342{n:06d}') for n in range(2100)]
    table = find_observations(make.centre, patience=patience)
    assert len(table) == 2100
    # ESASky, too, is asked for all of them
    (query,) = [q for q in server.queries if "'1342002099'" in q]
    assert query.startswith('SELECT TOP 1000000 ')


def test_rows_that_the_service_keeps_back(server, make, patience):
    server.observations = [make.observation(f'1342{n:06d}') for n in range(2100)]
    server.most_rows = 2000
    with pytest.raises(ArchiveFormatError, match=r'found 2100 rows and gave 2000: ask'):
        find_observations(make.centre, patience=patience)


def test_modes_bands_and_instruments(server, make, patience):
    server.observations = [
        make.observation('1342000003', observing_mode_name='SpirePacsParallel'),
        make.observation(
            '1342000003',
            observing_mode_name='SpirePacsParallel',
            instrument_name='SPIRE',
        ),
        make.observation('1342000002'),
        make.observation('1342000001', observing_mode_name='PacsLineSpec'),
        make.observation('1342000004', status='FAILED'),
        make.observation('1342000005'),
    ]
    server.esasky = [
        {'observation_id': obsid, 'filter': filters, 'product_url': ''}
        for obsid, filters in (('1342000003', '70'), ('1342000002', 'GREEN, RED'))
    ]

    def find(**options):
        found = find_observations(make.centre, patience=patience, **options)
        return list(found['obsid'])

    assert find() == ['1342000002', '1342000003', '1342000005']
    assert find(mode='parallel') == ['1342000003']
    assert find(mode='scanmap') == ['1342000002', '1342000005']
    # nobody knows the bands of the last one
    assert find(bands='green') == ['1342000002', '1342000005']
    assert find(bands=['blue', 'red']) == ['1342000002', '1342000003', '1342000005']
    assert find(instrument='spire') == ['1342000003']


def test_nothing_there(server, patience):
    table = find_observations('10.0 -20.0', patience=patience)
    assert len(table) == 0
    assert table['size'].unit == u.arcmin


def test_bands_are_not_needed(server, make, patience):
    server.faults['esasky'] = [make.fault(503)] * 9
    with pytest.warns(
        AstropyUserWarning, match='The bands .* not known: ESASky is out'
    ):
        table = find_observations(make.centre, patience=patience)
    assert np.ma.getmaskarray(table['bands']).all()


def test_esasky_in_the_place_of_the_archive(server, make, patience):
    server.faults['tap'] = [make.fault(503)] * 9
    row = {
        'instrument': 'PACS',
        'observing_mode_name': 'PacsPhoto',
        'ra_deg': str(make.centre.ra.deg),
        'dec_deg': str(make.centre.dec.deg),
        'stc_s': 'Polygon J2000 269.0 51.4 269.3 51.4 269.3 51.6 269.0 51.6',
        'start_time': '2011-03-29 18:14:25',
        'product_url': '',
    }
    server.esasky = [
        {**row, 'observation_id': make.obsid, 'filter': '70,160'},
        {**row, 'observation_id': '1342217405', 'filter': '100,160'},
        {**row, 'observation_id': '1342217406', 'instrument': 'SPIRE', 'filter': '250'},
    ]
    with pytest.warns(
        AstropyUserWarning, match=r'answered 503 .* These are the .* ESASky knows'
    ):
        table = find_observations(
            make.centre, radius=6 * u.arcmin, bands='blue', patience=patience
        )
    (query,) = [q for q in server.queries if 'INTERSECTS' in q]
    assert query.startswith('SELECT TOP 1000000 ')
    assert re.search(r"CIRCLE\('ICRS', 269\.15\d*, 51\.48\d*, 0\.1\d*\), fov\)", query)
    assert list(table['obsid']) == [make.obsid]
    assert list(table['bands']) == ['blue,red']
    assert list(table['mode']) == ['scanmap']
    assert table['level'].mask.all()
    assert u.isclose(table['size'][0], 16.5 * u.arcmin, rtol=0.05)
    assert table['date'][0].isot.startswith('2011-03-29T18:14:25')
    server.faults['tap'] = [make.fault(503)] * 9
    server.esasky[0] = {'observation_id': make.obsid, 'product_url': ''}
    server.esasky[1:] = []
    with pytest.raises(ArchiveConnectionError, match='Science Archive is out of order'):
        find_observations(make.centre, patience=patience)


def test_renamed_column(server, make, patience):
    """What has another name that is known is found; what is gone is named."""
    table = 'hsa.v_active_observation'
    names = server.columns[table]
    server.columns[table] = tuple(n for n in names if n != 'target_name')
    assert find_observations(make.centre, patience=patience)['target'] == ['']
    server.columns[table] = tuple(n for n in names if 'fov' not in n)
    with pytest.raises(
        ArchiveFormatError,
        match=r"has changed: its table .* has no column 'polygon_fov' any more\. "
        r'It has: aor, bii, dec',
    ):
        find_observations(make.centre, patience=patience)
    del server.columns[table]
    with pytest.raises(ArchiveFormatError, match='has no table hsa.v_active_obs'):
        find_observations(make.centre, patience=patience)


class TestFailures:
    @pytest.fixture(autouse=True)
    def no_esasky(self, server, make):
        """ESASky, which would serve in the archive's place, is down as well."""
        server.faults['esasky'] = [make.fault(503)] * 9

    def test_a_moment_of_weakness(self, server, make, patience):
        server.faults['esasky'] = []
        server.faults['tap'] = [make.fault(503)]
        assert len(find_observations(make.centre, patience=patience)) == 1

    def test_down(self, server, make, patience):
        server.faults['tap'] = [make.fault(503)] * 2
        with pytest.raises(
            ArchiveConnectionError,
            match=r'Archive is out of order: it answered 503 \(tried 2 times\)\. Try',
        ):
            find_observations(make.centre, patience=patience)

    def test_slow(self, server, make, patience):
        server.faults['tap'] = [make.fault(sleep=1.0)] * 2
        hasty = type(patience)(timeout=0.2, attempts=2, pause=0.01)
        with pytest.raises(
            ArchiveConnectionError, match=r'did not answer within 0.2 s \(tried 2'
        ):
            find_observations(make.centre, patience=hasty)

    def test_refused(self, server, make, patience):
        server.shutdown()
        server.server_close()
        with pytest.raises(ArchiveConnectionError, match='refuses connections'):
            find_observations(make.centre, patience=patience)

    def test_no_network(self, server, make, patience):
        from astroquery.esa.hsa import conf

        with (
            conf.set_temp('METADATA_ACTION', 'http://archive.invalid/hsa/tap'),
            pytest.raises(ArchiveConnectionError, match='there is no network'),
        ):
            find_observations(make.centre, patience=patience)

    def test_a_page_in_the_place_of_a_table(self, server, make, patience):
        page = b'<html><title>Maintenance</title></html>'
        server.faults['tap'] = [make.fault(200, page)]
        with pytest.raises(ArchiveFormatError, match='something that is no table'):
            find_observations(make.centre, patience=patience)

    def test_a_query_that_is_refused(self, server, make, patience):
        reply = b'<INFO name="QUERY_STATUS" value="ERROR">Unknown function</INFO>'
        server.faults['tap'] = [make.fault(400, reply)]
        with pytest.raises(ArchiveFormatError, match='refused a query .* function'):
            find_observations(make.centre, patience=patience)


@pytest.mark.parametrize(
    ('options', 'match'),
    [
        ({'radius': 3}, 'radius must be an angle'),
        ({'radius': 3 * u.m}, 'radius must be an angle'),
        ({'radius': 0 * u.deg}, 'radius must be one angle above 0'),
        ({'bands': 'violet'}, "bands must be one of .*got 'violet'"),
        ({'mode': 'chopped'}, "mode must be one of .*got 'chopped'"),
        ({'instrument': "PACS' OR 1=1"}, 'instrument must be a name'),
    ],
)
def test_wrong_arguments(options, match):
    with pytest.raises(ValueError, match=match):
        find_observations(SkyCoord(1, 2, unit='deg'), **options)


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('269.15 51.49', (269.15, 51.49)),
        ('10.5, -20', (10.5, -20)),
        ('17h56m36s +51d29m20s', (269.15, 51.488889)),
        ('17:56:36 +51:29:20', (269.15, 51.488889)),
        (' 17 56 36.0 -51 29 20.0 ', (269.15, -51.488889)),
    ],
)
def test_positions_in_words(text, expected):
    position = parse_position(text)
    assert_allclose([position.ra.deg, position.dec.deg], expected, atol=1e-6)


@pytest.mark.parametrize(
    ('text', 'match'),
    [('10.0 100.0', 'Latitude'), ('400 20', 'within 0 and 360 degrees, got 400')],
)
def test_positions_out_of_range(text, match):
    with pytest.raises(ValueError, match=match):
        parse_position(text)


class TestNames:
    def test_no_network(self):
        """Tests have none."""
        with pytest.raises(
            ArchiveConnectionError, match="The name 'gamma Dra' cannot be looked up: "
        ):
            parse_position('gamma Dra')

    @pytest.mark.parametrize(
        ('text', 'error', 'match'),
        [
            (
                "Unable to find coordinates for name 'x'",
                NotInArchiveError,
                'No object is',
            ),
            ('All Sesame queries failed.', ArchiveConnectionError, 'does not answer'),
        ],
    )
    def test_unknown(self, monkeypatch, text, error, match):
        def fail(name):
            raise NameResolveError(text)

        monkeypatch.setattr(SkyCoord, 'from_name', fail)
        with pytest.raises(error, match=match):
            parse_position('x')


@pytest.mark.parametrize('position', [3.0, '', None])
def test_no_position(position):
    with pytest.raises(TypeError, match='position must be a SkyCoord or a text'):
        find_observations(position)


@pytest.mark.parametrize(
    'text',
    [
        'Polygon ICRS 10 20 11 20 11 21 10 21',
        'POLYGON J2000 10.0 20.0 11.0 20.0 11.0 21.0 10.0 21.0',
        '10 20 11 20 11 21 10 21',
        '{(10d,20d),(11d,20d),(11d,21d),(10d,21d)}',
        '{(0.174532925,0.34906585),(0.191986218,0.34906585),'
        '(0.191986218,0.366519143),(0.174532925,0.366519143)}',
    ],
)
def test_footprints(text):
    lon, lat = parse_footprint(text, *np.radians([10.5, 20.5]))
    corners = SkyCoord(lon, lat, unit='rad')
    expected = SkyCoord([10, 11, 11, 10], [20, 20, 21, 21], unit='deg')
    assert np.all(corners.separation(expected) < 0.1 * u.arcsec)
    diagonal = expected[0].separation(expected[2])
    size = footprint_size(np.array([lon, lat])) * u.rad
    assert u.isclose(size, diagonal, rtol=1e-3)


def test_no_footprint():
    assert parse_footprint('None', 0.1, 0.2) is None
