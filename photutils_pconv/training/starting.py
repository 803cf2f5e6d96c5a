# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a training takes over from the model that it starts from.

This module does not import torch.
"""

from dataclasses import replace

from photutils_pconv.network.registry import read_card
from photutils_pconv.training.data_section import DataConfig
from photutils_pconv.training.samplers import make_sampler_config
from photutils_pconv.training.sections import (
    LossConfig,
    NetworkConfig,
    OptimiserConfig,
)

__all__ = ['adopt_start']

# A network that is good already would be lost at the rate of one that begins with
# random weights: that of the last tenth of the bundled models' schedules.
FINE_TUNING_RATE = 2.0e-4
# The losses with which models of either kind are trained.
_PRESETS = {'masked': 'balanced', 'residual': 'residual'}


def adopt_start(config, *, with_data=True):
    """
    Take over from the model to start from what the configuration leaves open.

    Network, kind, normalisation and size of the cutouts are those of the
    model; what the configuration has at its default is replaced, anything
    else must be the model's. The learning rate and the loss, where they are
    the defaults, are replaced by those that suit fine-tuning.

    Parameters
    ----------
    config : `~photutils_pconv.training.TrainingConfig`
        The configuration.

    with_data : bool, optional
        Whether the section ``data`` describes the data.

    Returns
    -------
    config : `~photutils_pconv.training.TrainingConfig`
        The whole configuration; the same one without a model to start from.

    lines : list of str
        What was taken over, in words.

    Raises
    ------
    ValueError
        If the configuration asks for another network, kind or normalisation
        than the model has.
    """
    start = config.network.start
    if not start:
        return config, []
    card = read_card(start)
    network, optimiser, loss, data = (
        config.network,
        config.optimiser,
        config.loss,
        config.data,
    )
    found = {'architecture': card.architecture['class'], **card.architecture}
    names = ('architecture', 'width', 'blocks', 'turns', 'decoder_activation')
    changes = _adopt(network, NetworkConfig(), found, names, 'network', start)
    network = replace(network, **changes)
    if with_data:
        data = _adopt_data(data, card, start)
    lines = [f'starting from {card.name!r}: its network, kind and normalisation']
    if loss == LossConfig(teacher=loss.teacher):
        loss = replace(loss, preset=_PRESETS[card.kind])
        lines.append(f'loss.preset = {loss.preset!r}, that of models of this kind')
    if optimiser.learning_rate == OptimiserConfig().learning_rate:
        optimiser = replace(
            optimiser,
            learning_rate=FINE_TUNING_RATE,
            minimum_rate=min(optimiser.minimum_rate, FINE_TUNING_RATE),
        )
        lines.append(f'optimiser.learning_rate = {FINE_TUNING_RATE:g}, for fine-tuning')
    if with_data and data.source == 'simulated':
        for fixed in (False, True):
            make_sampler_config(data, fixed=fixed)
    whole = replace(config, network=network, optimiser=optimiser, loss=loss, data=data)
    return whole, lines


def _adopt_data(data, card, start):
    """Take over kind, normalisation and size of the cutouts."""
    values = {'kind': card.kind, 'normalisation': dict(card.normalisation)}
    if data.source == 'arrays' and card.kind != 'masked':
        msg = (
            f'network.start = {start!r} is of kind {card.kind!r}, but data.source = '
            "'arrays' has cutouts of kind 'masked': start from a model of that kind, "
            "such as 'pacs', or use data.backgrounds"
        )
        raise ValueError(msg)
    changes = _adopt(data, DataConfig(), values, tuple(values), 'data', start)
    if data.source == 'simulated' and 'size' not in data.sampler:
        changes['sampler'] = {**data.sampler, 'size': card.cutout_size}
    return replace(data, **changes)


def _adopt(section, default, found, names, where, start):
    """Give the values of a model for what is at its default; refuse others."""
    changes = {}
    for name in names:
        value, wanted = getattr(section, name), found.get(name)
        # A smaller set of keys than the configuration's, for other networks.
        if wanted is None or value == wanted:
            continue
        if value != getattr(default, name):
            msg = (
                f'network.start = {start!r} has {where}.{name} = {wanted!r}, but the '
                f'configuration asks for {value!r}: leave it out'
            )
            raise ValueError(msg)
        changes[name] = wanted
    return changes
