# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Where things lie on a map: windows, holes, cutouts, and grids.

Plain arrays in pixels: no units, no setups, no networks.
"""

from photutils_pconv._utils.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        'cutouts': ('CUTOUT_SIZE', 'cutout_origin', 'extract_cutout'),
        'empty_holes': ('EmptyHoles', 'choose_empty_radii', 'place_empty_holes'),
        'grids': ('MapGrid',),
        'holes': ('Holes', 'draw_holes', 'hole_stamp'),
        'merging': ('DistinctPositions', 'merge_close'),
        'resampling': ('resample_grid',),
    },
)
