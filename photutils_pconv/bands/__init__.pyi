# Written by tools/write_stubs.py from the file __init__.py beside it.

from .removing import remove_bands as remove_bands
from .results import BandsResult as BandsResult

__all__ = [
    'BandsResult',
    'remove_bands',
]
