# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Figures of samples of sources, and Markdown tables of them.
"""

from dataclasses import dataclass

import numpy as np
from astropy.stats import mad_std

__all__ = [
    'BINS',
    'INTERVAL',
    'PERCENT',
    'SMALLEST_SAMPLE',
    'SNRBin',
    'format_interval',
    'format_lines',
    'geometric_mean',
    'interquartile_range',
    'median',
    'robust_std',
]

BINS = ((4, 12), (12, 40), (40, 130), (130, 400), (400, 1500))
"""
The bins of the SNR (Eq. 1, as measured on the map), by choice: half a decade
each.
"""

INTERVAL = (16, 84)
"""
The percentiles of bootstrap samples between which 68 percent lie.
"""

PERCENT = 100.0

SMALLEST_SAMPLE = 10
"""
An interquartile range of fewer sources says nothing (by choice).
"""


@dataclass(frozen=True, kw_only=True)
class SNRBin:
    """
    A bin of the SNR.

    Parameters
    ----------
    low, high : float
        The bin; the lower limit belongs to it.

    n : int
        The number of sources.
    """

    low: float
    high: float
    n: int

    @property
    def name(self):
        """
        The bin's name in tables (str).
        """
        return f'{self.low} to {self.high}'


def interquartile_range(values, axis=None):
    """
    Give the interquartile range of values.

    Parameters
    ----------
    values : array_like
        The values; finite.

    axis : int, optional
        The axis along which to take it.

    Returns
    -------
    iqr : float or `~numpy.ndarray`
        The range.
    """
    high, low = np.percentile(values, (75, 25), axis=axis)
    return high - low


def geometric_mean(values):
    """
    Give the geometric mean of the values that are finite.

    Parameters
    ----------
    values : array_like
        The values.

    Returns
    -------
    mean : float
        The mean; NaN without values, or if some are not positive.
    """
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if values.size == 0 or np.any(values <= 0):
        return np.nan
    return float(np.exp(np.mean(np.log(values))))


def median(values):
    """
    Give the median of the values that are finite.

    Parameters
    ----------
    values : array_like
        The values.

    Returns
    -------
    median : float
        The median; NaN without values.
    """
    values = np.asarray(values)
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size else np.nan


def format_lines(header, rows):
    """
    Write a Markdown table.

    Parameters
    ----------
    header : list of str
        The columns' names.

    rows : list of list of str
        The cells.

    Returns
    -------
    text : str
        The table.
    """
    lines = ['| ' + ' | '.join(header) + ' |', '| --- ' * len(header) + '|']
    return '\n'.join(lines + ['| ' + ' | '.join(row) + ' |' for row in rows])


def format_interval(values):
    """
    Write a value with its 68 percent interval.

    Parameters
    ----------
    values : tuple of float
        The value and the ends of the interval.

    Returns
    -------
    text : str
        The text, such as ``'0.50 (0.45 to 0.56)'``; ``'-'`` if a number
        is not finite.
    """
    if not np.all(np.isfinite(values)):
        return '-'
    return '{:.2f} ({:.2f} to {:.2f})'.format(*values)


def robust_std(values):
    """
    Calculate a standard deviation from the median absolute deviation.

    Parameters
    ----------
    values : 1D `~numpy.ndarray`
        The values; those that are not finite are left out.

    Returns
    -------
    std : float
        The standard deviation; NaN of no values.
    """
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return np.nan
    return float(mad_std(values))
