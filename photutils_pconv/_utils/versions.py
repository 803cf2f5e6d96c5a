# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Versions of this package and of those it works with.
"""

from importlib import metadata

__all__ = ['VERSION', 'package_versions']

try:
    #: The version of this package.
    VERSION = metadata.version('photutils-pconv')
except metadata.PackageNotFoundError:  # a source tree that was never installed
    VERSION = '0.1.dev0'

_VERSIONED = ('torch', 'safetensors', 'numpy')


def package_versions(*others):
    """
    Give the versions of the packages that make a model.

    Parameters
    ----------
    *others : str
        The names of further packages.

    Returns
    -------
    versions : dict of str
        Package name to version; ``'unknown'`` for a package that is not
        installed as a distribution.
    """
    versions = {'photutils_pconv': VERSION}
    for name in (*_VERSIONED, *others):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = 'unknown'
    return versions
