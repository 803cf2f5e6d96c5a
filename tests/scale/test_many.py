# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of many maps on a cluster of two processes, one of which is killed."""

import gc
import os
import shutil
import signal
import sys

import pytest
from astropy.table import QTable
from numpy.testing import assert_array_equal

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.cli import main
from photutils_pconv.completeness import measure_completeness
from photutils_pconv.inputs import read_source_table
from photutils_pconv.scale import RemovalJob, connect, read_jobs, remove_many

distributed = pytest.importorskip('distributed')
cloudpickle = pytest.importorskip('cloudpickle')


@pytest.fixture(scope='module')
def client():
    """Return a client of a cluster of two processes."""
    with connect(n_workers=2) as connected:
        yield connected


class KillOnce(distributed.WorkerPlugin):
    """Kills the first process that begins with a map."""

    name = 'kill-once'

    def __init__(self, note):
        self.note = note

    def transition(self, key, start, finish, **_):
        if finish == 'executing' and str(key).startswith('remove-'):
            try:
                # Only one can make it.
                os.close(os.open(self.note, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return
            os.kill(os.getpid(), signal.SIGKILL)


def test_results_are_those_of_one_remover(many, tmp_path, client, assert_written):
    summary = remove_many(
        read_jobs(many.folder, options=many.options), tmp_path, client=client
    )
    assert list(summary['name']) == ['a', 'b', 'c', 'd']
    assert set(summary['status']) == {'done'}
    assert list(summary['n_sources']) == [2] * 4
    for name in summary['name']:
        assert_written(tmp_path, name)
    written = QTable.read(tmp_path / 'summary.ecsv')
    assert list(written['status']) == list(summary['status'])
    assert not (tmp_path / 'failures.txt').exists()

    def count_loads():
        from photutils_pconv.network import weights

        return weights._load_cached.cache_info().misses

    # One model, in each of the processes that had a map.
    assert max(client.run(count_loads).values()) == 1
    # The cluster is the user's.
    assert client.status == 'running'
    assert len(client.scheduler_info()['workers']) == 2


def test_a_killed_process_costs_nothing_but_time(
    many, tmp_path, client, assert_written
):
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    client.register_plugin(KillOnce(str(tmp_path / 'killed')))
    try:
        summary = remove_many(
            read_jobs(many.folder, options=many.options),
            tmp_path / 'out',
            client=client,
        )
    finally:
        client.unregister_worker_plugin(KillOnce.name)
        cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    assert (tmp_path / 'killed').exists()
    assert set(summary['status']) == {'done'}
    for name in summary['name']:
        assert_written(tmp_path / 'out', name)


def test_failures_stop_nothing(many, tmp_path, client, assert_written):
    """And what is repaired is done, and nothing else."""
    folder = tmp_path / 'maps'
    folder.mkdir()
    for path in (*many.folder.glob('[ab].fits'), *many.folder.glob('[ab].csv')):
        shutil.copy(path, folder)
    os.truncate(folder / 'a.fits', 3000)
    jobs = read_jobs(folder, options=many.options)
    jobs.append(
        RemovalJob(map=folder / 'no.fits', catalogue=folder / 'a.csv', name='no')
    )
    summary = remove_many(jobs, tmp_path / 'out', client=client)
    assert list(summary['status']) == ['failed', 'done', 'failed']
    assert 'a.fits' in summary['message'][0]
    text = (tmp_path / 'out' / 'failures.txt').read_text()
    assert text.count('Traceback') >= 2
    shutil.copy(many.folder / 'a.fits', folder)
    summary = remove_many(jobs[:2], tmp_path / 'out', client=client)
    assert list(summary['status']) == ['done', 'skipped']
    assert not (tmp_path / 'out' / 'failures.txt').exists()
    for name in 'ab':
        assert_written(tmp_path / 'out', name)


def test_command(many, tmp_path, client, assert_written, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ['remove', '--many', str(many.folder), '-o', 'out']
    for name, value in many.options.items():
        arguments += [f'--{name.replace("_", "-")}', value]
    arguments += ['--scheduler', client.scheduler.address]
    assert main([*arguments]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        os.path.join('out', 'summary.ecsv'),
        '4 maps: 4 done',
    ]
    assert 'maps: 100%' in err
    assert_written(tmp_path / 'out', 'c')
    (tmp_path / 'out' / 'b' / 'manifest.json').unlink()
    assert main([*arguments, '--quiet']) == 1
    assert '1 of 4 maps failed (b): ' in capsys.readouterr().err
    assert client.status == 'running'


def test_completeness_by_the_same_client(many, client):
    remover = NeuralSourceRemover('scanmap', 'green', **many.options)
    sources = read_source_table(many.folder / 'a.csv')
    tables = [
        measure_completeness(
            many.folder / 'a.fits',
            sources,
            remover=remover,
            fluxes=[0.05, 0.1],
            n_per_flux=2,
            n_per_round=1,
            separation=20.0,
            clearance=10.0,
            executor=executor,
        ).sources
        for executor in (None, client)
    ]
    for name in ('flux', 'flux_err', 'x_true'):
        assert_array_equal(tables[1][name], tables[0][name])


class TestArguments:
    def test_jobs(self, tmp_path):
        for jobs in ([], ['a.fits']):
            with pytest.raises(TypeError, match='RemovalJob'):
                remove_many(jobs, tmp_path)

    def test_settings_before_any_process(self, many, tmp_path):
        jobs = read_jobs(
            many.folder, options={'setup': 'scanmap/green', 'fill': 'paint'}
        )
        with pytest.raises(ValueError, match='fill must be one of'):
            remove_many(jobs, tmp_path / 'out', client='tcp://nowhere:1')
        assert not (tmp_path / 'out').exists()

    def test_client(self):
        with pytest.raises(TypeError, match='client must be'), connect(3):
            pass
        with (
            pytest.raises(ValueError, match='leave it or client out'),
            connect('tcp://a:1', n_workers=2),
        ):
            pass

    def test_nobody_answers(self, monkeypatch):
        monkeypatch.setattr('photutils_pconv.scale.clusters._PATIENCE', 0.5)
        with (
            pytest.raises(OSError, match='no scheduler of dask answers'),
            connect('tcp://127.0.0.1:9'),
        ):
            pass

    def test_without_dask(self, monkeypatch):
        monkeypatch.setitem(sys.modules, 'distributed', None)
        with pytest.raises(ImportError, match=r'photutils-pconv\[scale\]'), connect():
            pass

    @pytest.mark.parametrize(
        'options',
        [['map.fits', 'a.csv'], ['--obsid', '1'], ['--plot']],
    )
    def test_many_is_not_one(self, options, capsys, tmp_path):
        with pytest.raises(SystemExit):
            main(['remove', '--many', 'x', '-o', str(tmp_path / 'o'), *options])
        assert '--many has its own maps' in capsys.readouterr().err


@pytest.mark.parametrize('address', ['missing.dat', 'tcp://127.0.0.1:9'])
def test_a_client_that_failed_is_gone(monkeypatch, address):
    """Collected later, it would take dask's lock, perhaps from who has it."""
    distributed = pytest.importorskip('distributed')
    monkeypatch.setattr('photutils_pconv.scale.clusters._PATIENCE', 0.5)

    def find_clients():
        return {id(one) for one in gc.get_objects() if type(one) is distributed.Client}

    before = find_clients()
    gc.disable()
    try:
        with (
            pytest.raises(OSError, match='no scheduler of dask answers'),
            connect(address),
        ):
            pass
        assert find_clients() <= before
    finally:
        gc.enable()


def test_two_clusters_at_once(client):
    """Without a word about a port that is taken."""
    with connect(n_workers=1) as other:
        assert other.submit(sum, [1, 2]).result() == 3
        assert client.status == 'running'
