# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Every accepted map and source list: read, parsed, and given back.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
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
    },
)
