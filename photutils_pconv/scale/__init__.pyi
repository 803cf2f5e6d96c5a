# Written by tools/write_stubs.py from the file __init__.py beside it.

from .clusters import connect as connect
from .job_lists import read_jobs as read_jobs
from .jobs import RemovalJob as RemovalJob
from .many import remove_many as remove_many

__all__ = [
    'RemovalJob',
    'connect',
    'read_jobs',
    'remove_many',
]
