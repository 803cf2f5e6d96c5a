# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Many maps at once, on one machine or on a cluster.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'clusters': ('connect',),
        'jobs': ('RemovalJob',),
        'job_lists': ('read_jobs',),
        'many': ('remove_many',),
    },
)
