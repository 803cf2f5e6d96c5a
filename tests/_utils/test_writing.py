# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests that files are written whole, together, and where they can be.
"""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from photutils_pconv._utils import writing
from photutils_pconv._utils.writing import (
    check_output,
    remove_stale,
    write_atomically,
    write_bytes_atomically,
    write_together,
)

#: Writes three files over old ones, and kills itself at the n-th renaming.
KILLED = """
import os, signal, sys
from pathlib import Path
from photutils_pconv._utils.writing import write_together

rename = os.replace
for number in range(1, 7):
    folder = Path(sys.argv[1]) / str(number)
    folder.mkdir()
    names = ('map', 'table', 'plot')
    for name in names:
        (folder / name).write_text(f'old {name}')
    left = [number]

    def replace(*paths):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        rename(*paths)

    process = os.fork()
    if process == 0:
        os.replace = replace
        writers = {
            folder / name: lambda path, name=name: path.write_text(f'new {name}')
            for name in names
        }
        write_together(writers)
        os._exit(0)
    print(os.waitpid(process, 0)[1])
"""


@pytest.fixture
def dead():
    """The number of a process that does not exist any more."""
    process = subprocess.Popen([sys.executable, '-c', ''])
    process.wait()
    return process.pid


def list_files(folder):
    return sorted(path.name for path in folder.rglob('*') if path.is_file())


class TestBefore:
    def test_nothing_is_left(self, tmp_path):
        check_output([tmp_path / 'a', tmp_path / 'new' / 'new' / 'b'], overwrite=False)
        assert not list(tmp_path.iterdir())

    def test_existing(self, tmp_path):
        (tmp_path / 'a').write_text('old')
        with pytest.raises(FileExistsError, match='a would be overwritten'):
            check_output([tmp_path / 'a'], overwrite=False)
        check_output([tmp_path / 'a'], overwrite=True)
        assert (tmp_path / 'a').read_text() == 'old'

    def test_folder_for_a_file(self, tmp_path):
        (tmp_path / 'a').mkdir()
        with pytest.raises(IsADirectoryError, match='a is a folder'):
            check_output([tmp_path / 'a'], overwrite=True)

    @pytest.mark.parametrize('name', ['file/a', 'file/new/a', 'dangling/a'])
    def test_file_for_a_folder(self, tmp_path, name):
        (tmp_path / 'file').write_text('x')
        (tmp_path / 'dangling').symlink_to('nowhere')
        with pytest.raises(OSError, match='is a file: choose another name'):
            check_output([tmp_path / name], overwrite=False)

    @pytest.mark.skipif(os.name != 'posix', reason='permissions of POSIX')
    def test_read_only(self, tmp_path, monkeypatch):
        """Root may write everywhere, so the refusal is the system's in words."""

        def refuse(*_, **__):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

        monkeypatch.setattr('builtins.open', refuse)
        with pytest.raises(OSError, match='written into the folder .*: Read-only'):
            check_output([tmp_path / 'new' / 'a'], overwrite=False)

    @pytest.mark.skipif(not Path('/proc/self').exists(), reason='needs /proc')
    def test_really_read_only(self):
        with pytest.raises(OSError, match='nothing can be written into .*/proc'):
            check_output(['/proc/new/a'], overwrite=False)


class TestStale:
    def make(self, folder, process, *, machine=None):
        machine = machine or writing._machine()
        path = folder / f'.map.fits.{machine}-{process}-0a1b2c3d.pconv.tmp.fits'
        path.write_text('half')
        return path

    def test_removed(self, tmp_path, dead):
        (tmp_path / 'inner').mkdir()
        stale = [self.make(tmp_path, dead), self.make(tmp_path / 'inner', dead)]
        kept = [
            self.make(tmp_path, os.getpid()),
            self.make(tmp_path, dead, machine='0' * 8),
            tmp_path / '.map.fits.tmp',
            tmp_path / f'map.{writing._machine()}-{dead}-0a1b2c3d.pconv.tmp',
        ]
        for path in kept:
            path.write_text('precious')
        remove_stale(tmp_path)
        assert not any(path.exists() for path in stale)
        assert all(path.exists() for path in kept)

    @pytest.mark.parametrize('name', ['nowhere', 'file'])
    def test_no_folder(self, tmp_path, name):
        (tmp_path / 'file').write_text('x')
        remove_stale(tmp_path / name)
        assert list_files(tmp_path) == ['file']

    @pytest.mark.parametrize('name', ['map.fits', 'x' * 250, '\u00e9' * 120, 'a.b.c'])
    def test_names_are_known(self, tmp_path, name, dead, monkeypatch):
        monkeypatch.setattr(os, 'getpid', lambda: dead)
        path = writing._temporary_name(tmp_path / name)
        path.write_text('half')
        remove_stale(tmp_path)
        assert not list(tmp_path.iterdir())


class TestTogether:
    @pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs processes that fork')
    def test_killed(self, tmp_path):
        """Whenever it is killed, there are no files of two runs."""
        done = subprocess.run(
            [sys.executable, '-c', KILLED, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
        )
        # Two old files are put away, three new ones renamed.
        status = [int(line) for line in done.stdout.split()]
        assert status == [signal.SIGKILL] * 5 + [0]
        for number in range(1, 7):
            folder = tmp_path / str(number)
            remove_stale(folder)
            left = {path.name: path.read_text() for path in folder.iterdir()}
            age = 'old' if number < 4 else 'new'
            assert left['map'] == f'{age} map'
            assert all(text == f'{age} {name}' for name, text in left.items())
        assert len(list((tmp_path / '6').iterdir())) == 3

    @pytest.mark.parametrize('step', range(1, 6))
    def test_error(self, tmp_path, monkeypatch, step):
        """An error leaves all old files, until the first is the new one."""
        rename, left = os.replace, [step]

        def replace(*paths):
            left[0] -= 1
            if left[0] == 0:
                raise OSError(errno.EIO, 'the cable')
            rename(*paths)

        names = ('map', 'table', 'plot')
        for name in names:
            (tmp_path / name).write_text('old')
        monkeypatch.setattr(os, 'replace', replace)
        with pytest.raises(OSError, match='the cable'):
            write_together(
                {tmp_path / name: lambda path: path.write_text('new') for name in names}
            )
        left = {path.name: path.read_text() for path in tmp_path.iterdir()}
        if step < 4:
            assert left == dict.fromkeys(names, 'old')
        else:
            assert left == dict.fromkeys(names[: step - 3], 'new')


class TestFullDisk:
    """What is raised is an OSError that names the file; nothing is left."""

    @pytest.mark.parametrize('place', ['write', 'fsync'])
    @pytest.mark.parametrize('old', [True, False])
    def test_no_space(self, tmp_path, monkeypatch, place, old):
        path = tmp_path / 'table.csv'
        if old:
            path.write_text('old')

        def fail(*_):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def write(temporary):
            temporary.write_text('half')
            if place == 'write':
                fail()

        if place == 'fsync':
            monkeypatch.setattr(os, 'fsync', fail)
        with pytest.raises(
            OSError, match='table.csv cannot be written: No space'
        ) as info:
            write_atomically(path, write)
        assert info.value.errno == errno.ENOSPC
        assert list_files(tmp_path) == ['table.csv'] * old
        assert not old or path.read_text() == 'old'

    def test_bytes(self, tmp_path):
        resource = pytest.importorskip('resource')
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        try:
            with pytest.raises(OSError, match='a cannot be written: File too large'):
                write_bytes_atomically(tmp_path / 'a', bytes(5000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert not list(tmp_path.iterdir())

    def test_no_number(self, tmp_path):
        """Some packages raise errors that have a text alone."""

        def write(_):
            raise OSError('not enough space on disk')

        with pytest.raises(OSError, match='a cannot be written: not enough space'):
            write_atomically(tmp_path / 'a', write)
