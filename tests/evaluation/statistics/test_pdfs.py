# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of probability density functions."""

import astropy.units as u
import numpy as np
import pytest
from astropy.utils.exceptions import AstropyUserWarning
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

from photutils_pconv.evaluation.statistics.pdfs import (
    LogNormal,
    fit_log_normal,
    pixel_pdf,
)


@pytest.mark.parametrize('unit', [None, u.Jy / u.pix])
def test_pdf_of_gaussian(gaussian, unit):
    data = gaussian if unit is None else gaussian * unit
    pdf = pixel_pdf(data, bins=40, limits=(-2.0, 8.0))
    value = u.Quantity(pdf['value'])
    density = u.Quantity(pdf['density']).to_value(value.unit**-1)
    error = u.Quantity(pdf['density_err']).to_value(value.unit**-1)
    expected = norm(3.0, 2.0).pdf(value.value)
    assert_allclose(value.value, -1.875 + 0.25 * np.arange(40))
    assert np.max(np.abs(density - expected) / error) < 4.5
    assert_allclose(np.sum(density) * 0.25, np.mean(np.abs(gaussian - 3) < 5))


def test_pdf_of_logarithm(log_normal):
    pdf = pixel_pdf(log_normal / u.cm**2, log=True, bins=30, limits=(-1.5, 1.5))
    # ln(value / mean) of a log-normal is normal about -sigma^2 / 2.
    expected = norm(-0.08, 0.4).pdf(pdf['eta'])
    assert_allclose(pdf['density'], expected, atol=0.03)
    assert u.allclose(pdf.meta['mean'], log_normal.mean() / u.cm**2)


def test_limits_in_another_unit(gaussian):
    data = gaussian * u.Jy / u.pix
    limits = [-1e3, 7e3] * u.mJy / u.pix
    a, b = pixel_pdf(data, limits=limits), pixel_pdf(data, limits=(-1.0, 7.0))
    assert_array_equal(a['n_pixels'], b['n_pixels'])


def test_fit_log_normal(log_normal):
    fit, pdf = fit_log_normal(log_normal)
    assert_allclose([fit.mu, fit.sigma, fit.weight], [-0.08, 0.4, 1.0], atol=0.005)
    assert_allclose(fit(pdf['eta']), pdf['density'], atol=0.04)


def test_fit_log_normal_with_tail(log_normal):
    """A power-law tail is left out by the limits."""
    data = log_normal.copy()
    tail = np.random.default_rng(4).random(data.shape) < 0.05
    data[tail] = 2.5e21 * (1 + np.random.default_rng(5).pareto(2.0, tail.sum()))
    mean = data.mean()
    fit, _ = fit_log_normal(data, limits=(-2.0, np.log(2e21 / mean)), bins=200)
    assert_allclose(fit.mu, np.log(1e21 / mean), atol=0.02)
    assert_allclose(fit.sigma, 0.4, atol=0.02)
    assert_allclose(fit.weight, 0.95, atol=0.02)


def test_log_normal_integrates_to_its_weight():
    eta = np.linspace(-4, 4, 2001)
    density = LogNormal(mu=-0.2, sigma=0.5, weight=0.8)(eta)
    assert_allclose(np.sum(density) * 0.004, 0.8, rtol=1e-6)


def test_pixels_without_logarithm(gaussian):
    n_lost = np.sum(gaussian <= 0)
    with pytest.warns(AstropyUserWarning, match=f'{n_lost} of 250000 pixels are not'):
        pdf = pixel_pdf(gaussian, log=True)
    assert pdf['n_pixels'].sum() == 250000 - n_lost
    with pytest.raises(ValueError, match='no pixel is positive'):
        pixel_pdf(-np.abs(gaussian), log=True)


@pytest.mark.parametrize(
    ('limits', 'message'),
    [
        ((2.0, 1.0), 'in ascending order'),
        ((0.0, np.inf), 'must be finite'),
        ([0.0, 1.0] * u.K, 'must have the unit'),
    ],
)
def test_bad_limits(gaussian, limits, message):
    with pytest.raises(ValueError, match=message):
        pixel_pdf(gaussian, limits=limits)


def test_too_few_bins(log_normal):
    with pytest.raises(ValueError, match='four bins with pixels, got'):
        fit_log_normal(log_normal, limits=(0.0, 0.01))
