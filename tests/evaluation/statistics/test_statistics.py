# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of pixel distributions and their moments."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable, vstack
from astropy.utils.exceptions import AstropyUserWarning
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import ks_2samp, lognorm, norm

from photutils_pconv.evaluation.statistics.pdfs import (
    LogNormal,
    fit_log_normal,
    pixel_pdf,
)
from photutils_pconv.evaluation.statistics.pixels import (
    compare_pixel_statistics,
    pixel_statistics,
)

NAMES = ('mean', 'std', 'median', 'mad', 'skewness', 'iqr')


@pytest.fixture(scope='module')
def gaussian():
    return np.random.default_rng(1).normal(3.0, 2.0, (500, 500))


@pytest.fixture(scope='module')
def log_normal():
    return 1e21 * np.exp(np.random.default_rng(2).normal(0.0, 0.4, (500, 500)))


def test_gaussian(gaussian):
    """The moments of a normal distribution, within 4 standard errors."""
    moments = pixel_statistics(gaussian)
    quartile = norm.ppf(0.75)
    assert moments.n_pixels == 250000
    assert_allclose(moments.mean, 3.0, atol=0.016)
    assert_allclose(moments.std, 2.0, atol=0.012)
    assert_allclose(moments.median, 3.0, atol=0.02)
    assert_allclose(moments.mad, 2.0 * quartile, atol=0.02)
    assert_allclose(moments.iqr, 4.0 * quartile, atol=0.04)
    assert_allclose(moments.skewness, 0.0, atol=0.02)


def test_log_normal(log_normal):
    moments = pixel_statistics(log_normal)
    truth = lognorm(0.4, scale=1e21)
    assert_allclose(moments.mean, truth.mean(), rtol=0.004)
    assert_allclose(moments.std, truth.std(), rtol=0.01)
    assert_allclose(moments.median, 1e21, rtol=0.004)
    assert_allclose(moments.iqr, np.diff(truth.ppf([0.25, 0.75]))[0], rtol=0.01)
    assert_allclose(moments.skewness, truth.stats('s'), rtol=0.05)


def test_small_by_hand():
    moments = pixel_statistics(np.array([[1.0, 2.0, 3.0], [4.0, 10.0, np.nan]]))
    assert moments.n_pixels == 5
    assert_allclose(moments.mean, 4.0)
    assert_allclose(moments.std, np.sqrt(10.0))
    assert_allclose(moments.median, 3.0)
    assert_allclose(moments.mad, 1.0)
    assert_allclose(moments.iqr, 2.0)
    assert_allclose(moments.skewness, 36.0 / 10.0**1.5)


@pytest.mark.parametrize('factor', [1.0, -3.0])
def test_scale_and_shift(gaussian, factor):
    before, after = (
        pixel_statistics(gaussian),
        pixel_statistics(5.0 + factor * gaussian),
    )
    assert_allclose(after.mean, 5.0 + factor * before.mean)
    assert_allclose(after.median, 5.0 + factor * before.median)
    for name in ('std', 'mad', 'iqr'):
        assert_allclose(getattr(after, name), abs(factor) * getattr(before, name))
    assert_allclose(after.skewness, np.sign(factor) * before.skewness, atol=1e-12)


def test_table_6_is_consistent():
    """The paper's MAD is without the factor 1.4826: the IQR is twice it."""
    values = norm(4.07e-4, 6.47e-4).ppf((np.arange(400) + 0.5) / 400)
    moments = pixel_statistics(values.reshape(20, 20))
    assert_allclose(moments.iqr / moments.mad, 7.15e-4 / 3.58e-4, rtol=0.01)


def test_constant():
    moments = pixel_statistics(np.full((20, 20), 0.1))
    assert moments.skewness == 0.0
    assert_allclose([moments.std, moments.mad, moments.iqr], 0.0, atol=1e-15)


def test_region_and_mask(gaussian):
    region = np.zeros(gaussian.shape, dtype=bool)
    region[10:20] = True
    mask = np.zeros(gaussian.shape, dtype=bool)
    mask[15:] = True
    moments = pixel_statistics(
        np.where(region, gaussian, 1e9), region=region, mask=mask
    )
    assert moments.n_pixels == 2500
    assert_allclose(moments.mean, gaussian[10:15].mean())


def test_every_form_of_map(any_map):
    moments = pixel_statistics(any_map.given)
    values = any_map.values[~any_map.missing]
    if any_map.unit is not None:
        assert moments.std.unit == any_map.unit
    assert_allclose(u.Quantity(moments.std).value, values.std())
    assert isinstance(moments.skewness, float)
    assert moments.n_pixels == values.size


# -- comparison


def test_compare(gaussian):
    region = np.random.default_rng(3).random(gaussian.shape) < 0.1
    original = gaussian * u.Jy / u.pix
    cleaned = np.where(region, 0.5 * gaussian + 2.0, 1e6) * 1e3 * u.mJy / u.pix
    table = compare_pixel_statistics(original, cleaned, region=region)
    assert isinstance(table, QTable)
    assert len(table) == 1
    row = table[0]
    inside = gaussian[region]
    assert row['n_pixels'] == region.sum()
    assert_allclose(
        row['mean_shift'], (2.0 - 0.5 * inside.mean()) / inside.std(), rtol=1e-10
    )
    assert_allclose(
        row['median_shift'], (2.0 - 0.5 * np.median(inside)) / inside.std(), rtol=1e-10
    )
    for name in ('std', 'mad', 'iqr'):
        assert_allclose(row[f'{name}_ratio'], 0.5)
    assert_allclose(row['skewness_shift'], 0.0, atol=1e-12)
    assert_allclose(
        row['ks_distance'], ks_2samp(inside, 0.5 * inside + 2.0, method='asymp')[0]
    )
    for name in NAMES:
        for label, values in (('original', inside), ('cleaned', 0.5 * inside + 2.0)):
            expected = getattr(pixel_statistics(values[:, None]), name)
            assert_allclose(u.Quantity(row[f'{name}_{label}']).value, expected)
    assert row['mean_cleaned'].unit == original.unit


def test_compare_stacks_and_is_written(gaussian, tmp_path):
    original = gaussian * u.Jy / u.pix
    rows = [compare_pixel_statistics(original, k * original) for k in (1.0, 2.0)]
    table = vstack(rows)
    table.write(tmp_path / 'table.ecsv')
    back = QTable.read(tmp_path / 'table.ecsv')
    assert_allclose(back['std_ratio'], [1.0, 2.0])
    assert back['iqr_cleaned'].unit == original.unit
    assert_array_equal(back['mean_shift'][0], 0.0)
    assert_array_equal(back['ks_distance'][0], 0.0)


def test_compare_uses_what_both_have(gaussian):
    original, cleaned = gaussian.copy(), gaussian.copy()
    original[:100] = np.nan
    cleaned[-100:] = np.nan
    table = compare_pixel_statistics(original, cleaned)
    assert table['n_pixels'][0] == 150000
    assert table['mean_shift'][0] == 0.0


# -- PDFs


@pytest.mark.parametrize('unit', [None, u.Jy / u.pix])
def test_pdf_of_gaussian(gaussian, unit):
    data = gaussian if unit is None else gaussian * unit
    pdf = pixel_pdf(data, bins=40, limits=(-2.0, 8.0))
    value = u.Quantity(pdf['value'])
    density = u.Quantity(pdf['density']).to_value(value.unit**-1)
    error = u.Quantity(pdf['density_err']).to_value(value.unit**-1)
    expected = norm(3.0, 2.0).pdf(value.value)
    assert_allclose(value.value, -1.875 + 0.25 * np.arange(40))
    assert np.max(np.abs(density - expected) / error) < 4.5
    assert_allclose(np.sum(density) * 0.25, np.mean(np.abs(gaussian - 3) < 5))


def test_pdf_of_logarithm(log_normal):
    pdf = pixel_pdf(log_normal / u.cm**2, log=True, bins=30, limits=(-1.5, 1.5))
    # ln(value / mean) of a log-normal is normal about -sigma^2 / 2.
    expected = norm(-0.08, 0.4).pdf(pdf['eta'])
    assert_allclose(pdf['density'], expected, atol=0.03)
    assert u.allclose(pdf.meta['mean'], log_normal.mean() / u.cm**2)


def test_limits_in_another_unit(gaussian):
    data = gaussian * u.Jy / u.pix
    limits = [-1e3, 7e3] * u.mJy / u.pix
    a, b = pixel_pdf(data, limits=limits), pixel_pdf(data, limits=(-1.0, 7.0))
    assert_array_equal(a['n_pixels'], b['n_pixels'])


def test_fit_log_normal(log_normal):
    fit, pdf = fit_log_normal(log_normal)
    assert_allclose([fit.mu, fit.sigma, fit.weight], [-0.08, 0.4, 1.0], atol=0.005)
    assert_allclose(fit(pdf['eta']), pdf['density'], atol=0.04)


def test_fit_log_normal_with_tail(log_normal):
    """A power-law tail is left out by the limits."""
    data = log_normal.copy()
    tail = np.random.default_rng(4).random(data.shape) < 0.05
    data[tail] = 2.5e21 * (1 + np.random.default_rng(5).pareto(2.0, tail.sum()))
    mean = data.mean()
    fit, _ = fit_log_normal(data, limits=(-2.0, np.log(2e21 / mean)), bins=200)
    assert_allclose(fit.mu, np.log(1e21 / mean), atol=0.02)
    assert_allclose(fit.sigma, 0.4, atol=0.02)
    assert_allclose(fit.weight, 0.95, atol=0.02)


def test_log_normal_integrates_to_its_weight():
    eta = np.linspace(-4, 4, 2001)
    density = LogNormal(mu=-0.2, sigma=0.5, weight=0.8)(eta)
    assert_allclose(np.sum(density) * 0.004, 0.8, rtol=1e-6)


# -- bad input


def test_pixels_without_logarithm(gaussian):
    n_lost = np.sum(gaussian <= 0)
    with pytest.warns(AstropyUserWarning, match=f'{n_lost} of 250000 pixels are not'):
        pdf = pixel_pdf(gaussian, log=True)
    assert pdf['n_pixels'].sum() == 250000 - n_lost
    with pytest.raises(ValueError, match='no pixel is positive'):
        pixel_pdf(-np.abs(gaussian), log=True)


@pytest.mark.parametrize(
    ('region', 'message'),
    [
        (np.zeros((500, 500), dtype=bool), 'region holds no pixel'),
        (np.ones((500, 500)), 'region must be boolean'),
        (np.ones((5, 5), dtype=bool), "of the map's shape"),
    ],
)
def test_bad_region(gaussian, region, message):
    with pytest.raises(ValueError, match=message):
        pixel_statistics(gaussian, region=region)
    with pytest.raises(ValueError, match=message):
        compare_pixel_statistics(gaussian, gaussian, region=region)


def test_maps_that_do_not_match(gaussian):
    with pytest.raises(ValueError, match='one shape'):
        compare_pixel_statistics(gaussian, gaussian[:10])
    with pytest.raises(ValueError, match='one unit, got Jy and K'):
        compare_pixel_statistics(gaussian * u.Jy, gaussian * u.K)


@pytest.mark.parametrize(
    ('limits', 'message'),
    [
        ((2.0, 1.0), 'in ascending order'),
        ((0.0, np.inf), 'must be finite'),
        ([0.0, 1.0] * u.K, 'must have the unit'),
    ],
)
def test_bad_limits(gaussian, limits, message):
    with pytest.raises(ValueError, match=message):
        pixel_pdf(gaussian, limits=limits)


def test_too_few_bins(log_normal):
    with pytest.raises(ValueError, match='four bins with pixels, got'):
        fit_log_normal(log_normal, limits=(0.0, 0.01))
