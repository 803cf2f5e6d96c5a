# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Maps that were fetched before: files with a note of where they came from.
"""

import json
import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from astropy.config import paths

from photutils_pconv._utils.checksums import file_checksum
from photutils_pconv._utils.warnings import warn_user
from photutils_pconv._utils.writing import write_bytes_atomically
from photutils_pconv.archive.errors import ArchiveConnectionError, ArchiveError

__all__ = [
    'cache_error',
    'find_cached',
    'lock',
    'map_folder',
    'read_note',
    'write_note',
]

_POLL = 0.2  # s between two looks at a lock, by choice


def map_folder(obsid):
    """
    Give the folder of an observation in astropy's cache, and make it.

    Parameters
    ----------
    obsid : str
        The observation.

    Returns
    -------
    folder : `~pathlib.Path`
        ``photutils_pconv/OBSID`` in the folder of `astropy.config.get_cache_dir`.

    Raises
    ------
    ArchiveError
        If it cannot be made.
    """
    folder = 'of astropy'
    try:
        folder = Path(paths.get_cache_dir()) / 'photutils_pconv' / obsid
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError) as exc:
        raise cache_error(folder, 'made', exc) from exc
    return folder


def cache_error(folder, what, error):
    """
    Make the error of a cache that does not serve.

    Parameters
    ----------
    folder : path-like
        The folder.

    what : str
        What cannot be done with it, such as ``'made'``.

    error : Exception
        What the system says.

    Returns
    -------
    error : ArchiveError
        The error, to be raised.
    """
    reason = getattr(error, 'strerror', None) or error
    return ArchiveError(
        f'The cache {folder} cannot be {what}: {reason}. Set XDG_CACHE_HOME to a '
        'folder that can be written into and has a folder astropy.'
    )


def _note_path(path):
    return path.with_name(f'{path.name}.json')


def write_note(path, note):
    """
    Write down where a file came from.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file; the note has its name and ``.json``.

    note : dict
        What to write.
    """
    text = json.dumps(note, indent=2, sort_keys=True) + '\n'
    write_bytes_atomically(_note_path(path), text.encode())


def read_note(path):
    """
    Read where a file came from.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file.

    Returns
    -------
    note : dict or `None`
        What is written there; `None` if there is nothing that can be read.
    """
    try:
        note = json.loads(_note_path(path).read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) else None


def find_cached(folder, is_wanted):
    """
    Find a file that was fetched before, and has not changed since.

    A file that has changed is removed, with a warning.

    Parameters
    ----------
    folder : `~pathlib.Path`
        The folder.

    is_wanted : callable
        Whether a file will do, by its note.

    Returns
    -------
    path, note : `~pathlib.Path` and dict, or `None` and `None`
        The file and its note.
    """
    for note_path in sorted(folder.glob('*.json')):
        path = note_path.with_name(note_path.name.removesuffix('.json'))
        note = read_note(path)
        if note is None or not path.is_file() or not is_wanted(note):
            continue
        if file_checksum(path) == note.get('sha256'):
            return path, note
        warn_user(
            f'{path} is not what was fetched (its SHA-256 differs): it is fetched '
            'again.'
        )
        with suppress(OSError):
            path.unlink(missing_ok=True)
            note_path.unlink(missing_ok=True)
    return None, None


@contextmanager
def lock(folder, *, timeout):
    """
    Let one process at a time fetch into a folder.

    The system gives a dead process' lock back by itself.

    Parameters
    ----------
    folder : `~pathlib.Path`
        The folder.

    timeout : float
        How long to wait for another process that makes no progress (s).

    Raises
    ------
    ArchiveConnectionError
        If another process holds it and fetches nothing.

    ArchiveError
        If nothing can be written into the folder.
    """
    try:
        handle = open(folder / '.lock', 'a+b')
    except OSError as exc:
        raise cache_error(folder, 'written into', exc) from exc
    with handle:
        last, since = _state(folder), time.monotonic()
        while not _try_lock(handle):
            state = _state(folder)
            if state != last:
                last, since = state, time.monotonic()
            elif time.monotonic() - since > timeout:
                msg = (
                    f'Another process fetches into {folder}, and has made no progress '
                    f'for {timeout:g} s: wait for it, or end it.'
                )
                raise ArchiveConnectionError(msg)
            time.sleep(_POLL)
        # Closing the file gives the lock back.
        yield


def _state(folder):
    """What changes in a folder while something is fetched into it."""
    state = []
    for path, _, names in os.walk(folder):
        for name in names:
            # It may be gone by now.
            with suppress(OSError):
                state.append((name, os.stat(os.path.join(path, name)).st_size))
    return sorted(state)


def _try_lock(handle):
    """Lock an open file; say whether it worked, or cannot work here at all."""
    try:
        import fcntl
    except ImportError:
        import msvcrt

        try:
            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # Some file systems have no locks: whoever waits would wait for ever.
        warn_user(
            f'The file system of {handle.name} has no locks: do not fetch the same '
            'observation with two processes at the same time.'
        )
        return True
    return True
