# Written by tools/write_stubs.py from the file __init__.py beside it.

from .page import Report as Report
from .page import Section as Section

__all__ = [
    'Report',
    'Section',
]
