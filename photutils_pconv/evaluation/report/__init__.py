# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The report of an evaluation.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {'page': ('Report', 'Section')},
)
