# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
``python -m photutils_pconv``, the command ``photutils-pconv``.
"""

import sys

from photutils_pconv.cli import main

if __name__ == '__main__':
    sys.exit(main())
