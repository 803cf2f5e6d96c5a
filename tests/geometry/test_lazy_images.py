# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests that what is worked out where it is looked at is what it is as a whole."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from photutils_pconv.geometry.cutouts import extract_cutout
from photutils_pconv.geometry.lazy_images import Difference, copy_sparse

SHAPE = (40, 53)
REGIONS = [np.s_[:, :], np.s_[5:9, 10:30], np.s_[0:3, 50:53], np.s_[35:40, 0:1]]


@pytest.fixture
def images():
    return np.random.default_rng(3).normal(size=(2, *SHAPE))


@pytest.mark.parametrize('region', REGIONS)
def test_difference(images, region):
    first, second = images
    found = Difference(first, second)
    assert_array_equal(found[region], (first - second)[region])
    assert found.shape == SHAPE


@pytest.mark.parametrize('corner', [(-3, -4), (48, 36), (10, 10)])
def test_cutouts_reach_beyond_the_map(images, corner):
    found = extract_cutout(Difference(*images), *corner, size=9, fill_value=1)
    whole = images[0] - images[1]
    assert_array_equal(found, extract_cutout(whole, *corner, size=9, fill_value=1))


def test_sparse_copy(images):
    image = np.where(images[0] > 1, images[0], 0.0)
    copied = copy_sparse(image)
    assert_array_equal(copied, image)
    assert not np.shares_memory(copied, image)
