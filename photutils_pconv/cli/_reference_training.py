# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From a training by the paper authors' program to one by this package.
"""

import json
import re
from pathlib import Path

from photutils_pconv.cli._reference_removal import Migration

__all__ = ['migrate_training']

_BANDS = ('blue', 'green', 'red')
# The channel of each kind of hole in the authors' files of masks.
_MASKS = {'large_mask': 0, 'medium_mask': 1, 'small_mask': 2, 'snr_mask': 3}
_OPTIMISERS = {'Adam': 'adam', 'AdamW': 'adamw'}
# The terms of this package that each of the authors' terms is.
_TERMS = {
    'reconstruction': ('valid', 'hole'),
    'style': ('style_raw', 'style_composite'),
    'ssim': ('ssim',),
    'source': ('source',),
}


def migrate_training(keys, *, mode, path):
    """
    Say what a training becomes.

    Parameters
    ----------
    keys : `ReferenceKeys`
        The configuration.

    mode : {'scanmap', 'parallel'}
        The observing mode of the data, which the configuration does not say.

    path : str
        Where the configuration of this package will be.

    Returns
    -------
    migration : `Migration`
        The configuration of the same training, and the command.

    Raises
    ------
    TypeError, ValueError
        If a value is missing or not accepted.
    """
    if mode is None:
        msg = (
            'the configuration of a training does not say which mode its data have: '
            'give --mode scanmap or --mode parallel'
        )
        raise ValueError(msg)
    lines = {'': {}, 'network': {}, 'optimiser': {}, 'loss': {}, 'data': {}}
    top = lines['']
    # What a name may be made of here.
    words = re.findall(r'[A-Za-z0-9._-]+', keys.get('experiment', str, ''))
    top['name'] = '-'.join(words) or 'reference'
    top['output'] = f'runs/{top["name"]}'
    keys.take('experiment', f'name = {top["name"]!r}, output = {top["output"]!r}')
    _take_training(keys, top)
    _take_network(keys, lines['network'])
    _take_optimiser(keys, lines['optimiser'])
    _take_loss(keys, lines['loss'])
    lines['data'] = {
        'source': 'arrays',
        'setups': [f'{mode}/{band}' for band in _BANDS],
        'normalisation': {'name': 'minmax'},
    }
    _take_data(keys, lines)
    return Migration(
        title='a training on arrays',
        commands=(('train', path),),
        python='from photutils_pconv.training import run_training\n\n'
        f'path = run_training({path!r})\n',
        advice='The defaults of this package differ in the loss and the normalisation: '
        'without the section [loss] and without normalisation they are taken. A new '
        "model for the default method has data.kind = 'residual'.",
        keys=keys.list_notes(),
        toml=_write_toml(lines),
    )


def _take_training(keys, top):
    for key, name, kind in (
        ('training.epochs', 'epochs', int),
        ('dataloader.train.batch_size', 'batch_size', int),
        ('dataloader.train.num_workers', 'workers', int),
    ):
        value = keys.get(key, kind)
        if value is not None:
            top[name] = value
        keys.take(key, f'{name} = {value}')
    seed = keys.get('random_seed', int)
    if seed is not None and seed >= 0:
        top['seed'] = seed
        keys.take('random_seed', f'seed = {seed}')
    else:
        keys.leave('random_seed', 'a training always has a seed, by default 0')
    keys.leave('training.visualization_batches', 'examples are drawn of every epoch')
    keys.leave(
        'dataloader.train.*', 'batches are shuffled in every epoch, and made in advance'
    )
    keys.leave('dataloader.validation.*', 'as in training; never shuffled')
    keys.leave('logging.*', 'metrics.csv, and TensorBoard where it is installed')


def _take_network(keys, network):
    name = keys.get('model.name', str, 'PConvUNet')
    if name == 'PConvUNet':
        keys.take('model.name', "architecture = 'PConvUNet', the default")
    else:
        keys.leave('model.name', f'{name} is a network of your own; PConvUNet is used')
    for one in ('input_channels', 'output_channels'):
        keys.take(f'model.{one}', 'follows from the images that the network sees')
    # The released program; the paper's text has a leaky ReLU there.
    network['decoder_activation'] = 'relu'


def _take_optimiser(keys, optimiser):
    prefix = 'optimization.optimizer'
    name = keys.get(f'{prefix}.type', str, 'Adam')
    if name in _OPTIMISERS:
        optimiser['name'] = _OPTIMISERS[name]
        keys.take(f'{prefix}.type', f'name = {optimiser["name"]!r}')
    else:
        keys.leave(f'{prefix}.type', f'there is no {name}: Adam is used')
    for key in ('learning_rate', 'weight_decay'):
        value = keys.get(f'{prefix}.{key}', (int, float))
        if value is not None:
            optimiser[key] = float(value)
        keys.take(f'{prefix}.{key}', f'{key} = {value}')
    prefix = 'optimization.scheduler'
    name = keys.get(f'{prefix}.type', str)
    if name == 'ReduceLROnPlateau':
        optimiser['schedule'] = 'plateau'
        keys.take(f'{prefix}.type', "schedule = 'plateau'")
        for key, kind in (('factor', float), ('patience', int)):
            value = keys.get(f'{prefix}.params.{key}', (int, kind))
            if value is not None:
                optimiser[key] = kind(value)
            keys.take(f'{prefix}.params.{key}', f'{key} = {value}')
        if keys.get(f'{prefix}.params.mode', str, 'min') == 'min':
            keys.take(f'{prefix}.params.mode', 'the validation loss, always')
    else:
        optimiser['schedule'] = 'constant'
        keys.leave(
            f'{prefix}.type',
            "the schedules are 'plateau', 'cosine', 'constant' and 'linear': constant "
            'is used',
        )
    keys.leave(f'{prefix}.params.*', 'the schedule has no such number')


def _take_loss(keys, loss):
    name = keys.get('loss.name', str, 'InpaintingLoss')
    weights = {key: keys.get(f'loss.lambdas.{key}', (int, float), 0) for key in _TERMS}
    if name == 'InpaintingLoss':
        loss['preset'] = 'released'
        loss['features'] = 'vgg16'
        used = tuple(_TERMS)
        keys.take('loss.name', "preset = 'released', which computes the same")
    else:
        # The mean over a whole image is the sum of both terms.
        loss['preset'] = 'none'
        used = ('reconstruction',)
        if name.startswith('L1Loss'):
            keys.take('loss.name', 'the terms hole and valid alone')
        else:
            keys.leave(
                'loss.name', f'there is no {name}: mean absolute errors are used'
            )
    loss['terms'] = {}
    for key, weight in weights.items():
        if key not in used:
            keys.leave(f'loss.lambdas.{key}', f'{name} has no such term')
            continue
        loss['terms'] |= dict.fromkeys(_TERMS[key], float(weight))
        terms = ' and '.join(_TERMS[key])
        keys.take(f'loss.lambdas.{key}', f'the weight of {terms}')


def _take_data(keys, lines):
    data = lines['data']
    keys.take('data.dataset_name', "source = 'arrays', which reads the same files")
    for key, name in (('data_dir', 'folder'), ('csv_dir', 'csv_folder')):
        value = keys.get(f'data.{key}', str)
        if value:
            # Paths in a TOML file begin at its folder, theirs where they were run.
            data[name] = str(Path(value).expanduser().absolute())
        keys.take(f'data.{key}', f'{name} = {data.get(name)!r}')
    kind = keys.get('data.mask_type', str, 'snr_mask')
    if kind not in _MASKS:
        msg = f'data.mask_type must be one of {", ".join(_MASKS)}, got {kind!r}'
        raise ValueError(msg)
    data['mask_channel'] = _MASKS[kind]
    keys.take('data.mask_type', f'mask_channel = {_MASKS[kind]}')
    enabled = keys.get('data.augmentation.use_augmentation', bool)
    if enabled is not None:
        lines['augmentation'] = {'enabled': enabled}
        keys.take('data.augmentation.use_augmentation', f'enabled = {enabled}')
    keys.leave(
        'data.augmentation.*', 'shifts, flips and turns are drawn for every cutout'
    )
    keys.take('data.input_size', 'that of the arrays; PConvUNet needs 96 x 96')


def _write_toml(lines):
    """Write tables of plain values as TOML."""
    parts = []
    for title, values in lines.items():
        if title:
            parts.append(f'\n[{title}]')
        parts += [f'{key} = {_to_toml(value)}' for key, value in values.items()]
    return '\n'.join(parts) + '\n'


def _to_toml(value):
    if isinstance(value, dict):
        inner = ', '.join(f'{key} = {_to_toml(one)}' for key, one in value.items())
        return f'{{ {inner} }}'
    # Texts, numbers, truth values and lists of them are the same in both.
    return json.dumps(value)
