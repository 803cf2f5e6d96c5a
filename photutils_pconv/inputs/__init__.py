# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Every accepted map and source list: read, parsed, and given back.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'fits': ('read_fits_map', 'read_fits_plane'),
        'map_input': ('MapInput',),
        'maps': ('parse_map',),
        'orientations': ('PSFAngles',),
        'sizes': ('CatalogueSizes',),
        'regions': ('read_regions',),
        'sources': (
            'SourceInput',
            'mask_excluded',
            'parse_sources',
            'read_sources',
        ),
        'tables': ('read_source_table',),
        'values': ('as_array',),
    },
)
