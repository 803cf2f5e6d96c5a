# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv``.
"""

from photutils_pconv.cli.entry import main

__all__ = ['main']
