# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of centroids, against photutils."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from photutils.centroids import centroid_quadratic

from photutils_pconv.photometry.centroids import find_centroid


def expected(data, missing, x, y, box):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try:
            return centroid_quadratic(
                data,
                mask=missing,
                fit_boxsize=5,
                search_boxsize=box,
                xpeak=x,
                ypeak=y,
            )
        except ValueError:
            return np.nan, np.nan


@pytest.mark.parametrize('box', [5, 9])
def test_as_photutils(box):
    rng = np.random.default_rng(1)
    data = rng.normal(size=(25, 30))
    yy, xx = np.indices(data.shape)
    data += 30.0 * np.exp(-0.5 * ((xx - 14.3) ** 2 + (yy - 11.8) ** 2) / 4.0)
    data[3, 4] = np.nan
    missing = rng.random(data.shape) < 0.1
    missing[18:, 20:] = True
    places = [(x, y) for y in range(0, 25, 2) for x in range(0, 30, 2)]
    ours = [find_centroid(data, missing, *place, box=box) for place in places]
    theirs = [expected(data, missing, *place, box) for place in places]
    assert_array_equal(ours, theirs)
    assert np.isnan(theirs).any()
    assert np.isfinite(theirs).any()


def test_small_map():
    data = np.ones((4, 9))
    assert np.isnan(find_centroid(data, data < 0, 2, 2, box=5)).all()
