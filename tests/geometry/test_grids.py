# Licensed under a 3-clause BSD style license - see LICENSE.rst
from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.grids import (
    MAX_FACTOR,
    MIN_FACTOR,
    MapGrid,
    fill_missing,
    resample_grid,
    to_native_position,
)
from photutils_pconv.geometry.holes import Holes
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.setups.registry import get_setup

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


class TestMapGrid:
    """A map on both grids."""

    shape = (60, 70)

    def make(self, factor, **options):
        rng = np.random.default_rng(7)
        data = smooth_map(self.shape) + 0.01 * rng.normal(size=self.shape)
        missing = none_missing(data)
        missing[20:30, 5:16] = True
        data[missing] = np.nan
        return MapGrid(data, missing, factor=factor, **options)

    def test_native_is_itself(self):
        grid = self.make(1.0, pixel_scale=1.6)
        assert grid.native is grid
        x, y = np.array([3.3, np.nan]), np.array([-4.0, 7.5])
        for there in (grid.to_native(x, y), grid.to_map(x, y)):
            assert_array_equal(there, [x, y])

    @pytest.mark.parametrize('factor', [0.5, 3 / 1.6])
    def test_native(self, factor):
        grid = self.make(factor, pixel_scale=1.6 * factor, jy_per_pixel=0.02)
        native = grid.native
        assert native is grid.native
        assert native.factor == 1
        assert native.native is native
        assert_allclose(native.pixel_scale, 1.6)
        expected, missing = resample_grid(grid.data, grid.missing, factor)
        assert_array_equal(native.data, expected)
        assert_array_equal(native.missing, missing)
        # A sky area has the same flux in either grid's pixels.
        part = grid.data[32:52, 24:64].sum() * grid.jy_per_pixel
        rows, columns = (
            round((stop - start) * factor) for start, stop in ((32, 52), (24, 64))
        )
        y0, x0 = round(32 * factor), round(24 * factor)
        there = native.data[y0 : y0 + rows, x0 : x0 + columns].sum()
        sides = rows * columns / (20 * 40 * factor**2)
        assert_allclose(there * native.jy_per_pixel, part * sides, rtol=0.01)

    @pytest.mark.parametrize('factor', [0.5, 1.0, 3 / 1.6])
    def test_round_trip(self, factor):
        grid = self.make(factor)
        x, y = np.random.default_rng(1).uniform(-5, 80, (2, 20))
        assert_allclose(grid.to_map(*grid.to_native(x, y)), [x, y], atol=1e-12)
        assert_allclose(grid.to_native(-0.5, 59.5), [-0.5, 60 * factor - 0.5])

    @pytest.mark.parametrize('factor', [0.5, 1.0, 3 / 1.6])
    def test_native_holes(self, factor):
        grid = self.make(factor)
        holes = Holes([30.2, 51.0], [20.7, 40.0], [4.0, 6.5], self.shape, [9.0, 30.0])
        native = grid.native_holes(holes)
        assert native.shape == grid.native.data.shape
        assert_array_equal([native.x, native.y], grid.to_native(holes.x, holes.y))
        assert_array_equal(native.radius, holes.radius * factor)
        assert_array_equal(native.snr, holes.snr)
        # The same part of the sky.
        area = native.mask.sum() / factor**2
        assert_allclose(area, np.pi * np.sum(holes.radius**2), rtol=0.1)

    def test_holes_missing(self):
        grid = self.make(1.0, pixel_scale=1.6, jy_per_pixel=0.02)
        holes = Holes([30.2], [20.7], [4.0], self.shape)
        data = np.ones(self.shape)
        part = grid.with_holes_missing(holes, data)
        assert part.data is data
        assert_array_equal(part.missing, grid.missing | holes.mask)
        assert part.pixel_scale == 1.6
        assert part.jy_per_pixel == 0.02
        # The map's own are left alone.
        assert grid.missing.sum() == 110

    @pytest.mark.parametrize('scale', [None, 1.6, 1.61, 3.0])
    def test_from_input(self, scale):
        setup = get_setup('scanmap', 'green')
        data = np.ones(self.shape) * u.mJy / u.pix
        map_input = parse_map(data, pixel_scale=setup.pixel_scale)
        if scale is not None:
            map_input = replace(map_input, pixel_scale=scale * u.arcsec)
        grid = MapGrid.from_input(map_input, setup)
        assert grid.factor == (3.0 / 1.6 if scale == 3.0 else 1.0)
        assert_allclose(grid.pixel_scale, 1.6 if scale is None else scale)
        assert grid.jy_per_pixel == map_input.jy_per_pixel == 1e-3
        assert grid.error is None
        assert grid.data is map_input.data

    def test_refused(self):
        setup = get_setup('scanmap', 'green')
        map_input = parse_map(np.ones(self.shape), pixel_scale=setup.pixel_scale)
        for scale, options, match in (
            (3.0, {'resample': False}, 'allow resample=True'),
            (10.0, {}, 'accepted are 0.4 to 2.5'),
        ):
            other = replace(map_input, pixel_scale=scale * u.arcsec)
            with pytest.raises(ValueError, match=match):
                MapGrid.from_input(other, setup, **options)
