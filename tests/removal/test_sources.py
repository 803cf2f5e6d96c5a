# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of where sources lie, of their holes, and of what is flagged."""

import warnings

import numpy as np
import pytest
from astropy.utils.exceptions import AstropyUserWarning
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.geometry.holes import Holes
from photutils_pconv.inputs.sources import SourceInput, parse_sources
from photutils_pconv.network.running import RunOptions
from photutils_pconv.photometry.flags import SourceFlags, decode_flags
from photutils_pconv.photometry.signal_to_noise import snr
from photutils_pconv.removal.sources import (
    Sources,
    choose_holes,
    flag_holes,
    locate_sources,
    move_to_centroids,
)


def make_grid(scene, **options):
    missing = ~np.isfinite(scene.data)
    return MapGrid(scene.data, missing, **{'pixel_scale': 1.6} | options)


class TestLocate:
    def test_all_on_the_map(self, scene, make_settings):
        given = parse_sources(scene.xy)
        sources = locate_sources(given, make_grid(scene), make_settings())
        assert len(sources) == 3
        assert_array_equal([sources.x, sources.y], scene.xy.T)
        assert sources.inside.all()
        assert_array_equal(sources.flags, 0)
        assert sources.source_input is given

    def test_off_the_map(self, scene, make_settings):
        xy = np.array([[70.3, 55.1], [-0.51, 20.0], [np.nan, 3.0], [149.4, 139.4]])
        given = SourceInput(*xy.T, None, None)
        with pytest.warns(AstropyUserWarning, match='2 of 4 sources lie outside'):
            sources = locate_sources(given, make_grid(scene), make_settings())
        assert_array_equal(sources.inside, [True, False, False, True])
        names = [[], ['outside_map'], ['invalid_position'], []]
        assert decode_flags(sources.flags) == names
        with pytest.warns(AstropyUserWarning, match='none of the 1 sources'):
            locate_sources(
                SourceInput(*xy[1:2].T, None, None), make_grid(scene), make_settings()
            )

    # The green band's FWHM is 4.24 pixels.
    @pytest.mark.parametrize(
        ('shift', 'names'),
        [
            (0.0, [[], ['duplicate']]),
            (0.05, [[], ['duplicate']]),
            (0.4, [[], ['duplicate']]),
            (0.6, [['unresolved'], ['duplicate', 'unresolved']]),
            (2.0, [['unresolved'], ['duplicate', 'unresolved']]),
            (2.3, [[], []]),
        ],
    )
    def test_rows_of_one_source(self, scene, make_settings, shift, names):
        xy = np.vstack(
            [[[-9.0, 3.0]], scene.xy, scene.xy[1:2] + np.array([shift, 0.0])]
        )
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', AstropyUserWarning)
            sources = locate_sources(
                SourceInput(*xy.T, None, None), make_grid(scene), make_settings()
            )
        flags = decode_flags(sources.flags)
        assert flags == [['outside_map'], [], names[0], [], names[1]]
        assert_array_equal(sources.x, xy[:, 0])
        merged = names[1] != []
        distinct = sources.distinct
        assert len(distinct) == 4 - merged
        if merged:
            assert_allclose(distinct.x[1], xy[2, 0] + shift / 2)
        values = np.arange(4.0 - merged)
        expected = [np.nan, 0, 1, 2, 1 if merged else 3]
        assert_array_equal(sources.spread(values), expected)

    def test_warning_of_rows_of_one_source(self, scene, make_settings):
        xy = np.vstack([scene.xy, scene.xy[1:2] + 0.05, scene.xy[:1] + 0.7])
        with pytest.warns(
            AstropyUserWarning, match=r'2 of 5 sources repeat .* 1 of them .*unresolved'
        ):
            locate_sources(parse_sources(xy), make_grid(scene), make_settings())

    def test_recenter(self, scene, make_settings):
        xy = scene.xy + np.array([0.8, -0.6])
        given = parse_sources(xy)
        sources = locate_sources(given, make_grid(scene), make_settings(recenter=True))
        assert_allclose([sources.x[:2], sources.y[:2]], scene.xy[:2].T, atol=0.1)
        assert_array_equal(sources.source_input.x, sources.x)
        assert_array_equal(given.x, xy[:, 0])
        kept = locate_sources(given, make_grid(scene), make_settings())
        assert_array_equal(kept.x, xy[:, 0])

    def test_no_sources(self, scene, make_settings):
        sources = locate_sources(parse_sources([]), make_grid(scene), make_settings())
        assert len(sources) == 0

    def test_spread(self):
        inside = np.array([True, False, True])
        sources = Sources(np.zeros(3), np.zeros(3), inside, np.zeros(3), None)
        assert_array_equal(sources.spread(np.array([1.0, 2.0])), [1, np.nan, 2])
        rows = sources.spread(np.array([[1.0, 2.0], [3.0, 4.0]]))
        assert_array_equal(rows, [[1, 2], [np.nan] * 2, [3, 4]])
        flags = sources.spread(np.array([4, 5]), fill=0)
        assert_array_equal(flags, [4, 0, 5])
        assert flags.dtype.kind == 'i'


class TestCentroids:
    def test_only_usable_ones(self, scene):
        missing = np.zeros(scene.data.shape, dtype=bool)
        x, y = scene.x + 0.7, scene.y + 0.4
        inside = np.array([True, False, True])
        new_x, _, flags = move_to_centroids(scene.data, missing, x, y, inside, fwhm=4.2)
        assert_allclose(new_x[0], scene.x[0], atol=0.1)
        assert new_x[1] == x[1]
        assert flags[1] == 0
        assert_array_equal(x, scene.x + 0.7)

    def test_too_far(self, scene):
        missing = np.zeros(scene.data.shape, dtype=bool)
        # In the wings of the bright source, beyond the FWHM.
        x, y = scene.x[:1] + 5.0, scene.y[:1]
        found = move_to_centroids(scene.data, missing, x, y, np.array([True]), fwhm=4.2)
        assert_array_equal(found[0], x)
        assert_array_equal(found[1], y)
        assert_array_equal(found[2], SourceFlags.RECENTERED_FAILED)


class TestHoles:
    def test_native(self, scene):
        grid = make_grid(scene)
        holes = choose_holes(scene.x, scene.y, grid, scene.setup)
        expected = snr(scene.data, scene.x, scene.y, setup=scene.setup)
        assert_array_equal(holes.snr, expected)
        assert_array_equal(holes.radius, scene.setup.hole_radius(expected))
        assert holes.shape == scene.data.shape
        assert_array_equal([holes.x, holes.y], scene.xy.T)

    def test_off_the_native_scale(self, make_scene):
        scene = make_scene([60.3, 90.1], [55.1, 40.0], [3.0, 0.05], pixel_scale=3.0)
        scene.data += np.random.default_rng(2).normal(0, 1e-4, scene.data.shape)
        factor = 3.0 / 1.6
        grid = make_grid(scene, factor=factor, pixel_scale=3.0)
        holes = choose_holes(scene.x, scene.y, grid, scene.setup)
        native = grid.to_native(scene.x, scene.y)
        assert_array_equal(holes.snr, snr(grid.native.data, *native, setup=scene.setup))
        assert_allclose(holes.radius * factor, scene.setup.hole_radius(holes.snr))
        assert_array_equal(holes.x, scene.x)

    def test_unknown_snr(self, scene):
        flat = np.ones(scene.data.shape)
        grid = MapGrid(flat, flat == 0, pixel_scale=1.6)
        holes = choose_holes(scene.x[:1], scene.y[:1], grid, scene.setup)
        assert np.isnan(holes.snr[0])
        assert holes.radius[0] == min(scene.setup.hole_radii)


class TestFlags:
    shape = (200, 220)

    def flag(self, x, y, radius, model, *, filled=None, factor=1.0):
        grid = MapGrid(np.zeros(self.shape), np.zeros(self.shape, bool), factor=factor)
        holes = Holes(x, y, radius, self.shape)
        filled = np.ones(len(holes), dtype=bool) if filled is None else filled
        return decode_flags(
            flag_holes(holes, np.asarray(filled), grid, model=model, run=RunOptions())
        )

    def test_nothing(self, flat_model):
        assert self.flag([100.0], [90.0], [6.0], flat_model) == [[]]
        assert self.flag([], [], [], flat_model) == []

    def test_not_filled(self, flat_model):
        filled = np.zeros(2, dtype=bool)
        found = self.flag([100, 101], [90, 90], [6, 6], flat_model, filled=filled)
        assert found == [['no_background']] * 2
        # Only what was filled overlaps.
        filled = np.array([False, True])
        found = self.flag([100, 101], [90, 90], [6, 6], flat_model, filled=filled)
        assert found == [['no_background'], []]

    def test_resampled(self, flat_model):
        found = self.flag([100.0], [90.0], [6.0], flat_model, factor=1.5)
        assert found == [['resampled']]

    @pytest.mark.parametrize(
        ('x', 'y', 'near'),
        # The model's cutouts have 96 pixels.
        [(48, 100, False), (47, 100, True), (100, 152, False), (100, 153, True)],
    )
    def test_near_edge(self, flat_model, x, y, near):
        found = self.flag([x], [y], [6.0], flat_model)
        assert found == [['near_edge'] if near else []]

    def test_overlap(self, flat_model):
        # Distances of 12, 13 and 12.01 pixels.
        x = [80.0, 92.0, 105.0, 80.0]
        y = [90.0, 90.0, 90.0, 102.01]
        found = self.flag(x, y, [6.0] * 4, flat_model)
        assert found == [['overlapping_hole']] * 2 + [[]] * 2
