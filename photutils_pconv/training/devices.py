# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Where a network is trained, by which processes, and in which precision.
"""

import os

import torch

from photutils_pconv._utils.optional import require
from photutils_pconv.network.devices import has_bfloat16, warn_emulated

__all__ = ['choose_precision', 'make_accelerator']


def make_accelerator(device='auto'):
    """
    Join the processes that were launched together.

    Parameters
    ----------
    device : {'auto', 'cpu'}, optional
        'auto' takes a GPU where there is one.

    Returns
    -------
    accelerator : `accelerate.Accelerator`
        The accelerator.

    Raises
    ------
    ImportError
        If accelerate is missing; the message says what to install.

    RuntimeError
        If not all launched processes could be joined.
    """
    accelerate = require('accelerate')
    # Without a GPU accelerate must be told so: it would otherwise let every
    # process of `torchrun` train for itself.
    cpu = device == 'cpu' or not torch.accelerator.is_available()
    accelerator = accelerate.Accelerator(cpu=cpu, mixed_precision='no')
    wanted = int(os.environ.get('WORLD_SIZE', 1))
    if wanted != accelerator.num_processes:
        msg = (
            f'{wanted} processes were launched, but accelerate has joined '
            f'{accelerator.num_processes}: make no other Accelerator before, and '
            "check device = 'cpu'"
        )
        raise RuntimeError(msg)
    return accelerator


def choose_precision(precision, device):
    """
    Find the precision to train in, and warn where the device only emulates it.

    Parameters
    ----------
    precision : {'auto', 'float32', 'bfloat16'}
        What the configuration says.

    device : `torch.device`
        The device.

    Returns
    -------
    precision : {'float32', 'bfloat16'}
        The precision of the network's convolutions.
    """
    if precision == 'auto':
        return 'bfloat16' if has_bfloat16(device) else 'float32'
    warn_emulated(precision, device)
    return precision
