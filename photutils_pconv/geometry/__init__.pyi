# Written by tools/write_stubs.py from the file __init__.py beside it.

from .cutouts import CUTOUT_SIZE as CUTOUT_SIZE
from .cutouts import cutout_origin as cutout_origin
from .cutouts import extract_cutout as extract_cutout
from .empty_holes import EmptyHoles as EmptyHoles
from .empty_holes import choose_empty_radii as choose_empty_radii
from .empty_holes import place_empty_holes as place_empty_holes
from .grids import MapGrid as MapGrid
from .holes import Holes as Holes
from .holes import draw_holes as draw_holes
from .holes import hole_stamp as hole_stamp
from .merging import DistinctPositions as DistinctPositions
from .merging import merge_close as merge_close
from .resampling import resample_grid as resample_grid

__all__ = [
    'CUTOUT_SIZE',
    'DistinctPositions',
    'EmptyHoles',
    'Holes',
    'MapGrid',
    'choose_empty_radii',
    'cutout_origin',
    'draw_holes',
    'extract_cutout',
    'hole_stamp',
    'merge_close',
    'place_empty_holes',
    'resample_grid',
]
