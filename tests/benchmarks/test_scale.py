# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the benchmark of what a removal costs."""

import numpy as np
import pytest


@pytest.fixture
def benchmark(load):
    """Return the benchmark as a module."""
    pytest.importorskip('distributed')
    return load('scale')


def test_one_map(benchmark, flat_psf_model):
    figures = benchmark.clean_once(200, 4, model=flat_psf_model, error_method='card')
    assert figures['cpu'] > 0
    assert figures['memory'] >= 0
    assert figures['map'] == pytest.approx(4 * 200**2 / 2**20)


def test_maps_are_seeded(benchmark):
    first, xy = benchmark.make_map(200, 5, seed=4)
    again, same = benchmark.make_map(200, 5, seed=4)
    assert first.dtype == np.float32
    assert np.array_equal(first, again)
    assert np.array_equal(xy, same)


def test_archive(benchmark):
    """Costs that are exactly linear are found, and added up."""
    sides, n = (1000, 3000), 100
    first, last = (
        {'side': side, 'n': n, 'cpu': 0.2 * side**2 / 1e6 + 0.05 * n} for side in sides
    )
    found = benchmark.estimate_archive(
        first, last, n_maps=50, n_sources=2000, n_pixels=2e6
    )
    assert found['per_pixel'] == pytest.approx(0.2)
    assert found['per_source'] == pytest.approx(0.05)
    assert found['core_hours'] == pytest.approx((0.2 * 100 + 0.05 * 2000) / 3600)
    assert found['input'] == pytest.approx(2.4)
    assert found['output'] == pytest.approx(1.0)
    assert '| 0.2 | 0.05 |' in benchmark.format_rows([found])
