# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Fixtures of the tests of statistics."""

import numpy as np
import pytest


@pytest.fixture(scope='module')
def gaussian():
    return np.random.default_rng(1).normal(3.0, 2.0, (500, 500))


@pytest.fixture(scope='module')
def log_normal():
    return 1e21 * np.exp(np.random.default_rng(2).normal(0.0, 0.4, (500, 500)))
