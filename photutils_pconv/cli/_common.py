# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What the commands share: output options, warnings, errors, exit status.
"""

import argparse
import sys
import threading
import warnings
from contextlib import contextmanager
from pathlib import Path

from astropy import log
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv._utils.writing import check_output, remove_stale
from photutils_pconv.cli._process import BROKEN_PIPE, print_line, silence_output

__all__ = [
    'add_output',
    'add_overwrite',
    'flush',
    'parse_folder',
    'prepare_folder',
    'run_command',
]

# What a user can cause. Anything else is an error of the package.
_USER_ERRORS = (ImportError, NotImplementedError, OSError, TypeError, ValueError)


def add_overwrite(parser):
    """
    Add the option ``--overwrite``.

    Parameters
    ----------
    parser : `~argparse.ArgumentParser` or argument group
        To which to add it.
    """
    parser.add_argument(
        '--overwrite', action='store_true', help='replace existing files'
    )


def add_output(parser):
    """
    Add the options of a command that writes into a folder.

    Parameters
    ----------
    parser : `~argparse.ArgumentParser`
        The command's parser.

    Returns
    -------
    group : argument group
        The group of the options, for further ones.
    """
    group = parser.add_argument_group('output')
    group.add_argument(
        '-o',
        '--output',
        type=parse_folder,
        required=True,
        metavar='DIR',
        help='the folder',
    )
    add_overwrite(group)
    group.add_argument(
        '--quiet', action='store_true', help='no progress bar and no summary'
    )
    return group


def prepare_folder(options, paths=()):
    """
    Find out what would prevent the output before the work, not after it.

    What killed runs have left in the folder is removed.

    Parameters
    ----------
    options : `~argparse.Namespace`
        The parsed options, of which ``output`` and ``overwrite`` are used.

    paths : iterable of `~pathlib.Path`, optional
        The files that are going to be written.

    Raises
    ------
    OSError
        If nothing can be written into the folder, it is a file, or a file
        exists and must not be replaced.
    """
    remove_stale(options.output)
    # Whatever is written, it is written into the folder.
    check_output([options.output / '.pconv'], overwrite=True)
    check_output(paths, overwrite=options.overwrite)


def parse_folder(text):
    """
    Parse the name of a folder.

    Parameters
    ----------
    text : str
        The name.

    Returns
    -------
    folder : `~pathlib.Path`
        The folder.

    Raises
    ------
    argparse.ArgumentTypeError
        If the name is empty, as a variable of the shell is that is not set.
    """
    if not text.strip():
        msg = 'the name of the folder is empty'
        raise argparse.ArgumentTypeError(msg)
    return Path(text).expanduser()


def run_command(options):
    """
    Run a command; print its warnings and its error in a line each.

    Parameters
    ----------
    options : `~argparse.Namespace`
        The parsed options; ``run`` is the command's function.

    Returns
    -------
    status : int
        0 if all went well, 1 after an error, whose message went to the
        standard error, `BROKEN_PIPE` if nobody reads the output any more.
    """
    if options.debug:
        options.run(options)
        return 0
    try:
        with _warnings_in_lines():
            options.run(options)
            flush()
    except Exception as exc:
        if isinstance(exc, BrokenPipeError):
            silence_output()
            return BROKEN_PIPE
        if isinstance(exc, OSError) and not _flush_works():
            silence_output()
        print_line(f'error: {_describe(exc)}')
        return 1
    return 0


def _describe(error):
    """Say in a line what a user can do about an error."""
    if isinstance(error, OSError) and error.strerror and error.filename is None:
        # Without the number of the error.
        return error.strerror
    if isinstance(error, _USER_ERRORS) and str(error):
        return str(error)
    # Torch has no error of its own for it.
    torch_has_none = isinstance(error, RuntimeError) and 'alloc' in str(error)
    if isinstance(error, MemoryError) or torch_has_none:
        return f'there is not enough memory: {error}'
    return (
        f'{type(error).__name__}: {error} (an error of photutils-pconv itself: please '
        'report what `photutils-pconv --debug COMMAND` prints)'
    )


def flush():
    """Write what was printed, so that an error is one of the command."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _flush_works():
    try:
        flush()
    except (OSError, ValueError):
        return False
    return True


@contextmanager
def _warnings_in_lines():
    """
    Show warnings in a line each.

    What is done with warnings belongs to the whole process: a command that
    runs in another thread than the main one leaves it alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    level = log.level
    with warnings.catch_warnings():
        warnings.simplefilter('always', AstropyUserWarning)
        warnings.showwarning = _show_warning
        # What was chosen stands in the summary.
        log.setLevel('WARNING')
        try:
            yield
        finally:
            log.setLevel(level)


def _show_warning(message, *_):
    # Neither file nor line of the package helps on the command line.
    print_line(f'warning: {message}')
