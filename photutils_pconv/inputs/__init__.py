# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Every accepted map and source list: read, parsed, and given back.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'fits': (
        'read_fits_map',
        'read_fits_plane',
    ),
    'maps': (
        'MapInput',
        'parse_map',
    ),
    'sources': (
        'SourceInput',
        'parse_sources',
    ),
    'tables': ('read_source_table',),
    'values': ('as_array',),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'MapInput',
    'SourceInput',
    'as_array',
    'parse_map',
    'parse_sources',
    'read_fits_map',
    'read_fits_plane',
    'read_source_table',
]

__getattr__, __dir__ = attach(__name__, _HOME)
