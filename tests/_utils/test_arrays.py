# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the level of a map."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from photutils_pconv._utils.arrays import take_off_level


@pytest.mark.parametrize('level', [-3.0, 0.0, 1.0e6])
def test_level(level):
    data = level + np.array([[1.0, 2.0, np.nan], [4.0, 8.0, 3.0]])
    missing = np.isnan(data)
    above, found = take_off_level(data, missing)
    assert found == level + 3.0
    assert_array_equal(above, [[-2.0, -1.0, 0.0], [1.0, 5.0, 0.0]])


def test_nothing_is_known():
    above, found = take_off_level(np.full((2, 2), np.nan), np.ones((2, 2), dtype=bool))
    assert found == 0.0
    assert_array_equal(above, 0.0)
