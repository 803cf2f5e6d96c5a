# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The networks by name: what a model card's ``architecture`` stands for.
"""

from photutils_pconv.network.filled import FilledUNet
from photutils_pconv.network.unet import PConvUNet

__all__ = ['build_network', 'describe_network']

_CLASSES = {'PConvUNet': PConvUNet, 'FilledUNet': FilledUNet}


def build_network(architecture):
    """
    Make a new network from its description.

    Parameters
    ----------
    architecture : dict
        ``class`` and the class's arguments, as in a model card.

    Returns
    -------
    network : `~photutils_pconv.network.PConvUNet` or \
            `~photutils_pconv.network.FilledUNet`
        The network, with random weights.

    Raises
    ------
    ValueError
        If the class is unknown or an argument is not accepted.
    """
    config = dict(architecture)
    name = config.pop('class', None)
    if name not in _CLASSES:
        msg = f"architecture['class'] must be one of {list(_CLASSES)}, got {name!r}"
        raise ValueError(msg)
    return _CLASSES[name](**config)


def describe_network(network):
    """
    Give the description of a network.

    Parameters
    ----------
    network : `torch.nn.Module`
        The network.

    Returns
    -------
    architecture : dict
        What `build_network` takes.

    Raises
    ------
    TypeError
        If the network is none of this package's.
    """
    for name, kind in _CLASSES.items():
        if isinstance(network, kind):
            return {'class': name, **network.config}
    accepted = ' or '.join(_CLASSES)
    msg = f'network must be a {accepted}, got {type(network).__name__}'
    raise TypeError(msg)
