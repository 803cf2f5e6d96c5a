# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of squares around many positions."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.cutouts import extract_cutout
from photutils_pconv.geometry.squares import SquareStack, group_alike


def test_groups():
    numbers = np.arange(100)
    groups = group_alike(numbers, lambda i: i % 3)
    assert_array_equal(np.sort(np.concatenate(groups)), numbers)
    assert max(len(group) for group in groups) <= 32
    assert all(len({i % 3 for i in group}) == 1 for group in groups)
    assert group_alike([], int) == []


def test_squares_around_positions():
    """The last two reach beyond the map."""
    rng = np.random.default_rng(1)
    image = rng.standard_normal((30, 40))
    x, y = np.array([20.4, 7.6, 1.2, 39.0]), np.array([15.5, 8.1, 14.0, 28.7])
    squares = SquareStack.around(x, y, 4)
    assert squares.side == 9
    cut = squares.cut(image, fill_value=7.0)
    dx, dy = squares.offsets(x, y)
    rows, columns = np.indices(image.shape)
    for k, region in enumerate(squares.regions):
        expected = extract_cutout(image, *squares.origins[k], size=9, fill_value=7.0)
        assert_array_equal(cut[k], expected)
        # The middle pixel is the nearest one.
        assert np.hypot(dx[k, 0, 4], dy[k, 4, 0]) <= np.sqrt(0.5)
        if k < 2:
            assert_array_equal(cut[k], image[region])
            shape = (9, 9)
            assert_allclose(
                np.broadcast_to(dx[k], shape), columns[region] - x[k], atol=1e-12
            )
            assert_allclose(
                np.broadcast_to(dy[k], shape), rows[region] - y[k], atol=1e-12
            )
