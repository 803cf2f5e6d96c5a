# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what is made of injected sources, from tables that are made up."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.completeness import Completeness, correct_errors
from photutils_pconv.completeness.statistics import flux_at_completeness, robust_width
from photutils_pconv.photometry import flux_upper_limit

FLUXES = np.array([1.0, 2.0, 4.0])


def make_sources(*, unit=u.Jy, n=2000, claimed=0.5, seed=1):
    """Sources whose fluxes are 10 percent too high, and errors half the true ones."""
    rng = np.random.default_rng(seed)
    true = np.repeat(FLUXES, n)
    flux = 1.1 * true + rng.normal(0, 0.4, true.size)
    err = np.full(true.size, 0.4 * claimed)
    if unit is not None:
        true, flux, err = true * unit, flux * unit, err * unit
    return QTable(
        {
            'flux_true': true,
            'flux': flux,
            'flux_err': err,
            'detection_snr': u.Quantity(flux).value / 0.4,
            'position_offset': np.tile([0.5, 1.5], true.size // 2) * u.arcsec,
        }
    )


def make(unit=u.Jy, **options):
    options = {'threshold': 3.0} | options
    return Completeness.from_sources(make_sources(unit=unit), flux_unit=unit, **options)


class TestNumbers:
    def test_bias_scatter_and_pull(self):
        found = make()
        assert_allclose(found.bias, 0.1, atol=4 * found.bias_err.max())
        assert_allclose(found.true_err.to_value(u.Jy), 0.4, rtol=0.1)
        assert_allclose(found.scatter, 0.4 / FLUXES, rtol=0.1)
        assert_allclose(found.claimed_err.to_value(u.Jy), 0.2)
        assert_allclose(found.pull, 2.0, rtol=0.1)

    def test_shares(self):
        found = make(threshold=5.0)
        # 1.1 of 2.0, 2.2 and 4.4 needed: half of the second.
        assert found.completeness[0] < 0.05
        assert found.completeness[1] == pytest.approx(0.69, abs=0.05)
        assert found.completeness[2] > 0.99
        low, high = found.interval
        assert np.all((low <= found.completeness) & (found.completeness <= high))

    def test_a_position_that_is_off_is_no_recovery(self):
        half = make(threshold=0.1, position_tolerance=1.0)
        assert half.completeness[2] == 0.5

    def test_what_has_no_flux_is_not_recovered(self):
        sources = make_sources()
        sources['flux'][-500:] = np.nan
        sources['detection_snr'][-500:] = np.nan
        found = Completeness.from_sources(sources, flux_unit=u.Jy, threshold=3.0)
        assert found.n_measured.tolist() == [2000, 2000, 1500]
        assert found.n_injected.tolist() == [2000, 2000, 2000]
        assert found.completeness[2] == 0.75
        assert np.isfinite(found.pull[2])

    def test_width(self):
        values = np.random.default_rng(2).normal(5, 3, 20000)
        assert robust_width([*values, np.nan]) == pytest.approx(3, rel=0.03)
        assert np.isnan(robust_width([1.0]))


class TestFluxAt:
    def test_interpolated_in_the_logarithm(self):
        n = np.full(3, 10)
        found = flux_at_completeness(FLUXES, np.array([0.2, 0.6, 1.0]), n, 0.8)
        assert found == pytest.approx(np.sqrt(8))

    def test_a_curve_that_falls_is_made_to_rise(self):
        n = np.full(4, 10)
        flux = np.array([1.0, 10.0, 100.0, 1000.0])
        share = np.array([0.0, 0.6, 0.4, 1.0])
        # 0.6 and 0.4 count as 0.5.
        assert flux_at_completeness(flux, share, n, 0.25) == pytest.approx(10**0.5)
        assert flux_at_completeness(flux, share, n, 0.5) == pytest.approx(10)
        assert flux_at_completeness(flux, share, n, 0.75) == pytest.approx(10**2.5)

    @pytest.mark.parametrize('fraction', [0.1, 0.9])
    def test_nan_where_it_is_not_reached(self, fraction):
        share = np.array([0.2, 0.5, 0.8])
        assert np.isnan(flux_at_completeness(FLUXES, share, np.ones(3), fraction))

    @pytest.mark.parametrize('bad', [0.0, 1.5, 90, np.nan])
    def test_what_is_no_share(self, bad):
        with pytest.raises(ValueError, match='fraction must be above 0'):
            make().flux_at(bad)


class TestShown:
    @pytest.mark.parametrize('unit', [u.Jy, None])
    def test_table_round_trips(self, tmp_path, unit):
        found = make(unit, meta={'setup': 'scanmap/green'})
        table = found.to_table()
        table.write(tmp_path / 'completeness.ecsv')
        again = QTable.read(tmp_path / 'completeness.ecsv')
        assert again.colnames == table.colnames
        for name in table.colnames:
            assert_array_equal(u.Quantity(again[name]), u.Quantity(table[name]))
            assert again[name].info.description
        assert again.meta == table.meta
        assert table.meta['setup'] == 'scanmap/green'
        assert table.meta['flux_50'] == float(u.Quantity(found.flux_at(0.5)).value)
        # The brightest fluxes exceed 50 percent from the first on.
        assert make(unit, threshold=0.1).to_table().meta['flux_50'] is None

    def test_repr(self):
        assert repr(make()).startswith('<Completeness: 6000 sources of 3 fluxes')

    def test_html(self):
        """A table of its own in notebooks, with as many digits as are of use."""
        found = make()
        html = found._repr_html_()
        assert '<b>Completeness</b>' in html
        assert f'{found.flux_at(0.9):.3g}' in html
        assert f'{found.bias[0]:.4g}' in html
        assert f'{found.bias[0]:.8g}' not in html

    @pytest.mark.parametrize('unit', [u.Jy, None])
    def test_plots(self, unit):
        pytest.importorskip('matplotlib')
        from matplotlib.figure import Figure

        found = make(unit)
        ax, other = Figure().subplots(1, 2)
        assert found.plot(ax, color='C1') is ax
        assert_allclose(ax.lines[0].get_ydata(), found.completeness)
        assert ax.get_xscale() == 'log'
        assert found.plot_fluxes(other) is other
        assert other.get_xlabel() == ('flux' if unit is None else 'flux (Jy)')


class TestCorrectErrors:
    def make_table(self, unit=u.Jy):
        flux, err = np.array([-1.0, 0.4, 3.0, 50.0]), np.full(4, 0.2)
        limit = np.where([True, True, False, False], 1.0, np.nan)
        columns = {'flux': flux, 'flux_err': err, 'flux_upper_limit': limit}
        if unit is not None:
            columns = {name: values * unit for name, values in columns.items()}
        table = QTable(columns, meta={'upper_limit_probability': 0.9})
        table['flux_err'].info.description = 'standard error of flux'
        return table

    @pytest.mark.parametrize('unit', [u.Jy, None])
    def test_scaled_by_the_pull(self, unit):
        found, table = make(unit), self.make_table(unit)
        before = table.copy()
        corrected = correct_errors(table, found)
        err = u.Quantity(corrected['flux_err']).value
        # Constant beyond the fluxes that were injected.
        low, high = found.pull[[0, -1]]
        between = np.interp(np.log(3), np.log(FLUXES), found.pull)
        assert_allclose(err, 0.2 * np.array([low, low, between, high]))
        assert_array_equal(
            u.Quantity(table['flux_err']), u.Quantity(before['flux_err'])
        )
        assert corrected['flux_err'].info.description == 'standard error of flux'
        limit = u.Quantity(corrected['flux_upper_limit']).value
        expected = flux_upper_limit([-1.0, 0.4], err[:2], probability=0.9)
        assert_allclose(limit, [*expected, np.nan, np.nan])

    def test_other_units(self):
        table = self.make_table()
        for name in table.colnames:
            table[name] = table[name].to(u.mJy)
        found = make()
        corrected = correct_errors(table, found)
        expected = correct_errors(self.make_table(), found)
        for name in ('flux_err', 'flux_upper_limit'):
            assert corrected[name].unit == u.mJy
            assert_allclose(corrected[name].to_value(u.Jy), expected[name].value)

    def test_colour_and_calibration(self):
        """What is injected has no colour, and no error of the calibration."""
        table, found = self.make_table(), make()
        plain = correct_errors(table, found)
        table['flux'] = table['flux'] / 2
        err = table['flux_err'] / 2
        table['flux_err'] = np.hypot(err, 0.1 * table['flux'])
        table.meta |= {'colour_correction_factor': 2.0}
        table.meta |= {'calibration_error': 0.1, 'calibration_error_added': True}
        corrected = correct_errors(table, found)
        expected = np.hypot(plain['flux_err'] / 2, 0.1 * table['flux'])
        assert_allclose(corrected['flux_err'], expected)

    def test_only_once(self):
        corrected = correct_errors(self.make_table(), make())
        with pytest.raises(ValueError, match='corrected already'):
            correct_errors(corrected, make())

    def test_refused(self):
        with pytest.raises(TypeError, match='must be a Completeness'):
            correct_errors(self.make_table(), 2.0)
        with pytest.raises(ValueError, match='of the same map'):
            correct_errors(self.make_table(None), make())
        table = self.make_table()
        del table['flux_err']
        with pytest.raises(ValueError, match='has no flux_err'):
            correct_errors(table, make())
        one = Completeness.from_sources(
            make_sources()[::2000], flux_unit=u.Jy, threshold=3.0
        )
        with pytest.raises(ValueError, match='Inject more sources'):
            correct_errors(self.make_table(), one)
