# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Large files, over connections that break.

The downloads of astroquery neither give up a silent server nor go on after a
broken connection, and keep whole answers in memory; its queries are used, and
these downloads instead of its own.
"""

import errno
import json
import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from photutils_pconv._utils.optional import require
from photutils_pconv.archive.errors import (
    ArchiveConnectionError,
    ArchiveError,
    ArchiveFormatError,
    NotInArchiveError,
    ProprietaryDataError,
)
from photutils_pconv.archive.patience import describe_failure, is_passing

__all__ = [
    'DISK_FULL',
    'LARGEST_DOWNLOAD',
    'DownloadJob',
    'download',
    'refuse_page',
]

#: The largest file that is downloaded (bytes), by choice: the level 2.5 products
#: of the largest PACS fields are a few gigabytes.
LARGEST_DOWNLOAD = 100 * 10**9

_BLOCK = 1 << 16  # bytes that are written at once
#: What the system says of a full disk.
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# A server that lets a download go on but breaks every connection: by choice, 100
# times the 20 minutes after which the archive does so is more than a day.
_MOST_RESUMPTIONS = 100


@dataclass(frozen=True)
class DownloadJob:
    """
    What to download, and how.

    Parameters
    ----------
    url : str
        The address.

    what : str
        What it is, for messages and the progress bar.

    service : str
        What the service is called.

    patience : `~photutils_pconv.archive.Patience`
        How long to wait, and how often to try.

    progress_bar : bool
        Whether to show one, in bytes.
    """

    url: str
    what: str
    service: str
    patience: object
    progress_bar: bool


@dataclass(frozen=True)
class _Begun:
    """What is known of a download that has begun; it lies beside its bytes."""

    url: str
    validator: str | None
    total: int | None


def download(job, target):
    """
    Download a file; go on with what an earlier attempt has left.

    Parameters
    ----------
    job : `DownloadJob`
        What to download.

    target : `~pathlib.Path`
        The file; it is there only when it is whole. What has come so far is in
        ``.NAME.part`` beside it.

    Raises
    ------
    ArchiveConnectionError, ArchiveError, ArchiveFormatError, NotInArchiveError, \
    ProprietaryDataError
        If the file cannot be had. What has come so far is kept if the connection
        is to blame.
    """
    requests = require(
        'requests', purpose='the archive', install="'photutils-pconv[archive]'"
    )
    part = _Part(target)
    failures = resumptions = 0
    with requests.Session() as session, _bar(job) as bar:
        while True:
            before = part.size
            try:
                _attempt(session, job, part, bar)
                break
            except ArchiveError:
                raise
            except Exception as exc:
                if getattr(exc, 'errno', None) in DISK_FULL:
                    part.remove()
                    raise ArchiveError(_disk_full(part, job)) from exc
                if not is_passing(exc):
                    # The first is what urllib says of an address that is none.
                    if isinstance(exc, ValueError | requests.RequestException):
                        raise _unusable(exc, job) from exc
                    raise
                failures += 1
                if 0 < before < part.size and resumptions < _MOST_RESUMPTIONS:
                    # It went on where it broke off: that is progress.
                    failures, resumptions = 1, resumptions + 1
                if failures >= job.patience.attempts:
                    raise _give_up(exc, job, part, failures) from exc
            job.patience.wait(failures)
    part.finish()


def _attempt(session, job, part, bar):
    """Ask once, and write what comes."""
    begun = part.begun(job.url)
    headers = {'Accept-Encoding': 'identity'}
    if begun is not None:
        headers['Range'] = f'bytes={part.size}-'
        if begun.validator is not None:
            headers['If-Range'] = begun.validator
    with session.get(
        job.url, headers=headers, stream=True, timeout=job.patience.timeout
    ) as answer:
        if answer.status_code == 416:
            # There is no more than what has come, or it is another file by now.
            if begun is not None and begun.total == part.size:
                return
            part.restart()
            msg = 'the file has changed'
            raise ConnectionResetError(msg)
        _check_status(answer, job)
        total = _total_size(answer, part.size)
        if answer.status_code != 206:
            part.restart()
        elif not _continues(answer, part.size) or begun.total not in (None, total):
            part.restart()
            msg = 'another part was sent'
            raise ConnectionResetError(msg)
        _check_room(part, total, job)
        validator = answer.headers.get('ETag') or answer.headers.get('Last-Modified')
        if validator is not None and validator.startswith('W/'):
            validator = None
        part.begin(_Begun(job.url, validator, total))
        bar.restart(part.size, total)
        _write(answer, job, part, bar)
    if total is not None and part.size != total:
        msg = f'{part.size} of {total} bytes came'
        raise ConnectionResetError(msg)


def _write(answer, job, part, bar):
    """Write the blocks of an answer."""
    is_first = part.size == 0
    try:
        with open(part.path, 'ab') as handle:
            for block in answer.iter_content(_BLOCK):
                if is_first:
                    refuse_page(block, job.what, job.service)
                    is_first = False
                if handle.tell() + len(block) > LARGEST_DOWNLOAD:
                    msg = (
                        f'{job.what} is larger than {LARGEST_DOWNLOAD / 1e9:g} GB, '
                        'which no PACS product is: it is not downloaded.'
                    )
                    raise ArchiveFormatError(msg)
                handle.write(block)
                bar.update(len(block))
    except ArchiveFormatError:
        part.remove()
        raise


def refuse_page(start, what, service):
    """
    Refuse a web page that came instead of a file.

    Parameters
    ----------
    start : bytes
        The first bytes.

    what : str
        What it should be.

    service : str
        Who sent it.

    Raises
    ------
    ArchiveFormatError
        If it is a page; the message has its title.
    """
    head = start[:4096].lstrip().lower()
    if not head.startswith((b'<!doctype html', b'<html', b'<head', b'<?xml')):
        return
    text = start.decode('utf-8', 'replace')
    found = re.search(r'(?is)<title[^>]*>(.*?)</title>', text)
    title = ' '.join((found[1] if found else re.sub(r'<[^>]*>', ' ', text)).split())
    msg = (
        f'{service} sent a web page instead of {what}: "{title[:120]}". Look at '
        'it in a browser, or try again later.'
    )
    raise ArchiveFormatError(msg)


def _check_status(answer, job):
    """Say in words what a status means."""
    status = answer.status_code
    if status in (401, 403):
        msg = (
            f'{job.service} answered {status}: {job.what} is proprietary, or asks for '
            'a login. Download it in a browser and give the path of the file.'
        )
        raise ProprietaryDataError(msg)
    if status == 429 or status >= 500 or status == 408:
        answer.raise_for_status()
    if status not in (200, 206):
        msg = f'{job.service} has no {job.what}: it answered {status}.'
        raise NotInArchiveError(msg)


def _total_size(answer, have):
    """The size of the whole file, if the server gives it."""
    found = re.match(r'bytes \d+-\d+/(\d+)', answer.headers.get('Content-Range', ''))
    if found:
        return int(found[1])
    length = answer.headers.get('Content-Length', '')
    if not re.fullmatch('[0-9]+', length):
        return None
    return int(length) + (have if answer.status_code == 206 else 0)


def _continues(answer, have):
    found = re.match(r'bytes (\d+)-', answer.headers.get('Content-Range', ''))
    return found is not None and int(found[1]) == have


def _check_room(part, total, job):
    """Find out before the download that the disk is too small for it."""
    if total is None:
        return
    if total > LARGEST_DOWNLOAD:
        part.remove()
        msg = (
            f'{job.what} has {total / 1e9:.0f} GB, which no PACS product has: it is '
            'not downloaded.'
        )
        raise ArchiveFormatError(msg)
    if shutil.disk_usage(part.path.parent).free < total - part.size:
        part.remove()
        raise ArchiveError(_disk_full(part, job, total))


def _disk_full(part, job, total=None):
    size = '' if total is None else f' of {total / 1e6:.0f} MB'
    return (
        f'The disk is full: {job.what}{size} has no room in {part.path.parent}. Make '
        'room, or set XDG_CACHE_HOME to a larger disk. Nothing is left of the download.'
    )


def _unusable(error, job):
    """The error of an address that leads nowhere, or round in circles."""
    reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return ArchiveFormatError(
        f'{job.service} gave an address of {job.what} that cannot be used '
        f'({job.url!r}: {reason}).'
    )


def _give_up(error, job, part, attempts):
    """The error of a download that did not get to its end."""
    msg = describe_failure(error, job.service, job.patience, attempts)
    if part.size > 0:
        begun = part.begun(job.url)
        came = f'So far {part.size / 1e6:.1f} MB of {job.what} came'
        if begun is None:
            came += (
                ', but the server does not say what they belong to, so that the next '
                'attempt begins anew'
            )
        msg = f'{msg} {came}.'
    return ArchiveConnectionError(msg)


class _Part:
    """What has come of a file so far."""

    def __init__(self, target):
        self.target = Path(target)
        self.path = self.target.with_name(f'.{self.target.name}.part')
        self._note = self.target.with_name(f'.{self.target.name}.part.json')

    @property
    def size(self):
        return self.path.stat().st_size if self.path.exists() else 0

    def begun(self, url):
        """What is known of the download, if it can go on."""
        if self.size == 0:
            return None
        try:
            begun = _Begun(**json.loads(self._note.read_text(encoding='utf-8')))
        except (OSError, ValueError, TypeError):
            return None
        # Without either nobody knows whether it is still the same file.
        known = begun.validator is not None or begun.total is not None
        return begun if begun.url == url and known else None

    def begin(self, begun):
        self._note.write_text(json.dumps(asdict(begun)), encoding='utf-8')
        self.path.touch()

    def restart(self):
        self.path.unlink(missing_ok=True)

    def remove(self):
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def finish(self):
        self.path.touch()
        with open(self.path, 'rb+') as handle:
            os.fsync(handle.fileno())
        os.replace(self.path, self.target)
        self._note.unlink(missing_ok=True)


@contextmanager
def _bar(job):
    """Show the bytes as they come."""
    if not job.progress_bar:
        yield _NoBar()
        return
    from tqdm.auto import tqdm

    with tqdm(desc=job.what, unit='B', unit_scale=True, unit_divisor=1000) as bar:
        yield _Bar(bar)


class _NoBar:
    def restart(self, done, total):
        pass

    def update(self, number):
        pass


class _Bar(_NoBar):
    def __init__(self, bar):
        self._bar = bar

    def restart(self, done, total):
        self._bar.total = total
        self._bar.n = self._bar.initial = done
        self._bar.refresh()

    def update(self, number):
        self._bar.update(number)
