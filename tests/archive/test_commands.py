# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the commands that ask archives, in this process."""

import json

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable, Table

from photutils_pconv.cli import main
from photutils_pconv.network import save_model


@pytest.fixture
def model(tmp_path, flat_model):
    """The path of a model that costs no time."""
    path = tmp_path / 'flat.safetensors'
    save_model(path, flat_model.network, flat_model.card)
    return str(path)


@pytest.fixture
def field(server, make, make_scene):
    """A simulated map in the archive, and its sources in VizieR's catalogues."""
    scene = make_scene([70.3, 50.8], [55.1, 90.7], [5.0, 0.3], sky=2e-3, noise=1e-4)
    shape = scene.data.shape
    sky = make.wcs(shape).pixel_to_world(scene.x, scene.y)
    name = make.product.replace('blue', 'green')
    content = make.map(data=scene.data, wavelength=100)
    server.archives[make.obsid, 'LEVEL2_5'] = make.tar({make.path(name): content})
    for key in ('VIII/106/hppsc100', 'J/A+A/688/A203/green'):
        server.catalogues[key] = Table(
            {'RAJ2000': sky.ra.deg * u.deg, 'DEJ2000': sky.dec.deg * u.deg}
        )
    return scene


class TestFind:
    def test_a_position(self, server, capsys, make, tmp_path):
        path = tmp_path / 'a' / 'found.ecsv'
        assert main(['find', '269.15', '51.49', '-o', str(path)]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == '1 observation'
        assert lines[1].split()[:4] == ['obsid', 'target', 'mode', 'bands']
        assert make.obsid in lines[-1]
        assert '2011-03-29' in lines[-1]
        assert list(QTable.read(path)['obsid']) == [make.obsid]

    @pytest.mark.parametrize(
        'words',
        [['10.5', '-20.5'], ['0h42m0s', '-20d30m'], ['0:42:00', '-20:30:00']],
    )
    def test_southern(self, server, capsys, words):
        assert main(['find', *words]) == 0
        assert "POINT('ICRS', 10.50000000, -20.50000000)" in server.queries[-1]
        assert capsys.readouterr().out == '0 observations\n'

    def test_options_arrive(self, server, capsys):
        words = ['--radius', '6', '--mode', 'parallel', '--bands', 'blue', 'green']
        assert main(['find', '269.15 51.49', *words]) == 0
        assert any(', 0.10000000), o.polygon_fov)' in one for one in server.queries)

    def test_error(self, server, capsys, make):
        server.faults['tap'] = [make.fault(400, b'bad query')]
        assert main(['find', '1', '2']) == 1
        out, err = capsys.readouterr()
        assert out == ''
        assert err.startswith(
            'photutils-pconv: error: The Herschel Science Archive ref'
        )
        assert err.count('\n') == 1


class TestFetch:
    def test_prints_the_path(self, field, capsys, make):
        assert main(['fetch', make.obsid, '--band', 'green', '--quiet']) == 0
        out, err = capsys.readouterr()
        path = out.strip()
        assert fits.getheader(path, 0)['WAVELNTH'] == 100
        assert err == ''

    def test_folder_and_catalogue(self, field, capsys, make, tmp_path):
        words = ['fetch', make.obsid, '--band', 'green', '--catalogue', 'hppsc']
        out = tmp_path / 'out'
        assert main([*words, '-o', str(out)]) == 0
        name = make.product.replace('blue', 'green')
        assert sorted(path.name for path in out.iterdir()) == [
            'fetched.json',
            name,
            'sources.ecsv',
        ]
        lines = capsys.readouterr().out.splitlines()
        assert lines == [
            str(out / name),
            'gamma Dra, scanmap/green, level 2.5 by JScanam, from hsa, 2 sources',
        ]
        log = json.loads((out / 'fetched.json').read_text())
        assert log['map']['sha256'] == log['sha256'][name]
        assert log['sources']['table'] == 'VIII/106/hppsc100'
        assert main([*words, '-o', str(out)]) == 1
        assert 'would be overwritten' in capsys.readouterr().err
        assert main([*words, '-o', str(out), '--overwrite']) == 0

    def test_catalogue_without_a_folder(self, field, capsys, make):
        words = ['--band', 'green', '--catalogue', 'hppsc']
        assert main(['fetch', make.obsid, *words]) == 1
        assert 'give -o DIR' in capsys.readouterr().err


class TestRemove:
    def remove(self, make, tmp_path, model, *options, band='green'):
        words = ['remove', '--obsid', make.obsid, '--band', band, '--model', model]
        return main([*words, '-o', str(tmp_path / 'out'), *options])

    def test_from_an_obsid_to_a_cleaned_map(self, field, make, tmp_path, model, capsys):
        pytest.importorskip('matplotlib')
        assert self.remove(make, tmp_path, model) == 0
        out, err = capsys.readouterr()
        names = ['cleaned.fits', 'photometry.ecsv', 'provenance.json', 'removal.png']
        assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == names
        assert 'sources: 2 on' in out
        assert 'with a warning: none' in out
        assert '1342217404 (level2_5): 100%' in err
        log = json.loads((tmp_path / 'out' / 'provenance.json').read_text())
        assert log['map']['obsid'] == make.obsid
        assert log['map']['mode'] == 'scanmap'
        assert log['sources']['catalogue'] == 'marton2024'
        assert log['sources']['number'] == 2
        assert log['sha256'].keys() == {
            'cleaned.fits',
            'photometry.ecsv',
            'removal.png',
        }
        table = QTable.read(tmp_path / 'out' / 'photometry.ecsv')
        assert np.allclose(table['flux'].to_value('Jy'), field.flux, rtol=0.1)

    def test_sources_of_the_users_own(self, field, make, tmp_path, model, server):
        path = tmp_path / 'own.csv'
        path.write_text('ra,dec\n269.15,51.49\n')
        assert self.remove(make, tmp_path, model, str(path), '--quiet') == 0
        log = json.loads((tmp_path / 'out' / 'provenance.json').read_text())
        assert log['sources'] == {'file': str(path)}
        assert server.vizier_bodies == []

    def test_a_map_that_is_there(self, field, make, tmp_path, model):
        path = tmp_path / 'own.fits'
        data = make.map(data=field.data, wavelength=100)
        path.with_suffix('.fits.gz').write_bytes(data)
        words = ['remove', str(path) + '.gz', '--catalogue', 'hppsc', '--quiet']
        words += ['--setup', 'scanmap/green', '--model', model]
        assert main([*words, '-o', str(tmp_path / 'out')]) == 0
        log = json.loads((tmp_path / 'out' / 'provenance.json').read_text())
        assert 'map' not in log
        assert log['sources']['catalogue'] == 'hppsc'

    @pytest.mark.parametrize(
        ('prepare', 'band', 'words'),
        [
            ('no catalogue', 'green', 'has no green source on the map'),
            ('no archive', 'green', 'No green map of 1342217404 by JScanam'),
            ('', 'blue', 'No blue map of 1342217404'),
            ('no obsid', 'green', 'There is no observation 1342217404'),
        ],
    )
    def test_failures(
        self, field, server, make, tmp_path, model, capsys, prepare, band, words
    ):
        if prepare == 'no catalogue':
            server.catalogues.clear()
        elif prepare == 'no archive':
            server.archives.clear()
        elif prepare == 'no obsid':
            server.observations.clear()
        assert self.remove(make, tmp_path, model, '--quiet', band=band) == 1
        out, err = capsys.readouterr()
        assert out == ''
        assert err.count('\n') == 1
        assert words in err
        assert not (tmp_path / 'out').exists()

    def test_no_band(self, tmp_path, make, capsys, server):
        words = ['remove', '--obsid', make.obsid, '-o', str(tmp_path / 'out')]
        assert main(words) == 1
        assert 'needs the band: give --band' in capsys.readouterr().err

    @pytest.mark.slow
    def test_real(self, server, make, tmp_path, real_data, capsys):
        """The standard star gamma Dra, as the issue has it."""
        content = (real_data / 'pacs/gamma_dra_blue_jscanam.fits.gz').read_bytes()
        server.archives[make.obsid, 'LEVEL2_5'] = make.tar({make.path(): content})
        server.catalogues['J/A+A/688/A203/blue'] = Table(
            {'RAJ2000': [269.15154] * u.deg, 'DEJ2000': [51.48889] * u.deg}
        )
        words = ['remove', '--obsid', make.obsid, '--band', 'blue', '--quiet']
        words += ['--error-method', 'card', '--recenter']
        assert main([*words, '-o', str(tmp_path / 'out')]) == 0
        table = QTable.read(tmp_path / 'out' / 'photometry.ecsv')
        # Table 5: 3283.0 mJy
        assert abs(table['flux'][0].to_value('mJy') / 3283.0 - 1) < 0.05
        with fits.open(tmp_path / 'out' / 'cleaned.fits') as hdus:
            assert hdus[0].header['OBJECT'] == 'gamma Dra'
