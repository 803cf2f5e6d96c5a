# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a process takes of the memory.
"""

import resource
import sys

__all__ = ['peak_memory']


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
        The memory (MB).
    """
    peak = resource.getrusage(who).ru_maxrss
    # Bytes on macOS, kB elsewhere.
    return peak / (1024.0**2 if sys.platform == 'darwin' else 1024.0)
