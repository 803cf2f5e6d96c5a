# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
New networks that leave the global random numbers alone.

The layers of torch draw their first weights from the global stream, which all
threads share: whoever loads a model would disturb another thread's numbers.
"""

import math

import torch
from torch import nn

from photutils_pconv._utils.locks import make_lock
from photutils_pconv.network.architectures import build_network
from photutils_pconv.network.blocks import PartialConv2d, PartialConvTranspose2d
from photutils_pconv.network.filled import FilledUNet, ResidualBlock

__all__ = ['build_blank', 'build_seeded', 'list_shapes']

_PARTIAL = (PartialConv2d, PartialConvTranspose2d)
# torch keeps one default device beside those of its threads.
_LOCK = make_lock()


def _build_without_memory(architecture):
    # On the meta device nothing is drawn, however large the network.
    with _LOCK, torch.device('meta'):
        return build_network(architecture)


def list_shapes(architecture):
    """
    List the tensors of a network, without its memory.

    Parameters
    ----------
    architecture : dict
        As of a model card.

    Returns
    -------
    shapes : dict of tuple of int
        The name and shape of every tensor.
    """
    state = _build_without_memory(architecture).state_dict()
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def build_blank(architecture):
    """
    Make a network whose weights are yet to be loaded.

    Parameters
    ----------
    architecture : dict
        As of a model card.

    Returns
    -------
    network : `torch.nn.Module`
        The network, on the CPU, in torch's default type. Its weights are
        whatever its memory held.
    """
    network = _build_without_memory(architecture)
    return network.to_empty(device='cpu')


def build_seeded(architecture, seed):
    """
    Make a network with random weights that follow from a seed.

    Parameters
    ----------
    architecture : dict
        As of a model card.

    seed : int
        The seed.

    Returns
    -------
    network : `torch.nn.Module`
        The network, on the CPU, in torch's default type, as if it had been
        made after ``torch.manual_seed(seed)``.
    """
    network = build_blank(architecture)
    generator = torch.Generator().manual_seed(seed)
    # The order of the modules is that in which they are made.
    for module in network.modules():
        if isinstance(module, _PARTIAL):
            module.reset_parameters(generator)
        elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            _draw_convolution(module, generator)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
    for module in network.modules():
        if isinstance(module, ResidualBlock | FilledUNet):
            module.reset_last_layer()
    return network


def _draw_convolution(layer, generator):
    """Draw weights and bias of a convolution as its reset_parameters does."""
    nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
    bound = 1 / math.sqrt(layer.weight[0].numel())
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
