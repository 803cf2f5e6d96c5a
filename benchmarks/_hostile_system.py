# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: kills and full disks.
"""

import signal
from functools import partial

from _hostile_case import add
from _hostile_children import call
from _hostile_scene import METHODS
from _hostile_shell import _NAMES, check_output, make_files
from astropy.io import fits
from astropy.table import Table

# -- kills -------------------------------------------------------------------


def check_files(context, folder, *, whole):
    """No file with a final name is half-written; give those that are there."""
    there = [name for name in _NAMES if (folder / name).exists()]
    for name in there:
        try:
            if name.endswith('fits'):
                with fits.open(folder / name) as hdus:
                    hdus.verify('exception')
                    assert hdus['HOLES'].data is not None
            else:
                assert len(Table.read(folder / name)) == 2
        except Exception as exc:
            context.fail(f'{name} is half-written: {exc}')
    if whole:
        context.check(len(there) == 2, f'only {there} is there')
    return there


def _check_kill(context, *, method, place, number, overwrite):
    make_files(context.folder)
    folder = context.folder / 'out'
    arguments = {'folder': str(context.folder), 'method': method}
    old = {}
    if overwrite:
        context.check(call('clean', **arguments)[0] == 0, 'the first run failed')
        old = {name: (folder / name).stat().st_ino for name in _NAMES}
    more = ['--overwrite'] if overwrite else []
    context.start()
    status, output = call(
        'kill', **arguments, place=place, number=int(number), more=more
    )
    # Two renames are not one: a file may be missing, but no pair is mixed.
    there = check_files(context, folder, whole=overwrite and place == 'network')
    if overwrite and there:
        new = [(folder / name).stat().st_ino != old[name] for name in there]
        context.check(len(set(new)) == 1, 'one file is new, the other old')
    lines = output.strip().splitlines()
    if number != signal.SIGKILL:
        context.check(status == 128 + number, f'the status is {status}')
        context.check(len(lines) <= 1, f'{len(lines)} lines: {lines[-1:]}')
        left = [path.name for path in folder.glob('.*')] if folder.exists() else []
        context.check(not left, f'{left} stays')
    else:
        context.check(status == -number, f'the status is {status}')
    # The next run works, and takes away what the first one left.
    more = ['--overwrite'] if there else []
    context.check(call('clean', **arguments, more=more)[0] == 0, 'the next run failed')
    check_output(context, method, folder)


for _method in METHODS:
    for _number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        for _place in (
            'network',
            'fsync 1',
            'replace 1',
            'after replace 1',
            'fsync 2',
            'replace 2',
        ):
            for _overwrite in (False, True):
                if _method == 'psf' and (_number != signal.SIGKILL or _overwrite):
                    continue
                add(
                    'kills',
                    f'{_method} {_number.name} at {_place}'
                    f'{", overwrite" if _overwrite else ""}',
                    partial(
                        _check_kill,
                        method=_method,
                        place=_place,
                        number=_number,
                        overwrite=_overwrite,
                    ),
                    seconds=30,
                    quick=_method == 'inpaint'
                    and (_number.name, _place, _overwrite)
                    in (
                        ('SIGKILL', 'replace 1', False),
                        ('SIGKILL', 'replace 2', True),
                        ('SIGINT', 'network', False),
                    ),
                )

# -- full disks --------------------------------------------------------------


def _check_failure(context, *, method, task, overwrite, **arguments):
    """An error of the system is told in a line, and nothing is left."""
    make_files(context.folder)
    folder = context.folder / 'out'
    common = {'folder': str(context.folder), 'method': method}
    before = {}
    if overwrite:
        context.check(call('clean', **common)[0] == 0, 'the first run failed')
        before = {name: (folder / name).read_bytes() for name in _NAMES}
        arguments['more'] = ['--overwrite']
    status, output = call(task, **common, **arguments)
    lines = output.strip().splitlines()
    context.check(status == 1, f'the status is {status}')
    context.check(
        len(lines) == 1 and lines[0].startswith('photutils-pconv: error: '),
        f'{len(lines)} lines: {lines[-1:]}',
    )
    left = {path.name for path in folder.iterdir()} if folder.exists() else set()
    context.check(left == set(before), f'{left} is there')
    for name, content in before.items():
        kept = (folder / name).exists() and (folder / name).read_bytes() == content
        context.check(kept, f'{name} was changed')


for _method in METHODS:
    for _overwrite in (False, True):
        _what = ', overwrite' if _overwrite else ''
        for _error in ('ENOSPC', 'EDQUOT', 'EIO', 'EROFS'):
            for _place in ('fsync 1', 'replace 1', 'fsync 2', 'replace 2'):
                if _method == 'psf' and _error != 'ENOSPC':
                    continue
                add(
                    'full disks',
                    f'{_method} {_error} at {_place}{_what}',
                    partial(
                        _check_failure,
                        method=_method,
                        task='fail',
                        place=_place,
                        error=_error,
                        overwrite=_overwrite,
                    ),
                    quick=_method == 'inpaint'
                    and (_error, _place) == ('ENOSPC', 'fsync 2'),
                )
        for _size in (0, 1000, 2880, 50000, 200000):
            add(
                'full disks',
                f'{_method} room for {_size} bytes{_what}',
                partial(
                    _check_failure,
                    method=_method,
                    task='limit',
                    size=_size,
                    overwrite=_overwrite,
                ),
                quick=_method == 'inpaint' and _size == 50000,
            )


def _check_rights(context, *, method, what):
    """What the rights forbid is known before the network runs."""
    make_files(context.folder)
    for path in (context.folder.parent, context.folder):
        path.chmod(0o755)
    folder = context.folder / 'out'
    folder.mkdir()
    folder.chmod(0o777)
    target = {'folder': folder, 'parent': context.folder}.get(
        what, context.folder / what
    )
    if what == 'parent':
        folder.rmdir()
    target.chmod(0o555 if target.is_dir() else 0o000)
    status, output = call('drop rights', folder=str(context.folder), method=method)
    lines = output.strip().splitlines()
    context.check(status == 1, f'the status is {status}')
    context.check('the network ran' not in output, 'found after the network ran')
    context.check(
        bool(lines) and lines[-1].startswith('photutils-pconv: error: '),
        str(lines[-1:]),
    )
    target.chmod(0o755)
    context.check(not folder.exists() or not any(folder.iterdir()), 'files are left')


for _method in METHODS:
    for _what in ('folder', 'parent', 'map.fits', 'sources.csv'):
        add(
            'full disks',
            f'{_method} no right to the {_what}',
            partial(_check_rights, method=_method, what=_what),
            quick=_method == 'inpaint' and _what in ('folder', 'map.fits'),
        )
    add(
        'full disks',
        f'{_method} few handles',
        lambda context, method=_method: _check_handles(context, method),
    )


def _check_handles(context, method):
    make_files(context.folder)
    arguments = {'folder': str(context.folder), 'method': method, 'number': 24}
    status, output = call('limit handles', **arguments)
    context.check(status in (0, 1), f'the status is {status}: {output[-200:]}')
    context.check('Traceback' not in output, output[-200:])
