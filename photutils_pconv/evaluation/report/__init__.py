# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The report of an evaluation.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {'page': ('Report', 'Section')}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = ['Report', 'Section']

__getattr__, __dir__ = attach(__name__, _HOME)
