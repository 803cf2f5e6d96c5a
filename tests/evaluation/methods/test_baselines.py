# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the other methods, against scenes whose answer is known."""

import numpy as np
import pytest

from photutils_pconv.evaluation.methods import registry as baselines
from photutils_pconv.evaluation.methods.registry import (
    BASELINES,
    available_baselines,
    measure_baselines,
)
from photutils_pconv.psf.lobed import LobedPSF
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.setups.registry import get_setup

SETUP = get_setup('scanmap', 'blue')
SCALE = SETUP.pixel_scale.value
# Narrow: nothing of a source lies beyond its hole, and its encircled
# energy has a closed form.
SIGMA = 2.4
PSF = LobedPSF((SIGMA,), (1.0,), (0.0,))
X, Y = np.array([50.3, 120.0, 80.7]), np.array([60.8, 45.0, 130.45])
FLUX = np.array([1.0, 5.0, 0.2])
RADIUS = np.array([9.0, 11.0, 7.0])
SHAPE = (180, 170)


def exact_eef(radius):
    """Return a round Gaussian's encircled energy, pixel averages included."""
    # The average over the pixel, and that over the pixels at the
    # aperture's rim, each widen by a twelfth of the square of the side.
    variance = SIGMA**2 + SCALE**2 / 6
    return 1.0 - np.exp(-0.5 * np.asarray(radius) ** 2 / variance)


def add_sources(background):
    """Add the sources to a background."""
    data = background.copy()
    for x, y, flux in zip(X, Y, FLUX, strict=True):
        data += flux * PSF.render(SHAPE, x, y, pixel_scale=SCALE)
    return data


def make_background(kind):
    """Make a background that all methods of a kind recover."""
    rows, columns = np.indices(SHAPE, dtype=float)
    background = np.full(SHAPE, 3.0e-3)
    if kind != 'constant':
        background += 2.0e-5 * columns - 1.0e-5 * rows
    if kind == 'quadratic':
        background += 1.0e-6 * (rows - 80.0) * (columns - 90.0) + 2e-6 * rows**2
    return background


def measure(data, **options):
    """Measure the scene."""
    options = {'setup': SETUP, 'hole_radius': RADIUS, 'psf': PSF, **options}
    return measure_baselines(data, X, Y, eef=exact_eef, **options)


@pytest.fixture(scope='module')
def on_plane():
    """Return the sources on a plane, measured by all methods."""
    background = make_background('plane')
    return background, measure(add_sources(background))


def test_available_baselines():
    assert list(BASELINES)[:4] == available_baselines()[:4]
    assert set(available_baselines()) <= set(BASELINES)


@pytest.mark.parametrize('name', BASELINES)
def test_flux_on_plane(on_plane, name):
    if name not in available_baselines():
        pytest.skip(f'{name} is not installed')
    _, results = on_plane
    # A median, or a mean of what surrounds a ragged hole, is that of the
    # plane to a part of the step from pixel to pixel.
    steps = {'local_background': 1.0, 'interpolate': 3.0, 'maskfill': 5.0}
    area = np.pi * (SETUP.aperture_radius.value / SCALE) ** 2
    atol = steps.get(name, 0.0) * 2.2e-5 * area
    np.testing.assert_allclose(results[name].flux, FLUX, rtol=0.003, atol=atol)


@pytest.mark.parametrize('name', BASELINES)
def test_background_on_plane(on_plane, name):
    if name not in available_baselines():
        pytest.skip(f'{name} is not installed')
    background, results = on_plane
    left = results[name].background
    assert left.shape == SHAPE
    for i, (x, y) in enumerate(zip(X, Y, strict=True)):
        rows, columns = np.indices(SHAPE)
        hole = np.hypot(columns - x, rows - y) <= RADIUS[i]
        span = np.ptp(background[hole])
        assert abs((left - background)[hole].mean()) < 0.1 * span
        if name in ('biharmonic', 'psf_polynomial_fit'):
            atol = 0.02 * span + 1.0e-3 * FLUX[i] * PSF.density(0, 0) * SCALE**2
            np.testing.assert_allclose(left[hole], background[hole], atol=atol)


def test_only_holes_change(on_plane):
    background, results = on_plane
    data = add_sources(background)
    rows, columns = np.indices(SHAPE)
    outside = np.ones(SHAPE, dtype=bool)
    for x, y, radius in zip(X, Y, RADIUS, strict=True):
        outside &= np.hypot(columns - x, rows - y) > radius
    for name, result in results.items():
        if 'psf' not in name:
            np.testing.assert_array_equal(result.background[outside], data[outside])


def test_polynomial_is_exact_on_quadratic():
    # Of all methods this one is exact here, whatever the flux.
    background = make_background('quadratic')
    result = measure(add_sources(background), names=['psf_polynomial_fit'])
    result = result['psf_polynomial_fit']
    np.testing.assert_allclose(result.flux, FLUX, rtol=2e-3)
    rows, columns = np.indices(SHAPE)
    for x, y, flux in zip(X, Y, FLUX, strict=True):
        inside = np.hypot(columns - x, rows - y) <= 6.0
        np.testing.assert_allclose(
            result.polynomial[inside], background[inside], atol=2e-4 * flux
        )


def test_polynomial_matches_lstsq():
    rng = np.random.default_rng(11)
    data = add_sources(make_background('plane')) + 0.01 * rng.standard_normal(SHAPE)
    flux = measure(data, names=['psf_polynomial_fit'])['psf_polynomial_fit'].flux
    psf = PixelPSF(PSF, SCALE)
    rows, columns = np.indices(SHAPE)
    for x, y, measured in zip(X, Y, flux, strict=True):
        dx, dy = columns - x, rows - y
        use = np.hypot(dx, dy) <= 9.0
        u, v = dx[use] / 9.0, dy[use] / 9.0
        terms = [psf.evaluate(dx, dy)[use], u**0, u, v, u * u, u * v, v * v]
        expected, *_ = np.linalg.lstsq(np.stack(terms, axis=1), data[use], rcond=None)
        assert measured == pytest.approx(expected[0], rel=1e-9)


def test_annulus_is_a_mean(on_plane):
    background, results = on_plane
    data = add_sources(background)
    rows, columns = np.indices(SHAPE)
    for x, y, flux in zip(X, Y, results['annulus'].flux, strict=True):
        distance = np.hypot(columns - x, rows - y) * SCALE
        level = data[(distance > 25.0) & (distance < 35.0)].mean()
        expected = (data - level)[distance < 12.0].sum()
        # A sum out to five sigma needs no correction.
        assert flux == pytest.approx(expected, rel=0.01, abs=2e-3)


def test_two_sources_are_grouped():
    # One and a half FWHM apart: PSFPhotometry fits both at once.
    x, y = np.array([80.0, 85.2]), np.array([90.0, 90.4])
    data = make_background('constant')
    for k, flux in enumerate((2.0, 1.0)):
        data += flux * PSF.render(SHAPE, x[k], y[k], pixel_scale=SCALE)
    result = measure_baselines(
        data, x, y, setup=SETUP, hole_radius=9.0, psf=PSF, names=['psf_photometry']
    )
    np.testing.assert_allclose(result['psf_photometry'].flux, (2, 1), rtol=0.01)


def test_missing_pixels_and_odd_positions():
    background = make_background('plane')
    data = add_sources(background)
    data[56, 60] = data[49, 120] = np.nan
    x, y = np.append(X, [-20.0, np.nan]), np.append(Y, [30.0, 30.0])
    radius = np.append(RADIUS, [5.0, 5.0])
    results = measure_baselines(
        data, x, y, setup=SETUP, hole_radius=radius, psf=PSF, eef=exact_eef
    )
    for name, result in results.items():
        assert np.isnan(result.flux[3:]).all(), name
        # One pixel of some hundred is gone.
        np.testing.assert_allclose(result.flux[:3], FLUX, rtol=0.06)
        assert np.isnan(result.background[56, 60]), name
        assert np.isfinite(result.background[56, 62]), name


def test_no_sources():
    none = np.array([])
    results = measure_baselines(
        make_background('plane'), none, none, setup=SETUP, hole_radius=none
    )
    for result in results.values():
        assert result.flux.shape == (0,)


def test_errors(monkeypatch):
    data = make_background('constant')
    with pytest.raises(ValueError, match=r'names must be some of annulus.*sextractor'):
        measure(data, names=['sextractor'])
    with pytest.raises(ValueError, match='2-D map'):
        measure(data[0])

    monkeypatch.setitem(baselines._NEEDS, 'maskfill', ('not_there', 'maskfill'))
    assert 'maskfill' not in available_baselines()
    with pytest.raises(ImportError, match='pip install maskfill'):
        measure(data, names=['maskfill'])
