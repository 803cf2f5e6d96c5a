# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of how cutouts are chosen, and of what is predicted in them.
"""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.holes import Holes
from photutils_pconv.inpainting.prediction import (
    CutoutInput,
    choose_sizes,
    predict_cutouts,
)
from photutils_pconv.inpainting.scaling import Scaling
from photutils_pconv.network import load_model
from photutils_pconv.network.running import RunOptions, make_predictor

ONE_TURN = RunOptions(turns=1)
REACH = np.array([4.0, 15.0, 15.5, 20.0, 20.5, 36.0])


@pytest.fixture(scope='module')
def model():
    return load_model('psf')


@pytest.mark.parametrize(('turns', 'small'), [(1, 48), (2, 64), (4, 64), (None, 64)])
def test_sizes_go_with_the_holes(model, turns, small):
    sizes = choose_sizes(model, REACH, run=RunOptions(turns=turns))
    assert_array_equal(sizes, [small, small, 64, 64, 96, 96])


@pytest.mark.parametrize(
    'normalisation',
    [{'name': 'minmax'}, {'name': 'robust', 'radius': 30.0, 'softening': 3.0}],
)
def test_small_cutouts_hold_what_normalises_them(model, normalisation):
    model = replace(model, card=replace(model.card, normalisation=normalisation))
    assert_array_equal(
        choose_sizes(model, REACH, run=ONE_TURN), [64, 64, 64, 64, 96, 96]
    )


def test_networks_of_one_size(model, monkeypatch):
    monkeypatch.setattr(type(model.network), 'any_size', False)
    assert_array_equal(choose_sizes(model, REACH, run=ONE_TURN), [64] * 6)


@pytest.mark.parametrize('batch_size', [1, 2, 16])
def test_middles_are_those_of_whole_cutouts(model, batch_size):
    rng = np.random.default_rng(3)
    radius = np.array([13.0, 5.0, 8.0, 11.0, 13.0])
    x, y = np.array([[40.2, 90.4, 140.0, 190.7, 240.3], [60.0, 58.9, 61.2, 60.4, 60.6]])
    holes = Holes(x, y, radius, (120, 280))
    images = {i: rng.normal(size=(3, 64, 64)) for i in range(5)}

    def make_input(batch, origins, size):
        stack = np.array([images[i][:, :size, :size] for i in batch])
        validity = np.ones((len(batch), size, size), dtype=bool)
        scaling = Scaling(np.zeros((len(batch), 1, 1)), np.ones((len(batch), 1, 1)))
        return CutoutInput(stack, validity, scaling)

    seen = []
    run = RunOptions(batch_size=batch_size, precision='float32', turns=1)
    predict = make_predictor(model.network, run)
    for cutouts in predict_cutouts(
        make_input, holes, model=model, run=run, taper_width=2.0
    ):
        seen += cutouts.index.tolist()
        size = cutouts.emission.shape[-1]
        whole = predict(cutouts.inputs.images, cutouts.inputs.validity)
        for i, one, other in zip(cutouts.index, cutouts.emission, whole, strict=True):
            reach = max(int(radius[i]) + 3, 14)
            middle = slice(size // 2 - reach, size // 2 + reach)
            assert_allclose(one[middle, middle], other[middle, middle], atol=1e-5)
    assert sorted(seen) == list(range(5))
