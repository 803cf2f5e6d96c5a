# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what users, servers, disks and killed processes do besides."""

import errno
import gzip
import io
import json
import os
import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io.votable import tree
from astropy.nddata import CCDData
from astropy.table import QTable, Table
from astropy.utils.exceptions import AstropyUserWarning
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.archive import (
    ArchiveConnectionError,
    ArchiveError,
    ArchiveFormatError,
    NotInArchiveError,
    downloads,
    fetch_catalogue,
    find_observations,
    maps,
    match_catalogue,
    queries,
)
from photutils_pconv.archive import (
    cache as cache_module,
)
from photutils_pconv.archive.footprints import footprint_size, parse_footprint

LEVEL = 'LEVEL2_5'


def raise_error(number):
    """Return a function that fails as the system does."""

    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    return fail


class TestArguments:
    @pytest.mark.parametrize(
        'obsid',
        [
            1342217404.0,
            -1342217404,
            '1342217404.0',
            '٣٣٤٢٢١٧٤٠٤',  # digits, but not the archive's
            b'1342217404',
            [1342217404],
            True,
            None,
        ],
    )
    def test_no_obsid(self, fetch, server, obsid):
        with pytest.raises(ValueError, match=r'obsid must have ten digits, .* got '):
            fetch(obsid)
        assert server.requests == []

    @pytest.mark.parametrize('kind', [int, str, np.int64, np.str_, ' {} '.format])
    def test_an_obsid(self, fetch, make, kind):
        assert fetch(kind(make.obsid)).obsid == make.obsid

    @pytest.mark.parametrize('band', [['blue', 'red'], 'BLUE', 70, None])
    def test_one_band_at_a_time(self, fetch, server, band):
        with pytest.raises(ValueError, match='band must be one of'):
            fetch(band=band)
        assert server.requests == []

    def test_several_bands_one_after_the_other(self, fetch):
        assert [fetch(band=band).band for band in ('blue', 'red', 'blue')] == [
            *('blue', 'red', 'blue')
        ]

    def test_a_position_that_is_none(self, server):
        with pytest.raises(ValueError, match='position must be finite'):
            find_observations(SkyCoord(np.nan, 3, unit='deg'))
        assert server.requests == []


class TestTargets:
    def test_one_that_moves(self, fetch, server, make):
        columns = server.columns['hsa.v_active_observation']
        server.columns['hsa.v_active_observation'] = (*columns, 'naif_id')
        server.observations = [make.observation(naif_id='2000004')]
        for _ in range(2):  # from the archive, then from the cache
            with pytest.warns(AstropyUserWarning, match='gamma Dra, moves: its map'):
                fetch()

    @pytest.mark.parametrize('naif_id', ['', '0', '-1', 'null'])
    def test_one_that_does_not(self, fetch, server, make, naif_id):
        columns = server.columns['hsa.v_active_observation']
        server.columns['hsa.v_active_observation'] = (*columns, 'naif_id')
        server.observations = [make.observation(naif_id=naif_id)]
        assert fetch().target == 'gamma Dra'

    def test_modes_that_nobody_tells(self, server, make, patience):
        del server.columns['hsa.observing_mode']
        with pytest.warns(AstropyUserWarning, match='not give the modes .* any more'):
            table = find_observations(make.centre, mode='scanmap', patience=patience)
        assert list(table['obsid']) == [make.obsid]
        assert list(table['mode']) == ['']


class TestServers:
    def test_one_that_has_moved(self, fetch, server, make, tar):
        """Also in the middle of a download."""
        server.archives['/elsewhere'] = tar
        there = make.fault(302, location=f'{server.url}/elsewhere')
        server.faults['data'] = [None, there, there]
        server.faults['esasky'] = [make.fault(after=100_000)]
        fetched = fetch(source='hsa')
        assert fetched.path.read_bytes() == make.map()
        assert fetched.url.startswith(f'{server.url}/hsa/data')
        assert 'Range' in server.requests[-1].headers

    @pytest.mark.parametrize(
        ('location', 'match'),
        [
            ('{}/hsa/data?observation_id={}&product_level=LEVEL2_5', 'cannot be used'),
            ('ftp://127.0.0.1/{}{}', 'cannot be used'),
            ('http://[{}{}', 'cannot be used'),
        ],
    )
    def test_addresses_that_lead_nowhere(
        self, fetch, server, make, left_behind, location, match
    ):
        to = location.format(server.url, make.obsid)
        server.faults['data'] = [None, *[make.fault(302, location=to)] * 40]
        with pytest.raises(ArchiveFormatError, match=match):
            fetch()
        assert left_behind() == []

    def test_queries_that_have_moved(self, server, make, patience):
        server.faults['tap'] = [make.fault(301, location='https://127.0.0.1/tap')]
        with pytest.raises(ArchiveFormatError, match=r'has moved: it answered 301\.'):
            find_observations(make.centre, patience=patience)

    def test_a_length_that_is_too_small(self, fetch, server, left_behind):
        server.extra_length = -50_000
        with pytest.raises(ArchiveFormatError, match='no tar file, or a truncated one'):
            fetch()
        assert left_behind() == []

    def test_a_length_that_is_too_large(self, fetch, server, make):
        server.extra_length = 50_000
        with pytest.raises(ArchiveConnectionError, match='broke the connection'):
            fetch()
        server.extra_length = 0
        assert fetch().path.read_bytes() == make.map()

    def test_a_compressed_tar_file(self, fetch, server, make, tar):
        server.archives[make.obsid, LEVEL] = gzip.compress(tar)
        assert fetch().path.read_bytes() == make.map()

    def test_the_same_name_twice(self, fetch, server, make):
        files = {f'{n}/{make.product}': make.map() for n in ('a', 'b')}
        server.archives[make.obsid, LEVEL] = make.tar(files)
        assert fetch().product == make.product

    def test_esasky_without_an_address(self, fetch, server, make):
        server.esasky = [
            {'observation_id': make.obsid, 'instrument': 'PACS', 'product_url': ''}
        ]
        assert fetch().source == 'hsa'
        with pytest.raises(NotInArchiveError, match='ESASky has no PACS map'):
            fetch(source='esasky')


def test_warnings_stay_with_whom_they_were(monkeypatch):
    """Importing astroquery would hand them to its own logger."""

    def require(name, **_):
        warnings.showwarning = print
        return name

    monkeypatch.setattr(queries, 'require', require)
    show = warnings.showwarning
    assert queries.import_astroquery('esasky') == 'astroquery.esasky'
    assert warnings.showwarning is show


class TestDisk:
    def test_a_cache_that_is_read_only(self, fetch, monkeypatch):
        known = fetch()
        monkeypatch.setattr(
            cache_module, 'open', raise_error(errno.EROFS), raising=False
        )
        # What is there still serves.
        assert fetch() == known
        with pytest.raises(
            ArchiveError, match=r'cannot be written into: Read-only .*XDG_CACHE_HOME'
        ):
            fetch(band='red')

    @pytest.mark.parametrize(
        ('number', 'match'),
        [(errno.EACCES, 'cannot be used: Permission'), (errno.EDQUOT, 'disk is full')],
    )
    def test_files_that_cannot_be_written(self, fetch, monkeypatch, number, match):
        monkeypatch.setattr(downloads, 'open', raise_error(number), raising=False)
        with pytest.raises(ArchiveError, match=match):
            fetch()

    def test_no_locks(self, fetch, monkeypatch):
        fcntl = pytest.importorskip('fcntl')
        monkeypatch.setattr(fcntl, 'flock', raise_error(errno.ENOLCK))
        with pytest.warns(AstropyUserWarning, match='has no locks: do not fetch'):
            fetch()

    def test_full_at_the_very_end(self, fetch, monkeypatch, make):
        monkeypatch.setattr(maps, 'write_note', raise_error(errno.ENOSPC))
        with pytest.raises(ArchiveError, match='disk is full: the map has no room'):
            fetch()
        monkeypatch.undo()
        # A map without a note is none.
        assert fetch().path.read_bytes() == make.map()

    @pytest.mark.parametrize('note', ['[]', '{"sha256": 3}', '\x00', None])
    def test_notes_that_say_too_little(self, fetch, server, note):
        fetched = fetch()
        path = fetched.path.with_name(f'{fetched.product}.json')
        if note is None:
            # as another version might write it
            whole = json.loads(path.read_text())
            del whole['mode']
            note = json.dumps(whole)
        path.write_text(note)
        number = len(server.data_requests())
        assert fetch().sha256 == fetched.sha256
        assert len(server.data_requests()) > number


class TestKilled:
    @pytest.fixture
    def leftover(self, cache, make, tar):
        """A whole tar file, which a process was killed over, and half a map."""
        folder = cache / 'photutils_pconv' / make.obsid
        (folder / '.unchecked').mkdir(parents=True)
        (folder / '.unchecked' / make.product).write_bytes(make.map()[:1000])
        path = folder / f'{make.obsid}-level2_5.tar'
        path.write_bytes(tar)
        return path

    def test_while_it_unpacked(self, fetch, server, make, leftover, left_behind):
        """Gigabytes are not downloaded again."""
        assert fetch(level='2.5').path.read_bytes() == make.map()
        assert server.data_requests() == []
        assert left_behind() == [make.product, f'{make.product}.json']

    def test_anew(self, fetch, server, leftover):
        fetch(level='2.5', cache=False)
        assert len(server.data_requests()) == 1

    def test_over_a_bad_file(self, fetch, make, leftover):
        leftover.write_bytes(leftover.read_bytes()[:700])
        with pytest.raises(ArchiveFormatError, match='is removed. Try again'):
            fetch(level='2.5')
        assert fetch(level='2.5').path.read_bytes() == make.map()


class TestSky:
    """Where longitudes jump, and where they mean nothing."""

    @pytest.mark.parametrize(
        ('text', 'centre', 'size'),
        [
            ('359.9 -0.1 0.1 -0.1 0.1 0.1 359.9 0.1', (0, 0), 0.2 * np.sqrt(2)),
            ('0 89.9 90 89.9 180 89.9 270 89.9', (0, 90), 0.2),
            ('0 -89.9 90 -89.9 180 -89.9 270 -89.9', (77, -90), 0.2),
        ],
    )
    def test_footprints(self, text, centre, size):
        corners = parse_footprint(f'POLYGON ICRS {text}', *np.radians(centre))
        assert_allclose(np.degrees(footprint_size(corners)), size, rtol=1e-4)

    @pytest.mark.parametrize('centre', [(0, 0), (359.9999, 30), (12, 90), (50, -89.99)])
    def test_catalogues(self, server, patience, make, centre):
        shape = (90, 100)
        wcs = make.wcs(shape, centre=SkyCoord(*centre, unit='deg'))
        ccd = CCDData(np.ones(shape), unit='Jy/pix', wcs=wcs)
        x, y = [0, 20, 99, 50], [0, 70, 89, 100]
        sky = wcs.pixel_to_world(x, y).icrs
        server.catalogues['VIII/106/hppsc070'] = Table(
            {'RAJ2000': sky.ra.deg * u.deg, 'DEJ2000': sky.dec.deg * u.deg}
        )
        table = fetch_catalogue(ccd, band='blue', catalogue='hppsc', patience=patience)
        assert len(table) == 3
        assert np.all(table['sky_center'].separation(sky[:3]) < 0.01 * u.arcsec)
        (body,) = server.vizier_bodies
        radius = float(body.partition('-c.rd=')[2].split()[0])
        assert_allclose(radius * 3600, np.hypot(45, 50) * 1.6 + 1, rtol=1e-3)

    def test_a_map_of_nowhere(self, make, server):
        wcs = make.wcs((9, 9))
        wcs.wcs.crpix = 1e9, 1e9
        ccd = CCDData(np.ones((9, 9)), unit='Jy/pix', wcs=wcs)
        wcs.wcs.ctype = 'RA---SIN', 'DEC--SIN'
        with pytest.raises(ValueError, match='no place on the sky'):
            fetch_catalogue(ccd, band='blue')


class TestCatalogues:
    @pytest.fixture
    def ccd(self, make):
        return CCDData(np.ones((90, 100)), unit='Jy/pix', wcs=make.wcs((90, 100)))

    def test_an_error_is_no_empty_catalogue(self, server, patience, make, ccd):
        file = tree.VOTableFile()
        file.infos.append(tree.Info(name='Error', value='No catalogue of this name'))
        buffer = io.BytesIO()
        file.to_xml(buffer)
        server.faults['vizier'] = [make.fault(200, buffer.getvalue())]
        with pytest.raises(ArchiveFormatError, match='No catalogue of this name'):
            fetch_catalogue(ccd, band='blue', patience=patience)

    def test_rejected_sources_by_their_caption(self, server, patience, make, ccd):
        for name, caption in (('tab70', 'Sources at 70um'), ('r70', 'Rejected, 70um')):
            table = Table({'RAJ2000': [269.15], 'DEJ2000': [51.49]})
            table.meta['description'] = caption
            server.catalogues[f'J/A+A/688/A203/{name}'] = table
        found = fetch_catalogue(ccd, band='blue', patience=patience)
        assert found.meta['table'] == 'J/A+A/688/A203/tab70'

    def test_an_empty_one(self):
        """The columns are there, and nothing in them."""
        catalogue = QTable(
            {
                'sky_center': SkyCoord([1], [2], unit='deg'),
                'Flux': [3.0] * u.mJy,
                'Name': ['a'],
                'Edge': [1],
            }
        )[:0]
        photometry = QTable({'sky_center': SkyCoord([1, 2], [2, 3], unit='deg')})
        matched = match_catalogue(photometry, catalogue, max_separation=1 * u.arcsec)
        assert_array_equal(matched['catalogue_index'], [-1, -1])
        assert np.isnan(matched['catalogue_Flux'].to_value('Jy')).all()
        assert np.isnan(matched['catalogue_sky_center'].ra.deg).all()
        for name in ('Name', 'Edge'):
            assert matched[f'catalogue_{name}'].mask.all()
