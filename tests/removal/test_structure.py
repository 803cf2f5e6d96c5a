# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the fine and the coarse structure of maps."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.ndimage import gaussian_filter

from photutils_pconv.removal.structure import (
    local_scales,
    scales_around,
    smooth,
    split_scales,
)

SHAPE = (260, 280)


def test_scales_are_parted():
    """A slope is gone, noise is fine; what is unusable does not count."""
    rng = np.random.default_rng(5)
    slope = 1e3 + 2.0 * np.arange(SHAPE[1]) + np.zeros(SHAPE)
    unusable = np.zeros(SHAPE, dtype=bool)
    unusable[100:110, 100:110] = True
    parts = split_scales(np.where(unusable, np.nan, slope), unusable)
    assert np.isnan(parts[:, unusable]).all()
    far = np.zeros(SHAPE, dtype=bool)
    far[40:-40, 40:-40] = True
    far[60:150, 60:150] = False
    assert np.abs(parts[:, far]).max() < 1e-6
    fine, coarse = split_scales(rng.standard_normal(SHAPE), unusable)
    # A Gaussian of sigma s leaves 1 / (4 pi s**2) of white noise.
    narrow, wide = 1 / (4 * np.pi * 1.5**2), 1 / (4 * np.pi * 8**2)
    centre = 1 / (2 * np.pi * 1.5**2)
    assert_allclose(np.nanstd(fine[far]), np.sqrt(1 + narrow - 2 * centre), rtol=0.02)
    cross = 1 / (2 * np.pi * (1.5**2 + 8**2))
    expected = np.sqrt(narrow + wide - 2 * cross)
    assert_allclose(np.nanstd(coarse[far]), expected, rtol=0.05)


@pytest.mark.parametrize('sigma', [1.5, 8.0])
def test_small_images_are_smoothed_as_large_ones(sigma):
    rng = np.random.default_rng(3)
    # A scatter of 1 on a level of 10,000.
    data, unusable = 1.0e4 + rng.standard_normal((90, 80)), rng.random((90, 80)) < 0.1
    unusable[30:55, 40:60] = True
    data[unusable] = np.nan
    part = np.s_[5:70], np.s_[10:80]
    found = smooth(data, unusable, sigma, part)
    use = gaussian_filter((~unusable).astype(float), sigma, mode='constant')
    total = gaussian_filter(np.where(unusable, 0.0, data - 1e4), sigma, mode='constant')
    expected = total / np.maximum(use, 1e-12)
    known = use[part] > 1e-3
    assert_allclose((found - 1e4)[known], expected[part][known], atol=2e-5)


def test_scales_around_holes():
    image = np.random.default_rng(6).standard_normal((2, *SHAPE))
    image[1] *= 3
    image[:, :, 140:] *= 5
    image[:, 60:80, 60:80] = np.nan
    scales = local_scales(image, [70.0, 210.0, 1e4], [70.0, 190.0, 0.0], [12] * 3)
    expected = [[1, 5, np.nan], [3, 15, np.nan]]
    assert_allclose(scales, expected, rtol=0.06)


@pytest.mark.parametrize('free', [20.0, 4.0])
def test_scales_in_windows_are_those_of_the_map(free):
    """With few pixels left around a hole, all of them count."""
    rng = np.random.default_rng(8)
    data = gaussian_filter(rng.standard_normal(SHAPE), 1.5)
    data += 10.0 * gaussian_filter(rng.standard_normal(SHAPE), 6.0)
    # Too far apart for one ring to see the surroundings of another hole.
    grid = np.arange(35.0, 250.0, 60.0)
    x, y = np.array(np.meshgrid(grid, grid)).reshape(2, -1) + rng.random((2, 16))
    radius = np.full(16, 9.0)
    rows, columns = np.indices(SHAPE)
    distance = np.hypot(columns[..., None] - x, rows[..., None] - y).min(axis=2)
    unusable = (distance <= 9.0) | (distance > 9.0 + free)
    whole = local_scales(split_scales(data, unusable), x, y, radius)
    found = scales_around(data, unusable, x, y, radius)
    assert_allclose(found, whole, rtol=0.08)
    assert_allclose(np.median(found / whole, axis=1), 1.0, rtol=0.03)
    assert (found == pytest.approx(whole, rel=1e-4)) == (free < 10.0)
