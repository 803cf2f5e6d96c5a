# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of detections and upper limits against draws and integrals."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.stats import norm, truncnorm

from photutils_pconv.photometry import detection_ratio, flux_upper_limit


@pytest.mark.parametrize('probability', [0.5, 0.95, 0.997])
@pytest.mark.parametrize('flux', [-4.0, -1.0, 0.0, 0.7, 2.9])
def test_the_limit_holds_the_probability(flux, probability):
    error = 0.8
    limit = float(flux_upper_limit(flux, error, probability=probability))

    def density(true):
        return norm.pdf(flux, true, error)

    below = quad(density, 0, limit)[0]
    whole = below + quad(density, limit, limit + 20)[0]
    assert below / whole == pytest.approx(probability, rel=1e-6)


def test_it_is_a_quantile_of_the_truncated_gaussian():
    flux = np.linspace(-5, 5, 21)
    expected = truncnorm.ppf(0.99, -flux / 2, np.inf, loc=flux, scale=2)
    assert_allclose(flux_upper_limit(flux, 2.0, probability=0.99), expected, rtol=1e-6)


@pytest.mark.parametrize('probability', [0.9, 0.997])
def test_it_covers_the_truth_of_sources_that_are_not_detected(probability):
    """Whatever is selected by the measured flux, the rate is the stated one."""
    rng = np.random.default_rng(5)
    true = rng.uniform(0, 20, 400_000)
    measured = true + rng.normal(size=true.size)
    faint = measured < 3
    limit = flux_upper_limit(measured[faint], 1.0, probability=probability)
    exceeded = np.mean(true[faint] > limit)
    expected = 1 - probability
    spread = np.sqrt(expected * probability / faint.sum())
    assert abs(exceeded - expected) < 4 * spread


@pytest.mark.parametrize('true', [0.0, 1.0, 2.0, 5.0])
def test_one_flux_exceeds_it_at_most_as_often(true):
    rng = np.random.default_rng(6)
    measured = true + rng.normal(size=100_000)
    exceeded = np.mean(true > flux_upper_limit(measured, 1.0, probability=0.95))
    assert exceeded < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 100_000)


def test_far_from_zero():
    # Far above it is the plain quantile; far below, sigma**2 / |F| * ln(1 / (1 - p)).
    assert_allclose(flux_upper_limit(50.0, 1.0), 50 + norm.ppf(0.997))
    assert_allclose(flux_upper_limit(-1e3, 1.0), -np.log(0.003) / 1e3, rtol=1e-3)
    assert np.all(flux_upper_limit([-1e8, -50.0], 1.0) >= 0)


def test_what_is_not_known_is_nan():
    flux, error = [np.nan, 1.0, 1.0, 2.0], [1.0, np.nan, 0.0, 0.5]
    assert_allclose(detection_ratio(flux, error), [np.nan, np.nan, np.nan, 4.0])
    limits = flux_upper_limit(flux, error)
    assert np.isfinite(limits).tolist() == [False, False, False, True]


@pytest.mark.parametrize('bad', [0, 1, -0.5, 99.7, np.nan])
def test_probabilities_are_between_0_and_1(bad):
    with pytest.raises(ValueError, match='probability must be between 0 and 1'):
        flux_upper_limit(1.0, 1.0, probability=bad)


@pytest.mark.parametrize('bad', ['0.9', True, None])
def test_probabilities_are_numbers(bad):
    with pytest.raises(TypeError, match='probability must be a number'):
        flux_upper_limit(1.0, 1.0, probability=bad)
