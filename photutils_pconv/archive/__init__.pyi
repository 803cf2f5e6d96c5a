# Written by tools/write_stubs.py from the file __init__.py beside it.

from .catalogues import fetch_catalogue as fetch_catalogue
from .catalogues import match_catalogue as match_catalogue
from .errors import ArchiveConnectionError as ArchiveConnectionError
from .errors import ArchiveError as ArchiveError
from .errors import ArchiveFormatError as ArchiveFormatError
from .errors import NotInArchiveError as NotInArchiveError
from .errors import ProprietaryDataError as ProprietaryDataError
from .maps import FetchedMap as FetchedMap
from .maps import fetch_map as fetch_map
from .observations import find_observations as find_observations
from .patience import Patience as Patience

__all__ = [
    'ArchiveConnectionError',
    'ArchiveError',
    'ArchiveFormatError',
    'FetchedMap',
    'NotInArchiveError',
    'Patience',
    'ProprietaryDataError',
    'fetch_catalogue',
    'fetch_map',
    'find_observations',
    'match_catalogue',
]
