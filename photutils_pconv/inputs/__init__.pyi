# Written by tools/write_stubs.py from the file __init__.py beside it.

from .fits import read_fits_map as read_fits_map
from .fits import read_fits_plane as read_fits_plane
from .map_input import MapInput as MapInput
from .maps import parse_map as parse_map
from .orientations import PSFAngles as PSFAngles
from .regions import read_regions as read_regions
from .sizes import CatalogueSizes as CatalogueSizes
from .sources import SourceInput as SourceInput
from .sources import mask_excluded as mask_excluded
from .sources import parse_sources as parse_sources
from .sources import read_sources as read_sources
from .tables import read_source_table as read_source_table
from .values import as_array as as_array

__all__ = [
    'CatalogueSizes',
    'MapInput',
    'PSFAngles',
    'SourceInput',
    'as_array',
    'mask_excluded',
    'parse_map',
    'parse_sources',
    'read_fits_map',
    'read_fits_plane',
    'read_regions',
    'read_source_table',
    'read_sources',
]
