# Written by tools/write_stubs.py from the file __init__.py beside it.

from .local_background import PConvLocalBackground as PConvLocalBackground
from .map_background import PConvBackground as PConvBackground

__all__ = [
    'PConvBackground',
    'PConvLocalBackground',
]
