# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The bands of a field together: one table, and maps of one resolution.

`remove_bands` removes the sources of a catalogue from a map of each band, at the
same time, and gives a `BandsResult`: one row per source with the photometry of every
band. Its cleaned maps can be brought to one resolution and one grid.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'removing': ('remove_bands',),
        'results': ('BandsResult',),
    },
)
