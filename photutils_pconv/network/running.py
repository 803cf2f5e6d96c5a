# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How a network is run: batches, device, and precision.
"""

import copy
from dataclasses import dataclass

import numpy as np

from photutils_pconv._utils.checks import check_choice, check_count, check_switches
from photutils_pconv.network.threads import check_threads, use_threads

__all__ = [
    'PRECISIONS',
    'RunOptions',
    'check_batch_size',
    'check_precision',
    'choose_device',
    'make_predictor',
]

#: The accepted precisions.
PRECISIONS = ('auto', 'float32', 'bfloat16')
# Others, such as 'meta', have no numbers, or not all the layers.
_DEVICE_TYPES = ('cpu', 'cuda', 'mps', 'xpu')


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """
    How a network is run. None of this changes what it tells, but for the
    rounding of ``bfloat16``, and of sums in another order.

    Parameters
    ----------
    batch_size : int, optional
        The number of cutouts that the network sees at once.

    device : str, optional
        A torch device; ``'auto'`` takes a GPU where there is one.

    precision : {'auto', 'float32', 'bfloat16'}, optional
        The network's precision; ``'auto'`` is float32.

    threads : int, optional
        The number of the processor's threads that the network uses; `None`
        for as many as torch does by itself.

    progress_bar : bool, optional
        Whether to show a progress bar.

    Raises
    ------
    TypeError, ValueError
        If one of them is not accepted.
    """

    batch_size: int = 64
    device: str = 'auto'
    precision: str = 'auto'
    # Beside other work torch's own number of threads takes longer than one, since
    # all wait for the slowest (benchmarks/scale.py, docs/user_guide/many_maps.rst).
    threads: int | None = 1
    progress_bar: bool = False

    def __post_init__(self):
        check_switches(self)
        check_batch_size(self.batch_size)
        check_precision(self.precision)
        check_threads(self.threads)
        choose_device(self.device)


def make_predictor(network, run):
    """
    Make the function from scaled cutouts and validity to the output.

    Parameters
    ----------
    network : `torch.nn.Module`
        The network.

    run : `RunOptions`
        How to run it.

    Returns
    -------
    predict : callable
        Takes images (N, C, H, W) and validity (N, H, W), gives the output
        (N, H, W).
    """
    import torch

    device = choose_device(run.device)
    turns = getattr(network, 'turns', 1)
    if device.type != 'cpu':
        # The loaded network is shared, and `to` would move it for all.
        network = copy.deepcopy(network).to(device)

    @use_threads(run.threads)
    def predict(images, validity):
        images = torch.from_numpy(images.astype(np.float32)).to(device)
        validity = torch.from_numpy(validity[:, None].astype(np.float32)).to(device)
        images = images.contiguous(memory_format=torch.channels_last)
        with (
            torch.inference_mode(),
            torch.autocast(
                device.type,
                dtype=torch.bfloat16,
                enabled=run.precision == 'bfloat16',
            ),
        ):
            # The sky has no up: what depends on the orientation is an error.
            output = sum(
                torch.rot90(
                    network(*(torch.rot90(t, k, (2, 3)) for t in (images, validity))),
                    -k,
                    (2, 3),
                )
                for k in range(turns)
            )
        return (output[:, 0].float() / turns).cpu().numpy().astype(float)

    return predict


def check_batch_size(batch_size):
    """Refuse a batch size that is not a positive integer."""
    check_count(batch_size, 'batch_size')


def check_precision(precision):
    """Refuse an unknown precision."""
    check_choice(precision, 'precision', PRECISIONS)


def choose_device(device):
    """
    Find the torch device of a name.

    Parameters
    ----------
    device : str or `torch.device`
        The name, or ``'auto'`` for a GPU where there is one.

    Returns
    -------
    device : `torch.device`
        The device.

    Raises
    ------
    ValueError
        If it is no name, there is no such device here, or networks cannot be
        run on it; the message lists those that are accepted.
    """
    import torch

    name = device
    if isinstance(device, str) and device == 'auto':
        name = 'cuda' if torch.cuda.is_available() else 'cpu'
    runs = isinstance(name, str | torch.device)
    try:
        chosen = torch.device(name) if runs else None
        runs = runs and chosen.type in _DEVICE_TYPES
        if runs:
            # A name may be known though the device is not there; torch says so
            # in either error, or an AssertionError if it was built without it.
            torch.zeros(1, device=chosen).cpu()
    except (AssertionError, RuntimeError, TypeError):
        runs = False
    if not runs:
        msg = (
            f'device must be {_accepted_devices()}, on which networks can be run '
            f'here, got {device!r}'
        )
        raise ValueError(msg)
    return chosen


def _accepted_devices():
    """Tell the devices of this machine in words."""
    import torch

    names = ['auto', 'cpu']
    names += [f'cuda:{i}' for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append('mps')
    if torch.xpu.is_available():
        names += [f'xpu:{i}' for i in range(torch.xpu.device_count())]
    return ' or '.join(map(repr, names))
