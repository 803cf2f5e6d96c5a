# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The import of what only training needs.
"""

from importlib import import_module


def require(name):
    """
    Import kornia, accelerate or a part of them.

    Parameters
    ----------
    name : str
        The module, such as ``'kornia.metrics'``.

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
        package = name.partition('.')[0]
        msg = f"training needs {package}: pip install 'photutils-pconv[train]'"
        raise ImportError(msg) from exc
