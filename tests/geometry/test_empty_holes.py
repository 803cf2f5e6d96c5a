# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the places of empty holes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import distance_transform_edt

from photutils_pconv.geometry import empty_holes
from photutils_pconv.geometry.empty_holes import choose_empty_radii, place_empty_holes
from photutils_pconv.geometry.holes import Holes


def rng():
    return np.random.default_rng(20250411)


class TestRadii:
    def test_number(self):
        for n_sources, expected in ((3, 48), (100, 48), (5000, 48)):
            radii = choose_empty_radii(np.full(n_sources, 7.0), rng=rng())
            assert_array_equal(radii, np.full(expected, 7.0))
        assert choose_empty_radii([5.0], rng=rng(), n_empty=20).size == 20

    def test_every_radius_takes_part(self):
        sources = np.repeat([5.0, 6.0, 9.0, 12.0], [200, 49, 1, 4])
        radii = choose_empty_radii(sources, rng=rng())
        classes, number = np.unique(radii, return_counts=True)
        assert_array_equal(classes, [5, 6, 9, 12])
        assert number.sum() == 48
        assert np.all(number >= 8)
        assert number[0] > number[1] > number[3]

    def test_sources_without_a_hole(self):
        assert choose_empty_radii([np.nan, 0.0], rng=rng()).size == 0
        assert choose_empty_radii([], rng=rng()).size == 0

    def test_many_radii(self):
        sources = np.linspace(5, 12, 50)
        radii = choose_empty_radii(sources, rng=rng())
        assert radii.size == 48
        assert np.all(np.isin(radii, sources))


class TestPlaces:
    shape = (300, 320)

    def place(self, missing=None, n_sources=4, radii=(6.0,) * 30):
        if missing is None:
            missing = np.zeros(self.shape, dtype=bool)
        generator = rng()
        x, y = generator.uniform(20, 280, (2, n_sources))
        radius = np.full(n_sources, 9.0)
        holes = Holes(x, y, radius, self.shape)
        empty = place_empty_holes(missing, holes, radii, rng=rng())
        return x, y, radius, empty

    def distances(self, x, y, empty):
        return np.hypot(empty.holes.x[:, None] - x, empty.holes.y[:, None] - y)

    def test_clear_of_sources_gaps_and_edges(self):
        missing = np.zeros(self.shape, dtype=bool)
        missing[140:200, 100:180] = True
        x, y, radius, empty = self.place(missing)
        assert len(empty) == 30
        assert_array_equal(empty.rounds, 0)
        assert np.all(self.distances(x, y, empty) > radius + 6 + 12 - 1)
        rows, columns = np.nonzero(missing)
        assert self.distances(columns, rows, empty).min() > 6 + 12 - 1
        for position, size in ((empty.holes.x, 320), (empty.holes.y, 300)):
            assert np.all((position > 6 + 11) & (position < size - 6 - 12))

    def test_clear_of_each_other(self):
        *_, empty = self.place(radii=np.repeat([5.0, 12.0], 8))
        gap = self.distances(empty.holes.x, empty.holes.y, empty)
        gap -= empty.holes.radius[:, None] + empty.holes.radius
        np.fill_diagonal(gap, np.inf)
        assert gap.min() > 12

    def test_a_full_map_takes_several_rounds(self):
        missing = np.ones(self.shape, dtype=bool)
        missing[40:140, 40:140] = False
        *_, empty = self.place(missing, n_sources=0, radii=(8.0,) * 30)
        assert len(empty) > 16
        assert empty.rounds.max() >= 1
        gap = self.distances(empty.holes.x, empty.holes.y, empty) - 16
        np.fill_diagonal(gap, np.inf)
        same = empty.rounds[:, None] == empty.rounds
        # Tapers of two pixels do not meet within a round.
        assert gap[same].min() > 4
        # And no hole is centred on another.
        assert gap.min() > -8

    @pytest.mark.parametrize('free', [None, np.s_[10:22, 10:22]])
    def test_no_place(self, free):
        missing = np.ones(self.shape, dtype=bool)
        if free is not None:
            missing[free] = False
        *_, empty = self.place(missing, n_sources=0)
        assert len(empty) == 0

    def test_deterministic(self):
        first, second = self.place()[-1], self.place()[-1]
        assert_array_equal(first.holes.x, second.holes.x)
        assert_array_equal(first.holes.y, second.holes.y)

    def test_sources_without_a_hole_are_avoided(self):
        missing = np.zeros((80, 80), dtype=bool)
        holes = Holes([40.0], [40.0], [np.nan], missing.shape)
        empty = place_empty_holes(missing, holes, [6.0] * 20, rng=rng())
        assert len(empty) > 3
        assert np.hypot(empty.holes.x - 40, empty.holes.y - 40).min() > 12


def test_free_pixels_of_large_maps(monkeypatch):
    # They are drawn, and no transform of the map tells their distances.
    rng = np.random.default_rng(6)
    blocked = np.zeros((600, 700), dtype=bool)
    blocked[:150, 520:] = True
    blocked[rng.integers(0, 600, 60), rng.integers(0, 700, 60)] = True
    holes = Holes(
        rng.uniform(0, 700, 20), rng.uniform(0, 600, 20), np.full(20, 9.0), (600, 700)
    )
    open_ = np.pad(~(blocked | holes.mask), 1)
    expected = distance_transform_edt(open_)[1:-1, 1:-1].ravel()
    free, room = empty_holes._draw_free(blocked, holes, 12.0, rng)
    assert free.size == np.unique(free).size > 1000
    # A hole's rim lies up to a pixel beyond the last one that is in it.
    assert np.all(room < expected[free] * (1.0 + 1e-14))
    assert np.all(room > expected[free] - 1.0)
    rows, columns = np.divmod(free, 700)
    rim = np.hypot(columns[:, None] - holes.x, rows[:, None] - holes.y) - 9.0
    near = rim.min(axis=1) < expected[free]
    assert 0.1 < near.mean() < 0.9
    assert_allclose(room[near], rim.min(axis=1)[near], rtol=1e-14)
    assert_allclose(room[~near], expected[free][~near], rtol=1e-14)
    assert room.min() > 12.0
    # As many of them in each part of the map as there are free pixels.
    left = np.mean(free % 700 < 350)
    wanted = np.mean(np.flatnonzero(expected > 12.5) % 700 < 350)
    assert left == pytest.approx(wanted, abs=4.0 * 0.5 / np.sqrt(free.size))
    # Where few are free, all pixels are looked at.
    monkeypatch.setattr(empty_holes, '_MANY_PIXELS', 0)
    few = np.ones((300, 300), dtype=bool)
    few[100:140, 100:140] = False
    nothing = Holes(*np.empty((3, 0)), few.shape)
    free, room = empty_holes._find_free(few, nothing, 12.0, rng)
    assert free.size == np.count_nonzero(distance_transform_edt(~few) > 12.0)
