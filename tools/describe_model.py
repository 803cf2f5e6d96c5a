# Licensed under a 3-clause BSD style license - see LICENSE.rst
r"""
Complete the card of a trained model with what was measured of it.

The table is that of ``benchmarks/accuracy.py --table``, the metrics those of
the training::

    python tools/describe_model.py pacs.safetensors --table accuracy.ecsv \
        --metrics training_output/pacs/metrics.csv --weakness 'What it cannot do.'

``--method psf`` takes the columns of the model ``psf`` instead of the default one's.
Bias and interquartile range (IQR) of measured over true flux are in percent,
the hole RMS in units of the local scatter. The weights do not change.
"""

import argparse
import csv
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from astropy.stats import mad_std
from astropy.table import Table

from photutils_pconv.network import load_model, save_model

SNR_BINS = (4, 12, 40, 130, 400, 1500)
RADIUS_BINS = (0, 5.5, 7.5, 9.5, 11.5, 20)
CONTRAST_BINS = (0, 1, 4, 16, np.inf)
FEWEST = 20
PEERS = ('annulus', 'local median', 'biharmonic', 'maskfill', 'interpolated')


def iqr(values):
    """Give the interquartile range."""
    high, low = np.percentile(values, (75, 25))
    return float(high - low)


def measure(part):
    """Describe some of the sources; `None` if they are too few."""
    ratio, annulus = (np.asarray(part[f'ratio_{m}']) for m in ('ours', 'annulus'))
    good = np.isfinite(ratio) & np.isfinite(annulus)
    if good.sum() < FEWEST:
        return None
    peers = [
        float(np.nanmedian(part[f'rms_{name}']))
        for name in PEERS
        if f'rms_{name}' in part.colnames
    ]
    rms = float(np.nanmedian(part['rms_ours']))
    pull = float(mad_std(np.asarray(part['pull_ours']), ignore_nan=True))
    return {
        'sources': int(good.sum()),
        'bias_percent': round(100 * float(np.median(ratio[good]) - 1), 3),
        'iqr_percent': round(100 * iqr(ratio[good]), 3),
        'iqr_over_annulus': round(iqr(ratio[good]) / iqr(annulus[good]), 3),
        'pull': round(pull, 3),
        'hole_rms': round(rms, 4),
        'hole_rms_over_best_peer': round(rms / min(peers), 3),
    }


def by_bins(table, column, edges):
    """Describe the sources bin by bin."""
    values = np.asarray(table[column], dtype=float)
    found = {}
    for low, high in pairwise(edges):
        part = measure(table[(values >= low) & (values < high)])
        if part is not None:
            found[f'{low:g} to {high:g}'] = part
    return found


def by_names(table, column):
    """Describe the sources name by name."""
    names = np.asarray(table[column]).astype(str)
    found = {name: measure(table[names == name]) for name in dict.fromkeys(names)}
    return {name: part for name, part in found.items() if part is not None}


def geometric_means(table):
    """Average over the SNR bins and setups, as the benchmark does."""
    logs = {'iqr': [], 'rms': []}
    for setup in dict.fromkeys(np.asarray(table['setup']).astype(str)):
        part = table[np.asarray(table['setup']).astype(str) == setup]
        for one in by_bins(part, 'snr', SNR_BINS).values():
            logs['iqr'].append(np.log(one['iqr_over_annulus']))
            logs['rms'].append(np.log(one['hole_rms_over_best_peer']))
    return {
        'iqr_over_annulus': round(float(np.exp(np.mean(logs['iqr']))), 3),
        'hole_rms_over_best_peer': round(float(np.exp(np.mean(logs['rms']))), 3),
    }


def describe(table):
    """Describe the accuracy on the sources of a table."""
    usable = (table['snr'] >= SNR_BINS[0]) & (table['snr'] < SNR_BINS[-1])
    table = table[usable]
    described = {
        'mean': geometric_means(table),
        'snr': by_bins(table, 'snr', SNR_BINS),
        'hole_radius_pixels': by_bins(table, 'hole_radius', RADIUS_BINS),
        'setup': by_names(table, 'setup'),
    }
    if 'contrast' in table.colnames:
        described['emission_over_noise'] = by_bins(table, 'contrast', CONTRAST_BINS)
    return described


def read_curve(path):
    """Read the validation figures from the metrics of a training."""
    with Path(path).open(encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    # The last two are those of models of either kind.
    keys = ('valid_loss', 'hole_rms', 'mean_error', 'weighted_error')
    return {
        'step': [int(row['step']) for row in rows],
        **{
            key: [round(float(row[key]), 5) for row in rows]
            for key in keys
            if key in rows[0]
        },
    }


def main():
    """
    Run the script.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('weights', type=Path)
    parser.add_argument('--table', type=Path, required=True)
    parser.add_argument('--metrics', type=Path)
    parser.add_argument('--method', default='ours', help="the table's columns")
    parser.add_argument('--weakness', action='append', default=[])
    args = parser.parse_args()
    model = load_model(args.weights, cache=False)
    table = Table.read(args.table, format='ascii.ecsv')
    for quantity in ('ratio', 'pull', 'rms'):
        table[f'{quantity}_ours'] = table[f'{quantity}_{args.method}']
    simulated = np.asarray(table['map']).astype(str) == 'simulated'
    accuracy = {**model.card.accuracy, 'simulated': describe(table[simulated])}
    if not simulated.all():
        accuracy['real'] = {
            **describe(table[~simulated]),
            'background': by_names(table[~simulated], 'map'),
        }
    if args.metrics:
        accuracy['curve'] = read_curve(args.metrics)
    card = replace(
        model.card,
        accuracy=accuracy,
        notes=' '.join(args.weakness) or model.card.notes,
    )
    save_model(args.weights, model.network, card, overwrite=True)


if __name__ == '__main__':
    main()
