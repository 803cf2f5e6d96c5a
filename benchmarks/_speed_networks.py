# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The speed of the networks, as a share of what a processor can do.
"""

import time
from functools import partial

import numpy as np
import torch
from _speed_ways import PRECISIONS, make_paper_model
from _tables import format_lines
from torch.utils.flop_counter import FlopCounterMode

from photutils_pconv.network import RunOptions, load_model, make_predictor

__all__ = ['format_networks']

# How far from the middle the emission is wanted, in pixels: a hole of 8 pixels with its
# taper, and what it is rounded up to.
_REACH = 14


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
    models = {name: load_model(name) for name in ('psf', 'pacs')}
    models['of the paper'] = make_paper_model()
    rows = []
    for name, model in models.items():
        network, size = model.network, model.card.cutout_size
        channels = model.card.architecture.get('in_channels', 1)
        images = rng.normal(size=(n_cutouts, channels, size, size))
        validity = np.ones((n_cutouts, size, size), bool)
        for precision in PRECISIONS:
            run = RunOptions(batch_size=batch_size, precision=precision, turns=1)
            predict = partial(make_predictor(network, run), reach=_REACH)
            with FlopCounterMode(display=False) as counter:
                predict(images[:1], validity[:1])
            flops = counter.get_total_flops()
            seconds = min(
                _time_batches(predict, images, validity, batch_size) for _ in range(3)
            )
            rate = flops * n_cutouts / seconds / 1.0e9
            peak = _find_peak(getattr(torch, precision))
            rows.append(
                [
                    name,
                    precision,
                    f'{flops / 1.0e9:.3f}',
                    f'{1e3 * seconds / n_cutouts:.2f}',
                    f'{flops / peak / 1.0e6:.2f}',
                    f'{rate:.0f}',
                    f'{peak:.0f}',
                    f'{rate / peak:.0%}',
                ]
            )
    header = [
        'network',
        'precision',
        'GFLOP a cutout',
        'ms a cutout',
        'ms at the peak',
        'GFLOP/s',
        'of matmul',
        'share',
    ]
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
