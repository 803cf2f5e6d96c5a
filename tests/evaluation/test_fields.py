# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of test fields, and of the encircled energy."""

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.evaluation.encircled_energy import measure_encircled_energy
from photutils_pconv.evaluation.fields import (
    EvaluationField,
    make_evaluation_field,
    make_evaluation_fields,
    rank_fields,
    visible_flux_range,
)
from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.lobed import LobedPSF
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation import complexity, flux_levels

GREEN = get_setup('scanmap', 'green')


@pytest.fixture(scope='module')
def noise_map(make_scene):
    """White noise alone, without coverage gaps."""
    scene = make_scene([], [], [], noise=3e-4, shape=(200, 200))
    return CCDData(scene.data, unit='Jy/pix', wcs=scene.wcs)


class TestFields:
    def test_from_plain_to_complex(self, fields):
        values = [field.complexity for field in fields]
        assert values == sorted(values)
        assert values[0] < 1 < 10 < values[-1]
        assert [field.rank for field in fields] == [1, 2, 3]
        assert len({field.name for field in fields}) == 3
        for field in fields:
            assert_allclose(field.complexity, complexity(field.image, setup=GREEN))

    def test_levels_are_those_of_table_1(self, fields):
        every = flux_levels().value
        for field in fields:
            levels = field.levels()
            assert set(levels) <= set(every)
            assert 15 <= len(levels) <= 42  # as in Tables A.1 to A.3
            assert levels[-1] <= 150 * levels[0]
            assert field.levels((levels[0], 1e6)) == [levels[0]]

    def test_the_same_again(self, fields):
        again = make_evaluation_fields('scanmap/green', n_fields=3, shape=(160, 160))
        assert_array_equal(again[1].image.data, fields[1].image.data)
        first, _ = again[1].simulate(500.0, n_sources=2)
        second, _ = fields[1].simulate(500.0, n_sources=2)
        assert_array_equal(first.data, second.data)
        other = make_evaluation_fields(
            'scanmap/green', n_fields=3, shape=(160, 160), seed=1
        )
        assert not np.array_equal(other[1].image.data, fields[1].image.data)

    def test_simulate_adds_the_flux(self, fields):
        field = fields[0]
        ccd, sources = field.simulate(1000.0, n_sources=3)
        assert len(sources) == 3
        added = np.nansum(ccd.data - field.image.data)
        # What falls beyond the map's edge is lost.
        assert_allclose(added, 3.0, rtol=0.03)
        assert_array_equal(np.isnan(ccd.data), np.isnan(field.image.data))

    def test_as_many_sources_as_fit(self, fields):
        _, sources = fields[0].simulate(1000.0, n_sources=500)
        assert 10 < len(sources) < 500

    @pytest.mark.parametrize('snr', [3.0, 10.0])
    def test_the_faintest_level_shows(self, noise_map, snr):
        low, high = visible_flux_range(noise_map, GREEN, faintest_snr=snr)
        peak = get_psf(GREEN).render((41, 41), 20, 20, pixel_scale=1.6, oversampling=15)
        levels = flux_levels().value
        below = levels[np.searchsorted(levels, low) - 1]
        assert 1e-3 * low * peak.max() / 3e-4 > 0.97 * snr
        assert 1e-3 * below * peak.max() / 3e-4 < 1.03 * snr
        assert low * 100 < high <= low * 150

    def test_of_a_real_map(self, noise_map, tmp_path):
        path = tmp_path / 'map.fits'
        noise_map.write(path)
        field = make_evaluation_field(path, 'scanmap/green', name='real')
        assert isinstance(field, EvaluationField)
        assert field.name == 'real'
        assert_allclose(field.image.data, noise_map.data)

    def test_rank(self, fields):
        assert [f.rank for f in rank_fields(fields[::-1])] == [1, 2, 3]
        assert rank_fields(fields[1:2])[0].rank == 1

    def test_bad_input(self, noise_map):
        with pytest.raises(ValueError, match='n_fields must be 1 or more'):
            make_evaluation_fields('scanmap/green', n_fields=0)
        with pytest.raises(ValueError, match='needs a unit'):
            visible_flux_range(noise_map.data, GREEN)


@pytest.mark.parametrize('pixel_scale', [0.8, 3.2])
def test_encircled_energy_of_a_gaussian(pixel_scale):
    """
    A pixel has the variance side^2 / 12, and widens the PSF twice.

    Once because the map holds means over pixels, and once because the
    aperture takes a pixel's flux as spread evenly over it.
    """
    sigma = 3.0
    psf = LobedPSF((sigma,), (1.0,), (0.0,))
    radii, eef = measure_encircled_energy(psf, pixel_scale * u.arcsec)
    variance = sigma**2 + pixel_scale**2 / 6
    expected = 1 - np.exp(-(radii**2) / (2 * variance))
    assert_allclose(eef, expected, atol=0.003)
