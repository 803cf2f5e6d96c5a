# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the colour correction and calibration error of a removal's fluxes."""

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.photometry import colour_correction
from photutils_pconv.photometry.upper_limits import flux_upper_limit
from photutils_pconv.removal.assembly import assemble
from photutils_pconv.removal.pipeline import remove_sources
from photutils_pconv.setups.registry import get_setup

FLUXES = ('flux', 'flux_aperture', 'flux_annulus')


@pytest.fixture(scope='module')
def measure(make_scene, make_settings, make_inputs):
    """Measure a bright source and an empty place with further options."""
    scene = make_scene([30, 75], [40, 60], [2.0, 1e-4], noise=1e-4, shape=(90, 110))
    map_input, sources = make_inputs(scene)
    given = {'error_method': 'local'}
    removal = remove_sources(make_settings(**given), map_input, sources)

    def measure(**options):
        settings = make_settings(**given, **options)
        return assemble(settings, map_input, removal).photometry

    return measure


@pytest.fixture(scope='module')
def plain(measure):
    return measure()


class TestColour:
    @pytest.mark.parametrize('spectrum', ['star', 20 * u.K, (15 * u.K, 1.8), -1.0])
    def test_fluxes_are_divided(self, measure, plain, spectrum):
        table = measure(colour_correction=spectrum)
        factor = colour_correction(spectrum, 'scanmap/green')
        changed = {*FLUXES, 'flux_err', 'flux_aperture_err', 'flux_upper_limit'}
        for name in table.colnames:
            expected = u.Quantity(plain[name]) / (factor if name in changed else 1.0)
            assert_allclose(u.Quantity(table[name]), expected, rtol=1e-12)
        assert table.meta['colour_corrected'] is True
        assert_allclose(table.meta['colour_correction_factor'], factor)

    @pytest.mark.parametrize(
        ('spectrum', 'text'),
        [
            ('star', 'black body of 5000 K'),
            ((15 * u.K, 1.8), 'modified black body of 15 K, emissivity slope 1.8'),
            (-1, 'power law of slope -1 in frequency'),
        ],
    )
    def test_it_is_recorded(self, make_settings, spectrum, text):
        assert (
            make_settings(colour_correction=spectrum).colour_correction.spectrum == text
        )

    def test_none_is_recorded_too(self, plain):
        assert plain.meta['colour_corrected'] is False
        assert plain.meta['colour_correction'] is None
        assert plain.meta['colour_correction_factor'] == 1.0

    def test_setup_without_passband(self):
        setup = replace(get_setup(setup='scanmap/green'), name='mine')
        with pytest.raises(ValueError, match="'mine' has no passband"):
            NeuralSourceRemover(setup=setup, colour_correction='star')

    def test_shown(self, flat_model):
        remover = NeuralSourceRemover(
            'scanmap', 'red', model=flat_model, colour_correction='star'
        )
        assert "colour_correction: 'black body of 5000 K'" in str(remover)


class TestCalibration:
    @pytest.mark.parametrize(
        ('error', 'value'), [('setup', 0.07), (0.2, 0.2), ('0.2', 0.2), (0, 0.0)]
    )
    def test_added(self, measure, plain, error, value):
        table = measure(calibration_error=error)
        for name in ('flux', 'flux_aperture'):
            assert_array_equal(table[name], plain[name])
            expected = np.hypot(plain[f'{name}_err'], value * plain[name])
            assert_allclose(table[f'{name}_err'], expected)
        assert table.meta['calibration_error'] == value
        assert table.meta['calibration_error_added'] is True
        limit = flux_upper_limit(
            *(u.Quantity(table[name])[1].value for name in ('flux', 'flux_err'))
        )
        assert_allclose(u.Quantity(table['flux_upper_limit'])[1].value, limit)
        assert_array_equal(table['detection_snr'], plain['detection_snr'])

    def test_recorded_and_not_added(self, plain):
        assert plain.meta['calibration_error'] == 0.07
        assert plain.meta['calibration_error_added'] is False

    def test_with_a_colour(self, measure, plain):
        """Both are relative: their order makes no difference."""
        table = measure(calibration_error=0.1, colour_correction=20 * u.K)
        factor = table.meta['colour_correction_factor']
        expected = np.hypot(plain['flux_err'], 0.1 * plain['flux']) / factor
        assert_allclose(table['flux_err'], expected)

    @pytest.mark.parametrize(
        ('error', 'kind', 'match'),
        [
            (7, ValueError, '0.07 for 7 percent'),
            (-0.1, ValueError, '0.07 for 7 percent'),
            (np.nan, ValueError, '0.07 for 7 percent'),
            ('mine', ValueError, "'setup' or a number"),
            (True, TypeError, "'setup' or a number"),
        ],
    )
    def test_refused(self, error, kind, match):
        with pytest.raises(kind, match=match):
            NeuralSourceRemover('scanmap', 'red', calibration_error=error)

    def test_unknown(self):
        setup = replace(get_setup(setup='scanmap/green'), name='mine')
        with pytest.raises(ValueError, match="'mine' is not known"):
            NeuralSourceRemover(setup=setup, calibration_error='setup')
