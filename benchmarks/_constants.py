# Licensed under a 3-clause BSD style license - see LICENSE.rst
r"""
Other values of the package's constants, to see what one is worth.

Numbers that were chosen by a benchmark are constants of the modules that use them.
``--set MODULE.NAME=VALUE`` runs the benchmark with another one::

    python benchmarks/finding.py --half train \
        --set photutils_pconv.finding.search._WIDE_GAIN=0.6
"""

import argparse
import ast
import importlib

__all__ = [
    'add_constants_argument',
    'changed_constants',
    'read_constant',
    'set_constant',
]

_changed = []


def add_constants_argument(parser):
    """
    Add the argument that changes constants.

    Parameters
    ----------
    parser : `argparse.ArgumentParser`
        The parser; the constants are set while it reads the command line.
    """
    parser.add_argument(
        '--set',
        action='append',
        type=_set,
        metavar='MODULE.NAME=VALUE',
        help='run with another value of a constant of the package',
    )


def _set(text):
    try:
        return set_constant(text)
    except ValueError as exc:
        # Of others, argparse leaves out what they say.
        raise argparse.ArgumentTypeError(str(exc)) from exc


def changed_constants():
    """
    Give what was set, for processes that have to be told.

    Returns
    -------
    texts : list of str
        The arguments of `set_constant` so far.
    """
    return list(_changed)


def read_constant(path):
    """
    Give the value of a constant.

    Parameters
    ----------
    path : str
        ``MODULE.NAME``.

    Returns
    -------
    value : object
        The value that it has in this process.
    """
    module, _, name = path.rpartition('.')
    return getattr(importlib.import_module(module), name)


def set_constant(text):
    """
    Set a constant of a module of the package.

    A constant that another module has imported keeps its value there.

    Parameters
    ----------
    text : str
        ``MODULE.NAME=VALUE``, with a Python literal.

    Returns
    -------
    text : str
        The same.

    Raises
    ------
    ValueError
        If there is no such constant, or the value is no literal of its kind.
    """
    path, given, value = text.partition('=')
    if not (given and path.startswith('photutils_pconv.')):
        msg = f'expected photutils_pconv.MODULE.NAME=VALUE, got {text!r}'
        raise ValueError(msg)
    module, _, name = path.rpartition('.')
    try:
        old = read_constant(path)
        new = ast.literal_eval(value)
    except (ImportError, AttributeError, SyntaxError, ValueError) as exc:
        msg = f'{text!r} cannot be set: {exc}'
        raise ValueError(msg) from exc
    if type(new) is not type(old) and not {type(new), type(old)} <= {int, float}:
        msg = f'{path} is {old!r}, and cannot be {new!r}'
        raise ValueError(msg)
    setattr(importlib.import_module(module), name, new)
    _changed.append(text)
    return text
