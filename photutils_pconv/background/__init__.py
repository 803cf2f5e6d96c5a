# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Backgrounds in the place of photutils' own.

`PConvBackground` stands where `~photutils.background.Background2D`
stands, `PConvLocalBackground` where
`~photutils.background.LocalBackground` does.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'map_background': ('PConvBackground',),
    'local_background': ('PConvLocalBackground',),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'PConvBackground',
    'PConvLocalBackground',
]

__getattr__, __dir__ = attach(__name__, _HOME)
