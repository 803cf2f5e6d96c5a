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
    'headers': (
        'make_map_hdu',
        'make_wcs_header',
    ),
    'maps': (
        'MapInput',
        'parse_map',
    ),
    'sources': (
        'SourceInput',
        'parse_sources',
    ),
    'tables': (
        'ACCEPTED_COLUMNS',
        'find_pixel_columns',
        'find_pixel_positions',
        'find_sky_positions',
        'parse_pixels',
        'pixel_to_sky',
        'read_source_table',
        'sky_to_pixel',
    ),
    'units': (
        'ACCEPTED_UNITS',
        'celestial_wcs',
        'get_jy_per_pixel',
        'get_pixel_scale',
    ),
    'values': (
        'UNCERTAINTY_POWERS',
        'add_history',
        'as_array',
        'check_dimensions',
        'check_mask',
        'convert_unit',
        'output_dtype',
        'parse_error',
        'split_map',
        'warn_about_blank_border',
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'ACCEPTED_COLUMNS',
    'ACCEPTED_UNITS',
    'UNCERTAINTY_POWERS',
    'MapInput',
    'SourceInput',
    'add_history',
    'as_array',
    'celestial_wcs',
    'check_dimensions',
    'check_mask',
    'convert_unit',
    'find_pixel_columns',
    'find_pixel_positions',
    'find_sky_positions',
    'get_jy_per_pixel',
    'get_pixel_scale',
    'make_map_hdu',
    'make_wcs_header',
    'output_dtype',
    'parse_error',
    'parse_map',
    'parse_pixels',
    'parse_sources',
    'pixel_to_sky',
    'read_fits_map',
    'read_fits_plane',
    'read_source_table',
    'sky_to_pixel',
    'split_map',
    'warn_about_blank_border',
]

__getattr__, __dir__ = attach(__name__, _HOME)
