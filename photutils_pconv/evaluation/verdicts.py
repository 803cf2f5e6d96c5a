# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Verdicts: what was measured, beside a limit and the paper's own figure.
"""

from dataclasses import dataclass

from astropy.table import Table

from photutils_pconv.evaluation.structure import TRUTH

__all__ = ['Verdict', 'make_limits_table', 'make_verdicts_table']


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """
    What was measured, beside a limit and the paper's figure.

    Parameters
    ----------
    topic, subject : str
        What is judged, and of what: a setup, or a star.

    method : str, optional
        The method that is judged.

    measured : str
        What was measured, in words.

    value : float, optional
        The figure that is held against the limit.

    limit, paper : str, optional
        The limit, and the paper's figure, in words.

    met : bool, optional
        Whether the limit is met; `None` where there is none.

    n_met, n_judged : int, optional
        How many fields are within the limit, of how many. Where fields
        are not judged one by one, the verdict itself is one.
    """

    topic: str
    subject: str
    method: str = 'psf'
    measured: str
    value: float = float('nan')
    limit: str = ''
    paper: str = ''
    met: bool | None = None
    n_met: int | None = None
    n_judged: int = 1

    def __post_init__(self):
        if self.n_met is None:
            object.__setattr__(self, 'n_met', int(bool(self.met)))

    @property
    def verdict(self):
        """
        The verdict in words (str).

        'met', 'not met', either of them with 'by the truth' for what
        could be reached at best, which is not judged, or 'for
        comparison'.
        """
        if self.met is None:
            return 'for comparison'
        verdict = 'met' if self.met else 'not met'
        return f'{verdict} by the truth' if self.method in TRUTH else verdict


_COLUMNS = ('topic', 'subject', 'method', 'measured', 'limit', 'paper', 'verdict')


def make_verdicts_table(verdicts):
    """
    Put verdicts into a table.

    Parameters
    ----------
    verdicts : sequence of `Verdict`
        The verdicts.

    Returns
    -------
    table : `~astropy.table.Table`
        A row a verdict: ``topic``, ``subject``, ``method``,
        ``measured``, ``limit``, ``paper`` and ``verdict``.
    """
    rows = [tuple(getattr(one, name) for name in _COLUMNS) for one in verdicts]
    return _text_table(rows, _COLUMNS)


def make_limits_table(verdicts):
    """
    Count what is within the limits, by topic and method.

    Parameters
    ----------
    verdicts : sequence of `Verdict`
        The verdicts.

    Returns
    -------
    table : `~astropy.table.Table`
        A row a topic that has a limit: ``topic``, ``limit``, and for
        every method how many fields are within it, such as
        ``'4 of 6'`` (setups or stars, where fields are not judged one
        by one).
    """
    judged = [one for one in verdicts if one.met is not None]
    methods = list(dict.fromkeys(one.method for one in judged))
    rows = []
    for topic, limit in dict.fromkeys((one.topic, one.limit) for one in judged):
        group = [one for one in judged if (one.topic, one.limit) == (topic, limit)]
        cells = []
        for method in methods:
            own = [one for one in group if one.method == method]
            n_met = sum(one.n_met for one in own)
            n_judged = sum(one.n_judged for one in own)
            cells.append(f'{n_met} of {n_judged}' if own else '')
        rows.append((topic, limit, *cells))
    return _text_table(rows, ('topic', 'limit', *methods))


def _text_table(rows, names):
    """
    Make a table of text, which may have no row.
    """
    return Table(rows=rows or None, names=names, dtype=[str] * len(names))
