# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of what a map is like, on fields of which that is known analytically.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.ndimage import gaussian_filter
from scipy.stats import norm

from photutils_pconv.evaluation import map_character
from photutils_pconv.simulation import correlated_noise, fractional_brownian_motion

FWHM = 4.0


def make_field(slope, noise, seed):
    """Make a part of a periodic field with a power law, beam and white noise."""
    rng = np.random.default_rng(seed)
    field = fractional_brownian_motion((512, 512), slope, rng=rng)
    field = gaussian_filter(field, FWHM / 2.3548, mode='wrap')[:256, :256]
    return field / field.std() + noise * rng.standard_normal((256, 256))


@pytest.mark.parametrize('noise', [0.001, 0.03])
@pytest.mark.parametrize('slope', [-1.2, -2.0, -2.7, -3.5])
def test_slope_and_noise_of_a_power_law(slope, noise):
    found = [map_character(make_field(slope, noise, k), beam_fwhm=FWHM) for k in (1, 2)]
    assert_allclose(np.mean([one.slope for one in found]), slope, atol=0.12)
    assert all(abs(one.slope - slope) < 4 * one.slope_err for one in found)
    scatter = 1.4826 * np.median(
        np.abs(make_field(slope, noise, 1) - np.median(make_field(slope, noise, 1)))
    )
    assert_allclose(found[0].noise * scatter, noise, rtol=0.15, atol=0.002)


def test_noise_alone():
    rng = np.random.default_rng(4)
    field = correlated_noise((300, 300), share=0.85, length=1.82, rng=rng)
    found = map_character(field, beam_fwhm=FWHM)
    assert np.isnan(found.slope)
    # What is smooth over four FWHMs is taken off, and a little of the tail with it.
    assert_allclose(found.correlation, (0.49, 0.28, 0.16), atol=0.08)
    assert abs(found.skewness) < 0.1
    assert_allclose(found.dynamic_range, np.log10(norm.isf(0.001)), atol=0.03)


def test_long_tails_are_told_from_white_noise():
    rng = np.random.default_rng(4)
    white = map_character(rng.standard_normal((200, 200)), beam_fwhm=FWHM)
    assert_allclose(white.correlation, 0, atol=0.03)
    assert_allclose(white.noise, 1, rtol=0.05)


def test_unit_and_missing_pixels_do_not_matter():
    field = make_field(-2.0, 0.1, 5)
    holed = 1e-4 * field + 3.0
    holed[40:48, 60:66] = np.nan
    first = map_character(field, beam_fwhm=FWHM)
    other = map_character(holed, beam_fwhm=FWHM)
    assert_allclose(other.slope, first.slope, atol=0.1)
    assert_allclose(other.skewness, first.skewness, atol=0.05)


@pytest.mark.parametrize(
    ('data', 'match'),
    [(np.ones((50, 50)), 'flat'), (np.ones((20, 20)), 'at least 500 pixels')],
)
def test_nothing_to_measure(data, match):
    with pytest.raises(ValueError, match=match):
        map_character(data, beam_fwhm=FWHM)
