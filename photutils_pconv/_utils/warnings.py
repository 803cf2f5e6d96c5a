# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Warnings that point at the user's own line, and filters that all threads share.
"""

import dataclasses
import functools
import os
import sys
import threading
import warnings
from contextlib import contextmanager
from pathlib import Path

from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv._utils.locks import make_lock

__all__ = ['hold_filters', 'quiet', 'warn_user']

_PACKAGE = str(Path(__file__).resolve().parents[1]) + os.sep

# `warnings.catch_warnings`, which astropy and photutils use, sets the filters of the
# whole process and sets them back: two threads in it at once leave those of one
# another behind. One thread at a time may, of this package.
_FILTERS = make_lock(threading.RLock)


def hold_filters(function):
    """
    Let one thread at a time into functions that change the filters of warnings.

    A function of this package that calls what uses `warnings.catch_warnings`
    is decorated with this, so that `warnings.filters` are the same afterwards,
    however many threads call it. What other code of the process does is
    beyond its reach.

    Parameters
    ----------
    function : callable
        The function.

    Returns
    -------
    held : callable
        The function, under a lock that all such functions share.
    """

    @functools.wraps(function)
    def held(*args, **kwargs):
        with _FILTERS:
            return function(*args, **kwargs)

    return held


@contextmanager
def quiet(*categories, message=''):
    """
    Ignore warnings of other packages within a block, one thread at a time.

    Parameters
    ----------
    *categories : type
        The classes of the warnings (default: all).

    message : str, optional
        A regular expression that the beginning of their text matches.
    """
    with _FILTERS, warnings.catch_warnings():
        for category in categories or (Warning,):
            warnings.filterwarnings('ignore', message, category)
        yield


def _is_own(code):
    # What `dataclasses` writes and calls lies between our own functions.
    written = code.co_name == '__init__' and code.co_filename == '<string>'
    name = code.co_filename
    return name.startswith(_PACKAGE) or written or name == dataclasses.__file__


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
    while frame.f_back is not None and _is_own(frame.f_code):
        frame = frame.f_back
        level += 1
    with _FILTERS:
        # not while another thread ignores all warnings
        warnings.warn(message, category, stacklevel=level)
