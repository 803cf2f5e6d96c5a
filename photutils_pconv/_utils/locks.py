# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Locks that a forked process finds open.
"""

import os
import threading

__all__ = ['make_lock']


def make_lock(kind=threading.Lock):
    """
    Make a lock that is open in a process that is forked while it is held.

    The thread that holds it has no counterpart there, and would never open it.
    The lock is to live as long as the process: it is never forgotten.

    Parameters
    ----------
    kind : callable, optional
        `threading.Lock` or `threading.RLock`.

    Returns
    -------
    lock : lock
        The lock.
    """
    lock = kind()
    if hasattr(os, 'register_at_fork'):
        os.register_at_fork(after_in_child=lock._at_fork_reinit)
    return lock
