# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of geometry.windows."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal, assert_array_max_ulp

from photutils_pconv.geometry.holes import draw_holes, hole_stamp
from photutils_pconv.geometry.windows import Window, disc, find_window

SHAPE = (31, 40)


@pytest.mark.parametrize(
    ('x', 'y', 'reach'),
    [(20.0, 15.0, 5.0), (2.3, 5.0, 9.0), (39.4, 30.4, 3.2), (10.5, 10.5, 0.5)],
)
def test_window_holds_what_is_within_reach(x, y, reach):
    window = find_window(SHAPE, x, y, reach)
    rows, columns = np.indices(SHAPE)
    inside = (np.abs(rows - y) <= reach) & (np.abs(columns - x) <= reach)
    found = np.zeros(SHAPE, dtype=bool)
    found[window.region] = True
    assert_array_equal(found, inside)
    assert window.shape == found[window.region].shape
    assert_array_equal(window.dx, (columns - x)[window.region])
    assert_array_equal(window.dy, (rows - y)[window.region])
    distance = np.hypot(columns - x, rows - y)
    # Equal but for the last digit: numpy.hypot rounds in another way than a root.
    assert_array_max_ulp(window.distance, distance[window.region], maxulp=1)


@pytest.mark.parametrize(('x', 'y'), [(-30.0, 5.0), (5.0, 60.0), (20.5, 10.5)])
def test_nothing_within_reach(x, y):
    assert find_window(SHAPE, x, y, 0.4) is None


def test_one_definition_of_a_hole():
    """Window, stamp, and map agree, the rim included."""
    x, y, radius = 10.0, 12.0, 5.0
    whole = draw_holes(SHAPE, [x], [y], [radius])
    window = find_window(SHAPE, x, y, radius)
    assert_array_equal(window.within(radius), whole[window.region])
    stamp = hole_stamp(np.arange(SHAPE[0]), np.arange(SHAPE[1]), x, y, radius)
    assert_array_equal(stamp, whole)
    assert whole[12, 15]
    assert not whole[12, 16]
    assert disc(3.0, 4.0, 5.0)


def test_position_need_not_be_the_middle():
    window = Window(slice(3, 7), slice(0, 4), 1.5, 4.5)
    assert window.region == (slice(3, 7), slice(0, 4))
    assert_array_equal(window.dx[0], [-1.5, -0.5, 0.5, 1.5])
