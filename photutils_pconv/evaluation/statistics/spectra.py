# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How the structure of a map is spread over spatial scales.

The power spectrum (paper, section 5.3.1 and Fig. 13) and the
delta-variance (Ossenkopf et al. 2008, A&A 485, 917). Both take maps with
missing pixels. A spatial frequency is the inverse of a wavelength,
without the factor of 2 pi.
"""

import astropy.units as u
import numpy as np
from astropy.table import QTable

from photutils_pconv._utils.checks import to_float
from photutils_pconv.evaluation.statistics._fourier import (
    azimuthal_average,
    fill_gaps,
    filtered_variance,
    log_edges,
    make_window,
)
from photutils_pconv.evaluation.statistics._parsing import parse_any_unit
from photutils_pconv.inputs.uncertainties import parse_error

__all__ = [
    'delta_variance',
    'normalised_difference',
    'power_spectrum',
    'relative_difference',
]


def power_spectrum(
    data,
    *,
    mask=None,
    coverage_mask=None,
    wcs=None,
    pixel_scale=None,
    taper=0.15,
    max_gap=16.0,
    bins_per_decade=10,
    bin_edges=None,
):
    """
    Measure the azimuthally averaged power spectrum of a map.

    The map, less its mean, is multiplied with a window that falls to
    zero, as a squared sine, towards the map's edge and towards regions
    without data, since else their sharp edges leak power of large scales
    into all others. Small gaps are filled from their surroundings. The
    squared Fourier transform is divided by the window's summed square,
    times the area of a pixel: then it depends neither on the size of the
    map nor on its pixels, its integral over the plane of frequencies is
    the variance, and white noise of standard deviation s has the flat
    spectrum s^2 times the area of a pixel.

    Parameters
    ----------
    data : map
        The map, in any form that `~photutils_pconv.inputs.parse_map`
        takes, but in any unit.

    mask, coverage_mask, wcs : optional
        See `~photutils_pconv.inputs.parse_map`.

    pixel_scale : `~astropy.units.Quantity` or float, optional
        The pixel scale (arcsec) of a map without WCS. Without either,
        lengths are in pixels.

    taper : float, optional
        The width of the taper, as a fraction of the map's shorter side;
        0 for a sharp edge.

    max_gap : float, optional
        How deep, in pixels, a missing region may be to be filled instead
        of tapered. Filled pixels have lost their power on scales smaller
        than the gap; ``meta['filled_fraction']`` says how many they are.

    bins_per_decade : float, optional
        The number of logarithmic bins in a decade. Bins at low
        frequencies are wider, so that none is narrower than the
        frequency of the map's shorter side.

    bin_edges : array_like or `~astropy.units.Quantity`, optional
        The edges of the bins instead, in ascending order, in cycles a
        pixel or in a unit of inverse angle.

    Returns
    -------
    spectrum : `~astropy.table.QTable`
        A row a bin that holds any mode: ``frequency``, the mean of its
        modes; ``frequency_low`` and ``frequency_high``, its edges;
        ``power``; ``power_err``, the standard error for a Gaussian field
        (the power over the root of ``n_modes``); and ``n_modes``, the
        number of independent modes, less what the window costs. The
        frequencies are in 1/arcsec (1/pix for an unknown pixel scale),
        up to half a cycle a pixel; the power in the map's unit squared
        times arcsec^2 (pix^2).

    Raises
    ------
    TypeError, ValueError
        If the map or an argument is not accepted.

    Notes
    -----
    Paper: section 5.3.1. The spectrum includes the beam, the pixels and
    the noise of the map. Structure larger than the map leaks into the
    lowest frequencies: below some eight cycles a side, steep spectra come
    out up to 1.5 (P ~ k^-3) or 3 times (k^-4) too high.
    """
    values, unit, scale = parse_any_unit(
        data,
        mask=mask,
        coverage_mask=coverage_mask,
        wcs=wcs,
        pixel_scale=pixel_scale,
    )
    if not (0 <= taper <= 0.5 and 0 <= max_gap < np.inf):
        msg = (
            'taper must lie between 0 and 0.5, and max_gap must be finite and '
            f'not negative, got {taper} and {max_gap}.'
        )
        raise ValueError(msg)
    side = min(values.shape)
    if bin_edges is None:
        edges = log_edges(1.0 / side, to_float(bins_per_decade, 'bins_per_decade'))
    else:
        edges = _parse_edges(bin_edges, scale)

    missing = np.isnan(values)
    window, gaps = make_window(missing, taper=taper * side, max_gap=max_gap)
    filled = fill_gaps(values, missing, gaps)
    frequency, power, n_modes, counted = azimuthal_average(filled, window, edges)

    rows = counted > 0
    table = QTable()
    inverse = 1.0 / scale
    table['frequency'] = frequency[rows] * inverse
    table['frequency_low'] = edges[:-1][rows] * inverse
    table['frequency_high'] = edges[1:][rows] * inverse
    table['power'] = power[rows] * (unit * scale) ** 2
    table['power_err'] = table['power'] / np.sqrt(n_modes[rows])
    table['n_modes'] = n_modes[rows]
    table.meta['taper'] = float(taper)
    table.meta['filled_fraction'] = float(np.mean(gaps[window > 0]))
    table.meta['window_area_fraction'] = float(np.mean(window**2))
    return table


def _parse_edges(edges, scale):
    if isinstance(edges, u.Quantity):
        try:
            edges = (edges * scale).to_value(u.dimensionless_unscaled)
        except u.UnitConversionError as exc:
            msg = f'bin_edges must be in {scale.unit**-1}, got {edges.unit}.'
            raise ValueError(msg) from exc
    edges = np.asarray(edges, dtype=float)
    if edges.ndim != 1 or edges.size < 2 or not np.all(np.diff(edges) > 0):
        msg = f'bin_edges must be two or more in ascending order, got {edges}.'
        raise ValueError(msg)
    return edges


def delta_variance(
    data,
    *,
    lags=None,
    weights=None,
    error=None,
    mask=None,
    coverage_mask=None,
    wcs=None,
    pixel_scale=None,
    diameter_ratio=1.5,
):
    """
    Measure the delta-variance of a map.

    It is the variance of the map filtered with a Mexican hat whose size
    is the lag: the difference of the means under a Gaussian core and
    under the annulus about it. Pixels carry weights, those without data
    the weight 0, so neither gaps nor the map's edge need be filled or
    tapered. Of a map with the power spectrum P ~ k^-b it is a power law
    of the lag with the exponent b - 2, for b between 0 and 6.

    Parameters
    ----------
    data : map
        The map, in any form that `~photutils_pconv.inputs.parse_map`
        takes, but in any unit.

    lags : array_like or `~astropy.units.Quantity`, optional
        The lags, in pixels or as an angle. By default 20, evenly spread
        in the logarithm from 3 pixels to a quarter of the shorter side.

    weights : 2D array_like, optional
        The weight of each pixel, such as its coverage. By default all
        pixels with data weigh the same.

    error : 2D array_like, `~astropy.units.Quantity` or uncertainty, optional
        The standard deviation of the map, instead of weights: they are
        its inverse square then.

    mask, coverage_mask, wcs : optional
        See `~photutils_pconv.inputs.parse_map`.

    pixel_scale : `~astropy.units.Quantity` or float, optional
        The pixel scale (arcsec) of a map without WCS. Without either,
        lags are in pixels.

    diameter_ratio : float, optional
        The ratio of the diameters of annulus and core.

    Returns
    -------
    table : `~astropy.table.QTable`
        A row a lag: ``lag`` in arcsec (pix for an unknown pixel scale),
        ``delta_variance`` in the map's unit squared, and
        ``delta_variance_err``, its standard error for a map with a power
        spectrum near P ~ k^-3. NaN where the filter finds no weight.

    Raises
    ------
    TypeError, ValueError
        If the map or an argument is not accepted.

    Notes
    -----
    Stutzki et al. 1998 (A&A 336, 697); filter, weights and the ratio of
    1.5 are those of Ossenkopf et al. 2008 (A&A 485, 917). The variance of
    the noise is part of the result, mostly at small lags, and so is what
    the beam took away.
    """
    values, unit, scale = parse_any_unit(
        data,
        mask=mask,
        coverage_mask=coverage_mask,
        wcs=wcs,
        pixel_scale=pixel_scale,
    )
    diameter_ratio = to_float(diameter_ratio, 'diameter_ratio')
    if diameter_ratio <= 1:
        msg = f'diameter_ratio must be more than 1, got {diameter_ratio}.'
        raise ValueError(msg)
    lags = _parse_lags(lags, scale, min(values.shape))
    weight = _parse_weights(weights, error, values, unit)
    # The filter's mean is zero, but not to the last bit.
    values = np.where(weight > 0, values, 0.0)
    values -= np.average(values, weights=weight)
    variance, variance_err = filtered_variance(values, weight, lags, diameter_ratio)
    table = QTable()
    table['lag'] = lags * scale
    table['delta_variance'] = variance * unit**2
    table['delta_variance_err'] = variance_err * unit**2
    table.meta['diameter_ratio'] = diameter_ratio
    return table


def _parse_lags(lags, scale, side):
    if lags is None:
        return np.geomspace(3.0, max(0.25 * side, 4.0), 20)
    if isinstance(lags, u.Quantity):
        try:
            lags = (lags / scale).to_value(u.dimensionless_unscaled)
        except u.UnitConversionError as exc:
            msg = f'lags must be in {scale.unit}, got {lags.unit}.'
            raise ValueError(msg) from exc
    lags = np.atleast_1d(np.asarray(lags, dtype=float))
    if lags.ndim != 1 or not np.all((lags >= 2.0) & (lags <= side)):
        msg = (
            f"lags must lie between 2 pixels and the map's shorter side, {side} "
            f'pixels; got, in pixels, {lags}.'
        )
        raise ValueError(msg)
    return lags


def _parse_weights(weights, error, values, unit):
    if weights is not None and error is not None:
        msg = 'Give weights or error, not both.'
        raise ValueError(msg)
    if error is not None:
        error = parse_error(error, unit, values.shape)
        weights = np.divide(1.0, error**2, out=np.zeros_like(error), where=error > 0)
    elif weights is None:
        weights = np.ones(values.shape)
    weights = np.asarray(weights, dtype=float)
    if weights.shape != values.shape:
        msg = (
            f'weights must have the shape {values.shape} of the map, got '
            f'{weights.shape}.'
        )
        raise ValueError(msg)
    weights = np.where(np.isnan(values) | np.isnan(weights), 0.0, weights)
    if np.any(weights < 0) or not np.any(weights > 0) or np.any(np.isinf(weights)):
        msg = 'weights must be finite, not negative, and not all zero.'
        raise ValueError(msg)
    return weights / weights.max()


def relative_difference(spectrum, reference):
    """
    Compare two power spectra, or delta-variances, bin by bin.

    Parameters
    ----------
    spectrum, reference : `~astropy.table.QTable`
        Results of `power_spectrum` with the same bins, or of
        `delta_variance` with the same lags.

    Returns
    -------
    difference : `~numpy.ndarray`
        The spectrum over the reference, less 1, in each bin.

    Raises
    ------
    ValueError
        If the bins differ.
    """
    values, expected = _pair(spectrum, reference)
    return (values / expected).to_value(u.dimensionless_unscaled) - 1.0


def normalised_difference(spectrum, reference):
    """
    Subtract two normalised power spectra (Fig. 13, middle column).

    Each is divided by its highest value, and the reference is
    subtracted. Power spectra of extended emission fall by many orders of
    magnitude, so at high frequencies the result is small whatever the
    maps: judge with `relative_difference`.

    Parameters
    ----------
    spectrum, reference : `~astropy.table.QTable`
        Results of `power_spectrum` with the same bins.

    Returns
    -------
    difference : `~numpy.ndarray`
        The difference in each bin.

    Raises
    ------
    ValueError
        If the bins differ.

    Notes
    -----
    Paper: section 5.3.1, where it is 1e-4 to 1e-10. The paper does not
    say by what the spectra are divided; it is taken to be the maximum.
    """
    values, expected = _pair(spectrum, reference)
    difference = values / np.max(values) - expected / np.max(expected)
    return difference.to_value(u.dimensionless_unscaled)


def _pair(spectrum, reference):
    names = ('frequency', 'power')
    if 'lag' in spectrum.colnames:
        names = ('lag', 'delta_variance')
    x, y = names
    same = x in reference.colnames and len(spectrum) == len(reference)
    if not (same and u.allclose(spectrum[x], reference[x], rtol=1e-6, equal_nan=False)):
        msg = (
            'spectrum and reference must have the same bins: compute them from '
            'maps of one shape and pixel scale, with the same arguments.'
        )
        raise ValueError(msg)
    return u.Quantity(spectrum[y]), u.Quantity(reference[y])
