# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Checkpoints: all that is needed to go on as if nothing had happened.

A checkpoint is written under a temporary name and then renamed, so that
it is whole or not there. Its first line has the format and a SHA-256 of the
rest, what `torch.save` makes of tensors and plain values, which is read with
``torch.load(weights_only=True)``: no code of it is run.
"""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

import torch

from photutils_pconv._utils.writing import write_bytes_atomically
from photutils_pconv.training.progress import Progress

__all__ = [
    'check_compatible',
    'load_checkpoint',
    'save_checkpoint',
]

# Of the first line; the SHA-256 of what follows it comes behind.
_START = b'photutils-pconv checkpoint, format 3, sha256 '
_DIGITS = 64
_KEYS = (
    'config',
    'data',
    'network',
    'optimiser',
    'schedule',
    'average',
    'progress',
    'processes',
)
# What changes the model; all else may change between two runs.
_FIXED = (
    'seed',
    'batch_size',
    'repeats',
    'precision',
    'freeze_batch_norm',
    'sync_batch_norm',
    'network.architecture',
    'network.width',
    'network.blocks',
    'network.turns',
    'network.decoder_activation',
    'network.freeze',
    'accumulate',
    'optimiser',
    'loss.preset',
    'loss.terms',
    'loss.features',
    'augmentation',
)
# What the data tell, too, when there are any. Folders and files may have moved.
_FIXED_DATA = (
    'data.kind',
    'data.source',
    'data.setups',
    'data.normalisation',
    'data.epoch_size',
    'data.validation_size',
    'data.sampler',
    'data.validation_sampler',
    'data.background_setups',
    'data.resample_backgrounds',
    'data.mask_channel',
    'data.nan_targets',
)
# What is compared by digests, which themselves would tell nobody anything.
_OTHERS = {
    'training_data': 'the training cutouts are not those of the checkpoint',
    'validation_data': 'the validation cutouts are not those of the checkpoint',
    'start': 'the model of network.start is not that of the checkpoint',
    'teacher': 'the model of loss.teacher is not that of the checkpoint',
}
# Schedules that follow from the number of all steps.
_BOUNDED = ('cosine', 'linear')


def save_checkpoint(
    path,
    *,
    config,
    data,
    network,
    optimiser,
    schedule,
    progress,
    processes=1,
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
        What must be the same of the data: numbers, kind, normalisation,
        and digests of the cutouts.

    network, optimiser, schedule : dict
        Their states.

    progress : `~photutils_pconv.training.progress.Progress`
        How far the training has come.

    processes : int, optional
        The number of processes that train together.

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
        'config': config,
        'data': data,
        'network': network,
        'optimiser': optimiser,
        'schedule': schedule,
        'average': average,
        'progress': asdict(progress),
        'processes': processes,
    }
    # In memory first: an error on the way is then one of plain writing.
    buffer = io.BytesIO()
    buffer.write(_START + b'0' * _DIGITS + b'\n')
    start = buffer.tell()
    torch.save(content, buffer)
    written = buffer.getbuffer()
    checksum = hashlib.sha256(written[start:]).hexdigest()
    written[len(_START) : start - 1] = checksum.encode()
    try:
        write_bytes_atomically(path, written)
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
        If it is not a checkpoint of this package, was changed, or lacks a
        part; or if its weights are not finite.
    """
    path = Path(path)
    if not path.is_file():
        msg = f'no checkpoint {str(path)!r}'
        raise FileNotFoundError(msg)
    content = path.read_bytes()
    start = len(_START) + _DIGITS + 1
    if not content.startswith(_START):
        msg = (
            f'{str(path)!r} is not a training checkpoint that this version of '
            'photutils-pconv reads: begin in another folder, or finish with the '
            'version that wrote it'
        )
        raise ValueError(msg)
    checksum = content[len(_START) : start - 1]
    if hashlib.sha256(content[start:]).hexdigest().encode() != checksum:
        msg = (
            f'{str(path)!r} does not match its checksum: it is damaged or was '
            'changed. Go on from another copy, or begin in another folder'
        )
        raise ValueError(msg)
    try:
        state = torch.load(
            io.BytesIO(content[start:]), map_location='cpu', weights_only=True
        )
        _check_parts(state)
    except Exception as exc:
        # A file that was made up fails in many ways, OSError among them.
        msg = f'{str(path)!r} is no checkpoint of this package: {_first_line(exc)}'
        raise ValueError(msg) from exc
    return {**state, 'progress': Progress(**state['progress'])}


def _first_line(exc):
    return (str(exc).splitlines() or [type(exc).__name__])[0]


def _check_parts(state):
    """Check that every part is there and of the right type, and weights finite."""
    if not isinstance(state, Mapping):
        msg = f'it holds {type(state).__name__}, not a dict'
        raise TypeError(msg)
    for key in _KEYS:
        if key not in state:
            msg = f'the part {key!r} is missing'
            raise ValueError(msg)
        value = state[key]
        if key == 'processes':
            right = type(value) is int and value > 0
        elif key == 'average' and value is None:
            continue
        else:
            right = isinstance(value, Mapping) and len(value) > 0
        if not right:
            msg = f'the part {key!r} is empty or of the wrong type'
            raise ValueError(msg)
    expected = {item.name for item in fields(Progress)}
    if set(state['progress']) != expected:
        msg = f"the part 'progress' must have {sorted(expected)}"
        raise ValueError(msg)
    average = state['average']
    if average is not None and set(average) != {'n_updates', 'weights'}:
        msg = "the part 'average' must have the weights and n_updates"
        raise ValueError(msg)
    for key, weights in (
        ('network', state['network']),
        ('average', {} if average is None else average['weights']),
    ):
        for name, tensor in weights.items():
            if not (isinstance(tensor, torch.Tensor) and torch.isfinite(tensor).all()):
                msg = f'{name!r} of the part {key!r} is no tensor, or not finite'
                raise ValueError(msg)


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
        What must be the same of the data: numbers, kind, normalisation, and
        digests of the cutouts; by default the data are compared as the
        configurations have them, before they are made.

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
    for key, value in (data or {}).items():
        found = state['data'].get(key)
        if key not in _OTHERS:
            differences.append(_tell(f'{key} of the data', found, value))
        elif found != value:
            differences.append(_OTHERS[key])
    differences = [one for one in differences if one]
    if differences:
        msg = (
            f'{str(path)!r} belongs to another training: {"; ".join(differences)}. '
            'Take the same configuration to resume, or another output folder to begin '
            'anew (network.start takes an exported model)'
        )
        raise ValueError(msg)


def _tell(key, before, now):
    """Describe a difference; nothing if there is none."""
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
