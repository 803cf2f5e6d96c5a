# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv``.
"""

import threading

from photutils_pconv.cli._process import watch

__all__ = ['main']


def main(arguments=None):
    """
    Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        The arguments; by default those of the process, whose signals and
        standard output are then the command's own.

    Returns
    -------
    status : int
        0 if all went well, 1 after an error, whose message went to the
        standard error, 141 if nobody reads the output any more, and 128 plus
        its number after a signal: 130 for Ctrl-C, 143 for SIGTERM. Wrong
        usage exits with the status 2.
    """

    def work():
        # Importing takes a second, in which one may want to interrupt, too.
        from photutils_pconv.cli.entry import run

        return run(arguments)

    in_main_thread = threading.current_thread() is threading.main_thread()
    return watch(work) if arguments is None and in_main_thread else work()
