# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Progress bars: one for each stage of a long computation.

Functions say which stage begins (`enter_stage`) and how far it is (`advance`). Whether
anyone sees it is for the caller to say (`show_stages`): without one, they do nothing.
"""

from collections import Counter
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ['advance', 'count', 'enter_stage', 'show_stages', 'single_stage']


class _Stages:
    """The stages of one computation, one bar after the other."""

    def __init__(self):
        self._bar = None
        self._counts = Counter()

    def enter(self, name, total, unit):
        from tqdm.auto import tqdm

        self.finish()
        self._counts[name] += 1
        if self._counts[name] > 1:
            name = f'{name} {self._counts[name]}'
        self._bar = tqdm(total=total, desc=name, unit=unit)

    def advance(self, n):
        if self._bar is not None:
            # What is done twice is no more than there is.
            self._bar.update(max(min(n, self._bar.total - self._bar.n), 0))

    def finish(self):
        """End the stage, which is done."""
        if self._bar is not None:
            self.advance(self._bar.total)
        self.close()

    def close(self):
        """End the stage as far as it is."""
        if self._bar is not None:
            self._bar.close()
        self._bar = None


class _Silence:
    """Stages within a stage are not shown."""

    def enter(self, name, total, unit):
        pass

    def advance(self, n):
        pass


_SILENCE = _Silence()
# Each thread has its own.
_stages = ContextVar('stages', default=None)


@contextmanager
def show_stages(show):
    """
    Show bars for the stages that begin within a block.

    Parameters
    ----------
    show : bool
        Whether to show them. Within a block that shows some already, they are
        its own.
    """
    if not show or _stages.get() is not None:
        yield
        return
    stages = _Stages()
    token = _stages.set(stages)
    try:
        yield
        stages.finish()
    finally:
        _stages.reset(token)
        stages.close()


@contextmanager
def single_stage(name, total, *, unit='source'):
    """
    Begin a stage whose own stages are not shown.

    Parameters
    ----------
    name : str
        Its name.

    total : int
        How many units there are.

    unit : str, optional
        What is counted.

    Yields
    ------
    advance : callable
        Takes the number of units that were done.
    """
    stages = _stages.get()
    if stages is None:
        yield lambda n=1: None
        return
    stages.enter(name, total, unit)
    token = _stages.set(_SILENCE)
    try:
        yield stages.advance
    finally:
        _stages.reset(token)


def enter_stage(name, total, *, unit='source'):
    """
    Begin a stage, and end the one before.

    Parameters
    ----------
    name : str
        Its name.

    total : int
        How many units there are.

    unit : str, optional
        What is counted.
    """
    stages = _stages.get()
    if stages is not None:
        stages.enter(name, total, unit)


def advance(n=1):
    """
    Say that some units of the stage are done.

    Parameters
    ----------
    n : int, optional
        How many.
    """
    stages = _stages.get()
    if stages is not None:
        stages.advance(n)


def count(iterable):
    """
    Go through an iterable whose items are the units of the stage.

    Parameters
    ----------
    iterable : iterable
        The iterable.

    Yields
    ------
    item : object
        Its items; each counts when the next is asked for.
    """
    for item in iterable:
        yield item
        advance()
