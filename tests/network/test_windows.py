# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of windows of feature maps, against images of the pixels' own numbers.
"""

from itertools import product

import numpy as np
import pytest
import torch

from photutils_pconv.network.windows import (
    clip,
    coarsen,
    crop,
    grow,
    refine,
    take_middle,
)

SHAPE = (12, 18)


@pytest.fixture
def windows():
    rng = np.random.default_rng(4)
    ends = np.sort(rng.integers(-4, 22, (50, 2, 2)), axis=-1)
    return [[tuple(map(int, axis)) for axis in one] for one in ends]


@pytest.fixture
def numbers():
    """The rows and columns of the pixels, as two channels."""
    return torch.from_numpy(np.indices(SHAPE))[None]


def pixels(window):
    """The pixels of a window, as a set."""
    rows, columns = (range(*one) for one in window)
    return set(product(rows, columns))


def test_middle(numbers):
    cut = crop(numbers, take_middle(SHAPE, 3))
    assert cut.shape[2:] == (6, 6)
    assert cut[0, :, 0, 0].tolist() == [3, 6]
    assert clip(take_middle(SHAPE, 100), SHAPE) == [(0, 12), (0, 18)]


def test_grow_and_clip(windows):
    everything = pixels([(0, SHAPE[0]), (0, SHAPE[1])])
    for window in windows:
        assert pixels(clip(window, SHAPE)) == pixels(window) & everything
        near = {
            (row + i, column + j)
            for row, column in pixels(window)
            for i in range(-2, 3)
            for j in range(-2, 3)
        }
        assert not near or pixels(grow(window, 2)) == near


@pytest.mark.parametrize('factor', [1, 2, 4])
def test_other_resolutions(windows, factor):
    for window in windows:
        coarse = {(row // factor, column // factor) for row, column in pixels(window)}
        assert not coarse or pixels(coarsen(window, factor)) == coarse
        assert coarsen(refine(window, factor), factor) == window


def test_crop(numbers):
    outer, inner = [(2, 11), (3, 17)], [(4, 7), (5, 16)]
    cut = crop(numbers, inner)
    assert {tuple(one) for one in cut[0].flatten(1).T.tolist()} == pixels(inner)
    assert torch.equal(crop(crop(numbers, outer), inner, outer), cut)
    # A view: what is written to it is written to the image.
    cut.fill_(-1)
    assert (numbers == -1).sum() == cut.numel()
