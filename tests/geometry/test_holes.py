# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of holes, and of what is drawn into them."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import photutils_pconv.geometry.holes as module
from photutils_pconv.geometry.holes import (
    Holes,
    draw_holes,
    draw_taper,
    draw_values,
    hole_stamp,
)


class TestHoles:
    def test_brute_force(self):
        rng = np.random.default_rng(3)
        x, y = rng.uniform(-12, 52, 30), rng.uniform(-12, 42, 30)
        radius = rng.choice([0.0, 2.0, 4.5, 10.0], 30)
        yy, xx = np.mgrid[:30, :40]
        expected = np.zeros((30, 40), dtype=bool)
        for xc, yc, rc in zip(x, y, radius, strict=True):
            expected |= np.hypot(xx - xc, yy - yc) <= rc
        holes = draw_holes((30, 40), x, y, radius)
        assert holes.dtype == bool
        assert_array_equal(holes, expected)

    def test_rim_included(self):
        holes = draw_holes((21, 21), 10, 10, 5)
        assert holes[10, 15]
        assert holes[13, 14]
        assert not holes[11, 15]

    def test_position_is_not_rounded(self):
        holes = draw_holes((21, 21), 10.4, 10, 5)
        assert holes[10, 15]
        assert not holes[10, 5]

    def test_sources_without_hole(self):
        x, y = [np.nan, 5, 5, -50], [5, np.inf, 5, 5]
        assert not draw_holes((10, 10), x, y, [3, 3, np.nan, 3]).any()
        assert not draw_holes((10, 10), [], [], 3).any()

    def test_one_radius_for_all(self):
        x, y = [3, 30], [4, 20]
        assert_array_equal(
            draw_holes((30, 40), x, y, 4), draw_holes((30, 40), x, y, [4, 4])
        )

    def test_stamp(self):
        holes = draw_holes((30, 40), 17.3, 11.8, 6)
        stamp = hole_stamp(np.arange(5, 20), np.arange(10, 25), 17.3, 11.8, 6)
        assert_array_equal(stamp, holes[5:20, 10:25])

    @pytest.mark.parametrize(
        ('args', 'message'),
        [
            (((10, 10, 3), 1, 1, 1), 'shape must be'),
            (((10, 10), [1, 2], 1, 1), 'one length'),
            (((10, 10), [1, 2], [1, 2], [1, 2, 3]), 'radius must be one number'),
            (((10, 10), 1, 1, -1), 'negative'),
            (((10, 10), 1, 1, np.inf), 'infinite'),
        ],
    )
    def test_invalid(self, args, message):
        with pytest.raises(ValueError, match=message):
            draw_holes(*args)


class TestHolesOfAMap:
    shape = (50, 60)

    def make(self):
        return Holes([20.2, 27.9, 55.0], [30.0, 33.1, 2.0], [6.0, 4.5, 8.0], self.shape)

    def test_mask_is_drawn_once(self, monkeypatch):
        calls = []

        def counting(*args):
            calls.append(args)
            return draw_holes(*args)

        monkeypatch.setattr(module, 'draw_holes', counting)
        holes = self.make()
        assert not calls
        mask = holes.mask
        assert holes.mask is mask
        assert len(calls) == 1
        expected = draw_holes(self.shape, holes.x, holes.y, holes.radius)
        assert_array_equal(mask, expected)
        with pytest.raises(ValueError, match='read-only'):
            mask[0, 0] = True

    @pytest.mark.parametrize(
        'region', [np.s_[0:50, 0:60], np.s_[20:45, 11:30], np.s_[0:9, 40:60]]
    )
    def test_mask_of_a_part(self, region):
        holes = self.make()
        assert_array_equal(holes.mask_within(region), holes.mask[region])

    def test_columns(self):
        holes = Holes(3, [4], [5.0], self.shape)
        assert len(holes) == 1
        for name in ('x', 'y', 'radius', 'snr'):
            assert getattr(holes, name).dtype == float
            assert getattr(holes, name).shape == (1,)
        assert np.isnan(holes.snr[0])
        assert len(Holes(*np.empty((3, 0)), self.shape)) == 0

    def test_select(self):
        holes = replace(self.make(), snr=[9.0, np.nan, 30.0])
        assert holes.select(np.ones(3, dtype=bool)) is holes
        some = holes.select(np.array([True, False, True]))
        assert_array_equal(some.x, [20.2, 55.0])
        assert_array_equal(some.y, [30.0, 2.0])
        assert_array_equal(some.radius, [6.0, 8.0])
        assert_array_equal(some.snr, [9.0, 30.0])
        assert some.shape == self.shape
        # It has a mask of its own, whichever was drawn before.
        assert holes.mask[33, 28]
        assert not some.mask[33, 28]
        assert len(holes.select(np.zeros(3, dtype=bool))) == 0

    def distances(self, holes):
        yy, xx = np.indices(self.shape)
        return [np.hypot(xx - x, yy - y) for x, y in zip(holes.x, holes.y, strict=True)]

    @pytest.mark.parametrize('width', [0.0, 2.0, 5.0])
    def test_taper(self, width):
        holes = self.make()
        expected = np.zeros(self.shape)
        for r, radius in zip(self.distances(holes), holes.radius, strict=True):
            one = np.where(r <= radius, 1.0, 0.0)
            if width:
                rim = (r > radius) & (r < radius + width)
                one[rim] = np.cos(0.5 * np.pi * (r[rim] - radius) / width) ** 2
            expected = np.maximum(expected, one)
        assert_allclose(draw_taper(holes, width=width), expected, atol=1e-12)

    @pytest.mark.parametrize('width', [0.0, 2.0])
    def test_values(self, width):
        holes = self.make()
        values = np.array([2.0, 5.0, 0.5])
        expected = np.zeros(self.shape)
        for r, radius, value in zip(
            self.distances(holes), holes.radius, values, strict=True
        ):
            one = np.where(r < radius + width, value, 0.0)
            expected = np.maximum(expected, one)
        assert_array_equal(draw_values(holes, values, width=width), expected)
