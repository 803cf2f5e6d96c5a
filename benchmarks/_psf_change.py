# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What another model changes, source by source, on the same maps.
"""

import numpy as np
from _psf_summary import column, mean_iqr, percentiles, resample_maps
from _tables import BINS, median

__all__ = ['format_change']

# The figures: a title, the kind of column, and the method.
_FIGURES = (
    ('interquartile range of the flux ratio', 'ratio', 'ours psf'),
    ('hole RMS against the emission', 'rms', 'ours psf'),
    ('hole RMS against the emission, fill "mean"', 'rms', 'ours psf mean'),
    ('hole RMS against what was observed', 'observed', 'ours psf'),
)


def format_change(table, before, *, n_bootstrap=300, seed=1):
    """
    Write the figures of one run over those of another as Markdown.

    Parameters
    ----------
    table, before : `~astropy.table.Table`
        The sources of both runs, of the same maps: what ``psf_accuracy.py --table``
        writes.

    n_bootstrap : int, optional
        The number of bootstrap samples, of whole maps.

    seed : int, optional
        Their seed.

    Returns
    -------
    text : str
        For each part the ratios by SNR, with their 68 percent intervals. Sources are
        binned by their SNR in the run before.

    Raises
    ------
    ValueError
        If the tables are not of the same maps.
    """
    # Fluxes are multiples of a scatter that was measured, and rounded.
    same = len(table) == len(before) and np.allclose(
        table['flux_true'], before['flux_true'], rtol=1e-9, atol=0.0
    )
    if not same:
        msg = (
            'the tables have other sources: compare runs with equal --seed, --setups, '
            '--parts, and numbers of maps'
        )
        raise ValueError(msg)
    part = np.asarray(before['part'])
    texts = []
    for name in np.unique(part):
        rows = part == name
        lines = _list_ratios(table[rows], before[rows], n_bootstrap, seed)
        texts.append('\n'.join([f'## Change: {name}', '', *lines]))
    return '\n\n'.join(texts)


def _list_ratios(table, before, n_bootstrap, seed):
    """Write the table of a part."""
    snr = column(before, 'snr')
    setup, map_id = (np.asarray(before[name]) for name in ('setup', 'map_id'))
    titles = [f'{low:g} to {high:g}' for low, high in BINS]
    lines = [
        f'| figure | {" | ".join(titles)} |',
        f'|{" --- |" * (1 + len(titles))}',
    ]
    for title, kind, method in _FIGURES:
        name = f'{kind}_{method}'
        if not {name} <= {*table.colnames} & {*before.colnames}:
            continue
        pair = column(table, name), column(before, name)
        measure = _measure_iqr if kind == 'ratio' else _measure_median
        cells = []
        for low, high in BINS:
            rng = np.random.default_rng(seed)
            rows = np.flatnonzero((snr >= low) & (snr < high))
            drawn = [
                measure(pair, np.concatenate(sample), setup)
                for sample in resample_maps(rows, setup, map_id, n_bootstrap, rng)
                if sample
            ]
            start, end = percentiles(drawn)
            value = measure(pair, rows, setup)
            cells.append(f'{value:.3f} ({start:.3f} to {end:.3f})')
        lines.append(f'| {title} | {" | ".join(cells)} |')
    return lines


def _measure_iqr(pair, rows, setup):
    groups = [rows[setup[rows] == name] for name in np.unique(setup[rows])]
    new, old = (mean_iqr(values, groups) for values in pair)
    return new / old


def _measure_median(pair, rows, setup):
    new, old = (median(values[rows]) for values in pair)
    return new / old
