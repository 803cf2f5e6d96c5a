# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests that attributes cannot be set where they would be without effect.
"""

import copy
import inspect
import pickle

import numpy as np
import pytest

from photutils_pconv import NeuralSourceRemover, PConvBackground, PConvLocalBackground
from photutils_pconv._utils.read_only import ReadOnly

GREEN = {'mode': 'scanmap', 'band': 'green'}
CLASSES = (NeuralSourceRemover, PConvBackground, PConvLocalBackground)
SETTINGS = [
    (cls, name)
    for cls in CLASSES
    for name in [*inspect.signature(cls).parameters, 'settings', 'n_pases']
]


class Fixed(ReadOnly):
    def __init__(self, level=1):
        self._level = level

    @property
    def level(self):
        return self._level


@pytest.fixture(scope='module')
def objects(flat_model):
    data = np.random.default_rng(5).normal(1.0, 0.1, (60, 60))
    settings = {**GREEN, 'model': flat_model}
    made = (
        NeuralSourceRemover(**settings),
        PConvBackground(data, [[30, 30]], **settings),
        PConvLocalBackground(**settings),
    )
    return dict(zip(CLASSES, made, strict=True))


@pytest.mark.parametrize(('cls', 'name'), SETTINGS)
def test_cannot_be_set(objects, cls, name):
    with pytest.raises(
        AttributeError, match=rf'{cls.__name__}.*\b{name}\b|{name} of a'
    ):
        setattr(objects[cls], name, 1)
    assert name not in vars(objects[cls])


@pytest.mark.parametrize('cls', CLASSES)
def test_copies(objects, cls):
    for made in (
        copy.copy(objects[cls]),
        copy.deepcopy(objects[cls]),
        pickle.loads(pickle.dumps(objects[cls])),
    ):
        assert repr(made) == repr(objects[cls])


def test_messages():
    fixed = Fixed()
    with pytest.raises(AttributeError, match='level of a Fixed cannot be set later'):
        fixed.level = 2
    with pytest.raises(AttributeError, match="Fixed has no attribute 'levle'"):
        fixed.levle = 2
    assert fixed.level == 1
