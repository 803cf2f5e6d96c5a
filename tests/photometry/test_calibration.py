# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the calibration of a model's errors."""

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.network import save_model
from photutils_pconv.network.weights import load_model
from photutils_pconv.photometry.calibration import (
    ErrorCalibration,
    get_error_calibration,
)
from photutils_pconv.setups.registry import get_setup

GREEN = get_setup('scanmap', 'green')


def power_law(radius, aperture):
    return 0.4 * radius**1.2 * aperture**1.5


@pytest.fixture
def calibration():
    radii, shares = np.array([5.0, 7.0, 12.0]), np.array([0.25, 0.5, 1.0])
    scatter = power_law(radii[:, None], radii[:, None] * shares)
    return ErrorCalibration(radii, shares, scatter, kappa=1.2, eps=0.01)


class TestCalibration:
    @pytest.mark.parametrize('radius', [5.0, 6.1, 12.0])
    def test_power_law_is_kept(self, calibration, radius):
        apertures = radius * np.array([0.25, 0.4, 1.0])
        expected = power_law(radius, apertures)
        assert_allclose(calibration.ratio(radius, apertures), expected, rtol=1e-6)

    def test_beyond_the_table(self, calibration):
        at_edge = calibration.ratio(12.0, 6.0)
        assert_allclose(calibration.ratio(24.0, 12.0), at_edge * 2**2.36, rtol=1e-6)
        full = calibration.ratio(7.0, 7.0)
        assert_array_equal(calibration.ratio(7.0, [8.0, 30.0]), [full, full])
        small = calibration.ratio(7.0, 0.7)
        assert_allclose(small, power_law(7.0, 0.7), rtol=1e-6)
        assert np.isnan(calibration.ratio(np.nan, 3.0))

    def test_psf_ratio(self, calibration):
        own = replace(calibration, psf_scatter=[1.0, 2.0, 4.5])
        assert_allclose(own.psf_ratio([3, 5, 6, 9.5, 20]), [1, 1, 1.5, 3.25, 4.5])

    def test_dict(self, calibration):
        values = json.loads(json.dumps(calibration.to_dict()))
        again = ErrorCalibration.from_dict({**values, 'beam_fwhm': 4.2})
        assert_allclose(again.scatter, calibration.scatter, rtol=1e-3)
        assert again.to_dict() == values
        assert again.kappa == 1.2
        assert again.eps == 0.01

    @pytest.mark.parametrize(
        ('changes', 'match'),
        [
            ({'hole_radii': [5.0, 5.0, 6.0]}, 'ascending'),
            ({'aperture_shares': [0.5]}, 'two or more'),
            ({'scatter': np.ones((2, 3))}, r'shape \(3, 3\)'),
            ({'scatter': np.zeros((3, 3))}, 'positive'),
            ({'psf_scatter': [1.0]}, r'shape \(3,\)'),
            ({'kappa': 0.0}, 'kappa must be positive'),
            ({'psf_eps': -0.1}, 'eps not negative'),
        ],
    )
    def test_refused(self, calibration, changes, match):
        with pytest.raises(ValueError, match=match):
            replace(calibration, **changes)


class TestFind:
    @pytest.fixture
    def saved(self, tmp_path, flat_model):
        path = tmp_path / 'own.safetensors'

        def save(card=None, beside=None):
            model = flat_model.card
            if card is not None:
                model = replace(model, accuracy={'flux_error': card})
            written = save_model(path, flat_model.network, model, overwrite=True)
            if beside is not None:
                content = {'checksum': written.checksum, 'flux_error': beside}
                path.with_suffix('.json').write_text(json.dumps(content))
            return load_model(path, cache=False)

        return save

    def tables(self, calibration, **kappas):
        return {
            name.replace('_', '/'): {
                **replace(calibration, kappa=kappa).to_dict(),
                'beam_fwhm': 2.0 * kappa,
            }
            for name, kappa in kappas.items()
        }

    def test_in_the_card_or_beside(self, saved, calibration):
        tables = self.tables(calibration, scanmap_green=1.5, scanmap_red=1.7)
        for model in (saved(card=tables), saved(beside=tables)):
            found = get_error_calibration(model, GREEN)
            assert found.kappa == 1.5
            assert found.source == 'model'

    def test_another_setup(self, saved, calibration):
        # The beam of scanmap/green has 4.2 pixels.
        tables = self.tables(calibration, a_a=1.0, b_b=2.0, c_c=3.0)
        found = get_error_calibration(saved(card=tables), GREEN)
        assert found.kappa == 2.0
        assert found.source == 'other setup'

    def test_none(self, saved, calibration, flat_model):
        assert get_error_calibration(flat_model, GREEN).source == 'generic'
        model = saved(beside=self.tables(calibration, scanmap_green=1.5))
        other = replace(model, card=replace(model.card, checksum='0' * 64))
        assert get_error_calibration(other, GREEN).source == 'generic'

    def test_bundled(self):
        """Every bundled model has the calibration of its own weights."""
        for name in ('pacs',):
            model = load_model(name)
            for setup in model.card.setups:
                found = get_error_calibration(model, get_setup(setup=setup))
                assert found.source == 'model', setup
                assert 0.8 < found.kappa < 1.6
                assert found.eps < 0.02
