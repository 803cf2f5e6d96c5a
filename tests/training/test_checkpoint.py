# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of checkpoints as files.
"""

import errno
import hashlib
import io

import numpy as np
import pytest
import torch

from photutils_pconv.training import TrainingConfig
from photutils_pconv.training.checkpoint import (
    _START,
    check_compatible,
    load_checkpoint,
    save_checkpoint,
)
from photutils_pconv.training.progress import Progress

DATA = {
    'training_cutouts': 9,
    'normalisation': {'name': 'minmax'},
    'training_data': 'a1',
    'validation_data': 'b2',
    'start': '',
}


def save(path, *, value=1.0, **changes):
    state = {
        'config': TrainingConfig().to_dict(),
        'data': DATA,
        'network': {'weight': torch.full((1000,), value)},
        'optimiser': {'state': {0: {'step': torch.tensor(3.0)}}, 'param_groups': []},
        'schedule': {'best': float('inf'), '_last_lr': [0.1]},
        'processes': 1,
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


def test_numbers_of_others_are_left_alone(tmp_path):
    legacy = np.random.get_state()[1].copy()  # noqa: NPY002
    state = torch.get_rng_state()
    save(tmp_path / 'last.pt')
    load_checkpoint(tmp_path / 'last.pt')
    assert np.array_equal(np.random.get_state()[1], legacy)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), state)


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


@pytest.mark.parametrize('damage', ['truncated', 'text', 'empty', 'other', 'format'])
def test_damaged(tmp_path, damage):
    path = tmp_path / 'last.pt'
    save(path)
    content = path.read_bytes()
    if damage == 'truncated':
        path.write_bytes(content[:-500])
    elif damage == 'text':
        path.write_text('no checkpoint')
    elif damage == 'empty':
        path.write_bytes(b'')
    elif damage == 'other':
        torch.save({'network': {}}, path)
    else:
        path.write_bytes(content.replace(b'format 3', b'format 9', 1))
    with pytest.raises(ValueError, match=r'last\.pt'):
        load_checkpoint(path)


def test_any_flipped_bit_is_found(tmp_path):
    path = tmp_path / 'last.pt'
    save(path)
    content = path.read_bytes()
    rng = np.random.default_rng(3)
    places = [*range(0, 120, 3), *rng.integers(len(content), size=200)]
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        with pytest.raises(
            ValueError, match=r'last\.pt.* (checksum|is not a training)'
        ):
            load_checkpoint(path)
    path.write_bytes(content)
    load_checkpoint(path)


def write_as_checkpoint(path, content):
    """Write anything with a right checksum, as a file that is made up."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest().encode()
    path.write_bytes(_START + digest + b'\n' + buffer.getvalue())


def parts_of(path):
    content = path.read_bytes()
    content = content[content.index(b'\n') + 1 :]
    return torch.load(io.BytesIO(content), weights_only=True)


@pytest.mark.parametrize('value', [{}, None, [], 'text', 3.5])
@pytest.mark.parametrize(
    'part',
    ['config', 'data', 'network', 'optimiser', 'schedule', 'progress', 'processes'],
)
def test_empty_and_wrong_parts(tmp_path, part, value):
    path = tmp_path / 'last.pt'
    save(path)
    parts = parts_of(path)
    write_as_checkpoint(path, {**parts, part: value})
    with pytest.raises(
        ValueError, match=rf"last\.pt.*the part '{part}' is empty or of"
    ):
        load_checkpoint(path)
    del parts[part]
    write_as_checkpoint(path, parts)
    with pytest.raises(ValueError, match=rf"last\.pt.*the part '{part}' is missing"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ('change', 'match'),
    [
        (
            {'network': {'weight': torch.tensor([1.0, np.nan])}},
            "'weight' of .*'network'",
        ),
        ({'network': {'weight': 3.0}}, "'weight' of the part 'network' is no tensor"),
        ({'average': {'weights': {}}}, "'average' must have the weights and n_upd"),
        (
            {'average': {'n_updates': 1, 'weights': {'w': torch.tensor(np.inf)}}},
            "'w' of the part 'average' is no tensor, or not finite",
        ),
        ({'progress': {'epoch': 1}}, "'progress' must have"),
    ],
)
def test_parts_of_no_use(tmp_path, change, match):
    path = tmp_path / 'last.pt'
    save(path)
    write_as_checkpoint(path, {**parts_of(path), **change})
    with pytest.raises(ValueError, match=match):
        load_checkpoint(path)


@pytest.mark.parametrize('content', [[], 'text', torch.ones(3), None])
def test_no_checkpoint_inside(tmp_path, content):
    path = tmp_path / 'last.pt'
    write_as_checkpoint(path, content)
    with pytest.raises(ValueError, match=r'last\.pt.* is no checkpoint .*not a dict'):
        load_checkpoint(path)


def test_no_code_is_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / 'evil'), 'w'))

    path = tmp_path / 'last.pt'
    write_as_checkpoint(path, {'network': Evil()})
    with pytest.raises(ValueError, match='is no checkpoint of this package'):
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
        ({'repeats': 2}, 'repeats is 1'),
        ({'precision': 'bfloat16'}, "precision is 'float32' in the ch.*'bfloat16' in"),
        ({'sync_batch_norm': False}, 'sync_batch_norm is True'),
        ({'network': {'turns': 1}}, 'network.turns is 4 in the checkpoint, but 1'),
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


@pytest.mark.parametrize(
    ('key', 'match'),
    [
        ('training_data', 'the training cutouts are not those of the checkpoint'),
        ('validation_data', 'the validation cutouts are not those of the checkpoint'),
        ('start', 'the model of network.start is not that of the checkpoint'),
    ],
)
def test_other_digests(tmp_path, key, match):
    save(tmp_path / 'last.pt')
    state = load_checkpoint(tmp_path / 'last.pt')
    config = TrainingConfig().to_dict()
    with pytest.raises(ValueError, match=match):
        check_compatible(state, config, 'last.pt', data={**DATA, key: 'c3'})


def test_what_may_change(tmp_path):
    save(tmp_path / 'last.pt')
    state = load_checkpoint(tmp_path / 'last.pt')
    config = TrainingConfig(
        epochs=40, workers=3, output='elsewhere', examples=0, checkpoint_steps=7
    )
    check_compatible(state, config.to_dict(), 'last.pt', data=DATA)
