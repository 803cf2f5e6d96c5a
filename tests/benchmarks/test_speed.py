# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the benchmark of the speed, and that a removal stays as fast.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

DEFAULT = 'method "psf" (default), default errors'


@pytest.fixture
def speed(load):
    return load('speed')


@pytest.fixture
def maps(load):
    return load('_speed_maps')


def test_maps(maps):
    data, positions = maps.make_speed_map(30, 400)
    assert data.shape == (400, 400)
    assert data.dtype == np.float32
    assert positions.shape == (30, 2)
    assert np.all((positions > 10) & (positions < 390))
    distance = np.hypot(*(positions[:, None] - positions).T)
    assert np.min(distance[~np.eye(30, dtype=bool)]) > 15
    again, _ = maps.make_speed_map(30, 400)
    np.testing.assert_array_equal(again, data)
    with pytest.raises(ValueError, match='do not fit'):
        maps.make_speed_map(500, 200)


def test_time_goes_by_the_peer(speed):
    """
    Twice as much would pass, three times as much would not.

    Before it was made faster, the method took 16 to 20 times what the peer takes.
    """
    peer = speed.PEER
    times = speed.time_ways(100, 512, names=(DEFAULT, peer), repeats=2)
    assert 0 < times[peer]
    assert times[DEFAULT] < 14.0 * times[peer]


def test_baseline_is_slower(speed):
    """The paper's network, source by source, takes several times as long."""
    names = (speed.BASELINE, 'method "inpaint", errors "local"')
    times = speed.time_ways(4, 256, names=names)
    assert times[names[1]] < times[names[0]]


def test_table(speed):
    times = {speed.BASELINE: 90.0, DEFAULT: 9.0, speed.PEER: 4.5}
    text = speed.format_ways({100: times})
    row = next(line for line in text.splitlines() if line.startswith(f'| {DEFAULT}'))
    assert row == f'| {DEFAULT} | 9.0 | 10.0 | 2.00 |'


def test_ways_alone(speed, monkeypatch, tmp_path):
    """The option --ways takes the first tables alone."""
    asked = []

    def take(n_sources, size, *, names, repeats):
        asked.append((n_sources, size, len(names)))
        return dict.fromkeys(names, 2.0)

    monkeypatch.setattr(speed, 'time_ways', take)
    monkeypatch.setattr(
        speed,
        'format_stages',
        lambda *a, repeats, stages: f'{a} {repeats} {len(stages)}',
    )
    monkeypatch.setattr(speed, 'format_networks', lambda: 'those of networks')
    speed.main(['--ways', '--output', str(tmp_path / 'ways.md')])
    assert asked == [(100, 1500, len(speed.WAYS)), (500, 1500, 7)]
    text = (tmp_path / 'ways.md').read_text(encoding='utf-8')
    assert f'| {DEFAULT} | 2.0 | 1.0 | 1.00 | 2.0 |  | 1.00 |' in text
    assert f"('{DEFAULT}', 500, 1500) 3" in text
    assert text.rstrip().endswith('those of networks')


def test_stages(load):
    """The time of each stage is without those within it; all of them are found."""
    stages = load('_speed_stages')
    timers = stages._Timers()

    def wait(seconds):
        start = time.process_time()
        while time.process_time() - start < seconds:
            pass

    inner = timers.wrap('inner', lambda: wait(0.06))
    timers.wrap('outer', lambda: (wait(0.02), inner(), wait(0.02)))()
    assert timers.seconds['inner'] == pytest.approx(0.06, abs=0.01)
    assert timers.seconds['outer'] == pytest.approx(0.04, abs=0.01)
    for parts in (stages.STAGES, stages.KERNELS):
        found = [stages._find(name) for names in parts.values() for name in names]
        assert all(callable(getattr(*one)) for one in found)
        assert len(set(found)) == len(found)


@pytest.mark.parametrize('which', ['STAGES', 'KERNELS'])
def test_stages_of_a_removal(speed, load, which):
    """They take part in it, and are let alone after it."""
    stages, maps = load('_speed_stages'), load('_speed_maps')
    parts = getattr(stages, which)
    names = [name for names in parts.values() for name in names]
    before = [getattr(*stages._find(name)) for name in names]
    data, positions = maps.make_speed_map(6, 200)
    seconds = stages.time_stages(speed.WAYS[DEFAULT], data, positions, stages=parts)
    assert min(seconds.values()) > 0
    after = [getattr(*stages._find(name)) for name in names]
    assert before == after


def test_sizes(speed, load, monkeypatch):
    """A row for each case, of what a process of its own has measured."""
    asked = []

    def measure(what, *, threads=1):
        asked.append((what, threads))
        figures = {'seconds': 2.0, 'elapsed': 4.0, 'memory': 30.0, 'map': 10.0}
        return {**figures, 'copy': 0.5}

    monkeypatch.setattr(speed, 'run_child', measure)
    row = '| 5 | 0.04 | 2.00 | 400.0 | 30 | 3.0 | 0.50 |'
    assert f'| {DEFAULT} {row}' in speed.format_sizes([(DEFAULT, 5, 200)], repeats=3)
    text = speed.format_files(5, 200)
    assert '| block by block | 5 | 0.04 | 2.00 | 30 | 3.0 |' in text
    assert '| 2 | 2.00 | 4.00 |' in speed.format_threads(5, 200)
    map_ = {'n_sources': 5, 'size': 200}
    assert asked[:3] == [
        ({'way': DEFAULT, **map_, 'repeats': 3}, 1),
        ({**map_, 'block': False}, 1),
        ({**map_, 'block': True}, 1),
    ]
    assert all(what == {'way': DEFAULT, **map_} for what, _ in asked[3:])


@pytest.mark.parametrize(
    'more', [{'way': 'method "inpaint", errors "local"'}, {'block': True}]
)
def test_child(load, more):
    """A process that is started, and what it says."""
    children = load('_speed_children')
    found = children.run_child({'n_sources': 2, 'size': 160, **more})
    assert 0 < found['seconds']
    assert found['memory'] >= 0
    assert found['map'] == pytest.approx(160**2 * 4 / 2**20)


@pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='Linux only')
def test_memory_is_that_of_the_process_itself():
    """Not the memory of the process that started it, which the system counts, too."""
    folder = Path(__file__).resolve().parents[2] / 'benchmarks'
    code = f'import sys; sys.path.insert(0, {str(folder)!r}); from _memory import *; '
    child = code + 'print(peak_memory())'
    parent = (
        'import subprocess, sys; large = b"x" * 300_000_000; '
        f'subprocess.run([sys.executable, "-c", {child!r}], check=True)'
    )
    done = subprocess.run(
        [sys.executable, '-c', parent], check=True, stdout=subprocess.PIPE, text=True
    )
    assert 3.0 < float(done.stdout) < 150.0


def test_accuracy(load):
    accuracy = load('_speed_accuracy')
    rng = np.random.default_rng(3)
    values = rng.normal(size=500)
    ratio, error = accuracy._compare_widths(values, 1.2 * values)
    assert ratio == pytest.approx(1.2)
    assert error == pytest.approx(0.0, abs=1e-12)
