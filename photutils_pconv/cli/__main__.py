# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
``python -m photutils_pconv.cli``.
"""

import sys

from photutils_pconv.cli import main

sys.exit(main())
