# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Public names of a package that are imported at their first use.
"""

import sys
from importlib import import_module

__all__ = ['attach']


def attach(package, modules):
    """
    Make the face of a package.

    Parameters
    ----------
    package : str
        The package's ``__name__``.

    modules : dict of tuple of str
        The public names that each of the package's modules holds.

    Returns
    -------
    getattr_, dir_ : callable
        The package's ``__getattr__`` and ``__dir__``. The latter lists what
        is public and nothing else.

    names : list of str
        Its ``__all__``.
    """
    home = {name: module for module, names in modules.items() for name in names}

    def getattr_(name):
        if name not in home:
            msg = f'module {package!r} has no attribute {name!r}'
            raise AttributeError(msg)
        value = getattr(import_module(f'{package}.{home[name]}'), name)
        # From now on the name is found without coming here.
        setattr(sys.modules[package], name, value)
        return value

    return getattr_, lambda: sorted(home), sorted(home)
