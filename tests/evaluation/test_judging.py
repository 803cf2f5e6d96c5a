# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of verdicts, and of the paper's own figures."""

import numpy as np
import pytest
from astropy.table import QTable
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.evaluation.judging import judge_stars
from photutils_pconv.evaluation.published import load_paper_statistics
from photutils_pconv.evaluation.verdicts import make_verdicts_table

pytest.importorskip('matplotlib')


class TestPaper:
    def test_table_6(self):
        """Rows as printed, and what follows from them."""
        table = load_paper_statistics()
        assert len(table) == 17
        row = table[table['obsid'] == '1342216409'][0]
        assert_allclose(row['original_mean'].to_value('Jy/pix'), 4.07e-4)
        assert_allclose(row['mean_shift'], (4.12e-4 - 4.07e-4) / 6.47e-4)
        assert_allclose(row['iqr_ratio'], 7.09 / 7.15)
        assert_array_equal(
            table['obsid'][np.isnan(table['mean_shift'])], ['1342244170']
        )
        # But for one test field, the paper's means agree within 0.02.
        shifts = np.abs(table['mean_shift'][np.isfinite(table['mean_shift'])])
        assert np.count_nonzero(shifts > 0.02) == 1

    def test_stars(self):
        table = QTable(
            {
                'star': ['a', 'b', 'c'],
                'setup': ['scanmap/blue'] * 3,
                'map': ['m'] * 3,
                'flux': [1.0, 1.0, 1.0],
                'ratio': [1.015, 1.05, 1.03],
                'ratio_annulus': [1.0, 1.0, 1.0],
                'ratio_paper': [1.0, 1.07, np.nan],
            },
            units={'flux': 'Jy'},
        )
        verdicts = judge_stars(table)
        assert_allclose([one.value for one in verdicts], [0.015, 0.05, 0.03])
        found = make_verdicts_table(verdicts)
        assert list(found['verdict']) == ['met', 'met', 'not met']
        assert list(found['paper']) == ['1.000', '1.070', 'none']

    def test_no_verdict(self):
        assert len(make_verdicts_table([])) == 0
