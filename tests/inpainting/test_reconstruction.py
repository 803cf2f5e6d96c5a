# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what follows from a reconstruction."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.holes import TAPER_WIDTH, Holes
from photutils_pconv.inpainting.hole_filling import inpaint

SHAPE = (130, 150)
X = np.array([70.3, 78.9, 20.0, 120.6, 40.5])
Y = np.array([60.8, 64.1, 100.2, 30.0, 20.5])
RADIUS = np.array([10.0, 6.0, 5.0, 13.0, 8.0])
POSITIONS = (X, Y, RADIUS)


class TestCleanError:
    def test_values(self, data, flat_model, make_distance, make_weight):
        x, y, radius = X[:3], Y[:3], RADIUS[:3]
        scatter = np.array([2.0, 5.0, 0.5])
        error = np.full(SHAPE, 0.1)
        result = inpaint(data, x, y, radius, model=flat_model)
        new = result.clean_error(error, Holes(x, y, radius, SHAPE), scatter)
        assert_array_equal(error, 0.1)
        assert_array_equal(new[~result.holes], 0.1)
        # Where holes overlap, the larger scatter; there, the second's.
        inside = np.zeros(SHAPE)
        for i in range(3):
            reach = make_distance(x[i], y[i]) < radius[i] + TAPER_WIDTH
            inside = np.where(reach, np.maximum(inside, scatter[i]), inside)
        weight = make_weight(x, y, radius)
        expected = np.hypot(weight * inside, (1 - weight) * error)
        assert_allclose(new[result.holes], expected[result.holes], rtol=1e-9)
        assert new[64, 79] == 5.0
        assert new[61, 64] == 2.0

    def test_source_that_was_not_filled(self, data, flat_model, make_distance):
        data[make_distance(X[2], Y[2]) < 60] = np.nan
        result = inpaint(data, *POSITIONS, model=flat_model)
        error = np.full(SHAPE, 0.1)
        new = result.clean_error(error, Holes(*POSITIONS, SHAPE), np.full(5, 9.0))
        assert not result.filled[2]
        assert_array_equal(new[make_distance(X[2], Y[2]) < 10], 0.1)
