# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The speed of the networks, as a share of what a processor can do.
"""

import time

import numpy as np
import torch
from _speed_ways import PRECISIONS
from _tables import format_lines
from torch.utils.flop_counter import FlopCounterMode

from photutils_pconv.network import RunOptions, load_model, make_predictor

__all__ = ['format_networks']


def format_networks(*, n_cutouts=64, batch_size=16):
    """
    Compare the networks with the products of matrices that a processor can do.

    Parameters
    ----------
    n_cutouts : int, optional
        The number of cutouts.

    batch_size : int, optional
        The cutouts at once.

    Returns
    -------
    text : str
        The table.
    """
    rng = np.random.default_rng(1)
    rows = []
    for name in ('psf', 'pacs'):
        network = load_model(name).network
        images = rng.normal(size=(n_cutouts, network.in_channels, 64, 64))
        validity = np.ones((n_cutouts, 64, 64), bool)
        one = [torch.from_numpy(part[:1]).float() for part in (images, validity)]
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            network(one[0], one[1][:, None])
        flops = counter.get_total_flops()
        for precision in PRECISIONS:
            run = RunOptions(batch_size=batch_size, precision=precision)
            predict = make_predictor(network, run)
            seconds = min(
                _time_batches(predict, images, validity, batch_size) for _ in range(3)
            )
            rate = flops * n_cutouts / seconds / 1.0e9
            peak = _find_peak(getattr(torch, precision))
            rows.append(
                [
                    name,
                    precision,
                    f'{1e3 * seconds / n_cutouts:.2f}',
                    f'{rate:.0f}',
                    f'{peak:.0f}',
                    f'{rate / peak:.0%}',
                ]
            )
    header = ['model', 'precision', 'ms a cutout', 'GFLOP/s', 'of matmul', 'share']
    return format_lines(header, rows)


def _time_batches(predict, images, validity, batch_size):
    start = time.process_time()
    for first in range(0, len(images), batch_size):
        part = slice(first, first + batch_size)
        predict(images[part], validity[part])
    return time.process_time() - start


def _find_peak(dtype, *, side=2048, repeats=3):
    matrix = torch.ones(side, side, dtype=dtype)
    taken = []
    for _ in range(repeats + 1):
        start = time.process_time()
        matrix @ matrix
        taken.append(time.process_time() - start)
    return 2.0 * side**3 / min(taken) / 1.0e9
