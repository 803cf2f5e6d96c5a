# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Public names of a package that are imported at their first use.
"""

import sys
from importlib import import_module


def attach(package, home):
    """
    Make the ``__getattr__`` and ``__dir__`` of a package.

    Parameters
    ----------
    package : str
        The package's ``__name__``.

    home : dict of str
        The module of the package in which each public name lives.

    Returns
    -------
    getattr_, dir_ : callable
        The two functions, to be bound in the package.
    """

    def getattr_(name):
        if name not in home:
            msg = f'module {package!r} has no attribute {name!r}'
            raise AttributeError(msg)
        value = getattr(import_module(f'{package}.{home[name]}'), name)
        # From now on the name is found without coming here.
        setattr(sys.modules[package], name, value)
        return value

    def dir_():
        return sorted({*vars(sys.modules[package]), *home})

    return getattr_, dir_
