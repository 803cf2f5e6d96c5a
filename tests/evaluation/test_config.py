# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the configuration of an evaluation."""

from dataclasses import replace

import astropy.units as u
import pytest

from photutils_pconv import ObservingSetup, get_setup
from photutils_pconv.evaluation.config import EvaluationConfig
from photutils_pconv.network import read_card
from photutils_pconv.setups import unregister_setup

pytest.importorskip('matplotlib')


class TestConfig:
    def test_paths_begin_at_the_file(self, tmp_path):
        (tmp_path / 'maps').mkdir()
        (tmp_path / 'maps' / 'a.fits').touch()
        path = tmp_path / 'config.toml'
        path.write_text(
            "model = 'pacs'\nstars = ['maps']\n"
            "[[maps]]\npath = 'maps/a.fits'\nsources = 'b.csv'\n"
        )
        config = EvaluationConfig.from_toml(path)
        assert config.model == 'pacs'
        assert config.stars[0]['path'] == str(tmp_path / 'maps')
        assert config.maps[0]['path'] == str(tmp_path / 'maps' / 'a.fits')
        assert config.maps[0]['sources'] == 'b.csv'

    def test_quick(self):
        config = EvaluationConfig(size=1024, n_sources=80)
        quick = config.make_quick()
        assert (quick.n_fields, quick.size, quick.n_sources) == (3, 256, 10)
        assert set(quick.list_methods()) < set(config.list_methods())
        own = EvaluationConfig(levels=(100,), methods=('none',)).make_quick()
        assert own.levels == (100.0,)
        assert own.list_methods() == ()

    def test_psf_and_fill(self, tmp_path):
        (tmp_path / 'psf.fits').touch()
        path = tmp_path / 'config.toml'
        path.write_text("[remover]\npsf = 'psf.fits'\nfill = 'draw'\n")
        options = EvaluationConfig.from_toml(path).remover
        assert options == {'psf': str(tmp_path / 'psf.fits'), 'fill': 'draw'}
        path.write_text("[remover]\npsf = 'setup'\nmethod = 'psf'\n")
        options = EvaluationConfig.from_toml(path).remover
        assert options == {'psf': 'setup', 'method': 'psf'}

    def test_setups(self):
        assert len(EvaluationConfig().list_setups()) == 6
        names = EvaluationConfig(model='pacs').list_setups()
        assert len(names) == 6
        assert EvaluationConfig(setups=['parallel/red']).list_setups() == (
            'parallel/red',
        )

    def test_setups_in_files(self, tmp_path):
        setup = ObservingSetup.from_psf(18 * u.arcsec, pixel_scale=6, name='a file')
        path = str(tmp_path / 'mine.json')
        setup.write(path)
        try:
            config = EvaluationConfig(
                setups=[path], fields=[{'path': 'map.fits', 'setup': path}]
            )
            assert config.list_setups() == ('a file',)
            assert config.fields[0]['setup'] == 'a file'
            assert get_setup(setup='a file') == setup
            other = replace(setup, aperture_radius=3)
            other.write(path, overwrite=True)
            with pytest.raises(ValueError, match='another one than that'):
                EvaluationConfig(setups=[path])
        finally:
            unregister_setup('a file')

    def test_model_of_an_unknown_setup(self, monkeypatch):
        """It is not evaluated on other setups than its own."""
        card = replace(read_card('pacs'), setups=('mine/one', 'mine/two'))
        monkeypatch.setattr('photutils_pconv.network.read_card', lambda name: card)
        with pytest.raises(ValueError, match="trained for 'mine/one', 'mine/two'"):
            EvaluationConfig(model='mine').list_setups()
        # those that are known will do
        card = replace(card, setups=('mine/one', 'spire/250'))
        monkeypatch.setattr('photutils_pconv.network.read_card', lambda name: card)
        assert EvaluationConfig(model='mine').list_setups() == ('spire/250',)
