# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From a table of measured sources to figures, and to Markdown.
"""

import numpy as np
from astropy.stats import mad_std

__all__ = [
    'BINS',
    'LARGE_APERTURES',
    'METHODS',
    'PEERS',
    'format_lines',
    'format_setups',
    'format_table',
    'summarise',
]

#: The bins of the SNR (Eq. 1, as measured on the map).
BINS = ((4, 12), (12, 40), (40, 130), (130, 400), (400, 1500))
#: Apertures beyond the holes of faint sources, in arcsec.
LARGE_APERTURES = (12.0, 18.0)
#: The methods in the tables' order. 'exact' puts the noise-free truth
#: into the hole: what is left is noise, which no method can beat.
#: 'annulus_pixels' is the annulus with the correction for pixels that ours has.
METHODS = (
    'ours',
    'annulus',
    'annulus_pixels',
    'local median',
    'biharmonic',
    'maskfill',
    'interpolated',
    'exact',
)
_PERCENT = 100.0
#: What the hole RMS of ours is held against: the best of these.
PEERS = ('annulus', 'local median', 'biharmonic', 'maskfill', 'interpolated')
# These put nothing of their own into a hole.
_FLUX_ONLY = ('annulus_pixels', 'exact')
# An interquartile range of fewer sources says nothing.
_MINIMUM = 10


def _iqr(values, axis=None):
    high, low = np.percentile(values, (75, 25), axis=axis)
    return high - low


def _geometric_mean(values):
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if values.size == 0 or np.any(values <= 0):
        return np.nan
    return float(np.exp(np.mean(np.log(values))))


def summarise(table, *, bins=BINS, n_bootstrap=1000, seed=1):
    """
    Turn a table of sources into figures for each SNR bin and method.

    Parameters
    ----------
    table : `~astropy.table.Table`
        What `measure_map` gives. Sources without a finite flux ratio of
        ours and annulus are left out; their number is stated.

    bins : sequence of tuple, optional
        The SNR bins, low limit included, high limit not.

    n_bootstrap : int, optional
        The number of bootstrap samples.

    seed : int, optional
        Their seed.

    Returns
    -------
    summary : dict
        ``bins``: a dict a bin with ``low``, ``high``, ``n``, ``pull`` (the
        robust standard deviation of errors over stated errors), ``iqr_ratio``
        (that of ours over annulus', with its 68 percent interval from
        paired bootstrap samples) and ``methods``: for each method,
        ``bias`` (median of measured over true flux, minus 1) and ``iqr``
        (interquartile range of that ratio: the geometric mean of those
        of all setups with at least 10 sources), both in percent, and
        ``rms`` (median hole RMS in units of the local scatter).
        ``geometric``: for each method the geometric means over the bins
        of ``iqr`` and ``rms``. ``iqr_ratio``: that of these means, with
        its interval. ``large``: for each large aperture the bias of
        ours and annulus in the first bin, in percent. ``left_out``.
    """
    rng = np.random.default_rng(seed)
    good = np.isfinite(table['ratio_ours']) & np.isfinite(table['ratio_annulus'])
    left_out = int(np.count_nonzero(~good))
    table = table[good]
    found = [name[4:] for name in table.colnames if name.startswith('rms_')]
    others = [name for name in found if name not in METHODS]
    # Other models behind ours.
    order = (METHODS[0], *others, *METHODS[1:])
    methods = [name for name in order if name in found]
    parts = [table[(table['snr'] >= low) & (table['snr'] < high)] for low, high in bins]
    rows, samples = [], []
    for (low, high), part in zip(bins, parts, strict=True):
        row = {'low': low, 'high': high, 'n': len(part), 'pull': _pull(part)}
        row['methods'] = {name: _describe(part, name) for name in methods}
        ratio = row['methods']['ours']['iqr'] / row['methods']['annulus']['iqr']
        log_ratio = _bootstrap_iqr_ratio(part, n_bootstrap, rng)
        row['iqr_ratio'] = _with_interval(ratio, log_ratio)
        rows.append(row)
        samples.append(log_ratio)
    geometric = {
        name: {
            key: _geometric_mean([row['methods'][name][key] for row in rows])
            for key in ('iqr', 'rms')
        }
        for name in methods
    }
    ratio = geometric['ours']['iqr'] / geometric['annulus']['iqr']
    samples = [one for one in samples if np.all(np.isfinite(one))]
    mean = np.mean(samples, axis=0) if samples else np.full(n_bootstrap, np.nan)
    large = {
        radius: {
            name: _bias(parts[0][f'ratio_{name}_{radius:g}'])
            for name in ('ours', 'annulus')
        }
        for radius in LARGE_APERTURES
        if f'ratio_ours_{radius:g}' in table.colnames
    }
    return {
        'bins': rows,
        'geometric': geometric,
        'iqr_ratio': _with_interval(ratio, mean),
        'large': large,
        'left_out': left_out,
    }


def _groups(part):
    """
    Split a table by setup; leave out setups with too few sources.

    An annulus' mean holds some of the source's wings, by another share
    in each band: over all bands, its scatter would be that of its bias.
    """
    names = np.asarray(part['setup'])
    groups = [part[names == name] for name in np.unique(names)]
    return [group for group in groups if len(group) >= _MINIMUM]


def _bootstrap_iqr_ratio(part, n_bootstrap, rng):
    """
    Draw the logarithm of the IQR ratio of ours to annulus, paired.
    """
    samples = [np.full(n_bootstrap, np.nan)]
    for group in _groups(part):
        pick = rng.integers(len(group), size=(n_bootstrap, len(group)))
        ours, annulus = (
            _iqr(np.asarray(group[f'ratio_{name}'])[pick], axis=1)
            for name in ('ours', 'annulus')
        )
        samples.append(np.log(ours / annulus))
    return np.mean(samples[1:], axis=0) if len(samples) > 1 else samples[0]


def _pull(part):
    if 'pull_ours' not in part.colnames or len(part) < _MINIMUM:
        return np.nan
    return float(mad_std(np.asarray(part['pull_ours']), ignore_nan=True))


def _with_interval(value, log_samples):
    return (value, *np.exp(np.percentile(log_samples, (16, 84))))


def _bias(ratio):
    ratio = np.asarray(ratio)
    ratio = ratio[np.isfinite(ratio)]
    return _PERCENT * (float(np.median(ratio)) - 1.0) if ratio.size else np.nan


def _describe(part, name):
    ratios = [np.asarray(group[f'ratio_{name}']) for group in _groups(part)]
    rms = np.asarray(part[f'rms_{name}'])
    rms = rms[np.isfinite(rms)]
    return {
        'bias': _bias(part[f'ratio_{name}']),
        'iqr': _geometric_mean(
            [_PERCENT * _iqr(ratio[np.isfinite(ratio)]) for ratio in ratios]
        ),
        'rms': float(np.median(rms)) if rms.size else np.nan,
    }


def format_lines(header, rows):
    """
    Write a Markdown table.

    Parameters
    ----------
    header : list of str
        The columns' names.

    rows : list of list of str
        The cells.

    Returns
    -------
    text : str
        The table.
    """
    lines = ['| ' + ' | '.join(header) + ' |', '| --- ' * len(header) + '|']
    return '\n'.join(lines + ['| ' + ' | '.join(row) + ' |' for row in rows])


def _over_best_peer(methods):
    peers = [methods[name]['rms'] for name in PEERS if name in methods]
    peers = [value for value in peers if np.isfinite(value)]
    if not peers or not np.isfinite(methods['ours']['rms']):
        return '-'
    return f'{methods["ours"]["rms"] / min(peers):.2f}'


def _interval(values):
    if not np.all(np.isfinite(values)):
        return '-'
    return '{:.2f} ({:.2f} to {:.2f})'.format(*values)


def format_table(summary, *, title):
    """
    Write a summary as Markdown.

    Parameters
    ----------
    summary : dict
        What `summarise` gives.

    title : str
        The heading.

    Returns
    -------
    text : str
        The tables.
    """
    methods = list(summary['geometric'])
    rows = summary['bins']
    names = [f'{row["low"]} to {row["high"]}' for row in rows]
    parts = [f'## {title}']
    if summary['left_out']:
        parts.append(f'{summary["left_out"]} sources could not be measured.')
    for key, what in (
        ('bias', 'Median bias of the flux, percent'),
        ('iqr', 'Interquartile range of the flux ratio, percent'),
        ('rms', 'Hole RMS against the noise-free emission, local scatter = 1'),
    ):
        style = {'bias': '{:+.2f}', 'iqr': '{:.2f}', 'rms': '{:.3f}'}[key]
        shown = [name for name in methods if key != 'rms' or name not in _FLUX_ONLY]
        header = ['SNR', 'sources', *shown]
        lines = []
        for name, row in zip(names, rows, strict=True):
            values = [style.format(row['methods'][m][key]) for m in shown]
            lines.append([name, str(row['n']), *values])
        if key != 'bias':
            means = [style.format(summary['geometric'][m][key]) for m in shown]
            lines.append(['geometric mean', '', *means])
        if key == 'bias' and any(np.isfinite(row['pull']) for row in rows):
            header.append('pull of ours')
            for line, row in zip(lines, rows, strict=True):
                line.append(f'{row["pull"]:.2f}')
        if key == 'rms':
            header.append('ours / best peer')
            every = [*(row['methods'] for row in rows), summary['geometric']]
            for line, one in zip(lines, every, strict=True):
                line.append(_over_best_peer(one))
        if key == 'iqr':
            header.append('ours / annulus (68 %)')
            ratios = [*(row['iqr_ratio'] for row in rows), summary['iqr_ratio']]
            for line, ratio in zip(lines, ratios, strict=True):
                line.append(_interval(ratio))
            if 'annulus_pixels' in methods:
                header.append('ours / annulus_pixels')
                every = [*(row['methods'] for row in rows), summary['geometric']]
                for line, one in zip(lines, every, strict=True):
                    ratio = one['ours']['iqr'] / one['annulus_pixels']['iqr']
                    line.append(f'{ratio:.2f}')
        parts += [f'### {what}', format_lines(header, lines)]
    if summary['large']:
        low, high = rows[0]['low'], rows[0]['high']
        parts += [
            f'### Apertures beyond the hole, SNR {low} to {high}: median bias, percent',
            format_lines(
                ['aperture', 'ours', 'annulus'],
                [
                    [
                        f'{radius:g} arcsec',
                        f'{one["ours"]:+.2f}',
                        f'{one["annulus"]:+.2f}',
                    ]
                    for radius, one in summary['large'].items()
                ],
            ),
        ]
    return '\n\n'.join(parts)


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
            f'{row["methods"]["ours"]["bias"]:+.2f}' if row['n'] else '-'
            for row in summary['bins']
        ]
        lines.append(
            [
                label,
                str(len(part)),
                ' / '.join(biases),
                _interval(summary['iqr_ratio']),
                *(f'{summary["geometric"][m]["rms"]:.3f}' for m in ('ours', 'annulus')),
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
