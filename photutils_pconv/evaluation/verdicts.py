# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Verdicts: what was measured, beside a limit and the paper's own figure.

Limits are bars to be reported, not to be tuned to: what misses one is
called so.
"""

import numpy as np
from astropy.table import Table

from photutils_pconv.evaluation.structure import (
    TRUTH,
    WITH_TEXTURE,
    load_paper_statistics,
)
from photutils_pconv.evaluation.summaries import compare_methods

__all__ = [
    'OWN_METHODS',
    'POWER_LIMIT',
    'SHIFT_LIMIT',
    'STAR_LIMIT',
    'TEXTURE_LIMIT',
    'Verdicts',
]

_MET = {True: 'met', False: 'not met', None: 'for comparison'}
# Of what could be reached, which is not judged.
_MET_BY_TRUTH = {True: 'met by the truth', False: 'not met by the truth'}

# The package's own, among all that are measured.
OWN_METHODS = ('network', 'two_pass', 'two_pass_psf')

POWER_LIMIT = 0.05
SHIFT_LIMIT = 0.02
TEXTURE_LIMIT = 0.03
STAR_LIMIT = 0.02


class Verdicts:
    """
    A growing list of verdicts.

    Attributes
    ----------
    rows : list of tuple
        Topic, subject, method, what was measured, limit, the paper's
        figure, and the verdict: 'met', 'not met', either of them with 'by the
        truth' for what could be reached at best, or 'for comparison'.
    """

    names = ('topic', 'subject', 'method', 'measured', 'limit', 'paper', 'verdict')

    def __init__(self):
        self.rows = []
        # How many of what a verdict is about are within the limit, of how many.
        self._counts = []

    def add(
        self,
        topic,
        subject,
        measured,
        *,
        method='network',
        limit='',
        paper='',
        met=None,
        counts=None,
    ):
        """
        Add a verdict.

        Parameters
        ----------
        topic, subject, measured : str
            What is judged, of what, and the figure.

        method : str, optional
            The method that is judged.

        limit, paper : str, optional
            The limit, and the paper's figure.

        met : bool, optional
            Whether the limit is met; `None` where there is none.

        counts : tuple of int, optional
            How many fields are within the limit, and how many there are
            (default: the verdict itself is one).
        """
        met = None if met is None else bool(met)
        verdict = _MET[met]
        if method in TRUTH:
            verdict = _MET_BY_TRUTH.get(met, verdict)
        self.rows.append((topic, subject, method, measured, limit, paper, verdict))
        self._counts.append((int(bool(met)), 1) if counts is None else counts)

    def to_table(self):
        """
        Put the verdicts into a table.

        Returns
        -------
        table : `~astropy.table.Table`
            A row a verdict.
        """
        dtype = [str] * len(self.names)
        return Table(rows=self.rows or None, names=self.names, dtype=dtype)

    def summarise(self):
        """
        Count what is within the limits, by topic and method.

        Returns
        -------
        table : `~astropy.table.Table`
            A row a topic that has a limit: ``topic``, ``limit``, and for
            every method how many fields are within it, such as
            ``'4 of 6'`` (setups or stars, where fields are not judged one
            by one).
        """
        judged = [
            {**dict(zip(self.names, row, strict=True)), 'counts': counts}
            for row, counts in zip(self.rows, self._counts, strict=True)
        ]
        judged = [row for row in judged if row['verdict'] != _MET[None]]
        methods = list(dict.fromkeys(row['method'] for row in judged))
        rows = []
        for topic, limit in dict.fromkeys((r['topic'], r['limit']) for r in judged):
            cells = []
            for method in methods:
                found = [
                    row['counts']
                    for row in judged
                    if (row['topic'], row['limit'], row['method'])
                    == (topic, limit, method)
                ]
                good, of = np.sum(found, axis=0) if found else (0, 0)
                cells.append(f'{good} of {of}' if of else '')
            rows.append((topic, limit, *cells))
        names = ('topic', 'limit', *methods)
        return Table(rows=rows or None, names=names, dtype=[str] * len(names))

    def add_fluxes(self, table):
        """
        Judge photometric accuracy (section 5.2).

        Parameters
        ----------
        table : `~astropy.table.Table`
            A table of `~photutils_pconv.evaluation.fluxes.evaluate_fluxes`.
        """
        comparison = compare_methods(table)
        for setup in dict.fromkeys(comparison['setup']):
            part = comparison[comparison['setup'] == setup]
            annulus = part[part['method'] == 'annulus'][0]
            for ours in part[np.isin(part['method'], OWN_METHODS)]:
                self._add_flux(str(setup), ours, annulus)

    def _add_flux(self, setup, ours, annulus):
        self.add(
            'flux scatter (5.2)',
            setup,
            f'narrower than the annulus at {100 * ours["narrower"]:.0f} % of '
            f'{ours["n_boxes"]} flux levels; interquartile range '
            f'{ours["iqr_ratio"]:.2f} of the annulus',
            method=str(ours['method']),
            limit='narrower at most levels',
            paper='narrower in most cases (Figs. 11, 12)',
            met=ours['narrower'] > 0.5,
        )
        self.add(
            'flux bias (5.2)',
            setup,
            f'median off by {100 * ours["median_offset"]:.1f} % (annulus '
            f'{100 * annulus["median_offset"]:.1f} %), the median over levels',
            method=str(ours['method']),
            limit='no more than the annulus',
            paper='medians close to 1 (Figs. 11, 12)',
            met=ours['median_offset'] <= annulus['median_offset'],
        )

    def add_spectra(self, spectra):
        """
        Judge power spectra (section 5.3.1).

        Parameters
        ----------
        spectra : `~astropy.table.QTable`
            The first table of
            `~photutils_pconv.evaluation.structure.join_comparisons`.
        """
        for setup, method, part in _groups(spectra):
            cleaned = np.abs(np.asarray(part['relative_cleaned']))
            injected = np.asarray(part['relative_injected'])
            names = list(dict.fromkeys(part['map']))
            good = sum(
                cleaned[part['map'] == name].max() <= POWER_LIMIT for name in names
            )
            self.add(
                'power spectrum (5.3.1)',
                setup,
                f'{100 * np.mean(cleaned <= POWER_LIMIT):.0f} % of the bins within '
                f'5 % ({good} of {len(names)} fields in every bin), median '
                f'{100 * np.median(cleaned):.1f} %, worst {100 * cleaned.max():.0f} %; '
                f'with sources up to a factor of {1 + injected.max():.3g}',
                method=method,
                limit='every bin within 5 %',
                paper='lines overlap (Fig. 13)',
                met=cleaned.max() <= POWER_LIMIT,
                counts=(good, len(names)),
            )
            # 0 in the bin to which all are normalised says nothing.
            difference = np.abs(np.asarray(part['normalised_difference']))
            difference = difference[difference > 0]
            self.add(
                'normalised difference of power (5.3.1)',
                setup,
                f'{difference.max():.0e} to {difference.min():.0e}',
                method=method,
                paper='1e-4 to 1e-10; small even with all sources left in, since the '
                'spectra fall by orders of magnitude',
            )

    def add_statistics(self, statistics):
        """
        Judge pixel statistics in the holes (section 5.3.2, Table 6).

        A texture is to bring the scatter back, the best estimate alone is
        not: its scatter has no limit.

        Parameters
        ----------
        statistics : `~astropy.table.QTable`
            The third table of
            `~photutils_pconv.evaluation.structure.join_comparisons`.
        """
        published = load_paper_statistics()
        for setup, method, part in _groups(statistics):
            texture = method.endswith((WITH_TEXTURE, TRUTH[1]))
            theirs = published[published['setup'] == setup]
            for name in ('mean', 'median'):
                values = np.abs(np.asarray(part[f'{name}_shift']))
                good = np.count_nonzero(values <= SHIFT_LIMIT)
                paper = np.abs(np.asarray(theirs[f'{name}_shift']))
                self.add(
                    f'{name} in the holes (Table 6)',
                    setup,
                    f'off by {np.median(values):.3f} of the standard deviation '
                    f'(median field), {values.max():.3f} (worst); '
                    f'{good} of {len(values)} fields',
                    method=method,
                    limit='every field within 0.02',
                    paper=_range(paper, '.3f'),
                    met=values.max() <= SHIFT_LIMIT,
                    counts=(good, len(values)),
                )
            for name in ('std', 'iqr', 'mad'):
                values = np.asarray(part[f'{name}_ratio'])
                good = np.count_nonzero(np.abs(values - 1.0) <= TEXTURE_LIMIT)
                self.add(
                    f'{name} in the holes (Table 6)',
                    setup,
                    f'{np.median(values):.3f} of the original ({values.min():.3f} '
                    f'to {values.max():.3f}); '
                    f'{good} of {len(values)} fields within 3 %',
                    method=method,
                    limit='every field within 3 %' if texture else '',
                    paper=_range(np.asarray(theirs[f'{name}_ratio']), '.3f'),
                    met=good == len(values) if texture else None,
                    counts=(good, len(values)),
                )
            values = np.asarray(part['skewness_shift'])
            share = np.abs(values / np.asarray(part['skewness_original']))
            good = np.count_nonzero(share <= TEXTURE_LIMIT)
            self.add(
                'skewness in the holes (Table 6)',
                setup,
                f'differs by {np.median(values):+.2f} ({values.min():+.2f} to '
                f'{values.max():+.2f}); {good} of {len(values)} fields within 3 %',
                method=method,
                limit='every field within 3 %' if texture else '',
                paper=_range(np.asarray(theirs['skewness_shift']), '+.3f'),
                met=good == len(values) if texture else None,
                counts=(good, len(values)),
            )

    def add_stars(self, table):
        """
        Judge standard stars (section 5.1, Table 5).

        Parameters
        ----------
        table : `~astropy.table.Table`
            A table of
            `~photutils_pconv.evaluation.standard_stars.measure_standard_stars`.
        """
        for row in table:
            offset = abs(row['ratio'] - 1.0)
            paper = abs(row['ratio_paper'] - 1.0)
            closer = bool(np.isfinite(paper) and offset <= paper)
            self.add(
                'standard star (5.1, Table 5)',
                f'{row["star"]}, {row["setup"]}, {row["map"]}',
                f'{row["flux"].to_value("mJy"):.1f} mJy, {row["ratio"]:.3f} of the '
                f'reference (annulus {row["ratio_annulus"]:.3f})',
                limit='within 2 %, or as close as the paper',
                paper=f'{row["ratio_paper"]:.3f}' if np.isfinite(paper) else 'none',
                met=offset <= STAR_LIMIT or closer,
            )


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
