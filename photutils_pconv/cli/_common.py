# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What the commands share: output options, warnings, errors, exit status.
"""

import sys
import warnings
from pathlib import Path

from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv._utils.writing import refuse_existing

__all__ = ['add_output', 'add_overwrite', 'check_output', 'run_command']

# What a user can cause. Anything else is an error of the package, and shows
# its traceback.
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
        '-o', '--output', type=Path, required=True, metavar='DIR', help='the folder'
    )
    add_overwrite(group)
    group.add_argument(
        '--quiet', action='store_true', help='no progress bar and no summary'
    )
    return group


def check_output(options, paths=()):
    """
    Find out what would prevent the output before the work, not after it.

    Parameters
    ----------
    options : `~argparse.Namespace`
        The parsed options, of which ``output`` and ``overwrite`` are used.

    paths : iterable of `~pathlib.Path`, optional
        The files that are going to be written.

    Raises
    ------
    FileExistsError
        If a file exists and must not be replaced.

    NotADirectoryError
        If the folder is a file.
    """
    if options.output.exists() and not options.output.is_dir():
        msg = f'{options.output} is a file: choose another name for the folder'
        raise NotADirectoryError(msg)
    refuse_existing(paths, overwrite=options.overwrite)


def run_command(options):
    """
    Run a command; tell its warnings and its error in a line each.

    Parameters
    ----------
    options : `~argparse.Namespace`
        The parsed options; ``run`` is the command's function.

    Returns
    -------
    status : int
        0 if all went well, 1 after an error, whose message went to the
        standard error.
    """
    if options.debug:
        options.run(options)
        return 0
    with warnings.catch_warnings():
        warnings.simplefilter('always', AstropyUserWarning)
        warnings.showwarning = _show_warning
        try:
            options.run(options)
        except _USER_ERRORS as exc:
            _print_line('error', exc)
            return 1
    return 0


def _show_warning(message, *_):
    # Neither file nor line of the package helps on the command line.
    _print_line('warning', message)


def _print_line(kind, message):
    # A message that other packages had a part in may have many lines.
    text = ' '.join(str(message).split())
    print(f'photutils-pconv: {kind}: {text}', file=sys.stderr)
