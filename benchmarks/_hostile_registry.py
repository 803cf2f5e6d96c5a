# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
All hostile cases: importing this fills the registry.
"""

import _hostile_arrays  # noqa: F401
import _hostile_catalogues  # noqa: F401
import _hostile_files  # noqa: F401
import _hostile_masks  # noqa: F401
import _hostile_models  # noqa: F401
import _hostile_settings  # noqa: F401
import _hostile_shell  # noqa: F401
import _hostile_sky  # noqa: F401
import _hostile_sources  # noqa: F401
import _hostile_system  # noqa: F401
import _hostile_values  # noqa: F401
from _hostile_case import CASES, select

__all__ = ['CASES', 'GROUPS', 'select']

#: The groups, in the order of the registry.
GROUPS = tuple(dict.fromkeys(case.group for case in CASES.values()))
