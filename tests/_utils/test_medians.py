# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of medians without numpy's checks.
"""

import numpy as np
import pytest
from astropy.stats import mad_std
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv._utils.medians import median, robust_std


@pytest.mark.parametrize('n', [1, 2, 3, 10, 101, 1000])
def test_as_numpy_has_them(n):
    rng = np.random.default_rng(n)
    values = rng.normal(size=n)
    before = values.copy()
    assert median(values) == np.median(values)
    assert_array_equal(values, before)


@pytest.mark.parametrize('shape', [(2, 7), (3, 40), (2, 3, 4)])
def test_rows(shape):
    rng = np.random.default_rng(1)
    values = rng.integers(0, 5, size=shape).astype(float)
    assert_array_equal(median(values), np.median(values, axis=-1))


@pytest.mark.parametrize('n', [5, 300])
def test_robust_std(n):
    rng = np.random.default_rng(n)
    values = rng.normal(3.0, 2.0, size=(2, n))
    assert_allclose(robust_std(values), mad_std(values, axis=1), rtol=1e-14)
    assert_allclose(robust_std(values[0]), mad_std(values[0]), rtol=1e-14)
