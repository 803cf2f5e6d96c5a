# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Warnings that point at the user's own line, and other packages' silenced.
"""

import os
import sys
import threading
import warnings
from contextlib import contextmanager
from pathlib import Path

from astropy.utils.exceptions import AstropyUserWarning

__all__ = ['quiet', 'warn_user']

_PACKAGE = str(Path(__file__).resolve().parents[1]) + os.sep
_QUIET = threading.RLock()


def warn_user(message, category=AstropyUserWarning):
    """
    Warn, as if from the line that called this package.

    However deep in the package the warning is made, it names the file and
    line of whoever called in, so that it is shown there, and once.

    Parameters
    ----------
    message : str
        The warning.

    category : type, optional
        Its class.
    """
    # This function's caller is stack level 2.
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
        level += 1
    warnings.warn(message, category, stacklevel=level)


@contextmanager
def quiet(*categories):
    """
    Silence warnings of other packages for a while.

    The filters of warnings belong to the whole process: two threads that both
    change and restore them would leave them changed for good. Here one waits
    for the other.

    Parameters
    ----------
    *categories : tuple of type
        The classes of the warnings.
    """
    with _QUIET, warnings.catch_warnings():
        for category in categories:
            warnings.simplefilter('ignore', category)
        yield
