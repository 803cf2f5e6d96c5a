# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The same flows against the real services: ``pytest --remote-data tests/archive``.

Each has a time limit: a service that hangs must not hang the tests.
"""

import json

import astropy.units as u
import numpy as np
import pytest
from astropy.config import paths
from astropy.table import QTable
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.archive import (
    NotInArchiveError,
    Patience,
    downloads,
    fetch_catalogue,
    fetch_map,
    find_observations,
    match_catalogue,
)
from photutils_pconv.cli import main
from photutils_pconv.inputs import read_fits_map
from photutils_pconv.simulation import load_paper_fields

pytest.importorskip('astroquery')

OBSID = '1342217404'  # gamma Dra, a small map of a standard star
POSITION = '269.1515 51.4889'

pytestmark = [pytest.mark.remote_data, pytest.mark.timeout(600)]
quick = pytest.mark.timeout(300)
# Fields of the paper are large.
slow = pytest.mark.timeout(3600)


@pytest.fixture(scope='module')
def cache(tmp_path_factory):
    """Return a cache that the tests share, so that a map is fetched once."""
    with paths.set_temp_cache(tmp_path_factory.mktemp('cache')):
        yield


@pytest.fixture
def patience():
    return Patience(timeout=120, attempts=2)


@pytest.fixture
def fetched(cache, patience):
    return fetch_map(OBSID, band='blue', level='2.5', patience=patience)


@quick
class TestFind:
    def test_position(self, cache, patience):
        table = find_observations(POSITION, mode='scanmap', patience=patience)
        assert OBSID in table['obsid']
        row = table[list(table['obsid']).index(OBSID)]
        assert 'gam' in row['target'].lower()
        assert 1 * u.arcmin < row['size'] < 1 * u.deg
        assert row['level'] == '2.5'
        assert row['date'].isot.startswith('2011-03-29')

    def test_bands(self, cache, patience):
        """ESASky tells them: the red camera always observes."""
        table = find_observations(POSITION, mode='scanmap', patience=patience)
        bands = [str(text).split(',') for text in table['bands'].compressed()]
        assert bands
        assert all('red' in some for some in bands)

    def test_name(self, cache, patience):
        table = find_observations('gamma Dra', radius=1 * u.arcmin, patience=patience)
        assert OBSID in table['obsid']

    def test_esasky_in_the_place_of_the_archive(self, cache, patience):
        from astroquery.esa.hsa import conf

        with (
            conf.set_temp('METADATA_ACTION', 'http://archive.invalid/hsa/tap'),
            pytest.warns(AstropyUserWarning, match='observations that ESASky knows'),
        ):
            table = find_observations(POSITION, mode='scanmap', patience=patience)
        assert OBSID in table['obsid']
        row = table[list(table['obsid']).index(OBSID)]
        assert 1 * u.arcmin < row['size'] < 1 * u.deg
        assert 'red' in row['bands']

    def test_another_instrument(self, cache, patience):
        found = find_observations('M 51', instrument='SPIRE', patience=patience)
        assert len(found)

    def test_command(self, cache, capsys, tmp_path):
        path = tmp_path / 'found.ecsv'
        words = ['--bands', 'blue', '--mode', 'scanmap', '-o', str(path)]
        assert main(['find', *POSITION.split(), *words]) == 0
        assert OBSID in capsys.readouterr().out
        assert OBSID in QTable.read(path)['obsid']


class TestFetch:
    @pytest.mark.parametrize('source', ['esasky', 'hsa', 'auto'])
    def test_sources(self, cache, patience, source):
        fetched = fetch_map(
            OBSID, band='blue', level='2.5', source=source, patience=patience
        )
        assert fetched.mode == 'scanmap'
        ccd = read_fits_map(fetched)
        assert ccd.unit.is_equivalent(u.Jy / u.pix)

    @pytest.mark.parametrize(
        ('band', 'level', 'map_maker'),
        [('red', 'best', 'JScanam'), ('blue', '2.5', 'Unimap'), ('blue', 2, 'naive')],
    )
    def test_maps(self, cache, patience, band, level, map_maker):
        options = {'band': band, 'level': level, 'map_maker': map_maker}
        fetched = fetch_map(OBSID, patience=patience, **options)
        assert (fetched.band, fetched.map_maker) == (band, map_maker)
        assert str(level) in ('best', fetched.level)

    def test_goes_on(self, fetched, patience, monkeypatch):
        """A connection that breaks in the middle costs no more than that."""
        broken = []

        def update(self, number):
            if not broken:
                broken.append(number)
                raise ConnectionResetError

        monkeypatch.setattr(downloads._NoBar, 'update', update)
        again = fetch_map(
            OBSID, band='blue', level='2.5', cache=False, patience=patience
        )
        assert broken
        assert again.sha256 == fetched.sha256

    def test_command(self, cache, capsys, tmp_path):
        words = ['--band', 'blue', '--level', '2.5', '--catalogue', 'hppsc']
        assert main(['fetch', OBSID, *words, '-o', str(tmp_path)]) == 0
        log = json.loads((tmp_path / 'fetched.json').read_text())
        assert log['map']['obsid'] == OBSID
        assert log['sources']['number'] == len(QTable.read(tmp_path / 'sources.ecsv'))


@quick
class TestLacks:
    def test_unknown_obsid(self, cache, patience):
        with pytest.raises(NotInArchiveError, match='There is no observation 13429999'):
            fetch_map(1342999999, band='blue', patience=patience)

    def test_no_such_band(self, cache, patience):
        with pytest.raises(NotInArchiveError, match='No green map of 1342217404'):
            fetch_map(OBSID, band='green', level='2.5', patience=patience)


class TestCatalogues:
    @pytest.mark.parametrize('catalogue', ['marton2024', 'hppsc'])
    def test_fetch(self, fetched, patience, catalogue):
        table = fetch_catalogue(
            fetched, band='blue', catalogue=catalogue, patience=patience
        )
        ccd = read_fits_map(fetched)
        x, y = ccd.wcs.world_to_pixel(table['sky_center'])
        assert np.all((x > -0.5) & (y > -0.5))
        assert np.all((x < ccd.shape[1]) & (y < ccd.shape[0]))

    def test_match(self, fetched, patience):
        sources = fetch_catalogue(
            fetched, band='blue', catalogue='hppsc', patience=patience
        )
        remover = NeuralSourceRemover('scanmap', 'blue', error_method='card')
        matched = match_catalogue(
            remover(fetched, sources), sources, max_separation=3 * u.arcsec
        )
        star = matched[np.nanargmax(matched['flux'].value)]
        assert star['catalogue_index'] >= 0
        # Table 5: 3283.0 mJy, of the model; the rest is its colour
        assert abs(star['flux'].to_value('mJy') / 3283.0 - 1) < 0.05


class TestWhole:
    def test_remove(self, cache, tmp_path):
        words = ['remove', '--obsid', OBSID, '--band', 'blue', '--catalogue', 'hppsc']
        assert main([*words, '-o', str(tmp_path)]) == 0
        names = {'cleaned.fits', 'photometry.ecsv', 'provenance.json', 'removal.png'}
        assert {path.name for path in tmp_path.iterdir()} == names

    def test_stars(self, cache, tmp_path):
        words = ['--max-stars', '1', '--bands', 'blue', '--methods', '-o']
        out = tmp_path / 'out'
        assert main(['stars', '--fetch', str(tmp_path / 'maps'), *words, str(out)]) == 0
        assert list(QTable.read(out / 'table_5.ecsv')['star']) == ['alf Boo']

    @quick
    def test_the_papers_fields_are_there(self, cache, patience):
        from photutils_pconv.archive.observations import look_up

        fields = load_paper_fields(split='test')
        for obsid in sorted(set(fields['obsid']) - {''}):
            assert look_up(str(obsid), patience=patience)['footprint']

    @slow
    def test_paper_set(self, cache, tmp_path):
        words = ['dataset', '--paper', '--mode', 'scanmap', '--max-fields', '3']
        assert main([*words, '--max-simulations', '1', '-o', str(tmp_path)]) == 0
        manifest = json.loads((tmp_path / 'manifest.json').read_text())
        assert [one['state'] for one in manifest['fields']] == ['done'] * 3
