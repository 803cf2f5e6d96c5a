# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Probability density functions (PDFs) of the values of a map's pixels.

Of a map or of a part of it, such as the holes of the removed sources
(paper, Fig. 13, right column), and of the logarithm, as column densities
of clouds are studied (N-PDFs).
"""

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import QTable
from scipy.optimize import curve_fit

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.evaluation.statistics._parsing import select_pixels

__all__ = ['LogNormal', 'fit_log_normal', 'pixel_pdf']


@dataclass(frozen=True)
class LogNormal:
    """
    A log-normal distribution of values about their mean.

    Parameters
    ----------
    mu, sigma : float
        The mean and the standard deviation of the natural logarithm of
        the values over their mean. Of a pure log-normal, mu is
        -sigma^2 / 2.

    weight : float
        The share of all pixels under the curve: less than 1 where the
        PDF has, for instance, a power-law tail.
    """

    mu: float
    sigma: float
    weight: float = 1.0

    def __call__(self, eta):
        """
        Evaluate the density.

        Parameters
        ----------
        eta : array_like
            The natural logarithm of the values over their mean.

        Returns
        -------
        density : `~numpy.ndarray`
            The probability density of ``eta``.
        """
        return _gaussian(np.asarray(eta, dtype=float), self.mu, self.sigma, self.weight)


def pixel_pdf(
    data,
    *,
    region=None,
    bins=50,
    limits=None,
    log=False,
    mask=None,
    coverage_mask=None,
):
    """
    Measure the probability density function of the pixel values.

    Parameters
    ----------
    data : map
        The map, in any form that `~photutils_pconv.inputs.parse_map`
        takes, but in any unit.

    region : 2D bool `~numpy.ndarray`, optional
        `True` in the pixels to use, such as a result's ``holes``. By
        default all that have data.

    bins : int, optional
        The number of bins.

    limits : pair of float or `~astropy.units.Quantity`, optional
        The range of the bins, in the map's unit, or of the logarithm
        with ``log``. By default that of the values. Give the same for
        PDFs to be compared.

    log : bool, optional
        Whether to take the PDF of eta = ln(value / mean), as is the
        custom for column densities (N-PDF). Pixels that are not positive
        have no logarithm and are left out, with a warning; the mean is
        that of the others.

    mask, coverage_mask : optional
        See `~photutils_pconv.inputs.parse_map`.

    Returns
    -------
    pdf : `~astropy.table.QTable`
        A row a bin: ``value`` (or ``eta``), its middle; ``density``, the
        share of all pixels in the bin, over its width; ``density_err``,
        the error of counting, as if pixels were independent; and
        ``n_pixels``. With ``log``, ``meta['mean']`` holds the mean.

    Raises
    ------
    TypeError, ValueError
        If the map or an argument is not accepted, or holds no data.

    Notes
    -----
    Paper: section 5.3.2 and Fig. 13, right column.
    """
    log = to_bool(log, 'log')
    values, unit = select_pixels(data, region, mask=mask, coverage_mask=coverage_mask)
    mean = None
    if log:
        values, mean = _to_eta(values)
    if limits is not None:
        limits = _parse_limits(limits, None if log else unit)
    counts, edges = np.histogram(values, bins=bins, range=limits)
    width = np.diff(edges)
    density = counts / (width * values.size)
    density_err = np.sqrt(counts) / (width * values.size)
    middle = 0.5 * (edges[1:] + edges[:-1])
    if unit is not None and not log:
        middle, density, density_err = middle * unit, density / unit, density_err / unit
    table = QTable()
    table['eta' if log else 'value'] = middle
    table['density'] = density
    table['density_err'] = density_err
    table['n_pixels'] = counts
    if log:
        table.meta['mean'] = mean if unit is None else mean * unit
    return table


def _to_eta(values):
    positive = values > 0
    n_lost = np.count_nonzero(~positive)
    if n_lost == values.size:
        msg = 'no pixel is positive: there is no logarithm.'
        raise ValueError(msg)
    if n_lost:
        msg = (
            f'{n_lost} of {values.size} pixels are not positive and have no '
            'logarithm: they are left out.'
        )
        warn_user(msg)
    values = values[positive]
    mean = values.mean()
    return np.log(values / mean), float(mean)


def _parse_limits(limits, unit):
    if isinstance(limits, u.Quantity) or any(
        isinstance(value, u.Quantity) for value in limits
    ):
        try:
            limits = u.Quantity(limits).to_value(
                u.dimensionless_unscaled if unit is None else unit
            )
        except u.UnitConversionError as exc:
            msg = f'limits must have the unit of the values ({unit}), got {limits}.'
            raise ValueError(msg) from exc
    low, high = (float(value) for value in limits)
    if not (np.isfinite([low, high]).all() and low < high):
        msg = f'limits must be finite and in ascending order, got {low} and {high}.'
        raise ValueError(msg)
    return low, high


def fit_log_normal(data, *, region=None, bins=50, limits=None):
    """
    Fit a log-normal to the PDF of a map, such as a column density.

    Parameters
    ----------
    data : map
        The map, in any form that `~photutils_pconv.inputs.parse_map`
        takes, but in any unit.

    region : 2D bool `~numpy.ndarray`, optional
        `True` in the pixels to use. By default all that have data.

    bins : int, optional
        The number of bins of the PDF that is fitted.

    limits : pair of float, optional
        The range of eta = ln(value / mean) to fit: below a power-law
        tail, and above what noise or the map's edge cuts off.

    Returns
    -------
    fit : `LogNormal`
        The log-normal.

    pdf : `~astropy.table.QTable`
        The PDF of all pixels, that of `pixel_pdf` with ``log=True``.

    Raises
    ------
    TypeError, ValueError
        If the map or an argument is not accepted, or fewer than four
        bins hold pixels.

    Notes
    -----
    Kainulainen et al. 2009 (A&A 508, L35); Schneider et al. 2015 (A&A
    575, A79).
    """
    pdf = pixel_pdf(data, region=region, bins=bins, log=True)
    eta, density = np.asarray(pdf['eta']), np.asarray(pdf['density'])
    chosen = pdf['n_pixels'] > 0
    if limits is not None:
        low, high = _parse_limits(limits, None)
        chosen &= (eta >= low) & (eta <= high)
    if np.count_nonzero(chosen) < 4:
        msg = (
            'a log-normal needs four bins with pixels, got '
            f'{np.count_nonzero(chosen)}: widen limits or give more bins.'
        )
        raise ValueError(msg)
    eta, density = eta[chosen], density[chosen]
    mean = np.average(eta, weights=density)
    start = (mean, np.sqrt(np.average((eta - mean) ** 2, weights=density)), 1.0)
    best, _ = curve_fit(
        _gaussian, eta, density, p0=start, sigma=np.asarray(pdf['density_err'])[chosen]
    )
    mu, sigma, weight = (float(value) for value in best)
    return LogNormal(mu=mu, sigma=abs(sigma), weight=abs(weight)), pdf


def _gaussian(eta, mu, sigma, weight):
    norm = weight / (np.sqrt(2.0 * np.pi) * np.abs(sigma))
    return norm * np.exp(-0.5 * ((eta - mu) / sigma) ** 2)
