# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of fetching maps: which one, once only, and what the archive lacks."""

import hashlib
import json
import subprocess
import sys
import threading

import pytest
from astropy.utils.exceptions import AstropyUserWarning
from numpy.testing import assert_array_equal

from photutils_pconv.archive import (
    ArchiveConnectionError,
    ArchiveError,
    ArchiveFormatError,
    FetchedMap,
    NotInArchiveError,
    Patience,
    ProprietaryDataError,
    fetch_map,
)
from photutils_pconv.archive.retrieval import LEVELS
from photutils_pconv.inputs import read_fits_map


class TestOrder:
    def test_from_the_tar_file(self, fetch, server, make, left_behind):
        fetched = fetch()
        assert isinstance(fetched, FetchedMap)
        assert fetched.product == make.product
        assert (fetched.level, fetched.source) == ('2.5', 'hsa')
        assert (fetched.mode, fetched.target) == ('scanmap', 'gamma Dra')
        assert fetched.url.startswith(server.url)
        digest = hashlib.sha256(fetched.path.read_bytes()).hexdigest()
        assert fetched.sha256 == digest
        # nothing else was unpacked, and the tar file is gone
        assert left_behind() == [make.product, f'{make.product}.json']
        assert read_fits_map(fetched).shape == (90, 100)

    def test_levels(self, fetch, server, make):
        """Level 3 before 2.5 before 2, each asked for by its name."""
        fetch()
        levels = [
            one.path.partition('product_level=')[2] for one in server.data_requests()
        ]
        assert levels == ['LEVEL3', 'LEVEL2_5']
        name = 'hpacs_30HPPJSMAPG_green_1757_p5129_00_v1.0_1458306378033.fits.gz'
        server.archives[make.obsid, 'LEVEL3'] = make.tar(
            {name: make.map(wavelength=100)}
        )
        assert fetch(band='green').level == '3'

    def test_level_2(self, fetch, server, make):
        name = f'hpacs{make.obsid}_20hpppmapb_00_1469423089198.fits.gz'
        server.archives[make.obsid, 'LEVEL2'] = make.tar({name: make.map()})
        fetched = fetch(level=2, map_maker='high-pass')
        assert (fetched.level, fetched.product) == ('2', name)

    def test_a_band_that_nobody_tells(self, fetch, server, make):
        """The names of level 2 have the camera alone, which is that of two bands."""
        name = f'hpacs{make.obsid}_20hpppmapb_00_1469423089198.fits.gz'
        content = make.map(wavelength='?')
        server.archives[make.obsid, 'LEVEL2'] = make.tar({name: content})
        with pytest.raises(ArchiveFormatError, match='whether it is blue or green'):
            fetch(level=2, map_maker='high-pass')

    def test_the_address_is_that_of_astroquery(self, fetch, server, make, tmp_path):
        from astroquery.esa.hsa import conf
        from astroquery.esa.hsa.core import HSAClass

        fetch(level='2.5')
        # astroquery takes its address when it is imported
        hsa = HSAClass()
        hsa.data_url = conf.DATA_ACTION
        hsa.get_observation(
            make.obsid, 'PACS', product_level=LEVELS['2.5'], download_dir=str(tmp_path)
        )
        paths = {one.path for one in server.data_requests()}
        assert len(server.data_requests()) > 2
        assert len(paths) == 1

    def test_a_level_that_the_archive_answers_with_an_error(self, fetch, server, make):
        server.archives[make.obsid, 'LEVEL3'] = 500
        with pytest.warns(AstropyUserWarning, match='Level 3 .* is passed by: .* 500'):
            assert fetch().level == '2.5'

    @pytest.mark.parametrize('map_maker', ['JScanam', 'Unimap'])
    def test_map_makers(self, fetch, map_maker):
        assert map_maker.upper()[:3] in fetch(map_maker=map_maker).product.replace(
            'JSMAP', 'JSCMAP'
        )

    def test_esasky_first(self, fetch, server, make, tar):
        server.esasky = [
            {
                'observation_id': make.obsid,
                'instrument': 'PACS',
                'product_url': f'{server.url}/standalone/{make.obsid}',
            }
        ]
        server.archives[f'/standalone/{make.obsid}'] = tar
        fetched = fetch(level='2.5')
        assert fetched.source == 'esasky'
        assert fetched.url == f'{server.url}/standalone/{make.obsid}'
        assert server.data_requests() == []
        assert fetch(level='2.5', source='hsa').source == 'hsa'

    def test_level_3_before_the_single_map(self, fetch, server, make, tar):
        server.esasky = [
            {
                'observation_id': make.obsid,
                'instrument': 'PACS',
                'product_url': f'{server.url}/standalone/{make.obsid}',
            }
        ]
        server.archives[f'/standalone/{make.obsid}'] = tar
        name = 'hpacs_30HPPJSMAPB_blue_1757_p5129_00_v1.0_1458306378033.fits.gz'
        server.archives[make.obsid, 'LEVEL3'] = make.tar({name: make.map()})
        assert (fetch().level, fetch().source) == ('3', 'hsa')
        assert fetch(level='2.5').source == 'esasky'

    def test_esasky_alone_lacks_it(self, fetch, server, make):
        with pytest.raises(NotInArchiveError, match='ESASky has no map of 1342217404'):
            fetch(source='esasky')
        assert server.data_requests() == []

    def test_esasky_is_passed_by(self, fetch, server, make):
        server.faults['esasky'] = [make.fault(503)] * 2
        with pytest.warns(
            AstropyUserWarning, match='ESASky is passed by: ESASky is out'
        ):
            assert fetch().source == 'hsa'

    @pytest.fixture
    def single(self, server, make, tar):
        """A map that ESASky has."""
        url = f'{server.url}/standalone/{make.obsid}'
        server.archives[f'/standalone/{make.obsid}'] = tar
        server.esasky = [
            {'observation_id': make.obsid, 'instrument': 'PACS', 'product_url': url}
        ]

    def test_an_archive_that_does_not_answer(self, fetch, server, make, single):
        server.faults['tap'] = [make.fault(503)] * 9
        with pytest.warns(
            AstropyUserWarning, match=r'503 .* level 2\.5, which is taken; nobody knows'
        ):
            fetched = fetch()
        assert (fetched.source, fetched.level) == ('esasky', '2.5')
        # It is that of level 2.5, but whether it is the best is asked again.
        server.faults['tap'] = []
        number = len(server.requests)
        assert fetch(level='2.5') == fetched
        assert len(server.requests) == number
        fetch()
        assert len(server.requests) > number

    def test_a_level_that_esasky_lacks(self, fetch, server, make, single):
        for options in ({'level': '3'}, {'band': 'green'}, {'source': 'hsa'}):
            server.faults['tap'] = [make.fault(503)] * 2
            with pytest.raises(ArchiveConnectionError, match='it answered 503'):
                fetch(**options)

    def test_a_map_without_a_tar_file(self, fetch, server, make):
        import gzip

        server.archives[make.obsid, 'LEVEL2_5'] = gzip.decompress(
            make.map(FILENAME=make.product)
        )
        assert fetch().product == make.product.removesuffix('.gz')

    def test_a_real_map(self, fetch, server, make, real_data):
        whole = (real_data / 'pacs/gamma_dra_blue_jscanam.fits.gz').read_bytes()
        server.archives[make.obsid, 'LEVEL2_5'] = make.tar({make.path(): whole})
        fetched = fetch()
        assert fetched.path.read_bytes() == whole
        assert (fetched.mode, fetched.target) == ('scanmap', 'gamma Dra')


class TestCache:
    def test_once_only(self, fetch, server):
        first = fetch()
        number = len(server.requests)
        assert fetch() == first
        assert fetch(level='2.5') == first
        assert fetch(level='2.5', source='hsa') == first
        assert len(server.requests) == number
        assert fetch(cache=False).sha256 == first.sha256
        assert len(server.requests) > number

    def test_a_file_that_has_changed(self, fetch):
        path = fetch().path
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.warns(AstropyUserWarning, match='is not what was fetched'):
            fetch()

    def test_a_note_that_cannot_be_read(self, fetch):
        path = fetch().path
        path.with_name(f'{path.name}.json').write_text('{')
        assert fetch().path == path

    def test_two_at_the_same_time(self, fetch, server, make):
        """The second one waits, and takes what the first one got."""
        server.faults['data'] = [None, make.fault(sleep=0.3)]
        results = []
        threads = [
            threading.Thread(target=lambda: results.append(fetch())) for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results[0] == results[1]
        assert len(server.data_requests()) == 2  # levels 3 and 2.5, once each

    def test_another_process_that_hangs(self, fetch, server, make, cache):
        fcntl = pytest.importorskip('fcntl')
        folder = cache / 'photutils_pconv' / make.obsid
        folder.mkdir(parents=True)
        with open(folder / '.lock', 'ab') as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            with pytest.raises(
                ArchiveConnectionError,
                match=r'Another process fetches into .* no progress for 0\.4 s',
            ):
                fetch(patience=Patience(timeout=0.2, attempts=1, pause=0.01))

    def test_a_cache_that_cannot_be_made(self, fetch, cache):
        (cache / 'photutils_pconv').write_text('a file')
        with pytest.raises(
            ArchiveError, match=r'cache .* cannot be made: .* XDG_CACHE'
        ):
            fetch()


class TestLacks:
    def test_unknown(self, fetch, server):
        server.observations = []
        with pytest.raises(
            NotInArchiveError, match=r'There is no observation 1342217404 in the Hersch'
        ):
            fetch()

    def test_another_instrument(self, fetch, server, make):
        server.observations = [make.observation(instrument_name='HIFI')]
        with pytest.raises(NotInArchiveError, match='made with HIFI, not with PACS'):
            fetch()

    def test_proprietary(self, fetch, server, make):
        server.observations = [
            make.observation(is_public='false', prop_end='2030-01-01')
        ]
        with pytest.raises(
            ProprietaryDataError, match=r'1342217404 is proprietary until 2030-01-01: '
        ):
            fetch()

    def test_login(self, fetch, server, make):
        server.archives[make.obsid, 'LEVEL3'] = 401
        with pytest.raises(
            ProprietaryDataError, match='proprietary, or asks for a log'
        ):
            fetch()

    def test_no_such_band(self, fetch):
        with pytest.raises(
            NotInArchiveError,
            match=r'No green map of 1342217404 by JScanam at level 3 or 2.5 or 2 is to '
            r'be had\. .*it has blue by JScanam, blue by Unimap, red by JScanam',
        ):
            fetch(band='green')

    def test_no_such_level(self, fetch):
        with pytest.raises(NotInArchiveError, match=r'at level 2 is .*it answered 404'):
            fetch(level='2')

    @pytest.mark.parametrize('sent', [b'', 'empty tar'])
    def test_nothing_in_it(self, fetch, server, make, sent):
        sent = sent if isinstance(sent, bytes) else make.tar({})
        server.archives[make.obsid, 'LEVEL2_5'] = sent
        with pytest.raises(
            NotInArchiveError, match='an empty file|sent no maps at all'
        ):
            fetch()


@pytest.mark.parametrize(
    ('obsid', 'options', 'match'),
    [
        ('123', {}, 'obsid must have ten digits'),
        ('../../etc/pw', {}, 'obsid must have ten digits'),
        (1342217404, {'band': 'violet'}, 'band must be one of'),
        (1342217404, {'level': '1'}, "level must be one of .* got '1'"),
        (1342217404, {'map_maker': 'jscanam'}, 'map_maker must be one of'),
        (1342217404, {'source': 'irsa'}, 'source must be one of'),
    ],
)
def test_wrong_arguments(obsid, options, match):
    with pytest.raises(ValueError, match=match):
        fetch_map(obsid, **{'band': 'blue', **options})


def test_patience_is_checked():
    with pytest.raises(ValueError, match='attempts must be'):
        Patience(attempts=0)
    with pytest.raises(ValueError, match='timeout must be'):
        Patience(timeout=0)


def test_without_astroquery(monkeypatch, cache):
    monkeypatch.setitem(sys.modules, 'astroquery.esa.hsa', None)
    with pytest.raises(ImportError, match=r"install 'photutils-pconv\[archive\]'"):
        fetch_map(1342217404, band='blue')


def test_imports_are_light():
    code = (
        'import sys, photutils_pconv, photutils_pconv.archive as a\n'
        '[getattr(a, name) for name in a.__all__]\n'
        "print(sorted({'astroquery', 'requests'} & sys.modules.keys()))\n"
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == '[]'


def test_the_note(fetch):
    fetched = fetch()
    path = fetched.path.with_name(f'{fetched.product}.json')
    note = json.loads(path.read_text())
    assert note['sha256'] == fetched.sha256
    assert note['url'] == fetched.url
    assert_array_equal(note['asked'], ['best from auto'])
