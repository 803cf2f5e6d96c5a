# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Fixtures of the tests of evaluations."""

import pytest

from photutils_pconv.evaluation.fields import (
    make_evaluation_fields,
)


@pytest.fixture(scope='module')
def fields():
    return make_evaluation_fields('scanmap/green', n_fields=3, shape=(160, 160))
