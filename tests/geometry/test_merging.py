# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of positions that are one source."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.merging import merge_close


def partition(distinct):
    return {tuple(np.flatnonzero(distinct.row == k)) for k in range(len(distinct))}


def test_nothing_is_close():
    x, y = np.random.default_rng(1).uniform(0, 100, (2, 20))
    distinct = merge_close(x, y, 0.01)
    assert_array_equal(distinct.x, x)
    assert_array_equal(distinct.y, y)
    assert_array_equal(distinct.row, np.arange(20))
    assert_array_equal(distinct.extent, 0.0)
    assert not distinct.repeats.any()


@pytest.mark.parametrize('n', [0, 1])
def test_few(n):
    distinct = merge_close(np.ones(n), np.ones(n), 1.0)
    assert len(distinct) == distinct.row.size == n


@pytest.mark.parametrize('n_copies', [2, 3, 100])
def test_copies(n_copies):
    x = np.concatenate([[5.1, 30.0], np.full(n_copies, 17.3)])
    distinct = merge_close(x, x / 3.0, 1.0)
    assert_array_equal(distinct.x, x[:3])
    assert_array_equal(distinct.y, x[:3] / 3.0)
    assert_array_equal(distinct.row, [0, 1] + n_copies * [2])
    assert_array_equal(distinct.repeats, [False] * 3 + [True] * (n_copies - 1))


def test_close_ones_have_their_mean():
    x, y = np.array([40.0, 10.0, 10.6, 10.6]), np.array([9.0, 20.0, 20.0, 20.0])
    distinct = merge_close(x, y, 1.0)
    # A place that is named twice is one place.
    assert_allclose(distinct.x, [40.0, 10.3])
    assert_allclose(distinct.extent, [0.0, 0.3])
    assert_array_equal(distinct.largest(np.array([1.0, 5.0, 7.0, 6.0])), [1.0, 7.0])


def test_chain_is_not_one_source():
    """The closest are merged first, and what remains is apart."""
    x = np.arange(0.0, 30.0, 0.7)
    distinct = merge_close(x, 0 * x, 1.0)
    assert np.diff(np.sort(distinct.x)).min() >= 1.0
    assert distinct.extent.max() < 1.5
    assert len(distinct) > 10


@pytest.mark.parametrize('side', [0.9, 0.5])
def test_square_of_equal_sides(side):
    x, y = side * np.array([[0, 0, 1, 1], [0, 1, 0, 1]], dtype=float)
    distinct = merge_close(x, y, 1.0)
    assert len(distinct) == 1
    assert_allclose([distinct.x[0], distinct.y[0]], side / 2)


def test_order_does_not_matter():
    rng = np.random.default_rng(3)
    x, y = rng.uniform(0, 20, (2, 300))
    x, y = np.append(x, x[:40]), np.append(y, y[:40])
    first = merge_close(x, y, 1.0)
    points = np.stack([first.x, first.y], axis=1)
    gaps = np.hypot(*(points[:, None] - points).T) + 9.0 * np.eye(len(points))
    assert gaps.min() >= 1.0
    order = rng.permutation(x.size)
    second = merge_close(x[order], y[order], 1.0)
    assert_array_equal(second.x[second.row], first.x[first.row][order])
    assert_array_equal(second.y[second.row], first.y[first.row][order])
    assert len(partition(second)) == len(first) < 300
