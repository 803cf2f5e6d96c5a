# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of holes in maps that are off the native pixel scale."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.ndimage import gaussian_filter

from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.geometry.holes import Holes
from photutils_pconv.inpainting.hole_filling import InpaintSettings, inpaint
from photutils_pconv.inpainting.native_grid import inpaint_grid

SHAPE = (130, 150)


def same_bits(first, second):
    return (
        np.ascontiguousarray(first).tobytes() == np.ascontiguousarray(second).tobytes()
    )


def inpaint_resampled(
    data, x, y, radius, *, factor, missing, model, to_jy_per_pixel=1.0
):
    """Fill holes of a map that is off the native scale."""
    grid = MapGrid(data, missing, factor=factor, jy_per_pixel=to_jy_per_pixel)
    return inpaint_grid(grid, Holes(x, y, radius, data.shape), InpaintSettings(model))


class TestResampled:
    @pytest.mark.parametrize('factor', [0.5, 1.875, 2.4])
    def test_flat_sky(self, flat_model, factor, make_weight):
        """A constant sky comes back through both grids."""
        data = np.full(SHAPE, 7.0)
        missing = np.zeros(SHAPE, dtype=bool)
        missing[:, 100:] = True
        data[missing] = np.nan
        x, y = np.array([30.4, 96.0, 80.1]), np.array([40.2, 60.7, 64.0])
        radius = np.array([8.0, 6.0, 7.0]) / factor
        result = inpaint_resampled(
            data, x, y, radius, factor=factor, missing=missing, model=flat_model
        )
        assert result.filled.all()
        assert_allclose(result.emission[result.holes], 7.0, rtol=1e-9)
        expected = np.where(missing, 0, make_weight(x, y, radius))
        assert_allclose(result.weight, expected, atol=1e-12)
        cleaned = result.clean(data)
        assert same_bits(cleaned[~result.holes], data[~result.holes])

    @pytest.mark.parametrize('factor', [0.5, 1.875, 2.4])
    def test_bright_source_is_gone(self, flat_model, factor, make_distance):
        rng = np.random.default_rng(12)
        noise = gaussian_filter(rng.normal(0, 1, SHAPE), 0.7)
        x, y, radius = np.array([60.4]), np.array([70.2]), np.array([13.0 / factor])
        sigma = 1.8 / factor
        source = 2e3 * np.exp(-0.5 * (make_distance(x[0], y[0]) / sigma) ** 2)
        missing = np.zeros(SHAPE, dtype=bool)
        result = inpaint_resampled(
            noise + source,
            x,
            y,
            radius,
            factor=factor,
            missing=missing,
            model=flat_model,
        )
        near = make_distance(x[0], y[0]) < 24 / factor
        cleaned = result.clean(noise + source)[result.weight == 1]
        assert_allclose(cleaned, np.median(noise[near]), atol=0.25 * noise.std())

    @pytest.mark.parametrize('factor', [0.8, 2.0])
    def test_flux_of_a_native_pixel(self, make_flat_model, factor):
        """The paper's 1e-7 Jy belong to a native pixel, not to a map's."""
        data = np.zeros(SHAPE)
        result = inpaint_resampled(
            data,
            [60.0],
            [50.0],
            [4.0],
            factor=factor,
            missing=data > 0,
            to_jy_per_pixel=1e-3,
            model=make_flat_model(name='minmax'),
        )
        # map pixel = factor**2 native pixels; unit: mJy
        expected = 0.5e-7 * factor**2 * 1e3
        assert_allclose(result.emission[result.holes], expected, rtol=0.01)

    def test_bundled_model(self, data, model):
        """About the same as on the native grid, for well-sampled emission."""
        rng = np.random.default_rng(3)
        field = gaussian_filter(rng.normal(0, 1, (256, 256)), 6)
        field /= field.std()
        coarse = field.reshape(128, 2, 128, 2).mean(axis=(1, 3))
        x, y, radius = np.array([128.5]), np.array([120.5]), np.array([8.0])
        native = inpaint(field, x, y, radius, model=model)
        result = inpaint_resampled(
            coarse,
            (x + 0.5) / 2 - 0.5,
            (y + 0.5) / 2 - 0.5,
            radius / 2,
            factor=2.0,
            missing=np.zeros(coarse.shape, dtype=bool),
            model=model,
        )
        expected = native.emission.reshape(128, 2, 128, 2).mean(axis=(1, 3))
        hole = result.weight == 1
        assert hole.sum() > 40
        difference = (result.emission - expected)[hole]
        assert np.sqrt(np.mean(difference**2)) < 0.1
