# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From the table of measured sources to figures, bars and Markdown.

Interquartile ranges are taken setup by setup and averaged geometrically;
intervals are from bootstrap samples of whole maps, the same maps for all
methods.
"""

import numpy as np

__all__ = [
    'BINS',
    'METHODS',
    'format_pairs',
    'format_part',
    'format_times',
    'summarise',
]

#: The bins of the SNR (Eq. 1, as measured on the map).
BINS = ((4, 12), (12, 40), (40, 130), (130, 400), (400, 1500))
#: The names of the methods in the tables' order, with their titles.
METHODS = {
    'annulus': 'annulus',
    'local_background': 'LocalBackground',
    'psf_photometry': 'PSFPhotometry',
    'psf_polynomial_fit': 'PSF + quadratic',
    'quadratic alone': 'the quadratic',
    'maskfill': 'maskfill',
    'biharmonic': 'biharmonic',
    'interpolate': 'interpolate',
    'kriging': 'kriging of the hole',
    'kriging with PSF': 'kriging, hole seen',
    'ours 1': 'ours, 1 pass',
    'ours 2': 'ours, 2 passes',
    'ours 2 aperture': 'ours, 2 passes, aperture',
    'ours 2 psf': 'ours, 2 passes, PSF',
}
OURS = ('ours 2 aperture', 'ours 2 psf')
FIT = 'psf_polynomial_fit'
_PERCENT = 100.0
# An interquartile range of fewer sources says nothing.
_MINIMUM = 10
_PULL_MINIMUM = 300
_INTERVAL = (16, 84)


def _iqr(values):
    values = values[np.isfinite(values)]
    if len(values) < _MINIMUM:
        return np.nan
    high, low = np.percentile(values, (75, 25))
    return _PERCENT * (high - low)


def _mean_iqr(ratio, groups):
    """
    Average the interquartile ranges of groups of sources geometrically.
    """
    values = np.array([_iqr(ratio[rows]) for rows in groups])
    values = values[np.isfinite(values) & (values > 0)]
    return float(np.exp(np.mean(np.log(values)))) if len(values) else np.nan


def _median(values):
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else np.nan


def _robust_std(values):
    values = values[np.isfinite(values)]
    if len(values) < _MINIMUM:
        return np.nan
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def _column(table, name):
    values = table[name]
    return np.asarray(np.ma.filled(values, np.nan), dtype=float)


def summarise(table, *, n_bootstrap=300, seed=1):
    """
    Turn a table of sources into figures.

    Parameters
    ----------
    table : `~astropy.table.Table`
        What `_psf_measure.measure_map` gives for several maps, with a
        column ``map_id``.

    n_bootstrap : int, optional
        The number of bootstrap samples.

    seed : int, optional
        Their seed.

    Returns
    -------
    bins : list of dict
        For each SNR bin ``low``, ``high``, ``n``; ``iqr`` (percent),
        ``bias`` (median, percent), ``rms`` (median) and ``pull`` (robust
        standard deviation) by method; ``iqr_ratio`` and ``rms_ratio`` by
        pair of ours and another method, with their 68 percent intervals.
    """
    rng = np.random.default_rng(seed)
    snr = _column(table, 'snr')
    setup, map_id = np.asarray(table['setup']), np.asarray(table['map_id'])
    columns = {
        kind: {
            name: _column(table, f'{kind}_{name}')
            for name in METHODS
            if f'{kind}_{name}' in table.colnames
        }
        for kind in ('ratio', 'rms', 'pull')
    }
    for kind, methods in columns.items():
        # A part of the table has columns of another.
        columns[kind] = {k: v for k, v in methods.items() if np.isfinite(v).any()}
    bins = []
    for low, high in BINS:
        rows = np.flatnonzero((snr >= low) & (snr < high))
        groups = [rows[setup[rows] == name] for name in np.unique(setup[rows])]
        found = {'low': low, 'high': high, 'n': len(rows)}
        ratio, rms = columns['ratio'], columns['rms']
        found['iqr'] = {name: _mean_iqr(ratio[name], groups) for name in ratio}
        found['bias'] = {
            name: _PERCENT * (_median(ratio[name][rows]) - 1.0) for name in ratio
        }
        found['rms'] = {name: _median(rms[name][rows]) for name in rms}
        found['pull'] = {
            name: _robust_std(pull[rows]) for name, pull in columns['pull'].items()
        }
        samples = [
            np.concatenate(sample) if sample else rows
            for sample in _resample(rows, setup, map_id, n_bootstrap, rng)
        ]
        found['iqr_ratio'] = _iqr_ratios(ratio, found['iqr'], samples, setup)
        found['rms_ratio'] = {
            other: (
                found['rms']['ours 2'] / found['rms'][other],
                *_percentiles(
                    [
                        _median(rms['ours 2'][s]) / _median(rms[other][s])
                        for s in samples
                    ]
                ),
            )
            for other in rms
            if 'ours 2' in rms and other != 'ours 2'
        }
        bins.append(found)
    return bins


def _resample(rows, setup, map_id, n_bootstrap, rng):
    """
    Draw bootstrap samples of maps, within each setup.
    """
    parts = []
    for name in np.unique(setup[rows]):
        own = rows[setup[rows] == name]
        parts.append([own[map_id[own] == one] for one in np.unique(map_id[own])])
    for _ in range(n_bootstrap):
        yield [
            maps[k] for maps in parts for k in rng.integers(len(maps), size=len(maps))
        ]


def _iqr_ratios(ratio, iqr, samples, setup):
    """
    Compare the scatter of ours with that of the others, paired.
    """
    ours = [name for name in ('ours 1', *OURS) if name in ratio]
    others = [name for name in ('annulus', FIT, 'ours 1') if name in ratio]
    drawn = {name: [] for name in {*ours, *others}}
    for sample in samples:
        names = np.unique(setup[sample])
        groups = [sample[setup[sample] == name] for name in names]
        for name, values in drawn.items():
            values.append(_mean_iqr(ratio[name], groups))
    return {
        (one, other): (
            iqr[one] / iqr[other],
            *_percentiles(np.array(drawn[one]) / np.array(drawn[other])),
        )
        for one in ours
        for other in others
        if one != other
    }


def _percentiles(values):
    values = np.asarray(values)
    values = values[np.isfinite(values)]
    return np.percentile(values, _INTERVAL) if len(values) else (np.nan, np.nan)


def _markdown(header, rows):
    lines = ['| ' + ' | '.join(header) + ' |', '| --- ' * len(header) + '|']
    return '\n'.join(lines + ['| ' + ' | '.join(row) + ' |' for row in rows])


def _show(style, value):
    return style.format(value) if np.isfinite(value) else '-'


def _interval(values):
    if not np.isfinite(values[0]):
        return '-'
    return '{:.2f} ({:.2f} to {:.2f})'.format(*values)


def format_part(bins, *, title, pull_range=(0.85, 1.15), pull_minimum=_PULL_MINIMUM):
    """
    Write the figures of one kind of map as Markdown.

    Parameters
    ----------
    bins : list of dict
        What `summarise` gives.

    title : str
        The heading.

    pull_range : pair of float, optional
        The bar for the pulls.

    pull_minimum : int, optional
        The sources a bin from which on that bar holds.

    Returns
    -------
    text : str
        The tables.
    """
    names = [f'{row["low"]} to {row["high"]}' for row in bins]
    header = ['method', *names]
    parts = [f'## {title}']
    counts = ['sources', *(str(row['n']) for row in bins)]
    for key, what, style in (
        ('iqr', 'Interquartile range of the flux ratio, percent', '{:.2f}'),
        ('bias', 'Median bias of the flux, percent', '{:+.2f}'),
        (
            'rms',
            'Hole RMS against the noise-free emission, local scatter = 1',
            '{:.3f}',
        ),
        ('pull', 'Pull (flux - truth) / error, robust standard deviation', '{:.2f}'),
    ):
        methods = [name for name in METHODS if name in bins[0][key]]
        lines = [
            [METHODS[name], *(_show(style, row[key][name]) for row in bins)]
            for name in methods
        ]
        if lines:
            parts += [f'### {what}', _markdown(header, [counts, *lines])]
    lines = [
        [
            f'{METHODS[one]} / {METHODS[other]}',
            *(_interval(row['iqr_ratio'][one, other]) for row in bins),
        ]
        for one, other in bins[0]['iqr_ratio']
    ]
    if lines:
        parts += [
            '### Ratios of interquartile ranges (68 percent)',
            _markdown(header, lines),
        ]
    lines = [
        [
            f'{METHODS["ours 2"]} / {METHODS[other]}',
            *(_interval(row['rms_ratio'][other]) for row in bins),
        ]
        for other in bins[0]['rms_ratio']
    ]
    if lines:
        parts += ['### Ratios of hole RMS (68 percent)', _markdown(header, lines)]
    lines = _bars(bins, pull_range, pull_minimum)
    if lines:
        parts += ['### Bars', _markdown(['bar', *names], lines)]
    return '\n\n'.join(parts)


def _verdict(value, met, style='{:.2f}'):
    if not np.isfinite(value):
        return '-'
    return f'{style.format(value)} {"met" if met else "MISSED"}'


def _bars(bins, pull_range, pull_minimum):
    """
    Compare the figures with the bars, as rows of a table.
    """
    lines = []
    for name in OURS:
        if name not in bins[0]['iqr']:
            continue
        line = []
        for row in bins:
            ours, fit = row['iqr'][name], row['iqr'][FIT]
            if row['high'] <= 130:
                met = ours <= 0.9 * fit
            else:
                met = ours <= max(1.1 * fit, 0.3)
            line.append(_verdict(ours / fit, met))
        lines.append(
            [
                f'{METHODS[name]}: IQR / PSF + quadratic, 0.9 '
                '(above 130: 1.1, or an IQR of 0.3 percent)',
                *line,
            ]
        )
        line = []
        for row in bins:
            value = row['iqr'][name] / row['iqr']['annulus']
            asked = 12 <= row['low'] and row['high'] <= 130
            line.append(
                _verdict(value, value <= 0.45) if asked else _show('{:.2f}', value)
            )
        lines.append([f'{METHODS[name]}: IQR / annulus, 0.45 from 12 to 130', *line])
        line = []
        for row in bins:
            value, bar = row['bias'][name], 3.0 if row['high'] <= 12 else 1.0
            line.append(_verdict(value, abs(value) <= bar, '{:+.2f}'))
        lines.append([f'{METHODS[name]}: bias, 1 percent (below 12: 3)', *line])
    if 'ours 2' in bins[0]['rms']:
        line = []
        for row in bins:
            value = row['rms']['ours 2'] / row['rms']['ours 1']
            line.append(_verdict(value, value <= 0.85))
        lines.append(['hole RMS / 1 pass, 0.85', *line])
        line = []
        for row in bins:
            # The optimum, which knows the covariance, is no method of use.
            others = [
                value
                for name, value in row['rms'].items()
                if name != 'ours 2'
                and not name.startswith('kriging')
                and np.isfinite(value)
            ]
            value = row['rms']['ours 2'] / min(others, default=np.nan)
            line.append(_verdict(value, value < 1.0))
        lines.append(['hole RMS / lowest of all others, below 1', *line])
    for name in ('ours 1', *OURS):
        if name in bins[0]['pull']:
            line = []
            for row in bins:
                value = row['pull'][name]
                met = pull_range[0] <= value <= pull_range[1]
                few = row['n'] < pull_minimum
                line.append(
                    _show('{:.2f} (few)', value) if few else _verdict(value, met)
                )
            title = f'{METHODS[name]}: pull, {pull_range[0]} to {pull_range[1]}'
            lines.append([title, *line])
    return lines


def format_pairs(table):
    """
    Write the figures of pairs of sources as Markdown.

    Parameters
    ----------
    table : `~astropy.table.Table`
        What `measure_map` gives for maps of pairs, with the columns
        ``distance`` (FWHM), ``share`` (the second source's flux in
        units of the first's) and ``member`` (0 or 1).

    Returns
    -------
    text : str
        The tables: for every method, median bias and the 68th percentile
        of the absolute deviation, in percent.
    """
    methods = [name for name in METHODS if f'ratio_{name}' in table.colnames]
    ratios = {name: _column(table, f'ratio_{name}') for name in methods}
    ratios = {name: ratio for name, ratio in ratios.items() if np.isfinite(ratio).any()}
    distance, share = _column(table, 'distance'), _column(table, 'share')
    member = _column(table, 'member')
    header, picks = ['method'], []
    for part, title in ((1.0, '1:1'), (1 / 3, '3:1, first'), (1 / 3, '3:1, second')):
        for value in np.unique(distance[np.isfinite(distance)]):
            pick = np.isclose(distance, value) & np.isclose(share, part)
            if part != 1.0:
                pick &= member == (0 if 'first' in title else 1)
            picks.append(pick)
            header.append(f'{title}, {value:g} FWHM')
    lines = [['sources', *(str(np.count_nonzero(pick)) for pick in picks)]]
    for name, ratio in ratios.items():
        line = []
        for pick in picks:
            values = ratio[pick][np.isfinite(ratio[pick])]
            if len(values) == 0:
                line.append('-')
                continue
            spread = _PERCENT * np.percentile(np.abs(values - 1.0), 68)
            line.append(f'{_PERCENT * (np.median(values) - 1.0):+.1f} / {spread:.1f}')
        lines.append([METHODS[name], *line])
    text = [
        '## Pairs of sources, the first of SNR 50',
        'Median bias of the flux / 68th percentile of its absolute deviation, '
        'percent. The bar: within 10 percent at 1.5 FWHM.',
        _markdown(header, lines),
    ]
    return '\n\n'.join(text)


def format_times(table):
    """
    Write the time per source as Markdown.

    Parameters
    ----------
    table : `~astropy.table.Table`
        What `measure_map` gives.

    Returns
    -------
    text : str
        The table.
    """
    lines, times = [], {}
    for name in METHODS:
        if f'time_{name}' in table.colnames:
            values = _column(table, f'time_{name}')
            times[name] = 1e3 * np.nanmean(values)
            lines.append([METHODS[name], f'{times[name]:.1f}'])
    text = ['## Time', _markdown(['method', 'ms of the processor a source'], lines)]
    if {'ours 1', 'ours 2'} <= set(times):
        ratio = times['ours 2'] / times['ours 1']
        text.append(f'Two passes over one: {_verdict(ratio, ratio <= 3.0)} (bar: 3).')
    return '\n\n'.join(text)
