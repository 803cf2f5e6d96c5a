# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of trainings that are killed, and of several processes.
"""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from photutils_pconv.network import read_card
from photutils_pconv.training.checkpoint import load_checkpoint

pytest.importorskip('accelerate')
pytest.importorskip('kornia')

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != 'posix', reason='needs SIGKILL'),
]
SCRIPT = Path(__file__).with_name('_process.py')


KILLED = {'epochs': 2, 'optimiser': {'name': 'adamw', 'ema_decay': 0.9}}
CONVERGED = {
    'epochs': 10,
    'checkpoint_steps': 0,
    'augmentation': {'enabled': False},
    'optimiser': {'learning_rate': 0.02, 'schedule': 'constant'},
}
# Every kind of term; batch norm would be each process' own.
GRADIENTS = {
    'freeze_batch_norm': True,
    'loss': {'terms': {'style_raw': 10, 'ssim': 1, 'source': 1}},
    'optimiser': {'clip_norm': None},
}


def launch(tasks, n_processes=1):
    """Run the script in n processes, as torchrun does, and wait."""
    environment = {**os.environ, 'OMP_NUM_THREADS': '1'}
    if n_processes > 1:
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            port = probe.getsockname()[1]
        environment |= {
            'MASTER_ADDR': '127.0.0.1',
            'MASTER_PORT': str(port),
            'WORLD_SIZE': str(n_processes),
            'LOCAL_WORLD_SIZE': str(n_processes),
        }
    processes = []
    for rank in range(n_processes):
        if n_processes > 1:
            environment |= {'RANK': str(rank), 'LOCAL_RANK': str(rank)}
        processes.append(
            subprocess.Popen(
                [sys.executable, str(SCRIPT), json.dumps(tasks)],
                env=environment,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    errors = [process.communicate(timeout=300)[1] for process in processes]
    return [process.returncode for process in processes], '\n'.join(errors)


@pytest.fixture(scope='module')
def script():
    """Return the script as a module."""
    spec = importlib.util.spec_from_file_location('_process', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def make_task(array_folder, tiny_config_values):
    """Return a function that makes a task of the script."""

    def make(output, changes, *, kill=None, gradients=None):
        return {
            'config': tiny_config_values(**changes),
            'folder': str(array_folder),
            'output': str(output),
            'kill': kill,
            'gradients': gradients and str(gradients),
        }

    return make


@pytest.fixture(scope='module')
def pair(tmp_path_factory, make_task):
    """Return the folder of what two processes did together."""
    folder = tmp_path_factory.mktemp('pair')
    path = folder / 'gradients.npz'
    tasks = [
        make_task(folder / 'gradients', GRADIENTS, gradients=path),
        make_task(folder / 'run', CONVERGED),
    ]
    returned, errors = launch(tasks, n_processes=2)
    assert returned == [0, 0], errors
    return folder


@pytest.fixture(scope='module')
def whole_run(tmp_path_factory, make_task, script):
    """Return the last checkpoint of a run that nothing disturbed."""
    output = tmp_path_factory.mktemp('whole') / 'run'
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    script.train(make_task(output, KILLED))
    torch.set_num_threads(before)
    return load_checkpoint(output / 'last.pt')


@pytest.mark.parametrize(
    ('kill', 'workers', 'step'),
    [
        # After the third step and before its checkpoint
        (('after update', 3), 0, 2),
        # While that was written: the epoch's end wrote three files more
        (('half written', 6), 1, 2),
    ],
)
def test_killed_and_resumed(
    make_task, make_trainer, whole_run, tmp_path, kill, workers, step
):
    output = tmp_path / 'killed'
    task = make_task(output, {**KILLED, 'workers': workers}, kill=kill)
    returned, errors = launch([task])
    assert returned == [-signal.SIGKILL], errors
    assert load_checkpoint(output / 'last.pt')['progress'].step == step
    halves = list(output.glob('.last.pt.*.tmp*'))
    assert [half.stat().st_size for half in halves] == [1000] * workers

    history = make_trainer(output=output, **KILLED).fit(resume=True)
    resumed = load_checkpoint(output / 'last.pt')
    assert resumed['average']['n_updates'] == 4
    for weights, expected in (
        (resumed['network'], whole_run['network']),
        (resumed['average']['weights'], whole_run['average']['weights']),
    ):
        assert set(weights) == set(expected)
        for name in weights:
            assert torch.equal(weights[name], expected[name]), name
    expected = whole_run['progress'].history
    for row, other in zip(history, expected, strict=True):
        for name in ('train_loss', 'valid_loss', 'hole_rms', 'learning_rate', 'step'):
            assert row[name] == other[name]
    assert not list(output.glob('.*'))


def test_two_processes_have_the_gradients_of_one(pair, make_task, script, tmp_path):
    # 8 cutouts in one process, and 4 in each of the two
    path = tmp_path / 'one.npz'
    script.train(make_task(tmp_path / 'one', GRADIENTS, gradients=path))
    with np.load(path) as file, np.load(pair / 'gradients.npz') as other:
        assert set(file) == set(other)
        for name in file:
            gradient = file[name]
            assert gradient.dtype == np.float64
            scale = np.abs(gradient).max()
            assert scale > 0
            np.testing.assert_allclose(
                other[name], gradient, rtol=0, atol=1e-5 * scale, err_msg=name
            )


def test_two_processes_converge_as_one(pair, make_trainer, tmp_path):
    state = load_checkpoint(pair / 'run' / 'last.pt')
    assert state['processes'] == 2
    two = [row['train_loss'] for row in state['progress'].history]
    history = make_trainer(output=tmp_path / 'one', **CONVERGED).fit()
    one = [row['train_loss'] for row in history]
    # Not the same: each process has its own batch norm statistics.
    assert one != two
    assert one[-1] < 0.3 * one[0]
    assert two[-1] < 1.25 * one[-1]
    assert state['progress'].history[-1]['n_figures'] == history[-1]['n_figures'] == 6
    card = read_card(pair / 'run' / 'tiny.safetensors')
    assert card.recipe['processes'] == 2


def test_accelerate_launches_two(make_task, tmp_path):
    task = make_task(tmp_path / 'run', {'epochs': 1, 'report': True})
    options = ['--multi_gpu', '--num_processes', '2', '--num_machines', '1']
    options += ['--mixed_precision', 'no', '--dynamo_backend', 'no']
    options += ['--main_process_port', '0']
    result = subprocess.run(
        [
            sys.executable,
            '-m',
            'accelerate.commands.launch',
            *options,
            str(SCRIPT),
            json.dumps([task]),
        ],
        env={**os.environ, 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.count('cpu, float32, 2 processes, each with 4 cutouts') == 1
    # Else threads of the others may abort a process that has done its work.
    assert result.stdout.count('left the others') == 2
    assert load_checkpoint(tmp_path / 'run' / 'last.pt')['processes'] == 2
