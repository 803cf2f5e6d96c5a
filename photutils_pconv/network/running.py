# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How a network is run: batches, turns, device, and precision.
"""

import copy
from dataclasses import dataclass

import numpy as np

from photutils_pconv._utils.checks import check_count, check_switches
from photutils_pconv.network.devices import (
    check_precision,
    choose_device,
    has_bfloat16,
    warn_emulated,
)
from photutils_pconv.network.orientation import ALL_TURNS, find_up, turn_stack
from photutils_pconv.network.threads import check_threads, use_threads

__all__ = [
    'BATCH_SIZE',
    'BLIND_TURNS',
    'SEEING_TURNS',
    'RunOptions',
    'check_batch_size',
    'check_turns',
    'choose_precision',
    'make_predictor',
]

#: The default number of cutouts that a network sees at once: more are no faster
#: on a processor, and take more memory (benchmarks/speed.py).
BATCH_SIZE = 16
#: The default number of turns where the reconstruction itself is what is wanted, or
#: all that there is: its errors are within 2 percent of those of all four, with one
#: within 4 (benchmarks/speed.py, 2026-11-29).
BLIND_TURNS = 2
#: The default number where sources are looked under and the map stays as observed.
SEEING_TURNS = 1


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """
    How a network is run. None of this changes what it predicts, but for the
    rounding of ``bfloat16``, of sums in another order, and what is gained by
    averages over turns.

    Parameters
    ----------
    batch_size : int, optional
        The number of cutouts that the network sees at once.

    device : str, optional
        A torch device; ``'auto'`` takes a GPU where there is one.

    precision : {'auto', 'float32', 'bfloat16'}, optional
        The network's precision; ``'auto'`` is bfloat16 where the device has it and
        the network only corrects a fill, else float32.

    turns : int, optional
        Over how many quarter turns of each cutout the output of networks that
        learnt none is averaged, from 1 to 4 (default: 2; see `RemovalSettings
        <photutils_pconv.removal.RemovalSettings>` for what removals have).

    threads : int, optional
        The number of the processor's threads that the network uses; `None`
        for as many as torch does by itself.

    progress_bar : bool, optional
        Whether to show a progress bar.

    Raises
    ------
    TypeError, ValueError
        If the batch size, device, precision, turns or progress bar is not
        accepted.

    Warns
    -----
    `~astropy.utils.exceptions.AstropyUserWarning`
        If the device only emulates the precision.
    """

    batch_size: int = BATCH_SIZE
    device: str = 'auto'
    precision: str = 'auto'
    turns: int | None = None
    # Beside other work torch's own number of threads takes longer than one, since
    # all wait for the slowest (benchmarks/scale.py, docs/how_to/many_maps.rst).
    threads: int | None = 1
    progress_bar: bool = False

    def __post_init__(self):
        check_switches(self)
        check_batch_size(self.batch_size)
        check_precision(self.precision)
        if self.turns is not None:
            check_turns(self.turns)
        check_threads(self.threads)
        warn_emulated(self.precision, choose_device(self.device))

    def with_turns(self, turns):
        """
        Give the same options with another number of turns.

        Unlike `dataclasses.replace` it does not check, and warn of, what was given
        before.

        Parameters
        ----------
        turns : int
            The number.

        Returns
        -------
        run : `RunOptions`
            The options.

        Raises
        ------
        TypeError, ValueError
            If the number is not accepted.
        """
        check_turns(turns)
        return self._changed('turns', turns)

    def without_bar(self):
        """
        Give the same options without a progress bar, and without another warning.

        Returns
        -------
        run : `RunOptions`
            The options.
        """
        return self._changed('progress_bar', False)

    def _changed(self, name, value):
        changed = copy.copy(self)
        object.__setattr__(changed, name, value)
        return changed


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
        (N, H, W). With ``reach``, a number of pixels, the output may be 0
        farther than that from the middle.
    """
    import torch

    device = choose_device(run.device)
    # A network that learnt the orientation of its cutouts is run as it is.
    most = getattr(network, 'turns', None)
    turns = 1 if most is None else min(run.turns or BLIND_TURNS, most)
    precision = choose_precision(run, network)
    if device.type != 'cpu':
        # The loaded network is shared, and `to` would move it for all.
        network = copy.deepcopy(network).to(device)

    @use_threads(run.threads)
    def predict(images, validity, *, reach=None):
        start = np.zeros(len(images), dtype=int)
        if most is not None:
            # The sky has no up: a map that is turned gives a result that is turned.
            start = find_up(images[:, 0], validity)
        images = images.astype(np.float32)
        output = 0.0
        for k in range(turns):
            turned = turn_stack(images, start + k), turn_stack(validity, start + k)
            output = output + turn_stack(run_once(*turned, reach), -k)
        return turn_stack(output / turns, -start)

    def run_once(images, validity, reach):
        options = {'reach': reach} if getattr(network, 'crops', False) else {}
        images = torch.from_numpy(images).to(device)
        validity = torch.from_numpy(validity[:, None].astype(np.float32)).to(device)
        with (
            torch.inference_mode(),
            torch.autocast(
                device.type,
                dtype=torch.bfloat16,
                enabled=precision == 'bfloat16',
            ),
        ):
            output = network(images, validity, **options)
        return output[:, 0].float().cpu().numpy().astype(float)

    return predict


def check_batch_size(batch_size):
    """
    Refuse a batch size that is not a positive integer.

    Parameters
    ----------
    batch_size : int
        The batch size.

    Raises
    ------
    ValueError
        If it is none.
    """
    check_count(batch_size, 'batch_size')


def check_turns(turns):
    """
    Refuse a number of quarter turns that is none of 1 to 4.

    Parameters
    ----------
    turns : int
        The number.

    Raises
    ------
    ValueError
        If it is none of them.
    """
    check_count(turns, 'turns')
    if turns > ALL_TURNS:
        msg = f'turns must be at most {ALL_TURNS}, got {turns}'
        raise ValueError(msg)


def choose_precision(run, network):
    """
    Find the precision in which a network is run.

    Parameters
    ----------
    run : `RunOptions`
        How it is to be run.

    network : `torch.nn.Module`
        The network.

    Returns
    -------
    precision : {'float32', 'bfloat16'}
        That of ``run``; for ``'auto'`` bfloat16, if the device has it and the
        network only corrects what is known in float32, else float32.
    """
    if run.precision != 'auto':
        return run.precision
    fast = has_bfloat16(run.device)
    corrects = getattr(network, 'corrects_fill', False)
    return 'bfloat16' if corrects and fast else 'float32'
