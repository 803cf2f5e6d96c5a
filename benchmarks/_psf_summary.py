# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From a table of sources measured with a known PSF to figures.

Interquartile ranges are taken setup by setup and averaged geometrically;
intervals are from bootstrap samples of whole maps, the same maps for all
methods.
"""

from dataclasses import dataclass

import numpy as np
from _tables import BINS, INTERVAL, PERCENT, SMALLEST_SAMPLE, SNRBin, median, robust_std

__all__ = [
    'FIT',
    'METHODS',
    'OURS',
    'PSFBinFigures',
    'column',
    'mean_iqr',
    'percentiles',
    'resample_maps',
    'summarise',
]

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
    'local_infilling': 'local infilling',
    'local_infilling_psf': 'local infilling, PSF',
    'kriging': 'kriging of the hole',
    'kriging with PSF': 'kriging, hole seen',
    'ours inpaint': 'ours, inpaint',
    'ours psf': 'ours, PSF',
    'ours psf mean': 'ours, PSF, mean',
    'ours psf draw': 'ours, PSF, draw',
    'ours aperture': 'ours, PSF, aperture',
}
#: The two fluxes of ours with a PSF.
OURS = ('ours aperture', 'ours psf')
#: The peer against which those are judged.
FIT = 'psf_polynomial_fit'
# The share of a Gaussian within a standard deviation, in percent.
_ONE_SIGMA = 68.27


@dataclass(frozen=True, kw_only=True)
class PSFBinFigures(SNRBin):
    """
    What was found in a bin of the SNR.

    Parameters
    ----------
    iqr, bias, rms, observed, around, pull, pull_median, pull_width : dict of float
        By method: the interquartile range of the flux ratio (percent), its
        median bias (percent), the median hole RMS in units of the local
        scatter, against the emission without noise (``rms``) and against the
        map without sources as observed (``observed``; ``around`` is that from
        the hole's rim to 25 pixels), the robust standard deviation and the median
        of the pulls, and what 68.3 percent of their absolute values are below, which
        is 1 for errors that are right, bias included.

    iqr_ratio : dict of tuple
        By pair of ours and another method, the ratio of their interquartile
        ranges with its 68 percent interval.

    rms_ratio : dict of tuple
        By other method, the ratio of hole RMS of ours in a PSF to its
        own, with its interval.
    """

    iqr: dict
    bias: dict
    rms: dict
    observed: dict
    around: dict
    pull: dict
    pull_median: dict
    pull_width: dict
    iqr_ratio: dict
    rms_ratio: dict


def _iqr(values):
    values = values[np.isfinite(values)]
    if len(values) < SMALLEST_SAMPLE:
        return np.nan
    high, low = np.percentile(values, (75, 25))
    return PERCENT * (high - low)


def mean_iqr(ratio, groups):
    """
    Average the interquartile ranges of groups of sources geometrically.

    Parameters
    ----------
    ratio : 1D `~numpy.ndarray`
        A number a source.

    groups : list of 1D `~numpy.ndarray`
        The rows of each group.

    Returns
    -------
    iqr : float
        The mean, in percent; NaN without any.
    """
    values = np.array([_iqr(ratio[rows]) for rows in groups])
    values = values[np.isfinite(values) & (values > 0)]
    return float(np.exp(np.mean(np.log(values)))) if len(values) else np.nan


def _robust_std(values):
    if np.count_nonzero(np.isfinite(values)) < SMALLEST_SAMPLE:
        return np.nan
    return robust_std(values)


def _width(values):
    values = values[np.isfinite(values)]
    if len(values) < SMALLEST_SAMPLE:
        return np.nan
    return float(np.percentile(np.abs(values), _ONE_SIGMA))


def column(table, name):
    """
    Take a column of a table, NaN where it has no value.

    Parameters
    ----------
    table : `~astropy.table.Table`
        The table.

    name : str
        The column's name.

    Returns
    -------
    values : 1D `~numpy.ndarray`
        The values.
    """
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
    bins : list of `PSFBinFigures`
        The figures in each bin.
    """
    rng = np.random.default_rng(seed)
    snr = column(table, 'snr')
    setup, map_id = np.asarray(table['setup']), np.asarray(table['map_id'])
    columns = {
        kind: {
            name: column(table, f'{kind}_{name}')
            for name in METHODS
            if f'{kind}_{name}' in table.colnames
        }
        for kind in ('ratio', 'rms', 'observed', 'around', 'pull')
    }
    for kind, methods in columns.items():
        # A part of the table has columns of another.
        columns[kind] = {k: v for k, v in methods.items() if np.isfinite(v).any()}
    bins = []
    for low, high in BINS:
        rows = np.flatnonzero((snr >= low) & (snr < high))
        groups = [rows[setup[rows] == name] for name in np.unique(setup[rows])]
        ratio, rms = columns['ratio'], columns['rms']
        iqr = {name: mean_iqr(values, groups) for name, values in ratio.items()}
        typical = _medians(rms, rows)
        samples = [
            np.concatenate(sample) if sample else rows
            for sample in resample_maps(rows, setup, map_id, n_bootstrap, rng)
        ]
        bins.append(
            PSFBinFigures(
                low=low,
                high=high,
                n=len(rows),
                iqr=iqr,
                bias={
                    name: PERCENT * (median(values[rows]) - 1.0)
                    for name, values in ratio.items()
                },
                rms=typical,
                observed=_medians(columns['observed'], rows),
                around=_medians(columns['around'], rows),
                pull_median=_medians(columns['pull'], rows),
                pull={
                    name: _robust_std(values[rows])
                    for name, values in columns['pull'].items()
                },
                pull_width={
                    name: _width(values[rows])
                    for name, values in columns['pull'].items()
                },
                iqr_ratio=_iqr_ratios(ratio, iqr, samples, setup),
                rms_ratio=_rms_ratios(rms, typical, samples),
            )
        )
    return bins


def _medians(columns, rows):
    """
    Take the median of some rows of each column.
    """
    return {name: median(values[rows]) for name, values in columns.items()}


def resample_maps(rows, setup, map_id, n_bootstrap, rng):
    """
    Draw bootstrap samples of maps, within each setup.

    Parameters
    ----------
    rows : 1D `~numpy.ndarray`
        The rows to draw from.

    setup, map_id : 1D `~numpy.ndarray`
        The setup and the map of each row of the table.

    n_bootstrap : int
        The number of samples.

    rng : `numpy.random.Generator`
        The random numbers.

    Yields
    ------
    sample : list of 1D `~numpy.ndarray`
        The rows of each map of a sample.
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
    ours = [name for name in ('ours inpaint', *OURS) if name in ratio]
    others = [name for name in ('annulus', FIT, 'ours inpaint') if name in ratio]
    drawn = {name: [] for name in {*ours, *others}}
    for sample in samples:
        names = np.unique(setup[sample])
        groups = [sample[setup[sample] == name] for name in names]
        for name, values in drawn.items():
            values.append(mean_iqr(ratio[name], groups))
    return {
        (one, other): (
            iqr[one] / iqr[other],
            *percentiles(np.array(drawn[one]) / np.array(drawn[other])),
        )
        for one in ours
        for other in others
        if one != other
    }


def _rms_ratios(rms, typical, samples):
    """
    Compare the hole RMS of ours in two passes with that of the others.
    """
    ours = 'ours psf'
    if ours not in rms:
        return {}
    return {
        other: (
            typical[ours] / typical[other],
            *percentiles([median(rms[ours][s]) / median(values[s]) for s in samples]),
        )
        for other, values in rms.items()
        if other != ours
    }


def percentiles(values):
    """
    Give the interval that tables show, of what bootstrap samples gave.

    Parameters
    ----------
    values : array_like
        A number a sample; NaN are left out.

    Returns
    -------
    low, high : float
        Its ends; NaN without any number.
    """
    values = np.asarray(values)
    values = values[np.isfinite(values)]
    return np.percentile(values, INTERVAL) if len(values) else (np.nan, np.nan)
