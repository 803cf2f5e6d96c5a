# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command line: ``photutils-pconv COMMAND``.
"""

import argparse
from functools import cache, partial

from photutils_pconv._utils.versions import VERSION
from photutils_pconv.cli import (
    _bands,
    _compare,
    _completeness,
    _dataset,
    _demo,
    _evaluate,
    _fetch,
    _find,
    _find_sources,
    _migrate,
    _models,
    _remove,
    _setups,
    _simulate,
    _stars,
    _train,
)
from photutils_pconv.cli._common import flush, run_command
from photutils_pconv.cli._process import BROKEN_PIPE, silence_output

__all__ = ['make_parser', 'run']

# In the order of the help. Each has ``add_parser(subparsers)``, which adds its
# parser to what ``ArgumentParser.add_subparsers`` returns, and ``run(options)``,
# which does the work that the parsed options describe.
_COMMANDS = (
    _remove,
    _bands,
    _find_sources,
    _find,
    _fetch,
    _completeness,
    _demo,
    _simulate,
    _dataset,
    _compare,
    _train,
    _evaluate,
    _stars,
    _models,
    _migrate,
    _setups,
)


def run(arguments=None):
    """
    Run the command that the arguments name.

    Parameters
    ----------
    arguments : sequence of str, optional
        The arguments; by default those of the process.

    Returns
    -------
    status : int
        See `photutils_pconv.cli.main`.
    """
    try:
        try:
            options = make_parser().parse_args(arguments)
        finally:
            # The help may be too long for whoever reads it.
            flush()
    except BrokenPipeError:
        silence_output()
        return BROKEN_PIPE
    return run_command(options)


class _Parser(argparse.ArgumentParser):
    """
    A parser that reports a wrong usage in a line.
    """

    def error(self, message):
        """
        Say what is wrong, and exit.

        Parameters
        ----------
        message : str
            What is wrong.
        """
        message = ' '.join(message.split())
        self.exit(2, f'{self.prog}: error: {message} (usage: {self.prog} --help)\n')


@cache
def make_parser():
    """
    Make the parser of the command line.

    Returns
    -------
    parser : `~argparse.ArgumentParser`
        The parser, with a parser for each command.
    """
    parser = _Parser(
        prog='photutils-pconv',
        description='Remove compact sources from maps and measure them.',
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of an error'
    )
    parser.add_argument(
        '--version', action='version', version=f'photutils-pconv {VERSION}'
    )
    # The demo would take --mode for --model.
    whole_names = partial(_Parser, allow_abbrev=False)
    subparsers = parser.add_subparsers(
        required=True, metavar='COMMAND', parser_class=whole_names
    )
    for command in _COMMANDS:
        command.add_parser(subparsers)
    return parser
