# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what all benchmarks do with processes and output."""

import operator

import pytest
from astropy.table import Table


@pytest.fixture
def run(load):
    """Return the module."""
    return load('_run')


@pytest.mark.parametrize('processes', [1, 2])
def test_results_are_in_order(run, processes):
    jobs = [(3, 'a'), (1, 'b'), (2, 'c')]
    lines = []
    results = run.run_jobs(
        operator.itemgetter(1), jobs, processes=processes, report=lines.append
    )
    assert results == ['a', 'b', 'c']
    assert [line.split(',')[0] for line in lines] == [
        '3 a: 1 sources',
        '1 b: 1 sources',
        '2 c: 1 sources',
    ]


def test_maps_without_sources_are_left_out(run):
    tables = {1: Table({'a': [1, 2]}), 2: None, 3: Table({'a': [3], 'b': [4.0]})}
    found = run.measure_maps(tables.get, [1, 2, 3])
    assert list(found['a']) == [1, 2, 3]
    assert found['b'].mask.tolist() == [True, True, False]


def test_text_is_printed_and_written(run, tmp_path, capsys):
    path = tmp_path / 'text.md'
    run.write_text('a\n', path)
    assert capsys.readouterr().out == 'a\n\n'
    assert path.read_text(encoding='utf-8') == 'a\n'
    run.write_text('b', None)
    assert capsys.readouterr().out == 'b\n'
