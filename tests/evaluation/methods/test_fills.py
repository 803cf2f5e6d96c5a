# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the fills of holes."""

import warnings

import numpy as np
import pytest
from astropy.convolution import Gaussian2DKernel, interpolate_replace_nans
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv.evaluation.methods.fills import fill_interpolated


def test_interpolation_of_a_wide_gap():
    """Holes wider than the kernel of one of them are filled, in silence."""
    image = np.full((81, 81), 3.0)
    hole = np.zeros(image.shape, dtype=bool)
    hole[15:66, 15:66] = True
    image[hole] = 100.0
    filled = fill_interpolated(image, hole, radius=5.0)
    np.testing.assert_allclose(filled, 3.0)


@pytest.mark.parametrize('seed', range(4))
def test_interpolation_is_astropys(seed):
    """The kernels grow until nothing is left, and each pass is astropy's own."""
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(41, 47))
    yy, xx = np.indices(image.shape)
    hole = np.hypot(yy - rng.uniform(10, 30), xx - rng.uniform(10, 30)) < 9
    radius = rng.uniform(2, 6)
    expected, sigma = np.where(hole, np.nan, image), radius / 2
    while np.isnan(expected).any():
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', AstropyUserWarning)
            expected = interpolate_replace_nans(
                expected, Gaussian2DKernel(sigma), boundary='extend'
            )
        sigma *= 2
    filled = fill_interpolated(image, hole, radius=radius)
    np.testing.assert_array_equal(filled, expected)
