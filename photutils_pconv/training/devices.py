# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Where a network is trained, by which processes, and in which precision.
"""

import atexit
import os
from functools import cache

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
    if wanted > 1:
        _leave_at_exit()
    return accelerator


@cache
def _leave_at_exit():
    """
    Let this process leave the others in good time before it ends.

    Else their threads may still be there when it does, and abort it, after all work is
    done: the launcher then takes the training for a failed one.
    """
    atexit.register(_leave)


def _leave():
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


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
