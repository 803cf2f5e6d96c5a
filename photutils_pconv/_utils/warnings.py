# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Warnings that point at the user's own line, and those that nobody needs.
"""

import os
import sys
import threading
import warnings
from contextlib import contextmanager
from pathlib import Path

from astropy.utils.exceptions import AstropyUserWarning

__all__ = ['ignore_warnings', 'warn_user']

_PACKAGE = str(Path(__file__).resolve().parents[1]) + os.sep

# Filters belong to the whole process. Two threads that set them in turns, and put
# them back in the same order, would leave those of the first for ever.
_FILTERS = threading.RLock()


@contextmanager
def ignore_warnings(category=Warning, message=''):
    """
    Ignore the warnings of another package, one thread at a time.

    Parameters
    ----------
    category : type, optional
        Their class.

    message : str, optional
        A regular expression that the beginning of their text matches.
    """
    with _FILTERS, warnings.catch_warnings():
        warnings.filterwarnings('ignore', message, category)
        yield


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
