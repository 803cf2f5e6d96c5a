# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the benchmark of finding sources."""

from types import SimpleNamespace

import numpy as np
import pytest
from astropy.table import Table
from numpy.testing import assert_allclose


@pytest.fixture
def benchmark(load):
    return load('finding')


def test_each_source_is_found_once(benchmark):
    """Two detections of one source are one; one between two sources finds one."""
    truth = SimpleNamespace(x=np.array([10.0, 14.0, 40.0]), y=np.full(3, 10.0))
    count = benchmark.count_matches
    assert count(np.array([9.0, 11.0]), np.full(2, 10.0), truth, 2.5) == 1
    assert count(np.array([12.0]), np.full(1, 10.0), truth, 2.5) == 1
    assert count(np.array([12.0, 9.0]), np.full(2, 10.0), truth, 2.5) == 2
    assert count(np.zeros(0), np.zeros(0), truth, 2.5) == 0


def test_completeness_at_a_reliability(benchmark):
    completeness, reliability = np.array([[0.8, 0.6, 0.4], [0.5, 0.9, 1.0]])
    at = benchmark.completeness_at
    assert at(completeness, reliability, 0.9) == pytest.approx(0.6)
    assert at(completeness, reliability, 0.7) == pytest.approx(0.7)
    assert at(completeness, reliability, 0.95) == pytest.approx(0.5)
    assert at(completeness, 0.5 * reliability, 0.9) == 0


def test_summary(benchmark):
    rows = [
        ('filaments', 'a', name, threshold, 10, n, found, 1.0)
        for name in ('find_sources', 'DAOStarFinder')
        for threshold, n, found in ((5.0, 20, 8), (6.0, 6, 6))
    ]
    names = 'part map finder threshold n_sources n_detections n_found time'.split()
    table = Table(rows=rows, names=names)
    assert_allclose(
        benchmark.curve(table[table['finder'] == 'find_sources']),
        [[0.8, 0.6], [0.4, 1.0]],
    )
    text = benchmark.summarise(table)
    assert '## Filaments: 1 maps, 10 sources' in text
    assert '| find_sources | 0.62 | 0.63 | 0.67 | 0.80 | 0.40 | 1.0 |' in text
    assert '| DAOStarFinder | 0.62 | 0.63 | 0.67 | 0.60 | 1.00 | 1.0 |' in text


def test_maps(load, monkeypatch):
    """Sources keep their distance, and half of them prefer the bright parts."""
    maps = load('_finding_maps')
    monkeypatch.setattr(maps, '_SIZE', 160)
    monkeypatch.setattr(maps, '_DENSITY', 60 / 160**2)
    truth = maps.make_finding_map('filaments', 'scanmap/blue', 0, seed=3)
    assert truth.data.shape == (160, 160)
    assert 40 < len(truth.x) <= 60
    i, j = np.triu_indices(len(truth.x), 1)
    fwhm = (truth.setup.psf_fwhm / truth.setup.pixel_scale).to_value('')
    apart = np.hypot(truth.x[i] - truth.x[j], truth.y[i] - truth.y[j])
    assert apart.min() >= 1.2 * fwhm
    row, column = np.round([truth.y, truth.x]).astype(int)
    assert np.median(truth.emission[row, column]) > np.median(truth.emission)
    # flux by flux, brighter and brighter
    assert np.all(np.diff(truth.flux) > 0)
    assert truth.flux[-1] / truth.flux[0] == pytest.approx(200, rel=0.3)
