# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the parts of a map that are put side by side.
"""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from photutils_pconv.geometry.cutouts import extract_cutout
from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.geometry.holes import Holes
from photutils_pconv.geometry.parts import Overlaid, find_parts

SHAPE = (700, 900)
# Pixels that are near no position, and those beyond the edges.
FAR, BEYOND = -1, -2


def scatter(seed):
    """Some positions, of which some are close to edges, and their reach."""
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 12)
    x, y = rng.uniform(0, SHAPE[1] - 1, n), rng.uniform(0, SHAPE[0] - 1, n)
    edge = rng.random(n) < 0.3
    y[edge] = rng.choice([0.0, 3.4, SHAPE[0] - 1.0], edge.sum())
    return x, y, rng.uniform(5, 45, n)


@pytest.fixture(scope='module')
def image():
    return np.arange(SHAPE[0] * SHAPE[1]).reshape(SHAPE)


@pytest.mark.parametrize('seed', range(40))
def test_surroundings_are_those_on_the_map(image, seed):
    # What is near a position, the edges of the map included, lies there on the parts.
    x, y, reach = scatter(seed)
    parts = find_parts(SHAPE, x, y, reach)
    if parts is None:
        # One group from edge to edge.
        assert len(x) > 3
        return
    gathered = parts.gather(image, fill=FAR)
    assert gathered.size < 0.7 * image.size
    for i in range(len(x)):
        half = int(np.ceil(reach[i]))
        first = np.round([x[i], y[i]]).astype(int) - half
        here, there = (
            extract_cutout(one, *place, size=2 * half + 1, fill_value=BEYOND)
            for one, place in ((image, first), (gathered, first - parts.shift[i]))
        )
        assert_array_equal(there, here)
    back = parts.move_back(x - parts.shift[:, 0], y - parts.shift[:, 1])
    np.testing.assert_allclose(back, [x, y], rtol=1e-14)


def test_pixels_go_back(image):
    x, y, reach = scatter(3)
    parts = find_parts(SHAPE, x, y, reach)
    gathered = parts.gather(image, fill=FAR)
    assert_array_equal(parts.number_pixels(parts.known), gathered[parts.known])
    where = parts.known & (gathered % 3 == 0)
    changed = np.full(SHAPE, FAR)
    parts.write_to(changed, gathered, where)
    assert np.count_nonzero(changed != FAR) == np.count_nonzero(where)
    assert_array_equal(changed[changed != FAR], image[changed != FAR])


@pytest.mark.parametrize('zero', [False, True])
def test_overlaid(image, zero):
    x, y, reach = scatter(5)
    parts = find_parts(SHAPE, x, y, reach)
    where = parts.known & (np.random.default_rng(1).random(parts.shape) > 0.5)
    expected = np.zeros(SHAPE) if zero else image.astype(float)
    below = None if zero else image
    values = np.full(parts.shape, 0.5)
    parts.write_to(expected, values, where)
    overlaid = Overlaid(below, parts, values, where)
    assert overlaid.shape == SHAPE
    assert_array_equal(np.asarray(overlaid), expected)
    for region in (np.s_[0:700, 0:900], np.s_[100:350, 20:500], np.s_[690:700, 0:3]):
        assert_array_equal(overlaid[region], expected[region])


def test_grid_and_holes(image):
    x, y, reach = np.array([30.2, 600.0]), np.array([40.0, 300.7]), 20.0
    parts = find_parts(SHAPE, x, y, reach)
    data = image.astype(np.float32)
    grid = MapGrid(data, data % 7 == 0, pixel_scale=2.0, jy_per_pixel=3.0, error=data)
    near = parts.gather_grid(grid)
    assert near.data.dtype == near.error.dtype == float
    assert near.missing[~parts.known].all()
    assert_array_equal(near.missing[parts.known], near.data[parts.known] % 7 == 0)
    assert (near.pixel_scale, near.jy_per_pixel) == (2.0, 3.0)
    holes = Holes(x, y, np.array([5.0, 6.0]), SHAPE, np.array([1.0, 2.0]))
    moved = parts.move_holes(holes)
    assert_array_equal(parts.gather(holes.mask, fill=False), moved.mask)
    assert_array_equal(moved.snr, holes.snr)


def test_no_parts_of_a_full_map():
    places = np.mgrid[20:900:80, 20:700:80].reshape(2, -1).astype(float)
    assert find_parts(SHAPE, *places, 40.0) is None
    assert find_parts(SHAPE, np.array([]), np.array([]), 40.0) is None
    # Nor where one group of positions reaches from edge to edge.
    x = np.arange(10.0, 900.0, 30.0)
    assert find_parts(SHAPE, x, np.full(x.size, 300.0), 20.0) is None
