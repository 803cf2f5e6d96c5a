# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the benchmark on Hyper's test."""

import numpy as np
import pytest
from astropy.table import Table

# Two of the sources are one and a half FWHM apart.
X, Y = np.array([30.2, 35.5, 70.0]), np.array([40.0, 40.8, 60.6])
FLUX, FWHM = np.array([3.0, 2.0, 4.0]), np.array([3.0, 4.5, 3.7])


def make_map():
    """Make a map of round Gaussians, summed over fine pixels, on a level."""
    n, size = 5, 100
    fine = (np.arange(n * size) + 0.5) / n - 0.5
    data = np.full((size, size), 0.3)
    for x, y, flux, fwhm in zip(X, Y, FLUX, FWHM, strict=True):
        sigma = fwhm / np.sqrt(8.0 * np.log(2.0))
        across, down = (
            np.exp(-0.5 * ((fine - one) / sigma) ** 2).reshape(size, n).mean(axis=1)
            for one in (x, y)
        )
        data += flux * np.outer(down, across) / (2.0 * np.pi * sigma**2)
    return data


def test_joint_fit_with_known_sizes(load):
    found = load('_hyper_fits').fit_gaussians(make_map(), X, Y, FWHM)
    np.testing.assert_allclose(found.flux, FLUX, rtol=2e-3)
    np.testing.assert_array_equal(found.fwhm, FWHM)


def test_joint_fit_finds_sizes(load):
    fit = load('_hyper_fits').fit_gaussians
    found = fit(make_map(), X, Y, np.full(3, 3.7), fit_fwhm=True)
    np.testing.assert_allclose(found.flux, FLUX, rtol=0.01)
    np.testing.assert_allclose(found.fwhm, FWHM, rtol=0.01)
    # One size for all is off where sizes differ, and there alone.
    wrong = fit(make_map(), X, Y, np.full(3, 3.7)).flux / FLUX - 1.0
    assert abs(wrong[2]) < 0.01 < np.abs(wrong[:2]).min()


def test_summary(load):
    benchmark = load('hyper_test')
    truth = Table({'x': X, 'y': Y, 'flux': FLUX, 'blended': [1, 1, 0]})
    test = benchmark.HyperTest(data=np.zeros((2, 2)), truth=truth)
    nearest = np.hypot(5.3, 0.8)
    assert test.nearest[:2] == pytest.approx([nearest, nearest])
    fluxes = {'one': FLUX * [1.0, np.nan, 1.1]}
    lines = benchmark.summarise(fluxes, test).splitlines()
    assert lines[2] == '| sources |  | 3 | 1 | 1 | 2 |'
    assert (
        lines[3] == '| one | 2 | +5.0 / 5.0 | +10.0 / 0.0 | +10.0 / 0.0 | +0.0 / 0.0 |'
    )


def test_simulated_like_it(load):
    benchmark = load('hyper_test')
    truth = Table({'x': X, 'y': Y, 'flux': FLUX, 'fwhm_pix': FWHM})
    noise = 1e-3 * np.random.default_rng(2).standard_normal((100, 100))
    like = benchmark.simulate_like(benchmark.HyperTest(data=make_map(), truth=truth))
    assert like.data.sum() == pytest.approx(make_map().sum(), rel=1e-6)
    test = benchmark.HyperTest(data=like.data + noise, truth=truth)
    again = benchmark.simulate_like(test, seed=3).data
    # The same sources, and other noise of the same strength.
    left = again - (test.data - noise)
    assert left.std() == pytest.approx(noise.std(), rel=0.1)
    assert abs(np.corrcoef(left.ravel(), noise.ravel())[0, 1]) < 0.05


def test_loading(load, real_data):
    test = load('hyper_test').load_test(real_data)
    # The positions are counted from 0: they lie on the peaks.
    alone = test.nearest > 15.0
    column, row = np.rint(test.x).astype(int), np.rint(test.y).astype(int)
    at = test.data[row, column]
    for dy, dx in ((0, 2), (2, 0), (0, -2), (-2, 0)):
        away = test.data[np.clip(row + dy, 0, 564), np.clip(column + dx, 0, 634)]
        assert np.mean((at > away)[alone]) > 0.97


def test_without_data(load, monkeypatch, capsys):
    monkeypatch.delenv('PCONV_REAL_DATA', raising=False)
    load('hyper_test').main([])
    assert 'PCONV_REAL_DATA is not set' in capsys.readouterr().err
