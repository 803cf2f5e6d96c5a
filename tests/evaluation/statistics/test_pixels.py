# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of pixel distributions and their moments."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable, vstack
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import ks_2samp, lognorm, norm

from photutils_pconv.evaluation.statistics.pixels import (
    compare_pixel_statistics,
    pixel_statistics,
)

NAMES = ('mean', 'std', 'median', 'mad', 'skewness', 'iqr')


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
