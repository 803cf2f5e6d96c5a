# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Markdown of the figures of measured sources.
"""

import numpy as np
from _summary import summarise
from _tables import format_interval, format_lines

__all__ = ['PEERS', 'format_setups', 'format_table']

PEERS = ('annulus', 'local median', 'biharmonic', 'maskfill', 'interpolated')
"""
What the hole RMS of ours is held against: the best of these.
"""

# These put nothing of their own into a hole.
_FLUX_ONLY = ('annulus_pixels', 'exact')


def _over_best_peer(methods):
    """
    Hold the hole RMS of ours against the best of the peers'.
    """
    peers = [methods[name].rms for name in PEERS if name in methods]
    peers = [value for value in peers if np.isfinite(value)]
    if not peers or not np.isfinite(methods['ours'].rms):
        return '-'
    return f'{methods["ours"].rms / min(peers):.2f}'


def format_table(summary, *, title):
    """
    Write a summary as Markdown.

    Parameters
    ----------
    summary : `_summary.Summary`
        The figures.

    title : str
        The heading.

    Returns
    -------
    text : str
        The tables.
    """
    parts = [f'## {title}']
    if summary.left_out:
        parts.append(f'{summary.left_out} sources could not be measured.')
    parts += [
        '### Median bias of the flux, percent',
        _format_bias(summary),
        '### Interquartile range of the flux ratio, percent',
        _format_iqr(summary),
        '### Hole RMS against the noise-free emission, local scatter = 1',
        _format_rms(summary),
    ]
    if summary.large:
        rows = [
            [f'{radius:g} arcsec', f'{one["ours"]:+.2f}', f'{one["annulus"]:+.2f}']
            for radius, one in summary.large.items()
        ]
        parts += [
            f'### Apertures beyond the hole, SNR {summary.bins[0].name}: median bias, '
            'percent',
            format_lines(['aperture', 'ours', 'annulus'], rows),
        ]
    return '\n\n'.join(parts)


def _format_bias(summary):
    """
    Write the biases, with the pulls of ours where they are known.
    """
    header, rows = ['SNR', 'sources', *summary.geometric], []
    with_pull = any(np.isfinite(row.pull) for row in summary.bins)
    for row in summary.bins:
        cells = [f'{one.bias:+.2f}' for one in row.methods.values()]
        pull = [f'{row.pull:.2f}'] if with_pull else []
        rows.append([row.name, str(row.n), *cells, *pull])
    return format_lines([*header, *(['pull of ours'] if with_pull else [])], rows)


def _format_iqr(summary):
    """
    Write the interquartile ranges, and their ratios to the annulus'.
    """
    header = ['SNR', 'sources', *summary.geometric, 'ours / annulus (68 %)']
    with_pixels = 'annulus_pixels' in summary.geometric
    rows = []
    for name, n, methods, ratio in (
        *((row.name, str(row.n), row.methods, row.iqr_ratio) for row in summary.bins),
        ('geometric mean', '', summary.geometric, summary.iqr_ratio),
    ):
        cells = [f'{one.iqr:.2f}' for one in methods.values()]
        rows.append([name, n, *cells, format_interval(ratio)])
        if with_pixels:
            ratio = methods['ours'].iqr / methods['annulus_pixels'].iqr
            rows[-1].append(f'{ratio:.2f}')
    if with_pixels:
        header.append('ours / annulus_pixels')
    return format_lines(header, rows)


def _format_rms(summary):
    """
    Write the hole RMS of the methods that fill holes.
    """
    shown = [name for name in summary.geometric if name not in _FLUX_ONLY]
    rows = []
    for name, n, methods in (
        *((row.name, str(row.n), row.methods) for row in summary.bins),
        ('geometric mean', '', summary.geometric),
    ):
        cells = [f'{methods[method].rms:.3f}' for method in shown]
        rows.append([name, n, *cells, _over_best_peer(methods)])
    return format_lines(['SNR', 'sources', *shown, 'ours / best peer'], rows)


def format_setups(table):
    """
    Write one line of figures for each setup or real background.

    Parameters
    ----------
    table : `~astropy.table.Table`
        What `measure_map` gives.

    Returns
    -------
    text : str
        The Markdown table.
    """
    labels = [
        row['setup'] if row['map'] == 'simulated' else row['map'] for row in table
    ]
    lines = []
    for label in sorted(set(labels)):
        part = table[[one == label for one in labels]]
        summary = summarise(part, n_bootstrap=200)
        biases = [
            f'{row.methods["ours"].bias:+.2f}' if row.n else '-' for row in summary.bins
        ]
        lines.append(
            [
                label,
                str(len(part)),
                ' / '.join(biases),
                format_interval(summary.iqr_ratio),
                *(f'{summary.geometric[m].rms:.3f}' for m in ('ours', 'annulus')),
            ]
        )
    header = [
        'setup',
        'sources',
        'bias of ours by SNR bin',
        'IQR ours / annulus (68 %)',
        'hole RMS, ours',
        'annulus',
    ]
    return '### Setups\n\n' + format_lines(header, lines)
