# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of what a network sees of a PSF-subtracted map.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from photutils_pconv.inpainting.residual_images import (
    MISMATCH_LIMIT,
    residual_channels,
    small_holes,
)
from photutils_pconv.inpainting.scaling import Scaling, compress

SIZE = 96


def _cutouts(n=2, seed=1):
    rng = np.random.default_rng(seed)
    return 5.0 + 0.5 * rng.normal(size=(n, SIZE, SIZE))


def _radius():
    y, x = np.indices((SIZE, SIZE)) - SIZE // 2
    return np.hypot(x, y)


def test_small_holes_are_where_the_error_exceeds_the_scatter():
    residual = _cutouts()
    r = _radius()
    error = np.stack([0.0 * r, 10.0 * np.exp(-r)])
    missing = np.zeros(residual.shape, dtype=bool)
    holes = small_holes(residual, error, missing)
    assert not holes[0].any()
    # 10 exp(-r) = limit * 0.5, the noise's standard deviation being 0.5.
    edge = np.log(10.0 / (MISMATCH_LIMIT * 0.5))
    assert holes[1][r < edge - 0.15].all()
    assert not holes[1][r > edge + 0.15].any()


def test_small_holes_do_not_see_the_source():
    residual = _cutouts(1)
    r = _radius()
    error = 10.0 * np.exp(-r)[None]
    missing = np.zeros(residual.shape, dtype=bool)
    before = small_holes(residual, error, missing)
    residual[0][r < 4] += 1e4
    np.testing.assert_array_equal(small_holes(residual, error, missing), before)


def test_holes_shrink_with_the_source():
    residual, r = _cutouts(1), _radius()
    missing = np.zeros(residual.shape, dtype=bool)
    sizes = [
        small_holes(residual, flux * np.exp(-r / 2)[None], missing).sum()
        for flux in (100.0, 10.0, 3.0, 0.1)
    ]
    assert sizes[0] > sizes[1] > sizes[2] > sizes[3] == 0


def test_all_missing_gives_no_hole():
    residual = _cutouts(1)
    missing = np.ones(residual.shape, dtype=bool)
    assert not small_holes(residual, 1.0 + residual, missing).any()


def test_channels():
    residual, r = _cutouts(), _radius()
    error = np.stack([r, 2 * r]) / 10
    shapes = np.exp(-np.stack([r, r]))
    missing = np.zeros(residual.shape, dtype=bool)
    missing[0, :, :5] = True
    image, scaling = residual_channels(
        residual, error, shapes, ~missing, missing, {'name': 'robust'}
    )
    assert image.shape == (2, 3, SIZE, SIZE)
    assert np.all(image[0, :, :, :5] == 0)
    np.testing.assert_allclose(image[1, 1], shapes[1])
    np.testing.assert_allclose(np.sinh(image[1, 2]) * scaling.scale[1], error[1])
    back = scaling.invert(image[:, 0])
    np.testing.assert_allclose(back[~missing], residual[~missing])


@pytest.mark.parametrize(('factor', 'offset'), [(1e-4, 0.0), (1e3, -7.0)])
def test_channels_do_not_depend_on_unit_and_level(factor, offset):
    residual, r = _cutouts(), _radius()
    error = np.stack([r, r]) / 10
    shapes = np.exp(-np.stack([r, r]))
    missing = np.zeros(residual.shape, dtype=bool)
    first, _ = residual_channels(residual, error, shapes, ~missing, missing, {})
    second, _ = residual_channels(
        residual * factor + offset, error * factor, shapes, ~missing, missing, {}
    )
    np.testing.assert_allclose(second, first, atol=1e-9)


def test_compression():
    """It is arcsinh, which numpy has, and what undoes it does."""
    values = np.concatenate([-np.logspace(-9, 12, 50), [0.0], np.logspace(-9, 12, 50)])
    found = compress(values, 3.0)
    assert_allclose(found, 3.0 * np.arcsinh(values / 3.0), rtol=1e-13, atol=3e-15)
    one = np.ones((1, 1, 1))
    scaling = Scaling(0.5 * one, 2.0 * one, 3.0)
    images = values[None, None]
    again = scaling.invert(scaling.apply(images))
    assert_allclose(again, images, rtol=1e-12, atol=1e-14)
