# Licensed under a 3-clause BSD style license - see LICENSE.rst
from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.geometry.holes import Holes
from photutils_pconv.geometry.resampling import (
    resample_grid,
)
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.setups.registry import get_setup


class TestMapGrid:
    """A map on both grids."""

    shape = (60, 70)

    def make(self, factor, **options):
        rng = np.random.default_rng(7)
        y, x = np.indices(self.shape)
        data = 2.0 + np.sin(x / 15.0) * np.cos(y / 18.0)
        data += 0.01 * rng.normal(size=self.shape)
        missing = np.zeros(self.shape, dtype=bool)
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
