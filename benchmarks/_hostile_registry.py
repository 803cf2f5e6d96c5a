# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
All hostile cases: importing this fills the registry.
"""

import importlib

from _hostile_case import CASES, select

__all__ = ['CASES', 'GROUPS', 'select']

# In the order of the report.
_FILES = (
    'arrays',
    'shapes',
    'values',
    'units',
    'masks',
    'errors',
    'sky',
    'scales',
    'sources',
    'rows',
    'settings',
    'psfs',
    'models',
    'files',
    'contents',
    'written',
    'catalogues',
    'shell',
    'system',
    'threads',
)
for _file in _FILES:
    importlib.import_module(f'_hostile_{_file}')

#: The groups, in the order of the registry.
GROUPS = tuple(dict.fromkeys(case.group for case in CASES.values()))
