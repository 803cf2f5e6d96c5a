# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Judging an evaluation: from its tables to verdicts.

Limits are bars to be reported, not to be tuned to: what misses one is
called so.
"""

import numpy as np

from photutils_pconv.evaluation.published import load_paper_statistics
from photutils_pconv.evaluation.structure import TRUTH, WITH_DRAW
from photutils_pconv.evaluation.summaries import compare_methods
from photutils_pconv.evaluation.verdicts import Verdict

__all__ = [
    'OWN_METHODS',
    'POWER_LIMIT',
    'SCATTER_LIMIT',
    'SHIFT_LIMIT',
    'STAR_LIMIT',
    'judge_fluxes',
    'judge_spectra',
    'judge_stars',
    'judge_statistics',
]

OWN_METHODS = ('psf', 'psf_aperture', 'inpaint')
"""
The package's own among all methods that are measured.
"""

POWER_LIMIT = 0.05
"""
The largest relative difference of a power spectrum, in every bin (by
choice).
"""

SHIFT_LIMIT = 0.02
"""
The largest shift of mean and median in the holes, in standard deviations
(by choice: all but one of the fields of the paper's Table 6 are within it).
"""

SCATTER_LIMIT = 0.03
"""
The largest relative difference of the scatter and the skewness in the
holes, with a random draw (by choice).
"""

STAR_LIMIT = 0.02
"""
The largest relative difference of a standard star's flux from the model's
(by choice).
"""

_MAJORITY = 0.5


def judge_fluxes(table):
    """
    Judge photometric accuracy (section 5.2).

    Parameters
    ----------
    table : `~astropy.table.Table`
        A table of `~photutils_pconv.evaluation.evaluate_fluxes`.

    Returns
    -------
    verdicts : list of `Verdict`
        Two verdicts, on scatter and bias, for each setup and method of
        the package's own.
    """
    comparison = compare_methods(table)
    verdicts = []
    for setup in dict.fromkeys(comparison['setup']):
        part = comparison[comparison['setup'] == setup]
        annulus = part[part['method'] == 'annulus'][0]
        for ours in part[np.isin(part['method'], OWN_METHODS)]:
            verdicts += _judge_flux(str(setup), ours, annulus)
    return verdicts


def _judge_flux(setup, ours, annulus):
    """
    Judge scatter and bias of one method in one setup.
    """
    method = str(ours['method'])
    return [
        Verdict(
            topic='flux scatter (5.2)',
            subject=setup,
            method=method,
            measured=f'narrower than the annulus at {100 * ours["narrower"]:.0f} % of '
            f'{ours["n_boxes"]} flux levels; interquartile range '
            f'{ours["iqr_ratio"]:.2f} of the annulus',
            value=float(ours['narrower']),
            limit='narrower at most levels',
            paper='narrower in most cases (Figs. 11, 12)',
            met=bool(ours['narrower'] > _MAJORITY),
        ),
        Verdict(
            topic='flux bias (5.2)',
            subject=setup,
            method=method,
            measured=f'median off by {100 * ours["median_offset"]:.1f} % (annulus '
            f'{100 * annulus["median_offset"]:.1f} %), the median over levels',
            value=float(ours['median_offset']),
            limit='no more than the annulus',
            paper='medians close to 1 (Figs. 11, 12)',
            met=bool(ours['median_offset'] <= annulus['median_offset']),
        ),
    ]


def judge_spectra(spectra):
    """
    Judge power spectra (section 5.3.1).

    Parameters
    ----------
    spectra : `~astropy.table.QTable`
        The first table of
        `~photutils_pconv.evaluation.join_comparisons`.

    Returns
    -------
    verdicts : list of `Verdict`
        Two for each setup and method: one on the relative difference,
        and one on the normalised difference, for comparison.
    """
    verdicts = []
    for setup, method, part in _groups(spectra):
        cleaned = np.abs(np.asarray(part['relative_cleaned']))
        injected = np.asarray(part['relative_injected'])
        names = list(dict.fromkeys(part['map']))
        good = sum(
            bool(cleaned[part['map'] == name].max() <= POWER_LIMIT) for name in names
        )
        verdicts.append(
            Verdict(
                topic='power spectrum (5.3.1)',
                subject=setup,
                method=method,
                measured=f'{100 * np.mean(cleaned <= POWER_LIMIT):.0f} % of the bins '
                f'within 5 % ({good} of {len(names)} fields in every bin), median '
                f'{100 * np.median(cleaned):.1f} %, worst {100 * cleaned.max():.0f} %; '
                f'with sources up to a factor of {1 + injected.max():.3g}',
                value=float(cleaned.max()),
                limit='every bin within 5 %',
                paper='lines overlap (Fig. 13)',
                met=bool(cleaned.max() <= POWER_LIMIT),
                n_met=good,
                n_judged=len(names),
            )
        )
        # 0 in the bin to which all are normalised says nothing.
        difference = np.abs(np.asarray(part['normalised_difference']))
        difference = difference[difference > 0]
        verdicts.append(
            Verdict(
                topic='normalised difference of power (5.3.1)',
                subject=setup,
                method=method,
                measured=f'{difference.max():.0e} to {difference.min():.0e}',
                value=float(difference.max()),
                paper='1e-4 to 1e-10; small even with all sources left in, since the '
                'spectra fall by orders of magnitude',
            )
        )
    return verdicts


def judge_statistics(statistics):
    """
    Judge pixel statistics in the holes (section 5.3.2, Table 6).

    A random draw is to bring the scatter back, a reconstruction alone is
    not: its scatter has no limit.

    Parameters
    ----------
    statistics : `~astropy.table.QTable`
        The third table of
        `~photutils_pconv.evaluation.join_comparisons`.

    Returns
    -------
    verdicts : list of `Verdict`
        Six for each setup and method: on mean, median, standard
        deviation, interquartile range, median absolute deviation and
        skewness.
    """
    published = load_paper_statistics()
    verdicts = []
    for setup, method, part in _groups(statistics):
        theirs = published[published['setup'] == setup]
        verdicts += [
            _judge_shift(name, setup, method, part, theirs)
            for name in ('mean', 'median')
        ]
        verdicts += [
            _judge_ratio(name, setup, method, part, theirs)
            for name in ('std', 'iqr', 'mad')
        ]
        verdicts.append(_judge_skewness(setup, method, part, theirs))
    return verdicts


def _judge_shift(name, setup, method, part, theirs):
    """
    Judge the shift of mean or median.
    """
    values = np.abs(np.asarray(part[f'{name}_shift']))
    good = int(np.count_nonzero(values <= SHIFT_LIMIT))
    return Verdict(
        topic=f'{name} in the holes (Table 6)',
        subject=setup,
        method=method,
        measured=f'off by {np.median(values):.3f} of the standard deviation '
        f'(median field), {values.max():.3f} (worst); {good} of {len(values)} fields',
        value=float(values.max()),
        limit='every field within 0.02',
        paper=_range(np.abs(np.asarray(theirs[f'{name}_shift'])), '.3f'),
        met=bool(values.max() <= SHIFT_LIMIT),
        n_met=good,
        n_judged=len(values),
    )


def _judge_ratio(name, setup, method, part, theirs):
    """
    Judge the ratio of a measure of scatter.
    """
    values = np.asarray(part[f'{name}_ratio'])
    return _judge_scatter(
        name,
        setup,
        method,
        np.abs(values - 1.0),
        measured=f'{np.median(values):.3f} of the original ({values.min():.3f} '
        f'to {values.max():.3f})',
        paper=_range(np.asarray(theirs[f'{name}_ratio']), '.3f'),
    )


def _judge_skewness(setup, method, part, theirs):
    """
    Judge the shift of the skewness, over the original's.
    """
    values = np.asarray(part['skewness_shift'])
    return _judge_scatter(
        'skewness',
        setup,
        method,
        np.abs(values / np.asarray(part['skewness_original'])),
        measured=f'differs by {np.median(values):+.2f} ({values.min():+.2f} to '
        f'{values.max():+.2f})',
        paper=_range(np.asarray(theirs['skewness_shift']), '+.3f'),
    )


def _judge_scatter(name, setup, method, off, *, measured, paper):
    """
    Judge what a random draw is to bring back, by how far fields are off.
    """
    good = int(np.count_nonzero(off <= SCATTER_LIMIT))
    drawn = method.endswith((WITH_DRAW, TRUTH[1]))
    return Verdict(
        topic=f'{name} in the holes (Table 6)',
        subject=setup,
        method=method,
        measured=f'{measured}; {good} of {len(off)} fields within 3 %',
        value=float(off.max()),
        limit='every field within 3 %' if drawn else '',
        paper=paper,
        met=good == len(off) if drawn else None,
        n_met=good,
        n_judged=len(off),
    )


def judge_stars(table):
    """
    Judge standard stars (section 5.1, Table 5).

    Parameters
    ----------
    table : `~astropy.table.Table`
        A table of
        `~photutils_pconv.evaluation.measure_standard_stars`.

    Returns
    -------
    verdicts : list of `Verdict`
        One for each star and map.
    """
    verdicts = []
    for row in table:
        offset = abs(row['ratio'] - 1.0)
        paper = abs(row['ratio_paper'] - 1.0)
        known = bool(np.isfinite(paper))
        verdicts.append(
            Verdict(
                topic='standard star (5.1, Table 5)',
                subject=f'{row["star"]}, {row["setup"]}, {row["map"]}',
                measured=f'{row["flux"].to_value("mJy"):.1f} mJy, {row["ratio"]:.3f} '
                f'of the reference (annulus {row["ratio_annulus"]:.3f})',
                value=float(offset),
                limit='within 2 %, or as close as the paper',
                paper=f'{row["ratio_paper"]:.3f}' if known else 'none',
                met=bool(offset <= STAR_LIMIT or (known and offset <= paper)),
            )
        )
    return verdicts


def _groups(table):
    """
    Part a table by setup and method, in the order of the rows.
    """
    setup, method = (
        np.asarray(table[name]).astype(str) for name in ('setup', 'method')
    )
    for key in dict.fromkeys(zip(setup, method, strict=True)):
        yield *key, table[(setup == key[0]) & (method == key[1])]


def _range(values, spec):
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return 'none'
    return f'{values.min():{spec}} to {values.max():{spec}}'
