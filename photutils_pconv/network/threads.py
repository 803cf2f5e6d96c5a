# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The threads that torch works with, which do not survive a fork.
"""

import os
import sys
from contextlib import contextmanager

from photutils_pconv._utils.checks import check_count
from photutils_pconv._utils.locks import make_lock

__all__ = ['check_threads', 'use_threads']


class _Process:
    """What is known of the threads of this process."""

    def __init__(self):
        self.forked = False
        self.users = 0
        self.before = None

    def note_fork(self):
        """Note that torch, if it is there, was inherited without its threads."""
        self.forked = self.forked or 'torch' in sys.modules
        self.users = 0
        self.before = None


_PROCESS = _Process()
_LOCK = make_lock()
if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_PROCESS.note_fork)


def check_threads(threads):
    """
    Refuse a number of threads that is none.

    Parameters
    ----------
    threads : int or `None`
        The number; `None` for that of torch.

    Raises
    ------
    ValueError
        If it is not a positive integer.
    """
    if threads is not None:
        check_count(threads, 'threads')


@contextmanager
def use_threads(threads):
    """
    Let torch work with so many threads within a block.

    In a process that was forked after torch was imported it is one in any case:
    torch would wait for ever for the threads that only its parent has.

    Parameters
    ----------
    threads : int or `None`
        The number of threads; `None` for that of torch.
    """
    import torch

    if _PROCESS.forked:
        # Not for the block alone: whatever torch does here might wait.
        torch.set_num_threads(1)
        yield
        return
    if threads is None:
        yield
        return
    with _LOCK:
        if _PROCESS.users == 0:
            _PROCESS.before = torch.get_num_threads()
        _PROCESS.users += 1
    # The number is that of a thread of Python, and of those that begin later;
    # several may be in such a block at once.
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        with _LOCK:
            _PROCESS.users -= 1
            before = _PROCESS.before
        torch.set_num_threads(before)
