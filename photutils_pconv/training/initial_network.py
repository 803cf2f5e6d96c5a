# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The network with which a training begins.
"""

from photutils_pconv.network.architectures import describe_network
from photutils_pconv.network.initialisation import build_seeded
from photutils_pconv.network.kinds import check_kind, list_images
from photutils_pconv.network.weights import load_model

__all__ = ['describe_architecture', 'make_network']


def describe_architecture(config, kind, normalisation):
    """
    Give the architecture that a configuration asks for.

    Parameters
    ----------
    config : `~photutils_pconv.training.TrainingConfig`
        The configuration.

    kind : {'masked', 'residual'}
        The kind of model.

    normalisation : dict
        The scaling of the data.

    Returns
    -------
    architecture : dict
        What a model card holds.
    """
    given = config.network
    architecture = {
        'class': given.architecture,
        'width': given.width,
        'decoder_activation': given.decoder_activation,
        'in_channels': len(list_images(kind, normalisation)),
    }
    if given.architecture == 'FilledUNet':
        architecture['blocks'] = given.blocks
        architecture['turns'] = given.turns
        architecture['fill'] = 'given' if normalisation.get('kriging') else 'smooth'
    return architecture


def make_network(config, kind, normalisation):
    """
    Make the network that a configuration asks for.

    Parameters
    ----------
    config : `~photutils_pconv.training.TrainingConfig`
        The configuration.

    kind : {'masked', 'residual'}
        The kind of model.

    normalisation : dict
        The scaling of the data.

    Returns
    -------
    network : `torch.nn.Module`
        The network, with weights that follow from the seed, or those of
        the model to start from.

    Raises
    ------
    ValueError
        If the model to start from is another one.
    """
    network = build_seeded(
        describe_architecture(config, kind, normalisation), config.seed
    )
    if config.network.start:
        _start_from(network, config.network.start, kind, normalisation)
    return network


def _start_from(network, start, kind, normalisation):
    model = load_model(start, cache=False)
    check_kind(model.card, kind)
    found, wanted = describe_network(model.network), describe_network(network)
    if found != wanted:
        msg = (
            f'network.start = {start!r} is a network with {found}, but the '
            f'configuration asks for {wanted}'
        )
        raise ValueError(msg)
    if model.card.normalisation != normalisation:
        msg = (
            f'network.start = {start!r} was trained with the normalisation '
            f'{model.card.normalisation}, but the data have {normalisation}: make them '
            f'with normalisation=read_card({start!r}).normalisation'
        )
        raise ValueError(msg)
    network.load_state_dict(model.network.state_dict())
