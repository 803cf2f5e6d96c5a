# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Backgrounds instead of photutils' own.

`PConvBackground` stands where `~photutils.background.Background2D`
stands, `PConvLocalBackground` where
`~photutils.background.LocalBackground` does.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'map_background': ('PConvBackground',),
        'local_background': ('PConvLocalBackground',),
    },
)
