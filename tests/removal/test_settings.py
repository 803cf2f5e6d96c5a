# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what is refused before any work, and of what settings hold."""

from dataclasses import FrozenInstanceError, fields

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.network import weights
from photutils_pconv.network.running import RunOptions
from photutils_pconv.psf.library import SampledPSF, get_psf
from photutils_pconv.removal.options import removal_options
from photutils_pconv.removal.settings import RemovalSettings
from photutils_pconv.setups.registry import get_setup

GREEN = {'mode': 'scanmap', 'band': 'green'}


class TestRefusals:
    """Nothing is loaded for settings that are refused."""

    @pytest.fixture
    def no_work(self, monkeypatch):
        def fail(*args, **kwargs):
            msg = 'a model was loaded'
            raise AssertionError(msg)

        monkeypatch.setattr(weights, 'load_model', fail)

    @pytest.mark.usefixtures('no_work')
    @pytest.mark.parametrize(
        ('options', 'error', 'match'),
        [
            ({'mode': None}, ValueError, 'Both mode and band are needed'),
            ({'mode': 'spire'}, ValueError, 'spire'),
            ({'setup': 'scanmap/green'}, ValueError, 'not both'),
            ({'method': 2}, ValueError, 'method must be one of'),
            ({'method': 'PSF', 'psf': 'setup'}, ValueError, 'method must be one of'),
            ({'fill': 'noise'}, ValueError, 'fill must be one of'),
            (
                {'fill': 'observed', 'method': 'inpaint'},
                ValueError,
                "use method='psf', or fill='mean'",
            ),
            ({'psf': 'nonesuch.fits'}, FileNotFoundError, 'nonesuch'),
            ({'psf': np.ones((4, 4))}, ValueError, None),
            ({'psf': 3}, TypeError, None),
            ({'aperture_radii': 0}, ValueError, 'positive'),
            ({'aperture_radii': []}, ValueError, 'one or more'),
            ({'aperture_radii': 6 * u.Jy}, ValueError, 'angles or numbers'),
            (
                {'aperture_radii': 1000, 'method': 'inpaint'},
                ValueError,
                r'covers radii from \d+ to \d+',
            ),
            ({'aperture_radii': 1000}, ValueError, 'PSF is known to'),
            ({'aperture_corrections': 'mine'}, ValueError, "it has: 'real'"),
            ({'aperture_corrections': 'simulation'}, ValueError, 'does not offer'),
            (
                {'aperture_corrections': 'mine', 'psf': 'empirical'},
                ValueError,
                "it has: 'real'",
            ),
            (
                {
                    'aperture_corrections': 'real',
                    'psf': 'empirical',
                    'aperture_radii': 1000,
                },
                ValueError,
                r'covers radii from \d+ to \d+',
            ),
            ({'error_method': 'ensemble'}, ValueError, 'error_method must be one of'),
            ({'error_method': None}, ValueError, 'error_method must be one of'),
            ({'draw_seed': 'seed'}, TypeError, 'integer of 0 or more'),
            ({'draw_seed': -1}, ValueError, 'integer of 0 or more'),
        ],
    )
    def test_refused(self, options, error, match):
        with pytest.raises(error, match=match):
            RemovalSettings.from_arguments(**(GREEN | options))

    @pytest.mark.usefixtures('no_work')
    @pytest.mark.parametrize(
        ('options', 'match'),
        [
            ({'batch_size': 0}, 'batch_size must be a positive integer'),
            ({'device': 'abacus'}, 'device'),
            ({'precision': 'float8'}, 'precision must be one of'),
        ],
    )
    def test_how_a_network_is_run(self, options, match):
        with pytest.raises(ValueError, match=match):
            NeuralSourceRemover(**GREEN, **options)

    def test_model_for_another_method(self, flat_model, flat_psf_model):
        two = GREEN | {'method': 'psf'}
        with pytest.raises(ValueError, match=r"'flat' is of kind 'masked'.*such as"):
            RemovalSettings.from_arguments(**two, model=flat_model)
        with pytest.raises(ValueError, match="'pacs' is of kind 'masked'"):
            RemovalSettings.from_arguments(**two, model='pacs')
        with pytest.raises(ValueError, match="is of kind 'residual'.*method='psf'"):
            RemovalSettings.from_arguments(
                **GREEN, method='inpaint', model=flat_psf_model
            )

    def test_missing_model(self):
        with pytest.raises(FileNotFoundError, match="'pacs', 'pacs_narrow', 'psf'"):
            RemovalSettings.from_arguments(**GREEN, model='nonesuch')
        with pytest.raises(TypeError, match='a model must be'):
            RemovalSettings.from_arguments(**GREEN, model=3)


class TestSettings:
    def test_defaults(self):
        settings = RemovalSettings.from_arguments(**GREEN)
        setup = get_setup('scanmap', 'green')
        assert settings.setup == setup
        assert settings.model is weights.load_model('psf')
        assert settings.inpaint_model is weights.load_model('pacs_narrow')
        assert settings.method == 'psf'
        assert settings.fill == 'observed'
        assert settings.psf_name == 'setup'
        assert settings.has_psf
        assert_array_equal(settings.aperture_radii, [setup.aperture_radius.value])
        assert settings.run == RunOptions(turns=1)
        inpaint = RemovalSettings.from_arguments(**GREEN, method='inpaint')
        assert inpaint.run == RunOptions(turns=2)
        for name, about in removal_options().items():
            value = getattr(settings, name, None)
            looked_up = ('setup', 'model', 'aperture_radii', 'psf', 'method', 'fill')
            if name not in looked_up and value is not None:
                assert value == about['default'], name

    @pytest.mark.parametrize(
        ('psf', 'name'),
        [
            ('setup', 'setup'),
            ('scanmap/green', 'scanmap/green'),
            (get_psf('scanmap/green'), 'SampledPSF'),
        ],
    )
    def test_psf(self, flat_model, psf, name):
        settings = RemovalSettings.from_arguments(**GREEN, model=flat_model, psf=psf)
        assert isinstance(settings.psf, SampledPSF)
        assert settings.psf_name == name
        assert settings.has_psf

    def test_empirical_psf_is_built_later(self, flat_model):
        settings = RemovalSettings.from_arguments(
            **GREEN, model=flat_model, psf='empirical'
        )
        assert settings.psf is None
        assert settings.psf_name == 'empirical'
        assert settings.has_psf

    def test_inpaint(self):
        settings = RemovalSettings.from_arguments(**GREEN, method='inpaint')
        assert settings.model is weights.load_model('pacs')
        assert settings.inpaint_model is settings.model
        assert settings.psf is None
        assert settings.psf_name is None
        assert not settings.has_psf
        assert settings.fill == 'mean'

    def test_a_generator_as_seed_is_not_used_up(self, flat_model):
        rng = np.random.default_rng(3)
        settings = RemovalSettings.from_arguments(
            **GREEN, model=flat_model, draw_seed=rng
        )
        assert settings.draw_seed is rng
        assert rng.random() == np.random.default_rng(3).random()

    def test_frozen(self, flat_model):
        settings = RemovalSettings.from_arguments(**GREEN, model=flat_model)
        with pytest.raises(FrozenInstanceError):
            settings.method = 'psf'

    def test_options_are_the_keywords(self):
        """What the command line offers is what a remover takes."""
        options = removal_options()
        keywords = NeuralSourceRemover.__init__.__kwdefaults__
        assert set(options) == set(keywords)
        for name, about in options.items():
            assert about['default'] == keywords[name], name
            assert about['help']
        names = {item.name for item in fields(RemovalSettings)}
        assert names - set(options) == {
            'psf_name',
            'method_reason',
            'setup_reason',
            'inpaint_model',
            'run',
        }
