# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a process takes of the memory.
"""

import resource
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

__all__ = ['anonymous_memory', 'peak_memory', 'watch_memory']

# How often memory is looked at, in seconds; by choice.
_INTERVAL = 0.02


def peak_memory(who=resource.RUSAGE_SELF):
    """
    Give the largest memory of a process so far.

    Parameters
    ----------
    who : int, optional
        `resource.RUSAGE_SELF` or `resource.RUSAGE_CHILDREN`.

    Returns
    -------
    memory : float
        The memory (MB). On Linux that of this process is its own: what the system
        counts begins with the largest memory of the process that started it.
    """
    status = Path('/proc/self/status')
    if who == resource.RUSAGE_SELF and status.exists():
        return _read_status('VmHWM')
    peak = resource.getrusage(who).ru_maxrss
    # Bytes on macOS, kB elsewhere.
    return peak / (1024.0**2 if sys.platform == 'darwin' else 1024.0)


def anonymous_memory():
    """
    Give the memory of this process that is not that of files (MB); Linux only.
    """
    return _read_status('RssAnon')


def _read_status(name):
    """Read an entry of this process' status (MB)."""
    text = Path('/proc/self/status').read_text()
    line = next(one for one in text.splitlines() if one.startswith(name))
    return int(line.split()[1]) / 1024.0


@contextmanager
def watch_memory():
    """
    Watch the memory of this process that is not that of files; Linux only.

    Yields
    ------
    found : dict
        The largest memory so far over that at the start, ``memory`` (MB).
    """
    start = anonymous_memory()
    found, stop = {'memory': 0.0}, threading.Event()

    def watch():
        while not stop.wait(_INTERVAL):
            found['memory'] = max(found['memory'], anonymous_memory() - start)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()
