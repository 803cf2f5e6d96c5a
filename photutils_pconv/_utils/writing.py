# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Writing files whole or not at all, and never over others unasked.
"""

import os
import uuid
from pathlib import Path

from photutils_pconv._utils.checks import to_bool


def refuse_existing(paths, *, overwrite):
    """Raise FileExistsError if one of the files may not be replaced."""
    overwrite = to_bool(overwrite, 'overwrite')
    existing = [str(path) for path in paths if Path(path).exists()]
    if existing and not overwrite:
        msg = (
            f'{", ".join(existing)} would be overwritten: choose another folder or '
            'allow it (overwrite=True, on the command line --overwrite)'
        )
        raise FileExistsError(msg)


def write_atomically(path, write):
    """
    Write a file under a temporary name, then rename it.

    ``write`` is given the temporary path, which has the file's suffix and
    does not exist yet: astropy refuses to write over a file.
    """
    path = Path(path)
    temporary = path.with_name(f'.{path.name}.{uuid.uuid4().hex}.tmp{path.suffix}')
    try:
        write(temporary)
        # The content must be on the disk before the name points to it.
        with open(temporary, 'rb+') as handle:
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_bytes_atomically(path, content):
    """Write bytes under a temporary name, then rename the file."""

    def write(temporary):
        with open(temporary, 'xb') as handle:
            handle.write(content)

    write_atomically(path, write)
