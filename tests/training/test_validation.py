# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the validation figures, the pictures, and joining processes.
"""

import numpy as np
import pytest

from photutils_pconv.training.devices import make_accelerator
from photutils_pconv.training.monitors import write_examples, write_metrics
from photutils_pconv.training.validation import hole_figures, summarise


@pytest.fixture
def cutouts():
    """Return image, target, validity and missing of three cutouts."""
    rng = np.random.default_rng(0)
    target = rng.normal(size=(3, 96, 96)).astype(np.float32)
    yy, xx = np.indices((96, 96))
    validity = np.ones(target.shape, dtype=np.float32)
    validity[:, np.hypot(xx - 48, yy - 48) <= 8] = 0
    # A neighbour's hole, too far off to count.
    validity[:, np.hypot(xx - 80, yy - 80) <= 8] = 0
    image = target + np.where(validity == 0, 50, 0).astype(np.float32)
    return image, target, validity, np.zeros_like(validity)


def test_figures(cutouts):
    image, target, validity, missing = cutouts
    hole = validity[0] == 0
    hole[60:] = False
    yy, xx = np.indices((96, 96))
    r = np.hypot(xx - 48, yy - 48)
    ring = (r > 16) & (r < 22) & (validity[0] > 0)
    output = target.copy()
    output[:, hole] += np.array([[0.5], [-1.0], [0.0]], dtype=np.float32)
    output[:, ~hole] = 99
    figures = hole_figures(output, target, image, validity, missing)
    np.testing.assert_allclose(figures[:, 0], [0.5, 1, 0], atol=1e-6)
    np.testing.assert_allclose(figures[:, 2], [0.5, 1, 0], atol=1e-6)
    for k in range(3):
        flat = image[k][ring].mean() - target[k][hole]
        assert figures[k, 1] == pytest.approx(np.sqrt(np.mean(flat**2)), rel=1e-5)
        assert figures[k, 3] == pytest.approx(abs(flat.mean()), rel=1e-4)
    summary = summarise(figures)
    assert summary['hole_rms'] == pytest.approx(0.5)
    assert summary['n_figures'] == 3


def test_cutouts_without_ring_or_hole_are_left_out(cutouts):
    image, target, validity, missing = (array.copy() for array in cutouts)
    missing[0] = 1
    validity[0] = 0
    validity[1] = 1
    figures = hole_figures(target, target, image, validity, missing)
    assert figures.shape == (1, 4)
    assert summarise(figures[:0]) == {}


def test_picture(cutouts, tmp_path):
    pytest.importorskip('matplotlib')
    _, target, validity, missing = cutouts
    # No hole to draw, nothing known, and nothing to scale by.
    validity[0] = 1
    missing[1] = 1
    target[2] = 0
    assert write_examples(tmp_path / 'a.png', cutouts, target)
    assert (tmp_path / 'a.png').read_bytes().startswith(b'\x89PNG')
    assert len(list(tmp_path.iterdir())) == 1


def test_metrics_with_new_columns(tmp_path):
    path = tmp_path / 'metrics.csv'
    write_metrics(path, [{'epoch': 1, 'a': 0.5}])
    write_metrics(path, [{'epoch': 1, 'a': 0.5}, {'epoch': 2, 'a': 1e-9, 'b': 3}])
    assert path.read_text() == 'epoch,a,b\n1,0.5,\n2,1e-09,3\n'


def test_processes_that_did_not_join(monkeypatch):
    pytest.importorskip('accelerate')
    make_accelerator('cpu')
    monkeypatch.setenv('WORLD_SIZE', '2')
    with pytest.raises(RuntimeError, match='2 processes were launched, .* joined 1'):
        make_accelerator('cpu')
