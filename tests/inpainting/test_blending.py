# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of cutouts that are blended back into a map.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.cutouts import cutout_origin
from photutils_pconv.geometry.holes import Holes
from photutils_pconv.inpainting.blending import Blender
from photutils_pconv.inpainting.prediction import CutoutInput, PredictedCutouts
from photutils_pconv.inpainting.scaling import Scaling

SHAPE, SIZE = (70, 80), 48
# In the middle, overlapping that, at an edge, in a corner, and not to be predicted.
X = np.array([40.3, 47.6, 1.4, 78.9, 20.0])
Y = np.array([35.8, 36.1, 50.2, 0.6, 15.0])
RADIUS = np.array([6.0, 5.0, 8.0, 7.0, 6.0])


def _blend(emission, missing, taper_width, *, batches):
    holes = Holes(X, Y, RADIUS, SHAPE)
    usable = np.arange(len(X)) < 4
    origins = np.stack(cutout_origin(X, Y, size=SIZE), axis=1)
    blender = Blender(SHAPE, len(X), taper_width)
    for index in batches:
        images = np.zeros((len(index), 1, SIZE, SIZE))
        inputs = CutoutInput(images, images[:, 0] == 0, Scaling(0.0, 1.0))
        cutouts = PredictedCutouts(
            index, origins[index], inputs, emission[index], usable[index]
        )
        blender.add(cutouts, holes)
    return blender.finish(missing)


@pytest.mark.parametrize('taper_width', [0.0, 2.0])
def test_pixels_are_means_over_the_holes_that_hold_them(taper_width):
    rng = np.random.default_rng(1)
    emission = rng.normal(5.0, 1.0, (len(X), SIZE, SIZE))
    missing = np.zeros(SHAPE, dtype=bool)
    missing[30:34, 35:45] = True
    found = _blend(emission, missing, taper_width, batches=[np.arange(len(X))])
    assert_array_equal(found.filled, [True, True, True, True, False])
    rows, columns = np.indices(SHAPE)
    total, norm, weight = np.zeros((3, *SHAPE))
    for x, y, radius, one in zip(X[:4], Y[:4], RADIUS, emission, strict=False):
        distance = np.hypot(columns - x, rows - y)
        inside = distance <= radius
        own = inside.astype(float)
        if taper_width:
            taper = (distance > radius) & (distance < radius + taper_width)
            share = (distance[taper] - radius) / taper_width
            own[taper] = 0.5 * (1.0 + np.cos(np.pi * share))
        x0, y0 = (int(k) for k in cutout_origin(x, y, size=SIZE))
        values = np.zeros(SHAPE)
        for row, column in np.argwhere(own > 0):
            values[row, column] = one[row - y0, column - x0]
        total += values * own / (1.0 + distance)
        norm += own / (1.0 + distance)
        weight = np.maximum(weight, own)
    known = (norm > 0) & ~missing
    assert_array_equal(found.weight > 0, known)
    assert_allclose(found.weight[known], weight[known], rtol=1e-12)
    mean = total[known] / norm[known]
    assert_allclose(found.emission[known], mean, rtol=1e-12)
    assert not np.any(found.emission[~known])


def test_batches_do_not_matter():
    emission = np.random.default_rng(2).normal(size=(len(X), SIZE, SIZE))
    missing = np.zeros(SHAPE, dtype=bool)
    first, second = (
        _blend(emission, missing, 2.0, batches=one)
        for one in ([np.arange(5)], [np.array([4]), np.array([2, 0]), np.array([1, 3])])
    )
    assert_array_equal(first.filled, second.filled)
    assert_array_equal(first.weight, second.weight)
    assert_allclose(first.emission, second.emission, rtol=1e-12, atol=1e-15)
