# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tables of encircled energies in files.
"""

import os

from astropy.table import QTable

__all__ = ['read_eef_file']


def read_eef_file(name):
    """
    Return a table of encircled energies: a name as it is, a file's content.

    Parameters
    ----------
    name : str or `None`
        The name, which has neither a folder nor an ending, or the file.

    Returns
    -------
    table : str, `~astropy.table.QTable` or `None`
        The name, or the file's table.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file does not exist or holds no table.
    """
    if name is None or not (os.path.dirname(name) or os.path.splitext(name)[1]):
        return name
    if not os.path.isfile(name):
        msg = f'the table of encircled energies {name!r} does not exist'
        raise FileNotFoundError(msg)
    known = name.lower().endswith(('.csv', '.ecsv', '.fits', '.fit', '.xml', '.vot'))
    try:
        return QTable.read(name, format=None if known else 'ascii')
    except Exception as exc:
        # Readers raise whatever they like on a file that is no such table.
        reason = (str(exc).splitlines() or [''])[0]
        msg = f'the table of encircled energies {name!r} cannot be read: {reason}'
        raise ValueError(msg) from exc
