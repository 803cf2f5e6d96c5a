# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What can go wrong between here and an archive.
"""

__all__ = [
    'ArchiveConnectionError',
    'ArchiveError',
    'ArchiveFormatError',
    'NotInArchiveError',
    'ProprietaryDataError',
]


class ArchiveError(OSError):
    """
    Something that was asked of an archive did not come.
    """


class ArchiveConnectionError(ArchiveError):
    """
    An archive could not be reached, was too slow, or broke the connection.
    """


class NotInArchiveError(ArchiveError):
    """
    An archive does not have what was asked for.
    """


class ProprietaryDataError(ArchiveError):
    """
    An archive keeps what was asked for to its owners.
    """


class ArchiveFormatError(ArchiveError):
    """
    What an archive sent is not what it should be.
    """
