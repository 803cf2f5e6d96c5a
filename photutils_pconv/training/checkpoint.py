# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Checkpoints: all that is needed to go on as if nothing had happened.

A checkpoint is written under a temporary name and then renamed, so that
it is whole or not there. It holds tensors and plain values only and is
read with ``torch.load(weights_only=True)``, which runs no code of it.
"""

import io
import random
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import torch

from photutils_pconv._utils.writing import write_bytes_atomically
from photutils_pconv.training.progress import Progress

__all__ = [
    'check_compatible',
    'get_random_states',
    'load_checkpoint',
    'save_checkpoint',
    'set_random_states',
]

_FORMAT = 2
_KEYS = (
    'format',
    'config',
    'data',
    'network',
    'optimiser',
    'schedule',
    'average',
    'progress',
    'random_states',
)
# What changes the model; all else may change between two runs.
_FIXED = (
    'seed',
    'batch_size',
    'repeats',
    'freeze_batch_norm',
    'network.architecture',
    'network.width',
    'network.blocks',
    'network.turns',
    'network.decoder_activation',
    'optimiser',
    'loss.preset',
    'loss.terms',
    'loss.features',
    'augmentation',
)
# What the data tell, too, when there are any.
_FIXED_DATA = ('data.kind', 'data.normalisation')
# Schedules that follow from the number of all steps.
_BOUNDED = ('cosine', 'linear')


def get_random_states():
    """
    Read the states of the global random streams of this process.

    Training itself draws nothing from them; a data set of the user's own
    may.

    Returns
    -------
    states : dict
        Those of Python, numpy, torch, and torch's GPUs.
    """
    name, keys, *rest = np.random.get_state()  # noqa: NPY002
    states = {
        'python': random.getstate(),
        'numpy': [name, torch.from_numpy(keys.astype(np.int64)), *rest],
        'torch': torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        states['cuda'] = torch.cuda.get_rng_state_all()
    return states


def set_random_states(states):
    """
    Set the global random streams of this process.

    Parameters
    ----------
    states : dict
        What `get_random_states` gave.
    """
    random.setstate(states['python'])
    name, keys, *rest = states['numpy']
    keys = keys.numpy().astype(np.uint32)
    np.random.set_state((name, keys, *rest))  # noqa: NPY002
    torch.set_rng_state(states['torch'])
    if 'cuda' in states and torch.cuda.device_count() == len(states['cuda']):
        torch.cuda.set_rng_state_all(states['cuda'])


def save_checkpoint(
    path,
    *,
    config,
    data,
    network,
    optimiser,
    schedule,
    progress,
    random_states,
    average=None,
):
    """
    Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path : path-like
        The file, replaced if it exists.

    config : dict
        The configuration.

    data : dict
        What must be the same of the data: numbers, kind and normalisation.

    network, optimiser, schedule : dict
        Their states.

    progress : `~photutils_pconv.training.progress.Progress`
        How far the training has come.

    random_states : list of dict
        The states of the random streams of each process.

    average : dict, optional
        The state of the averaged weights.

    Raises
    ------
    OSError
        If the file cannot be written, for instance since the disk is
        full; a checkpoint of that name from before is kept.
    """
    path = Path(path)
    content = {
        'format': _FORMAT,
        'config': config,
        'data': data,
        'network': network,
        'optimiser': optimiser,
        'schedule': schedule,
        'average': average,
        'progress': asdict(progress),
        'random_states': random_states,
    }
    # In memory first: an error on the way is then one of plain writing.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    try:
        write_bytes_atomically(path, buffer.getbuffer())
    except OSError as exc:
        kept = 'the one from before is kept' if path.exists() else 'there is none yet'
        msg = f'the checkpoint {str(path)!r} could not be written ({exc}); {kept}'
        raise OSError(exc.errno, msg) from exc


def load_checkpoint(path):
    """
    Read a checkpoint.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    state : dict
        What `save_checkpoint` was given.

    Raises
    ------
    FileNotFoundError
        If there is no such file.

    ValueError
        If it is not a checkpoint of this package.
    """
    path = Path(path)
    if not path.is_file():
        msg = f'no checkpoint {str(path)!r}'
        raise FileNotFoundError(msg)
    with open(path, 'rb') as handle:
        try:
            state = torch.load(handle, map_location='cpu', weights_only=True)
        except Exception as exc:
            # A damaged file fails in many ways, OSError among them.
            msg = f'{str(path)!r} is damaged or no checkpoint: it could not be read'
            raise ValueError(msg) from exc
    names = {item.name for item in fields(Progress)}
    if (
        not isinstance(state, Mapping)
        or set(state) != set(_KEYS)
        or state['format'] != _FORMAT
        or set(state['progress']) != names
    ):
        msg = (
            f'{str(path)!r} is not a training checkpoint that this version of '
            'photutils-pconv reads: begin in another folder, or finish with the '
            'version that wrote it'
        )
        raise ValueError(msg)
    return {**state, 'progress': Progress(**state['progress'])}


def check_compatible(state, config, path, *, data=None):
    """
    Refuse a checkpoint of another training.

    Parameters
    ----------
    state : dict
        What `load_checkpoint` gave.

    config : dict
        The present configuration.

    path : path-like
        The checkpoint, for the message.

    data : dict, optional
        What must be the same of the data: numbers, kind and
        normalisation; by default kind and normalisation are compared as
        the configurations have them, before data are made.

    Raises
    ------
    ValueError
        If the network, the data or what decides the result differs; the
        message names every difference.
    """
    before, now = _flat(state['config']), _flat(config)
    names = _FIXED if data is not None else (*_FIXED, *_FIXED_DATA)
    keys = [
        key
        for key in sorted({*before, *now})
        if any(key == name or key.startswith(f'{name}.') for name in names)
    ]
    if now['optimiser.schedule'] in _BOUNDED or now['optimiser.warm_up'] > 0:
        keys.append('epochs')
    differences = [_tell(key, before.get(key), now.get(key)) for key in keys]
    if data is not None:
        differences += [
            _tell(f'{key} of the data', state['data'].get(key), value)
            for key, value in data.items()
        ]
    differences = [one for one in differences if one]
    if differences:
        msg = (
            f'{str(path)!r} belongs to another training: {"; ".join(differences)}. '
            'Take the same configuration to resume, or another output folder to begin '
            'anew (network.start takes an exported model)'
        )
        raise ValueError(msg)


def _tell(key, before, now):
    """Tell a difference; nothing if there is none."""
    if before == now:
        return ''
    return f'{key} is {before!r} in the checkpoint, but {now!r} in the configuration'


def _flat(values, prefix=''):
    flat = {}
    for key, value in values.items():
        # The terms of a loss are compared as a whole.
        if isinstance(value, Mapping) and prefix == '':
            flat.update(_flat(value, f'{key}.'))
        else:
            flat[f'{prefix}{key}'] = value
    return flat
