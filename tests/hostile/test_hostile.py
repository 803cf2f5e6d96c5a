# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A quick selection of the hostile cases of ``benchmarks/hostile.py``, and their judge.
"""

import importlib
import os
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / 'benchmarks'


def _import(name):
    """Import a module of the benchmarks."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(BENCHMARKS))


registry, judging = _import('_hostile_registry'), _import('_hostile_judge')
hostile = _import('_hostile_case')
# Of each group, so that all take less than half a minute.
CASES = hostile.thin(registry.select(quick=True), 7)


@pytest.mark.parametrize(
    'case', CASES, ids=[f'{case.group}/{case.name}'.replace(' ', '-') for case in CASES]
)
def test_case(case):
    judgement = judging.judge(case)
    assert not judgement.is_bad, f'{judgement.verdict}: {judgement.detail}'


def test_there_are_many():
    assert len(registry.CASES) > 2000
    assert {case.group for case in CASES} == set(registry.GROUPS)


def _touch_input(context):
    array = context.watch(np.zeros(3))
    array[0] = 1.0


def _leave_file(context):
    context.start()
    (context.folder / '.a.tmp').write_text('a')


def _change_folder(context):
    os.environ['PHOTUTILS_PCONV_HOSTILE'] = 'a'


def _warn(context):
    np.log(np.zeros(1))


def _fail(context):
    raise KeyError('a')


def _refuse(context):
    raise ValueError('invalid literal')


def _hang(context):
    while True:
        pass


def _run_late(context):
    scene = _import('_hostile_scene')
    scene.make_remover('inpaint')(scene.make_data(), scene.XY)
    raise ValueError('data must be a map')


@pytest.mark.parametrize(
    ('call', 'accept', 'verdict'),
    [
        (lambda context: None, ('right',), 'right'),
        (lambda context: None, ('refused',), 'wrong'),
        (lambda context: None, ('warned',), 'wrong'),
        (lambda context: context.compare('a', [1.0], [2.0]), ('right',), 'wrong'),
        (lambda context: context.compare('a', [np.nan], [2.0]), ('right',), 'wrong'),
        (_touch_input, ('right',), 'changed-input'),
        (_leave_file, ('right',), 'litter'),
        (_change_folder, ('right',), 'state'),
        (_warn, ('right',), 'numpy-warning'),
        (_fail, ('right', 'refused'), 'traceback'),
        (_refuse, ('refused',), 'unclear'),
        (_refuse, ('right',), 'wrong'),
        (_hang, ('right',), 'hung'),
        (_run_late, ('refused',), 'late'),
        (lambda context: warnings.warn('a word', stacklevel=1), ('warned',), 'warned'),
    ],
)
def test_the_judge_sees(call, accept, verdict, monkeypatch):
    monkeypatch.delenv('PHOTUTILS_PCONV_HOSTILE', raising=False)
    case = hostile.Case('a', 'b', call, accept=accept, warning='word', seconds=1)
    judgement = judging.judge(case)
    assert judgement.verdict == verdict, judgement.detail
