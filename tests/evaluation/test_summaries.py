# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of summaries of flux ratios, and of their figures."""

import numpy as np
import pytest
from astropy.table import Table
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.evaluation.plots.fluxes import (
    plot_complexity,
    plot_flux_boxes,
    plot_ratio_by_aperture,
)
from photutils_pconv.evaluation.summaries import (
    compare_methods,
    summarise_by_complexity,
    summarise_ratios,
)
from photutils_pconv.setups.registry import get_setup

GREEN = get_setup('scanmap', 'green')


@pytest.fixture(scope='module')
def table():
    """Known distributions: ours has half the scatter of the annulus."""
    rng = np.random.default_rng(5)
    rows = []
    for setup, flux, rank in (
        ('scanmap/green', 100.0, 1),
        ('scanmap/green', 100.0, 2),
        ('scanmap/green', 300.0, 1),
        ('scanmap/blue', 100.0, 1),
    ):
        ratio = 1 + rng.standard_t(3, size=200) * rank * 10.0 / flux
        rows.append(
            Table(
                {
                    'field': [f'{setup} {rank}'] * 200,
                    'setup': [setup] * 200,
                    'complexity': [3.0 * rank] * 200,
                    'rank': [rank] * 200,
                    'flux': [flux] * 200,
                    'ratio_inpaint_7': 1.01 + 0.5 * (ratio - 1),
                    'ratio_inpaint_6': 1.01 + 0.5 * (ratio - 1),
                    'ratio_annulus_7': ratio,
                    'ratio_annulus_6': ratio,
                    'ratio_fit': np.where(np.arange(200) < 50, np.nan, ratio),
                }
            )
        )
    from astropy.table import vstack

    return vstack(rows)


class TestSummaries:
    def test_boxes(self, table):
        """Against matplotlib's own box plot."""
        from matplotlib.cbook import boxplot_stats

        summary = summarise_ratios(table)
        assert len(summary) == 3 * 5
        # Setups stay in the order of the table.
        assert list(dict.fromkeys(summary['setup'])) == [
            'scanmap/green',
            'scanmap/blue',
        ]
        for row in summary:
            part = table[
                (table['setup'] == row['setup']) & (table['flux'] == row['flux'])
            ]
            name = f'ratio_{row["method"]}'
            if row['method'] != 'fit':
                name += f'_{row["aperture"]:g}'
            values = np.asarray(part[name])
            values = values[np.isfinite(values)]
            expected = boxplot_stats(values)[0]
            assert row['n'] == len(values)
            assert_allclose(row['median'], expected['med'])
            assert_allclose(row['iqr'], expected['iqr'])
            assert_allclose(row['q25'], expected['q1'])
            assert_allclose(
                row['outlier_fraction'], len(expected['fliers']) / len(values)
            )
        # A method measured in one aperture has that of the setup.
        own = summary[summary['method'] == 'fit']
        assert dict(zip(own['setup'], own['aperture'], strict=True)) == {
            'scanmap/green': 7.0,
            'scanmap/blue': 6.0,
        }

    def test_by_complexity(self, table):
        summary = summarise_by_complexity(table)
        part = summary[(summary['setup'] == 'scanmap/green') & (summary['rank'] == 1)]
        ours = part[(part['method'] == 'inpaint') & (part['aperture'] == 7)][0]
        boxes = summarise_ratios(table[table['rank'] == 1])
        boxes = boxes[
            (boxes['setup'] == 'scanmap/green')
            & (boxes['method'] == 'inpaint')
            & (boxes['aperture'] == 7)
        ]
        assert len(boxes) == 2
        assert_allclose(ours['iqr'], np.sqrt(np.prod(boxes['iqr'])))
        assert ours['n'] == 400

    def test_comparison(self, table):
        comparison = compare_methods(table)
        ours = comparison[comparison['method'] == 'inpaint']
        assert_allclose(ours['iqr_ratio'], 0.5)
        assert_allclose(ours['narrower'], 1.0)
        assert_array_equal(ours['n_boxes'], [2, 1])
        annulus = comparison[comparison['method'] == 'annulus']
        assert_allclose(annulus['iqr_ratio'], 1.0)

    def test_bad_input(self, table):
        with pytest.raises(ValueError, match="by must hold 'setup'"):
            summarise_ratios(table, by=('flux',))
        with pytest.raises(ValueError, match="'getsf' is not a method"):
            compare_methods(table, reference='getsf')


class TestFigures:
    pytest.importorskip('matplotlib')

    def test_boxes(self, table):
        figure = plot_flux_boxes(table, methods=('inpaint', 'annulus'))
        assert [ax.get_title() for ax in figure.axes] == [
            'scanmap/green, aperture 7 arcsec',
            'scanmap/blue, aperture 6 arcsec',
        ]
        medians = {
            round(float(line.get_ydata()[0]), 12)
            for line in figure.axes[0].lines
            if line.get_color() == 'green'
        }
        summary = summarise_ratios(table[table['setup'] == 'scanmap/green'])
        chosen = (summary['aperture'] == 7) & (summary['method'] != 'fit')
        assert medians == {round(float(m), 12) for m in summary['median'][chosen]}
        with pytest.raises(ValueError, match='no ratio'):
            plot_flux_boxes(table, methods=('inpaint', 'annulus'), aperture=18)

    def test_curves(self, table):
        figure = plot_ratio_by_aperture(table)
        line = figure.axes[0].lines[0]
        assert_array_equal(line.get_xdata(), [6.0, 7.0])
        expected = np.median(
            table['ratio_inpaint_7'][table['setup'] == 'scanmap/green']
        )
        assert_allclose(line.get_ydata()[1], expected)
        figure = plot_complexity(table)
        assert_array_equal(figure.axes[0].lines[0].get_xdata(), [3.0, 6.0])
