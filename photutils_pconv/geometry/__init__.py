# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Where things lie on a map: windows, holes, cutouts, and grids.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'cutouts': (
        'CUTOUT_SIZE',
        'add_cutout',
        'cut_stack',
        'cutout_origin',
        'extract_cutout',
    ),
    'empty_holes': (
        'MINIMUM_EMPTY',
        'EmptyHoles',
        'choose_empty_radii',
        'place_empty_holes',
    ),
    'grids': (
        'MAX_FACTOR',
        'MIN_FACTOR',
        'MapGrid',
        'fill_missing',
        'pixel_scale_factor',
        'resample_grid',
        'to_native_position',
    ),
    'holes': (
        'TAPER_WIDTH',
        'Holes',
        'draw_holes',
        'draw_taper',
        'draw_values',
        'hole_stamp',
        'taper_weight',
    ),
    'windows': (
        'Window',
        'disc',
        'find_window',
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'CUTOUT_SIZE',
    'MAX_FACTOR',
    'MINIMUM_EMPTY',
    'MIN_FACTOR',
    'TAPER_WIDTH',
    'EmptyHoles',
    'Holes',
    'MapGrid',
    'Window',
    'add_cutout',
    'choose_empty_radii',
    'cut_stack',
    'cutout_origin',
    'disc',
    'draw_holes',
    'draw_taper',
    'draw_values',
    'extract_cutout',
    'fill_missing',
    'find_window',
    'hole_stamp',
    'pixel_scale_factor',
    'place_empty_holes',
    'resample_grid',
    'taper_weight',
    'to_native_position',
]

__getattr__, __dir__ = attach(__name__, _HOME)
