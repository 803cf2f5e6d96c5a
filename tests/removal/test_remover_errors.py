# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the errors of fluxes, from the front door."""

import astropy.units as u
import numpy as np
import pytest
from astropy.stats import mad_std
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.photometry.calibration import ErrorCalibration
from photutils_pconv.photometry.flags import SourceFlags
from photutils_pconv.setups.registry import get_setup

GREEN = get_setup('scanmap', 'green')


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
        assert table.meta['n_empty_apertures'] == 48
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
