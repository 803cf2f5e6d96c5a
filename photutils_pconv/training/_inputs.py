# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Checks of what the `Trainer` is given.
"""

from photutils_pconv.network.kinds import check_normalisation
from photutils_pconv.network.registry import read_card
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.training.monitors import find_tensorboard

__all__ = [
    'check_scaling',
    'common_kind',
    'common_normalisation',
    'cutout_size',
    'describe',
    'describe_training',
    'find_checksum',
    'parse_setups',
    'summarise_data',
]


def parse_setups(setups):
    """
    Give the setups that are named or given; there must be one at least.
    """
    if isinstance(setups, str) or not isinstance(setups, list | tuple) or not setups:
        msg = f'setups must be a list of at least one setup, got {setups!r}'
        raise TypeError(msg)
    return tuple(get_setup(setup=setup) for setup in setups)


def common_normalisation(train_data, validation_data):
    """
    Give the scaling that both data sets must share.
    """
    normalisations = []
    for name, data in (
        ('train_data', train_data),
        ('validation_data', validation_data),
    ):
        if not hasattr(data, 'normalisation'):
            msg = (
                f'{name} must have the attribute normalisation, the keyword arguments '
                'with which its cutouts were scaled: the model cannot be used without'
            )
            raise TypeError(msg)
        if len(data) == 0:
            msg = f'{name} is empty'
            raise ValueError(msg)
        check_normalisation(data.normalisation, f'{name}.normalisation')
        normalisations.append(dict(data.normalisation))
    if normalisations[0] != normalisations[1]:
        msg = (
            'train_data and validation_data must have the same normalisation, got '
            f'{normalisations[0]} and {normalisations[1]}'
        )
        raise ValueError(msg)
    return normalisations[0]


def common_kind(train_data, validation_data):
    """
    Give the kind of model that both data sets are for: masked, unless they say.
    """
    kinds = [getattr(data, 'kind', 'masked') for data in (train_data, validation_data)]
    if kinds[0] != kinds[1]:
        msg = f'train_data and validation_data must be of one kind, got {kinds}'
        raise ValueError(msg)
    return kinds[0]


def cutout_size(data, images):
    """
    Give the side of the cutouts, which must be square and have all images.
    """
    shape = tuple(data[0, 0].image.shape)
    wanted = len(images)
    if len(shape) != 3 or shape[0] != wanted or shape[1] != shape[2]:
        msg = (
            f'a cutout must have the shape ({wanted}, size, size), for the images '
            f'{images}, got {shape}'
        )
        raise ValueError(msg)
    return shape[1]


def describe(data):
    """
    Describe a data set for a model's card.
    """
    described = getattr(data, 'describe', None)
    return described() if described is not None else {'kind': type(data).__name__}


def summarise_data(train_data, validation_data):
    """
    Give the numbers of cutouts, and digests of which they are, if they say.
    """
    summary = {}
    for name, data in (('training', train_data), ('validation', validation_data)):
        summary[f'{name}_cutouts'] = len(data)
        digest = getattr(data, 'digest', None)
        summary[f'{name}_data'] = None if digest is None else digest()
    return summary


def check_scaling(card, normalisation, *, setting, given):
    """
    Refuse a model, named by an option, that saw data of another scaling.
    """
    if card.normalisation != normalisation:
        msg = (
            f'{setting} = {given!r} was trained with the normalisation '
            f'{card.normalisation}, but the data have {normalisation}: make them '
            f'with normalisation=read_card({given!r}).normalisation'
        )
        raise ValueError(msg)


def find_checksum(model):
    """
    Give the checksum of a model that the training needs, '' for none.
    """
    return read_card(model).checksum if model else ''


def describe_training(trainer):
    """
    Say in a few lines what is trained, on what, and where.
    """
    config, accelerator = trainer.config, trainer.accelerator
    weights = list(trainer.network.parameters())
    total = sum(one.numel() for one in weights)
    frozen = sum(one.numel() for one in weights if not one.requires_grad)
    several = accelerator.num_processes > 1
    lines = [
        # That it starts from a model stands below.
        *trainer.adopted[1:],
        f'data: {len(trainer.train_data)} cutouts an epoch, '
        f'{len(trainer.validation_data)} for validation, of {trainer.cutout_size} by '
        f'{trainer.cutout_size} pixels, kind {trainer.kind!r}, for '
        f'{", ".join(setup.name for setup in trainer.setups)}',
        f'network: {config.network.architecture} of width {config.network.width}, '
        f'{total} weights{f", {frozen} of them frozen" if frozen else ""}'
        f'{f", starting from {config.network.start}" if config.network.start else ""}',
        f'device: {accelerator.device.type}, {trainer.engine.precision}, '
        + (
            f'{accelerator.num_processes} processes, each with '
            f'{config.batch_size // accelerator.num_processes} cutouts a batch'
            if several
            else 'one process'
        ),
    ]
    if config.tensorboard and find_tensorboard() is None:
        lines.append(
            'TensorBoard is not installed (it is part of the extra train): metrics.csv '
            'has the same figures'
        )
    return lines
