# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the fills of holes."""

import numpy as np

from photutils_pconv.evaluation.methods.fills import fill_interpolated


def test_interpolation_of_a_wide_gap():
    """Holes wider than the kernel of one of them are filled, in silence."""
    image = np.full((81, 81), 3.0)
    hole = np.zeros(image.shape, dtype=bool)
    hole[15:66, 15:66] = True
    image[hole] = 100.0
    filled = fill_interpolated(image, hole, radius=5.0)
    np.testing.assert_allclose(filled, 3.0)
