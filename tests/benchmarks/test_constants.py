# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of other values of the package's constants in benchmarks."""

import argparse

import pytest

from photutils_pconv.finding import search

NAME = 'photutils_pconv.finding.search._WIDE_GAIN'


@pytest.fixture
def constants(load, monkeypatch):
    """Return the module; the constant is as it was afterwards."""
    monkeypatch.setattr(search, '_WIDE_GAIN', search._WIDE_GAIN)
    module = load('_constants')
    monkeypatch.setattr(module, '_changed', [])
    return module


@pytest.mark.parametrize('processes', [1, 2])
def test_argument_reaches_all_processes(constants, load, processes):
    run = load('_run')
    parser = argparse.ArgumentParser()
    run.add_run_arguments(parser, seed=1, rows='sources')
    parser.parse_args([f'--set={NAME}=0.75'])
    found = run.run_jobs(constants.read_constant, [NAME, NAME], processes=processes)
    assert found == [0.75, 0.75]


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('0.6', 'expected'),
        ('numpy.pi=3.0', 'expected'),
        ('photutils_pconv.finding.search._GAIN=0.6', 'cannot be set'),
        ('photutils_pconv.nothing._GAIN=0.6', 'cannot be set'),
        (f'{NAME}=(', 'cannot be set'),
        (f'{NAME}=much', 'cannot be set'),
        (f'{NAME}="much"', 'cannot be'),
    ],
)
def test_what_cannot_be_set(constants, text, message):
    before = search._WIDE_GAIN
    with pytest.raises(ValueError, match=message):
        constants.set_constant(text)
    assert before == search._WIDE_GAIN
    assert constants.changed_constants() == []
