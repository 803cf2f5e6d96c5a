# Licensed under a 3-clause BSD style license - see LICENSE.rst
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.grids import MAX_FACTOR, MIN_FACTOR
from photutils_pconv.geometry.resampling import (
    fill_missing,
    resample_grid,
    to_native_position,
)

FACTORS = [0.4, 0.5, 0.8, 1.0, 3 / 1.6, 2.5]


def smooth_map(shape, factor=1.0):
    """A smooth function at the pixel centres of a grid ``factor`` finer."""
    y, x = (to_native_position(np.arange(n), 1 / factor) for n in shape)
    y, x = np.meshgrid(y, x, indexing='ij')
    return 2.0 + np.sin(x / 15.0 + 0.3) * np.cos(y / 18.0) + 0.01 * x


def none_missing(data):
    return np.zeros(data.shape, dtype=bool)


class TestPositions:
    @pytest.mark.parametrize('factor', FACTORS)
    def test_round_trip(self, factor):
        x = np.random.default_rng(1).uniform(-10, 500, 100)
        there = to_native_position(x, factor)
        assert_allclose(to_native_position(there, 1 / factor), x, atol=1e-10)

    @pytest.mark.parametrize('factor', FACTORS)
    def test_outer_edges_coincide(self, factor):
        # A map of n pixels reaches from -0.5 to n - 0.5.
        assert_allclose(to_native_position(-0.5, factor), -0.5)
        assert_allclose(to_native_position(99.5, factor), 100 * factor - 0.5)

    def test_binned_pixels(self):
        # A pixel of twice the size covers the centres 0 and 1 of the small.
        assert_allclose(to_native_position([0, 1], 2.0), [0.5, 2.5])
        assert_allclose(to_native_position([0.5, 2.5], 0.5), [0, 1])

    def test_nan_is_kept(self):
        assert np.isnan(to_native_position(np.nan, 0.5))


class TestResample:
    @pytest.mark.parametrize('factor', FACTORS)
    def test_smooth_function(self, factor):
        data = smooth_map((110, 130))
        new, missing = resample_grid(data, none_missing(data), factor)
        assert not missing.any()
        expected = smooth_map(new.shape, factor)
        # What is averaged over large pixels loses the second derivative's
        # part, and near the edge there is no neighbour to lean on.
        edge = max(round(4 * factor), 3)
        inner = np.s_[edge:-edge, edge:-edge]
        tolerance = 1e-3 if factor >= 1 else 1e-3 / factor**2
        assert_allclose(new[inner], expected[inner], atol=tolerance)

    @pytest.mark.parametrize('factor', FACTORS)
    def test_there_and_back(self, factor):
        data = smooth_map((90, 80))
        native, missing = resample_grid(data, none_missing(data), factor)
        back, _ = resample_grid(native, missing, 1 / factor, shape=data.shape)
        assert back.shape == data.shape
        assert_allclose(back[8:-8, 8:-8], data[8:-8, 8:-8], atol=0.02)

    def test_factor_one_changes_nothing(self):
        data = np.random.default_rng(2).normal(size=(40, 50))
        new, missing = resample_grid(data, none_missing(data), 1.0)
        assert_allclose(new, data, atol=1e-12)
        assert not missing.any()

    @pytest.mark.parametrize(
        ('factor', 'shape'),
        [(1.0, (40, 51)), (0.5, (20, 26)), (2.0, (80, 102)), (3 / 1.6, (75, 96))],
    )
    def test_shape_just_covers_the_map(self, factor, shape):
        data = np.zeros((40, 51))
        assert resample_grid(data, none_missing(data), factor)[0].shape == shape

    def test_given_shape(self):
        data = np.ones((40, 51))
        new, _ = resample_grid(data, none_missing(data), 0.5, shape=(20, 25))
        assert_allclose(new, np.ones((20, 25)))

    @pytest.mark.parametrize('factor', [MIN_FACTOR, 0.7, 1.6, MAX_FACTOR])
    def test_source_keeps_place_and_surface_brightness_sum(self, factor):
        y, x = np.indices((90, 90))
        data = np.exp(-0.5 * ((x - 43.3) ** 2 + (y - 47.8) ** 2) / 4.0**2)
        new, _ = resample_grid(data, none_missing(data), factor)
        # A map of surface brightness: the sum grows with the pixels' number.
        assert_allclose(new.sum(), data.sum() * factor**2, rtol=2e-3)
        y, x = np.indices(new.shape)
        centroid = [(new * x).sum() / new.sum(), (new * y).sum() / new.sum()]
        expected = to_native_position([43.3, 47.8], factor)
        assert_allclose(centroid, expected, atol=0.02)

    def test_large_pixels_average_the_noise(self):
        data = np.random.default_rng(3).normal(size=(400, 400))
        new, _ = resample_grid(data, none_missing(data), 0.4)
        # Binning would leave 0.4 of the scatter.
        assert 0.25 < new[5:-5, 5:-5].std() < 0.5


class TestMissing:
    @pytest.mark.parametrize('factor', FACTORS)
    @pytest.mark.parametrize('value', [np.nan, np.inf, 1e6])
    def test_missing_region(self, factor, value):
        clean = smooth_map((100, 120))
        missing = none_missing(clean)
        missing[:, 90:] = True
        missing[40:60, 20:45] = True
        data = np.where(missing, value, clean)
        new, bad = resample_grid(data, missing, factor)
        assert_array_equal(np.isnan(new), bad)
        # The share of missing pixels is kept.
        assert_allclose(bad.mean(), missing.mean(), atol=0.02)
        expected = smooth_map(new.shape, factor)
        # Away from the rim what was missing leaves no trace.
        y, x = (to_native_position(np.arange(n), 1 / factor) for n in new.shape)
        far = (x < 80)[None, :] & ((y < 30) | (y > 70))[:, None]
        far[: round(8 * factor)] = far[-round(8 * factor) :] = False
        far[:, : round(8 * factor)] = False
        assert_allclose(new[far], expected[far], atol=0.01)
        # Near it, no overshoot.
        assert np.nanmin(new) > clean.min() - 0.3
        assert np.nanmax(new) < clean.max() + 0.3

    def test_single_pixel_is_bridged(self):
        data = smooth_map((60, 60))
        missing = none_missing(data)
        missing[30, 30] = True
        data[30, 30] = np.nan
        new, bad = resample_grid(data, missing, 0.5)
        assert not bad.any()
        assert_allclose(
            new[10:20, 10:20], smooth_map((30, 30), 0.5)[10:20, 10:20], atol=0.01
        )
        # On finer pixels it stays missing.
        _, bad = resample_grid(data, missing, 2.0)
        assert bad[60:62, 60:62].all()
        assert bad.sum() <= 16

    def test_all_missing(self):
        data = np.full((20, 20), np.nan)
        new, bad = resample_grid(data, ~none_missing(data), 0.5)
        assert bad.all()
        assert np.isnan(new).all()

    def test_input_is_left_alone(self):
        data = smooth_map((30, 30))
        missing = none_missing(data)
        missing[3, 4] = True
        data[3, 4] = np.nan
        before = data.copy()
        resample_grid(data, missing, 0.5)
        fill_missing(data, missing)
        assert_array_equal(data, before)
        assert missing.sum() == 1


class TestFill:
    def test_from_neighbours(self):
        data = smooth_map((80, 80))
        missing = none_missing(data)
        missing[20:24, 30:34] = True
        filled = fill_missing(np.where(missing, np.nan, data), missing)
        assert_array_equal(filled[~missing], data[~missing])
        assert_allclose(filled[missing], data[missing], atol=0.05)

    def test_far_from_data_the_median(self):
        data = np.full((80, 80), 3.0)
        missing = none_missing(data)
        missing[:, 20:] = True
        filled = fill_missing(np.where(missing, np.nan, data), missing)
        assert_allclose(filled, 3.0)

    def test_nothing_missing(self):
        data = smooth_map((10, 10))
        filled = fill_missing(data, none_missing(data))
        assert_array_equal(filled, data)
        assert filled is not data
