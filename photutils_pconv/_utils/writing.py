# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Writing files whole or not at all, and never over others unasked.

A file is written under a temporary name, in its own folder, and renamed when
it is complete. The temporary name says which process made it, so that what
a killed one has left can be distinguished from the work of another, and removed.
"""

import contextlib
import hashlib
import os
import re
import socket
import uuid
from pathlib import Path

from photutils_pconv._utils.checks import to_bool

__all__ = [
    'check_output',
    'remove_stale',
    'write_atomically',
    'write_bytes_atomically',
    'write_together',
]

# What `_temporary_name` makes: .NAME.MACHINE-PROCESS-RANDOM.pconv.tmp.SUFFIX
_TEMPORARY = re.compile(
    r'\..+\.([0-9a-f]{8})-([0-9]+)-[0-9a-f]{8}\.pconv\.tmp(\.[^.]*)?'
)
# So much (bytes, characters) of a name goes into a temporary one, which must not
# be longer than the 255 bytes of most file systems.
_LONGEST_NAME = 150
_LONGEST_SUFFIX = 12


def check_output(paths, *, overwrite):
    """
    Find out before the work what would prevent its output.

    Parameters
    ----------
    paths : iterable of path-like
        The files that are going to be written. Their folders need not exist.

    overwrite : bool
        Whether they may replace others.

    Raises
    ------
    FileExistsError
        If a file exists and ``overwrite`` is False.

    IsADirectoryError
        If there is a folder instead of a file.

    NotADirectoryError
        If there is a file instead of a folder.

    OSError
        If nothing can be written into a folder.
    """
    overwrite = to_bool(overwrite, 'overwrite')
    paths = [Path(path).expanduser() for path in paths]
    for path in paths:
        if path.is_dir():
            msg = f'{path} is a folder: choose another name for the file'
            raise IsADirectoryError(msg)
    existing = [str(path) for path in paths if path.exists()]
    if existing and not overwrite:
        msg = (
            f'{", ".join(existing)} would be overwritten: choose another folder or '
            'allow it (overwrite=True, on the command line --overwrite)'
        )
        raise FileExistsError(msg)
    for folder in dict.fromkeys(path.parent for path in paths):
        _check_folder(folder)


def _check_folder(folder):
    """Make and remove a file in a folder, or in the one where it will be."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        msg = f'{folder} is a file: choose another name for the folder'
        raise NotADirectoryError(msg)
    probe = _temporary_name(folder / 'probe')
    try:
        # Permissions alone do not say of a file system that is read-only.
        with open(probe, 'xb'):
            pass
        probe.unlink()
    except OSError as exc:
        msg = f'nothing can be written into the folder {folder}: {exc.strerror}'
        raise OSError(exc.errno, msg) from exc


def remove_stale(folder):
    """
    Remove the temporary files that killed processes have left in a folder.

    Only files of this package are, whose process ran on this machine and
    does not exist any more. Folders inside are searched, too, but not those
    in them.

    Parameters
    ----------
    folder : path-like
        The folder; it need not exist.
    """
    folder = Path(folder).expanduser()
    # What cannot be read or removed, perhaps because another process was
    # faster, does not stop anybody from working.
    with contextlib.suppress(OSError):
        with os.scandir(folder) as entries:
            entries = list(entries)
        inner = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        for path in inner:
            with contextlib.suppress(OSError), os.scandir(path) as more:
                entries += more
        for entry in entries:
            if _is_stale(entry.name):
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)


def _is_stale(name):
    found = _TEMPORARY.fullmatch(name)
    # Elsewhere `os.kill` does more than to ask.
    if os.name != 'posix' or found is None or found[1] != _machine():
        return False
    try:
        os.kill(int(found[2]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        # It is there but somebody else's, or the system does not say.
        return False
    return False


def _machine():
    """Name this machine, and the part of it whose process numbers are ours."""
    name = socket.gethostname()
    with contextlib.suppress(OSError):
        name += os.readlink('/proc/self/ns/pid')
    return hashlib.blake2b(name.encode(), digest_size=4).hexdigest()


def _temporary_name(path):
    """Name a temporary file; writers know the format by its suffix."""
    name = os.fsdecode(os.fsencode(path.name)[:_LONGEST_NAME])
    token = f'{_machine()}-{os.getpid()}-{uuid.uuid4().hex[:8]}'
    return path.with_name(f'.{name}.{token}.pconv.tmp{path.suffix[:_LONGEST_SUFFIX]}')


def write_atomically(path, write):
    """
    Write a file under a temporary name, then rename it.

    Parameters
    ----------
    path : path-like
        The file; its folder must exist.

    write : callable
        What writes it. It is given the temporary path, which has the file's
        suffix and does not exist yet: astropy refuses to write over a file.

    Raises
    ------
    OSError
        If it cannot be written, because the disk is full for example; an
        older file is kept then.
    """
    write_together({path: write})


def write_together(writers):
    """
    Write files that belong together.

    All are written under temporary names first, so that an error leaves the
    old ones. Then the old ones but the first are put away, the first is
    renamed, and the others are. A process that is killed meanwhile leaves
    the old files or the new ones, of which all but the first may be missing,
    but never a new file beside an old one.

    Parameters
    ----------
    writers : dict
        What writes each file, by its path; see `write_atomically`. The first
        is the one without which the others are worth nothing.

    Raises
    ------
    OSError
        If one of them cannot be written; the old ones are kept then.
    """
    writers = {Path(path): write for path, write in writers.items()}
    temporary = {path: _temporary_name(path) for path in writers}
    first, *others = writers
    put_away = {path: _temporary_name(path) for path in others}
    try:
        for path, write in writers.items():
            _write_one(path, temporary[path], write)
        for path in reversed(others):
            with contextlib.suppress(FileNotFoundError):
                os.replace(path, put_away[path])
        for path, written in temporary.items():
            os.replace(written, path)
    except BaseException:
        # Once the first file is the new one, the others must not be the old.
        if temporary[first].exists():
            for path, away in put_away.items():
                if away.exists():
                    os.replace(away, path)
        raise
    finally:
        for path in (*temporary.values(), *put_away.values()):
            path.unlink(missing_ok=True)


def _write_one(path, temporary, write):
    """Write a file under its temporary name, down to the disk."""
    try:
        write(temporary)
        # The content must be on the disk before the name points to it.
        with open(temporary, 'rb+') as handle:
            os.fsync(handle.fileno())
    except OSError as exc:
        # The user knows the file by its final name.
        reason = exc.strerror or str(exc) or type(exc).__name__
        msg = f'{path} cannot be written: {reason}'
        raise (OSError(msg) if exc.errno is None else OSError(exc.errno, msg)) from exc


def write_bytes_atomically(path, content):
    """Write bytes under a temporary name, then rename the file."""

    def write(temporary):
        with open(temporary, 'xb') as handle:
            handle.write(content)

    write_atomically(path, write)
