# Written by tools/write_stubs.py from the file __init__.py beside it.

from .finder import find_sources as find_sources
from .settings import FindSettings as FindSettings

__all__ = [
    'FindSettings',
    'find_sources',
]
