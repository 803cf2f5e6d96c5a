# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command line: ``photutils-pconv COMMAND``.
"""

import argparse
from functools import partial

from photutils_pconv.cli import (
    _demo,
    _evaluate,
    _models,
    _remove,
    _simulate,
    _train,
)
from photutils_pconv.cli._common import run_command

__all__ = ['main', 'make_parser']

# In the order of the help. Each has ``add_parser(subparsers)``, which adds its
# parser to what ``ArgumentParser.add_subparsers`` returns, and ``run(options)``,
# which does the work that the parsed options describe.
_COMMANDS = (_remove, _demo, _simulate, _train, _evaluate, _models)


def main(arguments=None):
    """
    Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        The arguments; by default those of the process.

    Returns
    -------
    status : int
        0 if all went well, 1 after an error, whose message went to the
        standard error. Wrong usage exits with the status 2.
    """
    return run_command(make_parser().parse_args(arguments))


def make_parser():
    """
    Make the parser of the command line.

    Returns
    -------
    parser : `~argparse.ArgumentParser`
        The parser, with a parser for each command.
    """
    parser = argparse.ArgumentParser(
        prog='photutils-pconv',
        description='Remove compact sources from maps and measure them.',
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of an error'
    )
    # The demo would take --mode for --model.
    whole_names = partial(argparse.ArgumentParser, allow_abbrev=False)
    subparsers = parser.add_subparsers(
        required=True, metavar='COMMAND', parser_class=whole_names
    )
    for command in _COMMANDS:
        command.add_parser(subparsers)
    return parser
