# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The moments of the values of a map's pixels.

In a map or in a part of it such as the holes of the removed sources
(paper, section 5.3.2 and Table 6).
"""

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import QTable
from scipy.stats import ks_2samp, skew

from photutils_pconv.evaluation.statistics._parsing import (
    parse_any_unit,
    parse_region,
    select_pixels,
)

__all__ = ['PixelStatistics', 'compare_pixel_statistics', 'pixel_statistics']


@dataclass(frozen=True)
class PixelStatistics:
    """
    The moments of a distribution of pixel values (Table 6).

    Parameters
    ----------
    n_pixels : int
        The number of pixels.

    mean, std : float or `~astropy.units.Quantity`
        The mean and the standard deviation.

    median, mad : float or `~astropy.units.Quantity`
        The median and the median absolute deviation from it, without
        the factor of 1.4826 that makes it a standard deviation.

    skewness : float
        The third standardised moment.

    iqr : float or `~astropy.units.Quantity`
        The interquartile range.
    """

    n_pixels: int
    mean: u.Quantity
    std: u.Quantity
    median: u.Quantity
    mad: u.Quantity
    skewness: float
    iqr: u.Quantity


def pixel_statistics(data, *, region=None, mask=None, coverage_mask=None):
    """
    Measure the moments of the pixel values.

    Parameters
    ----------
    data : map
        The map, in any form that `~photutils_pconv.inputs.parse_map`
        takes, but in any unit.

    region : 2D bool `~numpy.ndarray`, optional
        `True` in the pixels to use, such as a result's ``holes``. By
        default all that have data.

    mask, coverage_mask : optional
        See `~photutils_pconv.inputs.parse_map`.

    Returns
    -------
    statistics : `PixelStatistics`
        The moments; quantities if the map has a unit.

    Raises
    ------
    TypeError, ValueError
        If the map or the region is not accepted, or holds no data.

    Notes
    -----
    Paper: section 5.3.2 and Table 6.
    """
    values, unit = select_pixels(data, region, mask=mask, coverage_mask=coverage_mask)
    return PixelStatistics(
        **{name: _with_unit(name, value, unit) for name, value in _moments(values)}
    )


_WITHOUT_UNIT = ('n_pixels', 'skewness')


def _moments(values):
    low, median, high = np.percentile(values, [25, 50, 75])
    std = np.std(values)
    # Equal values scatter by a rounding error, of which there is no skewness.
    scatters = std > 1e-12 * np.max(np.abs(values), initial=0.0)
    yield 'n_pixels', values.size
    yield 'mean', float(np.mean(values))
    yield 'std', float(std)
    yield 'median', float(median)
    yield 'mad', float(np.median(np.abs(values - median)))
    yield 'skewness', float(skew(values)) if scatters else 0.0
    yield 'iqr', float(high - low)


def _with_unit(name, value, unit):
    if unit is None or name in _WITHOUT_UNIT:
        return value
    return value * unit


def compare_pixel_statistics(original, cleaned, *, region=None):
    """
    Compare the pixel values of a cleaned map with the truth (Table 6).

    Parameters
    ----------
    original : map
        The map without sources, in any form that
        `~photutils_pconv.inputs.parse_map` takes, but in any unit.

    cleaned : map
        The map after the removal of its sources, in the same unit.

    region : 2D bool `~numpy.ndarray`, optional
        `True` in the pixels to compare: a result's ``holes``, for
        elsewhere a cleaned map is the map itself. By default all pixels
        that have data in both.

    Returns
    -------
    table : `~astropy.table.QTable`
        One row, so that those of several maps can be stacked:
        ``n_pixels``; each moment of `PixelStatistics` with the suffixes
        ``_original`` and ``_cleaned``; ``mean_shift`` and
        ``median_shift``, cleaned less original in units of the
        original's standard deviation; ``std_ratio``, ``mad_ratio`` and
        ``iqr_ratio``, cleaned over original; ``skewness_shift``, cleaned
        less original; and ``ks_distance``, the largest distance between
        the two cumulative distributions.

    Raises
    ------
    TypeError, ValueError
        If a map is not accepted, the maps or the region differ in shape,
        the maps in unit, or no pixel is left.

    Notes
    -----
    Paper: section 5.3.2 and Table 6.
    """
    first, unit, _ = parse_any_unit(original)
    second, other, _ = parse_any_unit(cleaned)
    if first.shape != second.shape:
        msg = (
            'original and cleaned must have one shape, got '
            f'{first.shape} and {second.shape}.'
        )
        raise ValueError(msg)
    try:
        second = second * other.to(unit)
    except u.UnitConversionError as exc:
        msg = f'original and cleaned must have one unit, got {unit} and {other}.'
        raise ValueError(msg) from exc
    chosen = parse_region(region, first.shape) & np.isfinite(first + second)
    if not chosen.any():
        msg = 'region holds no pixel with data in both maps.'
        raise ValueError(msg)
    first, second = first[chosen], second[chosen]
    unit = None if unit == u.dimensionless_unscaled else unit

    before, after = dict(_moments(first)), dict(_moments(second))
    row = {'n_pixels': before.pop('n_pixels')}
    for name, value in before.items():
        row[f'{name}_original'] = _with_unit(name, value, unit)
        row[f'{name}_cleaned'] = _with_unit(name, after[name], unit)
    with np.errstate(divide='ignore', invalid='ignore'):
        for name in ('mean', 'median'):
            difference = np.float64(after[name] - before[name])
            row[f'{name}_shift'] = difference / before['std']
        for name in ('std', 'mad', 'iqr'):
            row[f'{name}_ratio'] = np.float64(after[name]) / before[name]
    row['skewness_shift'] = after['skewness'] - before['skewness']
    row['ks_distance'] = float(ks_2samp(first, second, method='asymp').statistic)
    return QTable(
        {
            name: u.Quantity([value]) if _is_quantity(value) else [value]
            for name, value in row.items()
        }
    )


def _is_quantity(value):
    return isinstance(value, u.Quantity)
