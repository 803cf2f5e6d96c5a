# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The network with which a training begins.
"""

from photutils_pconv.network.architectures import describe_network
from photutils_pconv.network.initialisation import build_seeded
from photutils_pconv.network.kinds import check_kind, list_images
from photutils_pconv.network.weights import load_model
from photutils_pconv.training._inputs import check_scaling

__all__ = ['describe_architecture', 'freeze_levels', 'make_network']


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
    check_scaling(model.card, normalisation, setting='network.start', given=start)
    network.load_state_dict(model.network.state_dict())


def freeze_levels(network, n_levels):
    """
    Keep the weights of the first levels of the encoder as they are.

    Parameters
    ----------
    network : `torch.nn.Module`
        The network.

    n_levels : int
        The number of levels, from the full resolution on.

    Returns
    -------
    frozen : list of `torch.nn.Module`
        What is frozen.

    Raises
    ------
    ValueError
        If the network has fewer levels.
    """
    if n_levels == 0:
        return []
    if n_levels > len(network.encoder):
        msg = (
            f'network.freeze must be at most {len(network.encoder)}, the levels of '
            f'the network, got {n_levels}'
        )
        raise ValueError(msg)
    frozen = list(network.encoder[:n_levels])
    # What leads from one level to the next, and into the first one.
    if hasattr(network, 'down'):
        frozen += list(network.down[: n_levels - 1])
    if hasattr(network, 'stem'):
        frozen.append(network.stem)
    for module in frozen:
        module.requires_grad_(False)
    return frozen
