# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of fits of power laws."""

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from photutils_pconv.evaluation.statistics.power_laws import PowerLaw, fit_power_law


def values(column):
    return np.asarray(u.Quantity(column).value)


def test_fit_exact():
    x = np.geomspace(0.01, 0.5, 12) / u.arcsec
    y = 3.0 * u.Jy * (x.value / 0.1) ** -2.7
    fit = fit_power_law(x, y)
    assert isinstance(fit, PowerLaw)
    assert_allclose(fit.slope, -2.7, rtol=1e-10)
    assert fit.slope_err < 1e-10
    assert u.allclose(fit(0.1 / u.arcsec), 3.0 * u.Jy)
    assert u.allclose(fit(6.0 / u.arcmin), 3.0 * u.Jy)
    fit = fit_power_law(x.value, y.value, y_err=0.1 * y.value)
    assert_allclose(fit.slope, -2.7, rtol=1e-10)
    assert_allclose(fit(0.1), 3.0)


def test_fit_error():
    """The scatter of fits is the error that each states."""
    rng = np.random.default_rng(20)
    x = np.geomspace(1, 100, 15)
    sigma = np.linspace(0.02, 0.2, 15)
    fits = [
        fit_power_law(x, y, y_err=sigma * y)
        for y in x**-2.0 * np.exp(sigma * rng.standard_normal((300, 15)))
    ]
    slopes = [fit.slope for fit in fits]
    assert_allclose(np.std(slopes), np.mean([fit.slope_err for fit in fits]), rtol=0.12)
    assert_allclose(np.mean(slopes), -2.0, atol=0.005)


def test_fit_limits():
    x = np.geomspace(1, 100, 21)
    y = np.where(x < 9.9, x**-1.0, 0.1 * (x / 10) ** -3.0)
    y[-1] = -1.0
    assert_allclose(fit_power_law(x, y, limits=(1, 10)).slope, -1.0)
    assert_allclose(fit_power_law(x, y, limits=(11, 200)).slope, -3.0)


@pytest.mark.parametrize(
    ('x', 'y', 'kwargs', 'message'),
    [
        ([1, 2], [1, 2], {}, 'three points, got 2'),
        ([1, 2, 3], [1, -2, 3], {}, 'three points, got 2'),
        ([1, 2, 3], [1, 2, 3], {'limits': (2, 9)}, 'three points, got 2'),
        ([1, 2, 3], [1, 2], {}, 'of one length'),
        ([1, 2, 3], [1, 2, 3], {'y_err': [1, 2]}, 'of one length'),
    ],
)
def test_bad_fit(x, y, kwargs, message):
    with pytest.raises(ValueError, match=message):
        fit_power_law(x, y, **kwargs)
