# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of signals, pipes, full disks and threads, many in real processes."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.table import Table

from photutils_pconv import NeuralSourceRemover, cli
from photutils_pconv._utils import writing
from photutils_pconv.cli import _process, main
from photutils_pconv.inputs.tables import read_source_table
from photutils_pconv.psf.library import get_psf
from photutils_pconv.simulation.files import write_simulation

pytestmark = pytest.mark.skipif(os.name != 'posix', reason='signals of POSIX')

#: Runs the command line, which stops where it imports a module.
SCRIPT = """
import sys, time
from photutils_pconv.cli import main

class Stop:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            print('here', flush=True)
            try:
                time.sleep(60)
            finally:
                {cleaning}

sys.meta_path.insert(0, Stop())
sys.exit(main())
"""


def start(*arguments, module='photutils_pconv.network.registry', cleaning='pass'):
    code = SCRIPT.format(module=module, cleaning=cleaning)
    process = subprocess.Popen(
        [sys.executable, '-c', code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == 'here\n'
    return process


class TestSignals:
    @pytest.mark.parametrize(
        ('number', 'module', 'word'),
        [
            (signal.SIGINT, 'photutils_pconv.network.registry', 'interrupted'),
            (signal.SIGTERM, 'photutils_pconv.network.registry', 'terminated'),
            # The imports of the command line itself are interrupted, too.
            (signal.SIGINT, 'numpy', 'interrupted'),
        ],
    )
    def test_one_line(self, number, module, word):
        process = start('models', module=module)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert (out, err) == ('', f'photutils-pconv: {word}\n')
        assert process.returncode == 128 + number

    def test_cleaning_up_fails(self):
        """What goes wrong because of the signal is not what is told."""
        process = start('models', module='numpy', cleaning='raise KeyError("later")')
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (out, err) == ('', 'photutils-pconv: interrupted\n')
        assert process.returncode == 130


class TestWatch:
    """The same in this process, to see what it does to it."""

    @pytest.fixture(autouse=True)
    def _signals(self):
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.getsignal(number) for number in numbers}
        yield
        for number, handler in before.items():
            signal.signal(number, handler)

    def test_files_are_cleaned_up(self, tmp_path, capsys):
        def write(path):
            path.touch()
            signal.raise_signal(signal.SIGTERM)

        work = writing.write_atomically
        assert _process.watch(lambda: work(tmp_path / 'a', write)) == 143
        assert not list(tmp_path.iterdir())
        assert capsys.readouterr() == ('', 'photutils-pconv: terminated\n')

    def test_where_nothing_can_be_raised(self, capsys):
        """An interrupt in a destructor comes again a moment later."""

        class Hole:
            def __del__(self):
                signal.raise_signal(signal.SIGINT)

        def work():
            Hole()
            time.sleep(30)

        begin = time.monotonic()
        assert _process.watch(work) == 130
        assert time.monotonic() - begin < 10
        assert capsys.readouterr() == ('', 'photutils-pconv: interrupted\n')

    def test_worker(self, capfd):
        """A process that was forked leaves an interrupt to its parent."""

        def work():
            process = os.fork()
            if process == 0:
                signal.raise_signal(signal.SIGINT)
                os._exit(7)
            return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

        with warnings.catch_warnings():
            warnings.simplefilter('ignore', DeprecationWarning)
            assert _process.watch(work) == 7
        assert capfd.readouterr() == ('', '')

    def test_ignored_signals_stay_ignored(self):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

        def work():
            signal.raise_signal(signal.SIGHUP)
            return 5

        assert _process.watch(work) == 5

    def test_error(self):
        with pytest.raises(KeyError):
            _process.watch(lambda: {}['x'])


def test_whose_process_it_is(monkeypatch):
    """Signals belong to the command only when it is the whole process."""
    watched = []
    monkeypatch.setattr(cli, 'watch', lambda work: watched.append(work) or 0)
    monkeypatch.setattr(sys, 'argv', ['photutils-pconv', 'models', '--card', 'none'])
    assert main() == 0
    assert len(watched) == 1
    assert main(['models', '--card', 'none']) == 1
    assert len(watched) == 1


class TestStreams:
    def run(self, stdout, *arguments):
        done = subprocess.run(
            [sys.executable, '-m', 'photutils_pconv.cli', *arguments],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        return done.returncode, done.stderr

    @pytest.mark.parametrize(
        ('arguments', 'statuses'),
        # From Python 3.11.3 on, argparse does not care whether anybody reads its help.
        [(['models'], {141}), (['models', '--help'], {0, 141})],
    )
    def test_broken_pipe(self, arguments, statuses):
        reading, writing_end = os.pipe()
        os.close(reading)
        status, err = self.run(writing_end, *arguments)
        os.close(writing_end)
        assert status in statuses
        assert err == ''

    @pytest.mark.skipif(not os.path.exists('/dev/full'), reason='needs /dev/full')
    def test_full_disk(self):
        with open('/dev/full', 'w') as full:
            status, err = self.run(full, 'models')
        assert status == 1
        assert err == 'photutils-pconv: error: No space left on device\n'


@pytest.fixture
def small_files():
    """Return a function that lets no file be longer than 4000 bytes."""
    resource = pytest.importorskip('resource')
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4000, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class TestFullDisk:
    def test_remove(self, files, assert_one_line, small_files):
        arguments = ['remove', 'map.fits', 'sources.csv', '--model', 'flat.safetensors']
        arguments += ['--mode', 'scanmap', '--band', 'green', '-o', 'out', '--quiet']
        small_files()
        assert main([*arguments, '--error-method', 'local']) == 1
        assert_one_line('photutils-pconv: error: out/cleaned.fits cannot be written')
        assert os.listdir('out') == []

    def test_simulation(self, tmp_path, scene, small_files):
        sky = scene.wcs.pixel_to_world(scene.x, scene.y)
        sources = Table({'ra': sky.ra, 'dec': sky.dec, 'flux': scene.x})
        ccd = CCDData(scene.data, unit='Jy/pix', wcs=scene.wcs)
        small_files()
        with pytest.raises(OSError, match='field.*fits cannot be written'):
            write_simulation(ccd, sources, tmp_path, number=1, obsid='field')
        assert list(tmp_path.iterdir()) == []

    def test_psf(self, tmp_path, small_files):
        psf = get_psf('scanmap/green')
        small_files()
        with pytest.raises(OSError, match=r'psf\.fits cannot be written'):
            psf.to_fits(tmp_path / 'psf.fits')
        assert list(tmp_path.iterdir()) == []

    def test_read_only_is_found_before(self, files, assert_one_line, monkeypatch):
        def refuse(*_, **__):
            raise OSError(errno.EROFS, 'nothing can be written into the folder out')

        def fail(*_, **__):
            raise AssertionError

        monkeypatch.setattr('photutils_pconv.cli._common.check_output', refuse)
        monkeypatch.setattr('photutils_pconv.removal.remover.run_removal', fail)
        arguments = ['remove', 'map.fits', 'sources.csv', '-o', 'out']
        assert main([*arguments, '--setup', 'scanmap/green']) == 1
        assert_one_line('nothing can be written into the folder out')


def test_stale_files_are_removed(files, monkeypatch):
    process = subprocess.Popen([sys.executable, '-c', ''])
    process.wait()
    (files / 'out').mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(os, 'getpid', lambda: process.pid)
        stale = writing._temporary_name(files / 'out' / 'cleaned.fits')
    stale.write_text('half')
    assert main(['demo', '-o', 'out', '--model', 'none']) == 1
    assert not stale.exists()


class TestThreads:
    @pytest.mark.parametrize('options', [{}, {'recenter': True}])
    def test_remover(self, files, flat_model, options):
        """Eight threads leave the filters of warnings as they were."""
        remover = NeuralSourceRemover(
            'scanmap', 'green', model=flat_model, error_method='local', **options
        )
        barrier = threading.Barrier(8)

        def remove(_):
            barrier.wait()
            sources = read_source_table(files / 'sources.csv')
            return remover(files / 'map.fits', sources).photometry['flux'].value

        before = list(warnings.filters)
        with ThreadPoolExecutor(8) as pool:
            fluxes = list(pool.map(remove, range(8)))
        assert warnings.filters == before
        assert all(np.array_equal(one, fluxes[0], equal_nan=True) for one in fluxes)

    def test_command(self, capsys):
        barrier = threading.Barrier(8)

        def command(_):
            barrier.wait()
            return main(['models', '--card', 'none'])

        before, shown = list(warnings.filters), warnings.showwarning
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(command, range(8))) == [1] * 8
        assert warnings.filters == before
        assert warnings.showwarning is shown
        assert capsys.readouterr().err.count('\n') == 8
