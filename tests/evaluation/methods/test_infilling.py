# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of local pixelwise infilling, against answers that are known."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from photutils_pconv.evaluation.methods.registry import measure_baselines
from photutils_pconv.psf.lobed import LobedPSF
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.setups.registry import get_setup

SETUP = get_setup('scanmap', 'blue')
SCALE = SETUP.pixel_scale.value
PSF = LobedPSF((2.4,), (1.0,), (0.0,))
SIZE = 220
X, Y = np.array([70.2, 150.0]), np.array([80.4, 140.7])
RADIUS = 9.0


def measure(data, name, x=X, y=Y, **options):
    """Measure with one of the two methods."""
    found = measure_baselines(
        data, x, y, setup=SETUP, hole_radius=RADIUS, psf=PSF, names=[name], **options
    )
    return found[name]


def add_sources(background, flux):
    """Add two sources of the same flux."""
    image = background.copy()
    for x, y in zip(X, Y, strict=True):
        image += flux * PSF.render(image.shape, x, y, pixel_scale=SCALE)
    return image


def test_white_noise_gives_the_optimal_fit():
    rng = np.random.default_rng(1)
    pixel_psf = PixelPSF(PSF, SCALE)
    rows, columns = np.indices((SIZE, SIZE))
    noise, found, optimal, errors = 0.01, [], [], []
    for _ in range(4):
        data = add_sources(noise * rng.standard_normal((SIZE, SIZE)), 1.0)
        result = measure(data, 'local_infilling_psf')
        found.append(result.flux)
        errors.append(result.flux_err)
        for x, y in zip(X, Y, strict=True):
            part = (abs(columns - round(x)) <= 10) & (abs(rows - round(y)) <= 10)
            image = pixel_psf.evaluate(columns - x, rows - y)[part]
            terms = np.stack([image, np.ones(image.size)], axis=1)
            optimal.append(np.linalg.lstsq(terms, data[part], rcond=None)[0][0])
            best = noise * np.sqrt(np.linalg.inv(terms.T @ terms)[0, 0])
    # The covariance that the map tells is not quite that of white noise.
    np.testing.assert_allclose(np.ravel(found), optimal, atol=0.5 * best)
    assert np.mean(found) == pytest.approx(1.0, abs=4 * best / np.sqrt(8))
    assert np.mean(errors) == pytest.approx(best, rel=0.2)


def test_filling_beats_the_surroundings_mean():
    rng = np.random.default_rng(2)
    emission = 5.0 * gaussian_filter(rng.standard_normal((SIZE, SIZE)), 4.0)
    data = add_sources(emission, 40.0)
    result = measure(data, 'local_infilling')
    brighter = measure(add_sources(emission, 400.0), 'local_infilling')
    rows, columns = np.indices(data.shape)
    for k, (x, y) in enumerate(zip(X, Y, strict=True)):
        hole = np.hypot(columns - x, rows - y) <= RADIUS
        error = (result.background - emission)[hole]
        assert np.std(error) < 0.5 * np.std(emission[hole])
        # The source is removed, whatever its flux.
        np.testing.assert_allclose(
            brighter.background[hole], result.background[hole], atol=0.02
        )
        assert np.isfinite(result.flux_err[k])


def test_blended_sources_are_divided():
    # One and a half FWHM apart.
    x, y = np.array([100.0, 105.2]), np.array([110.0, 110.3])
    rng = np.random.default_rng(3)
    data = 0.001 * rng.standard_normal((SIZE, SIZE))
    for k, flux in enumerate((2.0, 1.0)):
        data += flux * PSF.render(data.shape, x[k], y[k], pixel_scale=SCALE)
    result = measure(data, 'local_infilling_psf', x, y)
    np.testing.assert_allclose(result.flux, (2.0, 1.0), rtol=0.02)


@pytest.mark.parametrize('name', ['local_infilling', 'local_infilling_psf'])
def test_source_at_the_edge(name):
    rng = np.random.default_rng(4)
    x, y = np.array([3.0]), np.array([SIZE - 4.0])
    data = 0.01 * rng.standard_normal((SIZE, SIZE))
    data += 2.0 * PSF.render(data.shape, 3.0, SIZE - 4.0, pixel_scale=SCALE)
    result = measure(data, name, x, y, eef=lambda radius: np.ones_like(radius))
    assert np.isfinite(result.flux).all()
    assert np.nanstd(result.background) < 0.03
