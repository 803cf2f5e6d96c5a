# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Where things lie on a map: windows, holes, cutouts, and grids.

Plain arrays in pixels: no units, no setups, no networks.
"""

from photutils_pconv._utils.lazy import attach

_MODULES = {
    'cutouts': ('CUTOUT_SIZE', 'cutout_origin', 'extract_cutout'),
    'empty_holes': ('EmptyHoles', 'choose_empty_radii', 'place_empty_holes'),
    'grids': ('MapGrid', 'resample_grid'),
    'holes': ('Holes', 'draw_holes', 'hole_stamp'),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    'CUTOUT_SIZE',
    'EmptyHoles',
    'Holes',
    'MapGrid',
    'choose_empty_radii',
    'cutout_origin',
    'draw_holes',
    'extract_cutout',
    'hole_stamp',
    'place_empty_holes',
    'resample_grid',
]

__getattr__, __dir__ = attach(__name__, _HOME)
