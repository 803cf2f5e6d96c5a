# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Where things lie on a map: windows, holes, cutouts, and grids.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'cutouts': (
        'CUTOUT_SIZE',
        'NORMALISATIONS',
        'Scaling',
        'cutout_origin',
        'extract_cutout',
        'normalise',
        'taper_weight',
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
        'fill_missing',
        'pixel_scale_factor',
        'resample_grid',
        'to_native_position',
    ),
    'holes': (
        'draw_holes',
        'hole_stamp',
        'snr',
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'CUTOUT_SIZE',
    'MAX_FACTOR',
    'MINIMUM_EMPTY',
    'MIN_FACTOR',
    'NORMALISATIONS',
    'EmptyHoles',
    'Scaling',
    'choose_empty_radii',
    'cutout_origin',
    'draw_holes',
    'extract_cutout',
    'fill_missing',
    'hole_stamp',
    'normalise',
    'pixel_scale_factor',
    'place_empty_holes',
    'resample_grid',
    'snr',
    'taper_weight',
    'to_native_position',
]

__getattr__, __dir__ = attach(__name__, _HOME)
