# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The judge of hostile cases: runs one, looks at everything, gives a verdict.
"""

import contextlib
import inspect
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from _hostile_case import REFUSED, RIGHT, WARNED, Context, fingerprint
from _hostile_scene import METHODS, plain

from photutils_pconv import NeuralSourceRemover

__all__ = ['BAD', 'VERDICTS', 'Judgement', 'judge']

#: The good verdicts, then the bad ones, the worst first.
VERDICTS = (
    RIGHT,
    REFUSED,
    WARNED,
    'hung',
    'traceback',
    'late',
    'unclear',
    'wrong',
    'changed-input',
    'state',
    'litter',
    'numpy-warning',
)
BAD = VERDICTS[3:]

_PACKAGE = str(Path(inspect.getfile(NeuralSourceRemover)).parents[1]) + os.sep
# Words by which a message tells what is accepted, or what to do; by choice.
_HELPFUL = re.compile(
    r'must|can(not)? be|needs?\b|\bgive|choose|\bset\b|leave|allow|accept|\buse\b'
    r'|instead|neither|one of|is not\b|has no|have no|not fit|holds? no|no such'
    r'|outside|beyond|damaged|truncated|exists|mask|twice|not understood|would be',
    re.IGNORECASE,
)
# How much longer than its limit of processor time a case may take on a machine
# with much else to do; by choice.
_PATIENCE = 8
_NETWORKS = ('PConvUNet', 'FilledUNet')


class _TimeLimit(BaseException):
    """A case took too long; no ``except Exception`` catches it."""


@dataclass(frozen=True)
class Judgement:
    """
    A judged case.

    Parameters
    ----------
    case : `_hostile_case.Case`
        The case.

    verdict : str
        One of `VERDICTS`.

    detail : str
        What was seen.

    seconds : float
        How much time of the processor it took, without that of other processes.
    """

    case: object
    verdict: str
    detail: str
    seconds: float

    @property
    def is_bad(self):
        """Whether the package is at fault (`bool`)."""
        return self.verdict in BAD


def judge(case):
    """
    Run a case and judge it.

    Parameters
    ----------
    case : `_hostile_case.Case`
        The case.

    Returns
    -------
    judgement : `Judgement`
        The verdict.
    """
    _warm_up()
    start = time.process_time()
    folder = Path(tempfile.mkdtemp(prefix='hostile-'))
    try:
        verdict, detail = _judge_in(case, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    detail = ' '.join(detail.replace(str(folder), '').split())
    return Judgement(case, verdict, detail, time.process_time() - start)


@cache
def _warm_up():
    """
    Let torch and its parts be imported before anything is looked at.

    They set environment variables and filters of warnings of their own.
    """
    for method in METHODS:
        plain(method)


def _judge_in(case, folder):
    """Run a case in a folder, and give the verdict and the detail."""
    work = folder / 'work'
    work.mkdir()
    (folder / 'tmp').mkdir()
    context = Context(work)
    error = None
    with (
        warnings.catch_warnings(record=True) as caught,
        _count_runs() as runs,
        _temporary_folder(folder / 'tmp'),
    ):
        warnings.simplefilter('always')
        before = _global_state()
        try:
            with _time_limit(case.seconds):
                case.call(context)
        except (_TimeLimit, Exception, SystemExit) as exc:
            error = exc
        changed = [
            key for key, value in _global_state().items() if value != before[key]
        ]
    found = list(_find_faults(case, context, caught, changed, folder, error))
    verdict, detail = _judge_outcome(case, context, caught, error, runs)
    found.append((verdict, detail))
    bad = [one for one in found if one[0] in BAD]
    if not bad:
        return verdict, detail
    bad.sort(key=lambda one: VERDICTS.index(one[0]))
    return bad[0][0], '; '.join(f'{name}: {text}' for name, text in bad)


def _judge_outcome(case, context, caught, error, runs):
    """Judge what came out: an answer or an error."""
    if error is not None:
        return _judge_error(case, error, runs)
    told = _is_told(case, context, caught)
    if context.problems:
        if WARNED in case.accept and told:
            return WARNED, '; '.join(context.problems[:3])
        flags = f' [flags: {", ".join(sorted(context.flags)) or "none"}]'
        return 'wrong', '; '.join(context.problems[:3]) + flags
    if WARNED in case.accept and told and (case.warning or case.flag):
        return WARNED, ''
    if RIGHT in case.accept:
        return RIGHT, ''
    if WARNED in case.accept:
        return 'wrong', f'no word: expected {case.warning or case.flag}'
    return 'wrong', 'accepted without a word'


def _judge_error(case, error, runs):
    text = f'{type(error).__name__}: {error}'
    if isinstance(error, _TimeLimit):
        return 'hung', f'more than {case.seconds:g} s'
    frames = traceback.extract_tb(error.__traceback__)
    inner = frames[-1].filename if frames else ''
    if not isinstance(error, ValueError | TypeError | OSError):
        place = f'{Path(inner).name}:{frames[-1].lineno}' if frames else ''
        return 'traceback', f'{text} ({place})'
    if runs and not case.late:
        return 'late', f'{text} (after {len(runs)} runs of the network)'
    if REFUSED not in case.accept:
        return 'wrong', f'refused: {text}'
    if case.says:
        clear = re.search(case.says, str(error), re.IGNORECASE)
    else:
        # Without words of its own it must come from the package, and help.
        clear = inner.startswith(_PACKAGE) and _HELPFUL.search(str(error))
    if not clear:
        return 'unclear', f'{text} (from {Path(inner).name})'
    return REFUSED, text


def _is_told(case, context, caught):
    """Whether the warning and the flag that a case expects are there."""
    if case.warning and not any(
        re.search(case.warning, str(one.message), re.IGNORECASE) for one in caught
    ):
        return False
    return not case.flag or bool(set(case.flag.split('|')) & context.flags)


def _find_faults(case, context, caught, changed, folder, error):
    """Find what a case should have left alone, whatever came out."""
    for warning in caught:
        if issubclass(warning.category, RuntimeWarning) or (
            'ComplexWarning' in warning.category.__name__
        ):
            place = f'{Path(warning.filename).name}:{warning.lineno}'
            yield 'numpy-warning', f'{warning.message} ({place})'
            break
    if changed:
        yield 'state', ', '.join(changed)
    for one, before in context.watched:
        if fingerprint(one) != before:
            yield 'changed-input', type(one).__name__
            break
    litter = [path.name for path in (folder / 'tmp').rglob('*')]
    after = set(context.folder.rglob('*')) - context.before
    for path in after:
        if path.is_file() and (
            error is not None or path.name.startswith('.') or '.tmp' in path.name
        ):
            litter.append(path.name)
    if litter:
        yield 'litter', ', '.join(sorted(litter)[:3])


def _global_state():
    """Give what a library must leave alone."""
    umask = os.umask(0o22)
    os.umask(umask)
    plotting = sys.modules.get('matplotlib')
    return {
        'numpy random state': fingerprint(np.random.get_state()[1]),  # noqa: NPY002
        'torch random state': torch.random.get_rng_state().numpy().tobytes(),
        'random state': random.getstate(),
        'warnings.filters': list(warnings.filters),
        'warnings.showwarning': warnings.showwarning,
        'cwd': os.getcwd(),
        'umask': umask,
        'environment': dict(os.environ),
        'matplotlib backend': plotting and plotting.rcParams._get('backend'),
        'numpy errors': np.geterr(),
        'torch threads': torch.get_num_threads(),
        'torch dtype': torch.get_default_dtype(),
        'torch gradients': torch.is_grad_enabled(),
        'torch algorithms': torch.are_deterministic_algorithms_enabled(),
        'standard streams': (id(sys.stdout), id(sys.stderr)),
        'signal handlers': signal.getsignal(signal.SIGINT),
    }


@contextlib.contextmanager
def _count_runs():
    """Give a list that gets an item for each run of one of the networks."""
    runs = []

    def count(module, _):
        if type(module).__name__ in _NETWORKS:
            runs.append(1)

    handle = torch.nn.modules.module.register_module_forward_pre_hook(count)
    try:
        yield runs
    finally:
        handle.remove()


@contextlib.contextmanager
def _temporary_folder(folder):
    """Let temporary files go to a folder."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


@contextlib.contextmanager
def _time_limit(seconds):
    """
    End what takes too much time of the processor, or waits for ever.

    An outer limit of time, as pytest's, goes on afterwards.
    """

    def stop(*_):
        raise _TimeLimit

    handlers = {
        number: signal.signal(number, stop)
        for number in (signal.SIGALRM, signal.SIGPROF)
    }
    outer, _ = signal.setitimer(signal.ITIMER_REAL, _PATIENCE * seconds)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    start = time.monotonic()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        rest = max(outer - (time.monotonic() - start), 0.1) if outer else 0.0
        signal.setitimer(signal.ITIMER_REAL, rest)
        for number, handler in handlers.items():
            signal.signal(number, handler)
