# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From a table of measured sources to figures.
"""

from dataclasses import dataclass

import numpy as np
from _tables import (
    BINS,
    INTERVAL,
    PERCENT,
    SMALLEST_SAMPLE,
    SNRBin,
    geometric_mean,
    interquartile_range,
    median,
)
from astropy.stats import mad_std

__all__ = [
    'LARGE_APERTURES',
    'METHODS',
    'BinFigures',
    'MethodFigures',
    'Summary',
    'summarise',
]

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


@dataclass(frozen=True, kw_only=True)
class MethodFigures:
    """
    What was found of a method.

    Parameters
    ----------
    bias : float
        The median of measured over true flux, minus 1, in percent.

    iqr : float
        The interquartile range of that ratio in percent: the geometric
        mean of those of all setups with at least 10 sources.

    rms : float
        The median hole RMS, in units of the local scatter.
    """

    bias: float = np.nan
    iqr: float
    rms: float


@dataclass(frozen=True, kw_only=True)
class BinFigures(SNRBin):
    """
    What was found in a bin of the SNR.

    Parameters
    ----------
    pull : float
        The robust standard deviation of errors over stated errors.

    iqr_ratio : tuple of float
        The interquartile range of ours over that of the annulus, with its
        68 percent interval from paired bootstrap samples.

    methods : dict of `MethodFigures`
        The figures by method.
    """

    pull: float
    iqr_ratio: tuple
    methods: dict


@dataclass(frozen=True, kw_only=True)
class Summary:
    """
    What was found of a table of sources.

    Parameters
    ----------
    bins : list of `BinFigures`
        The figures in each bin.

    geometric : dict of `MethodFigures`
        The geometric means over the bins, by method.

    iqr_ratio : tuple of float
        That of these means, with its interval.

    large : dict of dict
        For each large aperture the bias of ours and annulus in the first
        bin, in percent.

    left_out : int
        The number of sources that could not be measured.
    """

    bins: list
    geometric: dict
    iqr_ratio: tuple
    large: dict
    left_out: int


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
    summary : `Summary`
        The figures.
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
        figures = {name: _describe(part, name) for name in methods}
        log_ratio = _bootstrap_iqr_ratio(part, n_bootstrap, rng)
        row = BinFigures(
            low=low,
            high=high,
            n=len(part),
            pull=_pull(part),
            iqr_ratio=_with_interval(_iqr_ratio(figures), log_ratio),
            methods=figures,
        )
        rows.append(row)
        samples.append(log_ratio)
    geometric = {
        name: MethodFigures(
            iqr=geometric_mean([row.methods[name].iqr for row in rows]),
            rms=geometric_mean([row.methods[name].rms for row in rows]),
        )
        for name in methods
    }
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
    return Summary(
        bins=rows,
        geometric=geometric,
        iqr_ratio=_with_interval(_iqr_ratio(geometric), mean),
        large=large,
        left_out=left_out,
    )


def _iqr_ratio(figures):
    """
    Give the interquartile range of ours over that of the annulus.
    """
    return figures['ours'].iqr / figures['annulus'].iqr


def _groups(part):
    """
    Split a table by setup; leave out setups with too few sources.

    An annulus' mean holds some of the source's wings, by another share
    in each band: over all bands, its scatter would be that of its bias.
    """
    names = np.asarray(part['setup'])
    groups = [part[names == name] for name in np.unique(names)]
    return [group for group in groups if len(group) >= SMALLEST_SAMPLE]


def _bootstrap_iqr_ratio(part, n_bootstrap, rng):
    """
    Draw the logarithm of the IQR ratio of ours to annulus, paired.
    """
    samples = [np.full(n_bootstrap, np.nan)]
    for group in _groups(part):
        pick = rng.integers(len(group), size=(n_bootstrap, len(group)))
        ours, annulus = (
            interquartile_range(np.asarray(group[f'ratio_{name}'])[pick], axis=1)
            for name in ('ours', 'annulus')
        )
        samples.append(np.log(ours / annulus))
    return np.mean(samples[1:], axis=0) if len(samples) > 1 else samples[0]


def _pull(part):
    if 'pull_ours' not in part.colnames or len(part) < SMALLEST_SAMPLE:
        return np.nan
    return float(mad_std(np.asarray(part['pull_ours']), ignore_nan=True))


def _with_interval(value, log_samples):
    return (value, *np.exp(np.percentile(log_samples, INTERVAL)))


def _bias(ratio):
    return PERCENT * (median(ratio) - 1.0)


def _describe(part, name):
    ratios = [np.asarray(group[f'ratio_{name}']) for group in _groups(part)]
    return MethodFigures(
        bias=_bias(part[f'ratio_{name}']),
        iqr=geometric_mean(
            [
                PERCENT * interquartile_range(ratio[np.isfinite(ratio)])
                for ratio in ratios
            ]
        ),
        rms=median(part[f'rms_{name}']),
    )
