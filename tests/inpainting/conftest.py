# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Fixtures for filling holes: a map, and what is expected of its holes."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from photutils_pconv.geometry.holes import TAPER_WIDTH

SHAPE = (130, 150)
X = np.array([70.3, 78.9, 20.0, 120.6, 40.5])
Y = np.array([60.8, 64.1, 100.2, 30.0, 20.5])
RADIUS = np.array([10.0, 6.0, 5.0, 13.0, 8.0])


@pytest.fixture
def data():
    """Smooth emission and noise, with sources that are far brighter."""
    rng = np.random.default_rng(5)
    data = 3.0 + gaussian_filter(rng.normal(0, 20, SHAPE), 6)
    data += rng.normal(0, 0.2, SHAPE)
    yy, xx = np.indices(SHAPE)
    for x, y in zip(X, Y, strict=True):
        data += 500 * np.exp(-0.5 * ((xx - x) ** 2 + (yy - y) ** 2) / 1.8**2)
    return data


def distance(x, y, shape=SHAPE):
    yy, xx = np.indices(shape)
    return np.hypot(xx - x, yy - y)


def expected_weight(x, y, radius, shape=SHAPE, width=TAPER_WIDTH):
    """1 in the hole, then half a period of a cosine, by pixel centres."""
    weight = np.zeros(shape)
    for xc, yc, rc in zip(x, y, radius, strict=True):
        step = np.clip((distance(xc, yc, shape) - rc) / width, 0, 1)
        weight = np.maximum(weight, np.cos(0.5 * np.pi * step) ** 2)
    weight[weight < 1e-30] = 0
    return weight


@pytest.fixture
def make_distance():
    """Return a function that gives the pixels' distances from a position."""
    return distance


@pytest.fixture
def make_weight():
    """Return a function that gives the weight of holes with their tapers."""
    return expected_weight
