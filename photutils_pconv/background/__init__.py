# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Backgrounds in the place of photutils' own.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'local_background': ('PConvLocalBackground',),
    'map_background': ('PConvBackground',),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'PConvBackground',
    'PConvLocalBackground',
]

__getattr__, __dir__ = attach(__name__, _HOME)
