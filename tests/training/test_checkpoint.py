# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of checkpoints as files.
"""

import errno
import random

import numpy as np
import pytest
import torch

from photutils_pconv.training import TrainingConfig
from photutils_pconv.training.checkpoint import (
    check_compatible,
    get_random_states,
    load_checkpoint,
    save_checkpoint,
    set_random_states,
)
from photutils_pconv.training.progress import Progress

DATA = {'training_cutouts': 9, 'normalisation': {'name': 'minmax'}}


def save(path, *, value=1.0, **changes):
    state = {
        'config': TrainingConfig().to_dict(),
        'data': DATA,
        'network': {'weight': torch.full((1000,), value)},
        'optimiser': {'state': {0: {'step': torch.tensor(3.0)}}, 'param_groups': []},
        'schedule': {'best': float('inf'), '_last_lr': [0.1]},
        'random_states': [get_random_states()],
        'progress': Progress(epoch=2, step=7, history=[{'loss': 0.5}]),
        **changes,
    }
    save_checkpoint(path, **state)
    return state


def test_round_trip(tmp_path):
    path = tmp_path / 'last.pt'
    written = save(path)
    state = load_checkpoint(path)
    assert state['progress'] == written['progress']
    assert state['config'] == written['config']
    assert state['schedule'] == written['schedule']
    assert torch.equal(state['network']['weight'], written['network']['weight'])
    assert state['average'] is None
    assert list(tmp_path.iterdir()) == [path]


def test_random_states(tmp_path):
    path = tmp_path / 'last.pt'
    before = get_random_states()
    save(path, random_states=[before])
    legacy = np.random.random
    drawn = random.random(), legacy(), float(torch.rand(()))
    assert drawn != (random.random(), legacy(), float(torch.rand(())))
    set_random_states(load_checkpoint(path)['random_states'][0])
    assert drawn == (random.random(), legacy(), float(torch.rand(())))
    set_random_states(before)


def test_full_disk(tmp_path):
    resource = pytest.importorskip('resource')
    path = tmp_path / 'last.pt'
    save(path)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, limits[1]))
    try:
        with pytest.raises(OSError, match='the one from before is kept'):
            save(path, value=2.0)
        with pytest.raises(OSError, match='there is none yet') as error:
            save(tmp_path / 'best.pt')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    # Python's own limit stands in for the disk's.
    assert error.value.errno == errno.EFBIG
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize('damage', ['truncated', 'text', 'other', 'format'])
def test_damaged(tmp_path, damage):
    path = tmp_path / 'last.pt'
    save(path)
    if damage == 'truncated':
        path.write_bytes(path.read_bytes()[:-500])
    elif damage == 'text':
        path.write_text('no checkpoint')
    elif damage == 'other':
        torch.save({'network': {}}, path)
    else:
        torch.save({**torch.load(path, weights_only=True), 'format': 99}, path)
    with pytest.raises(ValueError, match=r'last\.pt'):
        load_checkpoint(path)


def test_no_code_is_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / 'evil'), 'w'))

    path = tmp_path / 'last.pt'
    torch.save({'network': Evil()}, path)
    with pytest.raises(ValueError, match='damaged or no checkpoint'):
        load_checkpoint(path)
    assert not (tmp_path / 'evil').exists()


def test_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no checkpoint .*best\.pt'):
        load_checkpoint(tmp_path / 'best.pt')


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (
            {'network': {'width': 4}},
            'network.width is 32 in the checkpoint, but 4 in the conf.* another output',
        ),
        ({'seed': 1}, 'seed is 0 in the checkpoint, but 1'),
        ({'batch_size': 8}, 'batch_size is 64'),
        ({'optimiser': {'name': 'adamw'}}, "optimiser.name is 'adam'"),
        ({'loss': {'terms': {'ssim': 1}}}, 'loss.terms is'),
        (
            {'augmentation': {'shift': 1}},
            'augmentation.shift is 2 in the checkpoint, but 1',
        ),
    ],
)
def test_incompatible_configuration(tmp_path, changes, message):
    save(tmp_path / 'last.pt')
    state = load_checkpoint(tmp_path / 'last.pt')
    config = TrainingConfig.from_dict(changes).to_dict()
    with pytest.raises(ValueError, match=message):
        check_compatible(state, config, 'last.pt', data=DATA)


def test_epochs_rule_the_cosine(tmp_path):
    for schedule, warm_up in (('cosine', 0.0), ('linear', 0.0), ('constant', 0.1)):
        values = {'optimiser': {'schedule': schedule, 'warm_up': warm_up}}
        config = TrainingConfig.from_dict(values).to_dict()
        save(tmp_path / 'last.pt', config=config)
        state = load_checkpoint(tmp_path / 'last.pt')
        longer = {**config, 'epochs': 30}
        with pytest.raises(ValueError, match='epochs is 20 in the checkpoint, but 30'):
            check_compatible(state, longer, 'last.pt', data=DATA)


def test_other_data(tmp_path):
    save(tmp_path / 'last.pt')
    state = load_checkpoint(tmp_path / 'last.pt')
    config = TrainingConfig().to_dict()
    other = {**DATA, 'normalisation': {'name': 'robust'}}
    with pytest.raises(ValueError, match='normalisation of the data is'):
        check_compatible(state, config, 'last.pt', data=other)


def test_what_may_change(tmp_path):
    save(tmp_path / 'last.pt')
    state = load_checkpoint(tmp_path / 'last.pt')
    config = TrainingConfig(
        epochs=40, workers=3, output='elsewhere', examples=0, checkpoint_steps=7
    )
    check_compatible(state, config.to_dict(), 'last.pt', data=DATA)
