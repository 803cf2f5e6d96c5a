# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests that the benchmark of the training's speed runs."""

import pytest

pytest.importorskip('accelerate')
pytest.importorskip('kornia')


@pytest.fixture
def benchmark(load):
    """Return the benchmark as a module."""
    return load('training_speed')


@pytest.mark.parametrize('store', ['arrays', 'simulated'])
def test_measure(benchmark, tmp_path, monkeypatch, store):
    few = {'n_fields': 2, 'n_noise': 1, 'n_stamps': 1, 'field_size': 128}
    monkeypatch.setattr(benchmark, '_FEW', few)
    folder = tmp_path / 'set'
    if store == 'arrays':
        benchmark.make_small_training_set(
            folder, n_fields=3, field_size=128, n_sources=2
        )
    figures = benchmark.measure(
        2,
        store,
        folder,
        steps=2,
        batch_size=2,
        workers=0,
        warm_up=1,
        output=tmp_path / 'run',
    )
    # Without another process, making a batch is waiting.
    assert 0 < figures['waiting_share'] < 1
    assert figures['images_per_second'] * figures['step_seconds'] == pytest.approx(2)
    assert figures['memory'][0] > 50
    row = benchmark.format_table([{'network': 'tiny', **figures}]).splitlines()[-1]
    assert row.startswith('| tiny | ')


def test_bar(benchmark):
    row = {
        'network': 'n',
        'store': 'arrays',
        'images_per_second': 50.0,
        'step_seconds': 1.28,
        'memory': [900.4, 100.0],
    }
    text = benchmark.format_table(
        [{**row, 'waiting_share': 0.049}, {**row, 'waiting_share': 0.051}]
    )
    good, bad = text.splitlines()[-2:]
    assert (
        good == '| n | memory-mapped arrays | 50.0 | 1.28 | 900 + 100 | 4.90% | yes |'
    )
    assert bad.endswith('| 5.10% | no |')
