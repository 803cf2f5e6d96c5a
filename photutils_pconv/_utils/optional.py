# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The import of packages that only parts of this one need.
"""

from importlib import import_module

__all__ = ['require']


def require(
    name,
    *,
    package=None,
    purpose='training',
    install="'photutils-pconv[train]'",
    otherwise=None,
):
    """
    Import an optional package or a part of it.

    Parameters
    ----------
    name : str
        The module, such as ``'kornia.metrics'``.

    package : str, optional
        What the package is called; by default as its module is.

    purpose : str, optional
        What needs it.

    install : str, optional
        What pip is to install.

    otherwise : str, optional
        What can be done instead.

    Returns
    -------
    module : module
        The module.

    Raises
    ------
    ImportError
        If it is missing; the message says what to install.
    """
    try:
        return import_module(name)
    except ImportError as exc:
        package = package or name.partition('.')[0]
        msg = f'{purpose} needs {package}: pip install {install}'
        if otherwise:
            msg += f', or {otherwise}'
        raise ImportError(msg) from exc
