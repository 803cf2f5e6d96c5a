# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Markdown of the figures of sources measured with a known PSF, with bars.
"""

from dataclasses import dataclass

import numpy as np
from _psf_maps import PAIR_SHARES, PAIR_SNR, SECOND_SNR
from _psf_summary import FIT, METHODS, OURS, column
from _tables import PERCENT, format_interval, format_lines

__all__ = [
    'PULL_BAR',
    'REAL_PULL_BAR',
    'PullBar',
    'format_pairs',
    'format_part',
    'format_times',
]

# All bars are by choice, and stand in the tables.
# Interquartile range of ours over that of the fit: for SNR up to and above
# _BRIGHT, where an absolute range (percent) will do, too.
_FIT_BAR, _BRIGHT_FIT_BAR, _BRIGHT_IQR = 0.9, 1.1, 0.3
_BRIGHT = 130
# Interquartile range of ours over that of the annulus, for SNR from _FAINT to
# _BRIGHT.
_ANNULUS_BAR = 0.45
_FAINT = 12
# Bias (percent) below and above _FAINT.
_FAINT_BIAS_BAR, _BIAS_BAR = 3.0, 1.0
# Hole RMS with a PSF over that without.
_RMS_BAR = 0.85
# Time with a PSF over that without.
_TIME_BAR = 3.0
# The percentile of absolute deviations that is a standard deviation's.
_SPREAD = 68


@dataclass(frozen=True)
class PullBar:
    """
    The bar for the pulls of ours.

    Parameters
    ----------
    low, high : float
        Between which the robust standard deviation of the pulls is to lie.

    n_least : int
        The number of sources in a bin from which on the bar holds.
    """

    low: float
    high: float
    n_least: int


#: The bar on simulated fields.
PULL_BAR = PullBar(0.85, 1.15, 300)
#: The bar on real backgrounds, which are few.
REAL_PULL_BAR = PullBar(0.7, 1.4, 1)


def _show(style, value):
    return style.format(value) if np.isfinite(value) else '-'


def format_part(bins, *, title, pull_bar=PULL_BAR):
    """
    Write the figures of one kind of map as Markdown.

    Parameters
    ----------
    bins : list of `_psf_summary.PSFBinFigures`
        The figures in each bin.

    title : str
        The heading.

    pull_bar : `PullBar`, optional
        The bar for the pulls.

    Returns
    -------
    text : str
        The tables.
    """
    header = ['method', *(row.name for row in bins)]
    parts = [f'## {title}']
    counts = ['sources', *(str(row.n) for row in bins)]
    for what, style, figures in (
        (
            'Interquartile range of the flux ratio, percent',
            '{:.2f}',
            [row.iqr for row in bins],
        ),
        (
            'Median bias of the flux, percent',
            '{:+.2f}',
            [row.bias for row in bins],
        ),
        (
            'Hole RMS against the noise-free emission, local scatter = 1',
            '{:.3f}',
            [row.rms for row in bins],
        ),
        (
            'Hole RMS against the map without sources as observed, local scatter = 1',
            '{:.3f}',
            [row.observed for row in bins],
        ),
        (
            'The same from the rim of the hole to 25 pixels',
            '{:.3f}',
            [row.around for row in bins],
        ),
        (
            'Pull (flux - truth) / error, robust standard deviation',
            '{:.2f}',
            [row.pull for row in bins],
        ),
        (
            'Pull, median',
            '{:+.2f}',
            [row.pull_median for row in bins],
        ),
        (
            'Pull, 68 percent of the absolute values are below',
            '{:.2f}',
            [row.pull_width for row in bins],
        ),
    ):
        lines = [
            [METHODS[name], *(_show(style, one[name]) for one in figures)]
            for name in METHODS
            if name in figures[0]
        ]
        if lines:
            parts += [f'### {what}', format_lines(header, [counts, *lines])]
    lines = [
        [
            f'{METHODS[one]} / {METHODS[other]}',
            *(format_interval(row.iqr_ratio[one, other]) for row in bins),
        ]
        for one, other in bins[0].iqr_ratio
    ]
    if lines:
        parts += [
            '### Ratios of interquartile ranges (68 percent)',
            format_lines(header, lines),
        ]
    lines = [
        [
            f'{METHODS["ours psf"]} / {METHODS[other]}',
            *(format_interval(row.rms_ratio[other]) for row in bins),
        ]
        for other in bins[0].rms_ratio
    ]
    if lines:
        parts += ['### Ratios of hole RMS (68 percent)', format_lines(header, lines)]
    lines = _list_bars(bins, pull_bar)
    if lines:
        parts += ['### Bars', format_lines(['bar', *header[1:]], lines)]
    return '\n\n'.join(parts)


def _verdict(value, met, style='{:.2f}'):
    if not np.isfinite(value):
        return '-'
    return f'{style.format(value)} {"met" if met else "MISSED"}'


def _list_bars(bins, pull_bar):
    """
    Compare the figures with the bars, as rows of a table.
    """
    lines = []
    for name in OURS:
        if name in bins[0].iqr:
            lines += [
                [
                    f'{METHODS[name]}: IQR / PSF + quadratic, {_FIT_BAR:g} '
                    f'(above {_BRIGHT}: {_BRIGHT_FIT_BAR:g}, or an IQR of '
                    f'{_BRIGHT_IQR:g} percent)',
                    *(_judge_fit(row, name) for row in bins),
                ],
                [
                    f'{METHODS[name]}: IQR / annulus, {_ANNULUS_BAR:g} from {_FAINT} '
                    f'to {_BRIGHT}',
                    *(_judge_annulus(row, name) for row in bins),
                ],
                [
                    f'{METHODS[name]}: bias, {_BIAS_BAR:g} percent (below {_FAINT}: '
                    f'{_FAINT_BIAS_BAR:g})',
                    *(_judge_bias(row, name) for row in bins),
                ],
            ]
    if 'ours psf' in bins[0].rms:
        lines += [
            [
                f'hole RMS / inpaint, {_RMS_BAR:g}',
                *(_judge_passes(row) for row in bins),
            ],
            [
                'hole RMS / lowest of all others, below 1',
                *(_judge_lowest(row) for row in bins),
            ],
        ]
    lines += [
        [
            f'{METHODS[name]}: pull, {pull_bar.low} to {pull_bar.high}',
            *(_judge_pull(row, name, pull_bar) for row in bins),
        ]
        for name in ('ours inpaint', *OURS)
        if name in bins[0].pull
    ]
    return lines


def _judge_fit(row, name):
    ours, fit = row.iqr[name], row.iqr[FIT]
    met = ours <= _FIT_BAR * fit
    if row.high > _BRIGHT:
        met = ours <= max(_BRIGHT_FIT_BAR * fit, _BRIGHT_IQR)
    return _verdict(ours / fit, met)


def _judge_annulus(row, name):
    value = row.iqr[name] / row.iqr['annulus']
    if row.low >= _FAINT and row.high <= _BRIGHT:
        return _verdict(value, value <= _ANNULUS_BAR)
    return _show('{:.2f}', value)


def _judge_bias(row, name):
    value = row.bias[name]
    bar = _FAINT_BIAS_BAR if row.high <= _FAINT else _BIAS_BAR
    return _verdict(value, abs(value) <= bar, '{:+.2f}')


def _judge_passes(row):
    value = row.rms['ours psf'] / row.rms['ours inpaint']
    return _verdict(value, value <= _RMS_BAR)


def _judge_lowest(row):
    # The optimum, which knows the covariance, is no method of use.
    others = [
        value
        for name, value in row.rms.items()
        if name != 'ours psf' and not name.startswith('kriging') and np.isfinite(value)
    ]
    value = row.rms['ours psf'] / min(others, default=np.nan)
    return _verdict(value, value < 1.0)


def _judge_pull(row, name, bar):
    value = row.pull[name]
    if row.n < bar.n_least:
        return _show('{:.2f} (few)', value)
    return _verdict(value, bar.low <= value <= bar.high)


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
        A table a flux ratio and member: for every method, median bias and
        the 68th percentile of the absolute deviation, in percent.
    """
    methods = [name for name in METHODS if f'ratio_{name}' in table.colnames]
    ratios = {name: column(table, f'ratio_{name}') for name in methods}
    ratios = {name: ratio for name, ratio in ratios.items() if np.isfinite(ratio).any()}
    distance, share = column(table, 'distance'), column(table, 'share')
    member = column(table, 'member')
    distances = np.unique(distance[np.isfinite(distance)])
    header = ['method', *(f'{value:g} FWHM' for value in distances)]
    text = [
        '## Pairs of sources',
        f'The first has the SNR {PAIR_SNR:g}, or more where the second needs it to '
        f'have {SECOND_SNR:g}. Median bias of the flux / 68th percentile of its '
        'absolute deviation, percent. The bar: within 10 percent at 1.5 FWHM for '
        '1:1 and 3:1.',
    ]
    for part in PAIR_SHARES:
        for number, place in ((0, 'first'), (1, 'second')):
            pick = np.isclose(share, part)
            title = f'### {1 / part:.0f}:1'
            if part != 1.0:
                pick &= member == number
                title += f', the {place}'
            elif number:
                # Neither is the brighter one.
                continue
            if pick.any():
                picks = [pick & np.isclose(distance, value) for value in distances]
                text += [title, format_lines(header, _list_pairs(ratios, picks))]
    return '\n\n'.join(text)


def _list_pairs(ratios, picks):
    """
    Write the figures of some kinds of pairs as rows of a table.
    """
    lines = [['sources', *(str(np.count_nonzero(pick)) for pick in picks)]]
    for name, ratio in ratios.items():
        line = []
        for pick in picks:
            values = ratio[pick][np.isfinite(ratio[pick])]
            if len(values) == 0:
                line.append('-')
                continue
            spread = PERCENT * np.percentile(np.abs(values - 1.0), _SPREAD)
            line.append(f'{PERCENT * (np.median(values) - 1.0):+.1f} / {spread:.1f}')
        lines.append([METHODS[name], *line])
    return lines


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
            values = column(table, f'time_{name}')
            times[name] = 1e3 * np.nanmean(values)
            lines.append([METHODS[name], f'{times[name]:.1f}'])
    text = ['## Time', format_lines(['method', 'ms of the processor a source'], lines)]
    if {'ours inpaint', 'ours psf'} <= set(times):
        ratio = times['ours psf'] / times['ours inpaint']
        shown = _verdict(ratio, ratio <= _TIME_BAR)
        text.append(f'PSF over inpaint: {shown} (bar: {_TIME_BAR:g}).')
    return '\n\n'.join(text)
