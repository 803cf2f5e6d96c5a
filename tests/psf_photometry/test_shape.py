# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the PSF's angle, width and profile on a map.
"""

import numpy as np
import pytest

from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.lobed import lobed_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.resolved import SourcePSFs
from photutils_pconv.psf.source_images import model_image
from photutils_pconv.psf.source_sizes import SourceSizes
from photutils_pconv.psf_photometry.bright_sources import choose_bright_sources
from photutils_pconv.psf_photometry.shape import find_telling, fit_shape
from photutils_pconv.setups.registry import get_setup

SHAPE = (150, 160)
X, Y = np.array([40.2, 110.7, 75.5, 80.0]), np.array([40.6, 45.1, 100.0, 104.0])
FLUX = np.array([300.0, 120.0, 80.0, 70.0])


def _fit(psf, data, n=2):
    missing = np.zeros(SHAPE, dtype=bool)
    return fit_shape(data, X[:n], Y[:n], psf, missing=missing, snr=FLUX[:n])


def _map(psf, noise=0.01, n=2, seed=1):
    rng = np.random.default_rng(seed)
    return model_image(SHAPE, X[:n], Y[:n], FLUX[:n], psf) + rng.normal(0, noise, SHAPE)


@pytest.mark.parametrize('angle', [0.5, 2.9, 5.5])
@pytest.mark.parametrize('width', [0.98, 1.04])
def test_angle_and_width_are_found(angle, width):
    nominal = PixelPSF(get_psf('scanmap/green'), 1.6)
    data = _map(nominal.adjusted(angle=angle, width=width))
    found = _fit(nominal, data)
    difference = (found.angle - angle + np.pi) % (2 * np.pi) - np.pi
    assert abs(difference) < 0.05
    assert found.width == pytest.approx(width, abs=0.005)
    assert found.expected_error(0.0, 0.0) < nominal.expected_error(0.0, 0.0)


def test_a_given_angle_is_kept():
    nominal = PixelPSF(get_psf('scanmap/green'), 1.6)
    data = _map(nominal.adjusted(angle=1.0, width=1.03))
    found = _fit(nominal.adjusted(angle=1.0), data)
    assert found.angle == 1.0
    assert found.width == pytest.approx(1.03, abs=0.005)


def test_no_angle_is_claimed_of_a_round_psf():
    nominal = PixelPSF(get_psf('scanmap/green'), 1.6)
    found = _fit(nominal, _map(nominal.adjusted(width=1.03)))
    assert found.is_round
    assert found.width == pytest.approx(1.03, abs=0.005)


def test_without_isolated_sources_the_psf_stays():
    nominal = PixelPSF(get_psf('scanmap/green'), 1.6)
    data = _map(nominal, n=4)
    missing = np.zeros(SHAPE, dtype=bool)
    pair = fit_shape(data, X[2:], Y[2:], nominal, missing=missing, snr=FLUX[2:])
    assert pair is nominal
    none = fit_shape(data, X[:0], Y[:0], nominal, missing=missing, snr=FLUX[:0])
    assert none is nominal


def test_profile_correction_takes_a_mismatch_off():
    setup = get_setup('scanmap', 'green')
    nominal = PixelPSF(get_psf(setup), 1.6)
    true = PixelPSF(lobed_psf(setup), 1.6)
    found = _fit(nominal, _map(true, noise=0.003))
    r = np.linspace(0.0, 9.0, 50)
    truth = true.evaluate(r, 0 * r)
    # The flux is free: compare the shapes within the window.
    y, x = np.indices((25, 25)) - 12.0
    inside = np.hypot(x, y) <= 9

    def error(psf):
        values = psf.evaluate(r, 0 * r)
        grid, true_grid = psf.evaluate(x, y)[inside], true.evaluate(x, y)[inside]
        factor = (grid * true_grid).sum() / (grid**2).sum()
        return np.abs(factor * values - truth).max() / true.peak

    assert error(nominal) > 0.03
    assert error(found) < 0.5 * error(nominal)


@pytest.mark.parametrize('n_points', [2, 4, 6])
def test_slightly_resolved_sources_do_not_widen_the_psf(n_points):
    """Half or more of the sources are 1.1 times as wide as the PSF, of width 1.02."""
    x, y = (one.ravel() for one in np.meshgrid(np.arange(4), np.arange(3)))
    x, y = 40.0 * x + 20.3, 40.0 * y + 20.6
    snr = np.geomspace(60.0, 600.0, len(x))
    nominal = PixelPSF(get_psf('scanmap/green'), 1.6)
    sizes = np.ones(len(x))
    sizes[n_points:] = 1.1
    # The brightest are of both kinds.
    sizes = np.random.default_rng(3).permutation(sizes)
    true = nominal.adjusted(width=1.02)
    unknown = np.full(len(x), np.nan)
    psfs = SourcePSFs(true, SourceSizes(sizes, sizes, np.zeros(len(x)), unknown))
    rng = np.random.default_rng(5)
    data = model_image(SHAPE, x, y, snr, psfs) + rng.normal(0, 0.05, SHAPE)
    missing = np.zeros(SHAPE, dtype=bool)
    telling = find_telling(
        data, x, y, nominal, missing=missing, snr=snr, usable=snr > 85.0
    )
    np.testing.assert_array_equal(telling, (sizes == 1.0) & (snr > 85.0))
    widths = [
        fit_shape(data, x[one], y[one], nominal, missing=missing, snr=snr[one]).width
        for one in (telling, snr > 85.0)
    ]
    assert widths[0] == pytest.approx(1.02, abs=0.006)
    assert widths[1] > 1.03


@pytest.mark.parametrize('gap', [False, True])
def test_fits_of_a_stack_are_those_of_single_sources(gap):
    """Each source by itself, with numpy's least squares on its used pixels."""
    nominal = PixelPSF(get_psf('scanmap/green'), 1.6)
    data, missing = _map(nominal, noise=0.5), np.zeros(SHAPE, dtype=bool)
    missing[35:39, 40:50] = gap
    angles = np.array([0.7, np.nan])
    where = (data, X[:2], Y[:2], missing, FLUX[:2], angles)
    sources = choose_bright_sources(*where, 5)
    np.testing.assert_array_equal(sources.number, [0, 1])
    psf = nominal.adjusted(angle=2.0, width=1.02)
    fits, widths = sources.fit(psf), np.array(sources.measure_widths(psf)).T
    rows, columns = np.indices(SHAPE)
    for k in range(2):
        dx, dy = columns - X[k], rows - Y[k]
        seen = (np.hypot(dx, dy) <= 9.0) & ~missing
        dx, dy = dx[seen], dy[seen]
        angle = 0.7 if k == 0 else 2.0
        one, wider = (psf.adjusted(angle=angle, width=w) for w in (1.02, 1.02 * 1.01))
        background = [np.ones(dx.size), dx, dy, dx * dx, dx * dy, dy * dy]
        matrix = [one.evaluate(dx, dy), *one.gradient(dx, dy), *background]
        found = np.linalg.lstsq(np.transpose(matrix), data[seen], rcond=None)[0]
        assert fits.flux[k] == pytest.approx(found[0], rel=1e-8)
        left = data[seen] - found @ np.array(matrix)
        np.testing.assert_allclose(
            fits.residual[k, sources.used[k]], left, atol=1e-8 * FLUX[0]
        )
        assert not np.any(fits.residual[k, ~sources.used[k]])
        change = (wider.evaluate(dx, dy) - matrix[0]) / 0.01
        found = np.linalg.lstsq(
            np.transpose([change, *matrix]), data[seen], rcond=None
        )[0]
        assert widths[k, 0] == pytest.approx(found[0] / found[1], rel=1e-6)
