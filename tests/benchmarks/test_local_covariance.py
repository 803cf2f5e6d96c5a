# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the benchmark of the local covariance."""

import numpy as np
import pytest
from astropy.table import Table


@pytest.fixture
def empty(load, monkeypatch):
    """Return a small map of filaments with a few positions."""
    maps = load('_local_maps')
    monkeypatch.setattr(maps, '_SIZE', 160)
    monkeypatch.setattr(maps, '_POSITIONS', 3)
    return maps.make_empty_positions('filaments', 'scanmap/blue', 0, seed=3)


def test_filaments_have_a_direction(load, monkeypatch):
    maps = load('_local_maps')
    monkeypatch.setattr(maps, '_SIZE', 256)
    setup = maps.get_setup(setup='scanmap/blue')
    field = maps.make_filaments(setup, np.random.default_rng(2))
    slopes = np.stack([one.ravel() for one in np.gradient(field)])
    low, high = np.linalg.eigvalsh(slopes @ slopes.T)
    assert high > 2.0 * low
    assert field.std() == pytest.approx(1.0)


def test_holes_do_not_tell_what_they_hide(empty):
    near = empty.holes
    assert near.sum() == pytest.approx(3 * np.pi * empty.hole_radius**2, rel=0.05)
    assert not np.array_equal(empty.filled[near], empty.data[near])
    np.testing.assert_array_equal(empty.filled[~near], empty.data[~near])
    cutout = empty.cutout(1)
    assert cutout.hole.sum() == pytest.approx(np.pi * empty.hole_radius**2, rel=0.05)
    assert cutout.holes[cutout.hole].all()


def test_kriging_alike(load, empty):
    # With none of the local covariance it is the package's own kriging.
    found = load('local_covariance')._measure_fills(empty, 0)
    assert found['fill_local, 0'] == pytest.approx(1.0, abs=0.05)
    assert 0.3 < found['fill_local, 0.5'] < 3.0


def test_summary(load):
    benchmark = load('local_covariance')
    table = Table(
        {
            'map': ['a', 'a', 'b', 'b'],
            'part': ['real'] * 4,
            'flux_bank': [1.0, -1.0, 1.0, -1.0],
            'flux_local': [0.5, 0.5, 0.5, -0.5],
            'fill_bank': np.ones(4),
            'fill_local': [2.0, 0.5, 2.0, 2.0],
        }
    )
    lines = benchmark.summarise(table).splitlines()
    assert '| positions | 4 |' in lines
    assert '| local | 0.50 (0.50 to 0.50) |' in lines
    assert '| local | 1.41 (1.00 to 2.00) |' in lines
