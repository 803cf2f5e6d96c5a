# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the counts of verdicts."""

from dataclasses import replace

from photutils_pconv.evaluation.verdicts import (
    Verdict,
    make_limits_table,
    make_verdicts_table,
)


class TestVerdicts:
    def test_counts(self):
        """Fields are counted over setups, and the truth is not judged."""
        verdicts = [
            Verdict(
                topic='power',
                subject=setup,
                method=method,
                measured='something',
                limit='every field',
                met=good == 3,
                n_met=good,
                n_judged=3,
            )
            for setup, good in (('a', 2), ('b', 3))
            for method in ('psf', 'exact')
        ]
        bias = Verdict(
            topic='bias', subject='a', measured='something', limit='small', met=True
        )
        assert (bias.n_met, bias.n_judged) == (1, 1)
        scatter = replace(bias, topic='scatter', method='exact', met=None)
        verdicts += [bias, scatter]
        table = make_verdicts_table(verdicts)
        assert list(table['verdict']) == [
            'not met',
            'not met by the truth',
            'met',
            'met by the truth',
            'met',
            'for comparison',
        ]
        limits = make_limits_table(verdicts)
        assert list(limits['topic']) == ['power', 'bias']
        assert list(limits['psf']) == ['5 of 6', '1 of 1']
        assert list(limits['exact']) == ['5 of 6', '']
