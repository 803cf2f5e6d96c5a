# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Checksums of files.
"""

import hashlib

__all__ = ['file_checksum']


def file_checksum(path):
    """
    Give the SHA-256 of a file.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    checksum : str
        64 hexadecimal digits.
    """
    with open(path, 'rb') as handle:
        return hashlib.file_digest(handle, 'sha256').hexdigest()
