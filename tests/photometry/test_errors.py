# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the errors of fluxes."""

import json
from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.stats import mad_std
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.network import save_model
from photutils_pconv.network.weights import load_model
from photutils_pconv.photometry.calibration import (
    ErrorCalibration,
    get_error_calibration,
)
from photutils_pconv.photometry.errors import excess_variance, flux_error, scatter_ratio
from photutils_pconv.photometry.flags import SourceFlags
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


class TestScatterRatio:
    radius = np.repeat([5.0, 9.0, 12.0], [60, 40, 100])
    rms = np.random.default_rng(1).uniform(0.5, 3.0, 200)
    expected = np.stack([radius**2, radius**3], axis=1)

    def fluxes(self, ratio, seed=2):
        rng = np.random.default_rng(seed)
        return ratio * self.expected * self.rms[:, None] * rng.normal(size=(200, 2))

    def test_known_scatter(self):
        found = scatter_ratio(
            self.fluxes(np.array([0.6, 1.7])), self.rms, self.radius, self.expected
        )
        prior = 200 / 210
        assert_allclose(found, [0.6**prior, 1.7**prior], rtol=0.1)

    def test_offsets_and_sources_do_not_matter(self):
        flux = self.fluxes(1.0)
        before = scatter_ratio(flux, self.rms, self.radius, self.expected)
        offset = np.where(self.radius == 12, 2.5, 0.0)[:, None]
        shifted = flux + offset * self.expected * self.rms[:, None]
        after = scatter_ratio(shifted, self.rms, self.radius, self.expected)
        assert_allclose(after, before, rtol=1e-9)
        flux[::20] *= 1000
        found = scatter_ratio(flux, self.rms, self.radius, self.expected)
        assert_allclose(found, before, rtol=0.12)

    def test_few_holes_weigh_little(self):
        rows = slice(0, 200, 12)
        flux = self.fluxes(3.0)[rows]
        args = self.rms[rows], self.radius[rows], self.expected[rows]
        few = scatter_ratio(flux, *args)
        assert np.all(few < 3.0)
        assert np.all(few > 1.2)

    def test_nothing_to_measure(self):
        flux = np.full((200, 2), np.nan)
        flux[:, 1] = 0.0
        found = scatter_ratio(flux, self.rms, self.radius, self.expected)
        assert_array_equal(found, [np.nan, 0.0])


class TestParts:
    def test_flux_error(self):
        error = flux_error(np.array([0.0, 300.0]), 2.0, kappa=2.0, eps=0.01, excess=9.0)
        assert_allclose(error, [5.0, np.sqrt(34.0)])

    def test_excess(self):
        """The noise of the aperture above the annulus', by the area."""
        error = np.full((80, 80), 2.0)
        yy, xx = np.indices(error.shape)
        options = {'radii': [4.0], 'hole_radius': 8.0, 'annulus_radii': (15, 20)}
        here = [40.0], [40.0]
        assert_array_equal(excess_variance(error, *here, **options), 0)
        bright = np.where(np.hypot(xx - 40, yy - 40) < 9, 5.0, error)
        found = excess_variance(bright, *here, **options)
        assert_allclose(found, [[np.pi * 16 * 21]], rtol=1e-9)
        quiet = np.where(np.hypot(xx - 40, yy - 40) < 9, 1.0, error)
        assert_array_equal(excess_variance(quiet, *here, **options), 0)
        nothing = {**options, 'hole_radius': np.nan}
        assert_array_equal(excess_variance(bright, *here, **nothing), 0)


@pytest.fixture(scope='module')
def run(make_scene, flat_model):
    grid = np.arange(60.0, 400.0, 70.0)
    x, y = (value.ravel() for value in np.meshgrid(grid, grid))
    scene = make_scene(x, y, 0.003, shape=(440, 440), noise=1e-4)

    def remove(data=scene.data, **options):
        call = {key: options.pop(key) for key in ('error',) if key in options}
        remover = NeuralSourceRemover(
            setup=GREEN, model=flat_model, aperture_corrections=scene.eef, **options
        )
        return remover(data * u.Jy / u.pix, scene.xy, **call).photometry

    return remove


class TestRemover:
    """White noise, and a model that predicts the median: all is known."""

    n_pixels = np.pi * (7 / 1.6) ** 2

    def white(self, table):
        return 1e-4 * np.sqrt(self.n_pixels) * table['aperture_correction']

    def test_white_noise(self, run):
        table = run()
        assert table.meta['error_method'] == 'empty_apertures'
        assert table.meta['n_empty_apertures'] == 64
        kappa = ErrorCalibration.generic().kappa
        error = table['flux_err'].value
        # A robust deviation of 64 values is known within an eighth.
        assert_allclose(np.median(error / self.white(table)) / kappa, 1.0, atol=0.2)
        pull = (table['flux'].value - 0.003) / error
        assert 0.6 < mad_std(pull) < 1.2

    def test_deterministic(self, run):
        assert_array_equal(run()['flux_err'], run()['flux_err'])

    def test_card(self, run):
        table = run(error_method='card')
        assert table.meta['n_empty_apertures'] == 0
        assert np.all(table['flags'] & SourceFlags.CALIBRATED_ERROR == 0)
        generic = ErrorCalibration.generic()
        scatter = generic.ratio(table['hole_radius'], 7 / 1.6)
        scatter *= generic.kappa * table['local_bkg'].unit.to('Jy / pix')
        # The local rms is the noise.
        flux_err = table['flux_err'].value / table['aperture_correction']
        eps = generic.eps * table['flux'].value / table['aperture_correction']
        expected = np.hypot(scatter * 1e-4, eps)
        assert_allclose(flux_err, expected, rtol=0.12)

    def test_own_noise_counts_once(self, run):
        plain = run()
        even = run(error=np.full((440, 440), 1e-4))
        assert_allclose(even['flux_err'], plain['flux_err'], rtol=1e-9)
        error = np.full((440, 440), 1e-4)
        x, y = plain['x_center'], plain['y_center']
        yy, xx = np.indices(error.shape)
        error[np.hypot(xx - x[0], yy - y[0]) < 12] = 5e-4
        noisy = run(error=error)
        assert_allclose(noisy['flux_err'][1:], plain['flux_err'][1:], rtol=1e-9)
        added = noisy['flux_err'][0] ** 2 - plain['flux_err'][0] ** 2
        expected = 24 * self.white(plain)[0] ** 2
        assert_allclose(added.value, expected, rtol=1e-6)

    def test_too_few_free_positions(self, flat_model, scene):
        part = scene.data[20:100, 30:110]
        remover = NeuralSourceRemover(setup=GREEN, model=flat_model)
        xy = scene.xy[:1] - [30, 20]
        table = remover(part, xy).photometry
        assert table['flags'][0] & SourceFlags.CALIBRATED_ERROR
        assert table.meta['n_empty_apertures'] == 0
        assert table.meta['error_scale'] is None
        card = NeuralSourceRemover(setup=GREEN, model=flat_model, error_method='card')
        assert_array_equal(card(part, xy).photometry['flux_err'], table['flux_err'])
