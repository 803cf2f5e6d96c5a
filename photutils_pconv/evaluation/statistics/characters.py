# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a map is like, in a few numbers: slope, noise, skewness, range.
"""

from dataclasses import dataclass

import numpy as np
from astropy.stats import gaussian_fwhm_to_sigma
from scipy.ndimage import gaussian_filter
from scipy.optimize import least_squares
from scipy.stats import skew

from photutils_pconv._utils.checks import to_float
from photutils_pconv._utils.medians import MAD_TO_STD
from photutils_pconv.evaluation.statistics._parsing import parse_any_unit
from photutils_pconv.evaluation.statistics.spectra import power_spectrum

__all__ = ['LAGS', 'MapCharacter', 'map_character']

#: The lags, in pixels, at which the correlation of pixels is given.
LAGS = (1, 2, 3)
# Lower frequencies, in cycles a side, hold structure that is larger than the map,
# and too few modes.
_LOWEST = 3.0
# The points within a bin over which the model's mean is taken: the beam falls by
# orders of magnitude from edge to edge.
_POINTS = 16
# The most modes that count in a bin: no power law is better than a few percent.
_MOST_MODES = 400
_STEEPEST = -6.0
# What is flatter is the correlated noise's own spectrum, not that of emission (by
# choice: real fields are steeper than -1.2).
_FLATTEST = -0.9
# Emission counts as seen where its power exceeds the noise's in so many bins.
_FEWEST_BINS = 3
# For the correlation: the scales (FWHMs) that count as structure, and the share of
# the pixels, those of the quietest surroundings, that are looked at (by choice).
_SMOOTH = 4.0
# ... and over how many FWHMs the surroundings reach: fewer would choose the
# troughs of the noise itself, where it is less correlated.
_AROUND = 4.0
_QUIET_SHARE = 0.5
_CLIP = 4.0
# Pixels needed for any figure at all.
_FEWEST_PIXELS = 500
# The percentile that is the top of the range, so that a few hot pixels are not.
_TOP = 99.9


@dataclass(frozen=True, kw_only=True)
class MapCharacter:
    """
    What a map is like.

    Parameters
    ----------
    slope, slope_err : float
        The slope of the emission's power spectrum, without beam and noise,
        and its standard error; NaN where the noise hides the emission, or what
        is left is flatter than -0.9, as the spectrum of correlated noise.

    noise : float
        The standard deviation of white noise with the power that is left at
        high frequencies, over the map's robust scatter.

    correlation : tuple of float
        The correlation of pixels 1, 2 and 3 pixels apart, along the axes,
        in the quieter half of the map, less what is smooth over four
        FWHMs: that of the noise, wherever the noise dominates there.

    skewness : float
        The skewness of the pixels' values, of the map smoothed by the beam.

    dynamic_range : float
        The logarithm (base 10) of the 99.9th percentile above the median,
        over the robust scatter; 0.49 for Gaussian noise.
    """

    slope: float
    slope_err: float
    noise: float
    correlation: tuple
    skewness: float
    dynamic_range: float


def map_character(data, *, beam_fwhm, mask=None, coverage_mask=None):
    """
    Measure what a map is like.

    Parameters
    ----------
    data : map
        The map, in any form that `~photutils_pconv.inputs.parse_map` takes,
        but in any unit. Bright compact sources are best masked.

    beam_fwhm : float
        The full width at half maximum of its beam, in pixels.

    mask, coverage_mask : optional
        See `~photutils_pconv.inputs.parse_map`.

    Returns
    -------
    character : `MapCharacter`
        The figures.

    Raises
    ------
    TypeError, ValueError
        If the map has too few pixels with data, or is flat, or an argument is
        not accepted.

    Notes
    -----
    The power spectrum is fitted with a power law times that of a Gaussian
    beam, plus a constant, between three cycles a side and half a cycle a
    pixel.
    """
    beam_fwhm = to_float(beam_fwhm, 'beam_fwhm')
    values, *_ = parse_any_unit(data, mask=mask, coverage_mask=coverage_mask)
    good = np.isfinite(values)
    if good.sum() < _FEWEST_PIXELS:
        msg = (
            f'the map must have at least {_FEWEST_PIXELS} pixels with data, got '
            f'{good.sum()}.'
        )
        raise ValueError(msg)
    centre = np.median(values[good])
    scatter = MAD_TO_STD * np.median(np.abs(values[good] - centre))
    if scatter == 0:
        msg = 'the map is flat: half of its pixels or more have one value.'
        raise ValueError(msg)
    # Figures have no unit, and numbers near 1 do not overflow.
    values = (values - centre) / scatter
    slope, slope_err, noise = _fit_slope(values, beam_fwhm)
    sigma = beam_fwhm * gaussian_fwhm_to_sigma
    smooth = _smooth(values, good, sigma)
    return MapCharacter(
        slope=slope,
        slope_err=slope_err,
        noise=noise,
        correlation=_correlate(values, good, beam_fwhm),
        skewness=float(skew(smooth[good])),
        dynamic_range=float(np.log10(np.percentile(values[good], _TOP))),
    )


def _fit_slope(values, beam_fwhm):
    """Fit the spectrum; give the slope, its error, and the noise."""
    spectrum = power_spectrum(values, bins_per_decade=10)
    lower, upper = (
        np.asarray(spectrum[f'frequency_{end}'].value) for end in ('low', 'high')
    )
    rows = lower >= _LOWEST / min(values.shape)
    lower, upper = lower[rows], upper[rows]
    power = np.asarray(spectrum['power'].value)[rows]
    if rows.sum() < 2 * _FEWEST_BINS or np.any(power <= 0):
        return np.nan, np.nan, np.nan
    weight = np.sqrt(np.minimum(np.asarray(spectrum['n_modes'])[rows], _MOST_MODES))
    part = (np.arange(_POINTS) + 0.5) / _POINTS
    k = lower[:, None] + part * (upper - lower)[:, None]
    share = k / k.sum(axis=1, keepdims=True)
    sigma = beam_fwhm * gaussian_fwhm_to_sigma
    beam = share * np.exp(-((2.0 * np.pi * sigma * k) ** 2))
    pivot = np.exp(np.log(k).mean())

    def emission(parameters):
        amplitude, slope, _ = parameters
        return np.exp(amplitude) * ((k / pivot) ** slope * beam).sum(axis=1)

    def residuals(parameters):
        model = emission(parameters) + np.exp(parameters[2])
        return weight * (np.log(model) - np.log(power))

    low, high = np.log(power.min()), np.log(power.max())
    fits = [
        least_squares(
            residuals,
            [0.5 * (low + high), start, low],
            bounds=([-np.inf, _STEEPEST, -np.inf], [np.inf, 0.0, np.inf]),
            loss='soft_l1',
        )
        for start in (-1.5, -3.0)
    ]
    best = min(fits, key=lambda fit: fit.cost)
    # The power of white noise is its variance, in pixels of area 1.
    noise = float(np.exp(0.5 * best.x[2]))
    seen = emission(best.x) > np.exp(best.x[2])
    if seen.sum() < _FEWEST_BINS or best.x[1] > _FLATTEST:
        return np.nan, np.nan, noise
    covariance = np.linalg.pinv(best.jac.T @ best.jac)
    misfit = max(2.0 * best.cost / max(len(power) - 3, 1), 1.0)
    return float(best.x[1]), float(np.sqrt(misfit * covariance[1, 1])), noise


def _smooth(values, good, sigma):
    """Smooth what is known; missing pixels neither contribute nor dilute."""
    weight = gaussian_filter(good.astype(float), sigma)
    smooth = gaussian_filter(np.where(good, values, 0.0), sigma)
    return np.divide(smooth, weight, out=np.zeros_like(smooth), where=weight > 0)


def _correlate(values, good, beam_fwhm):
    """Correlate pixels of the quietest parts with their neighbours."""
    left = np.where(good, values - _smooth(values, good, _SMOOTH * beam_fwhm), 0.0)
    beam = _smooth(left, good, beam_fwhm * gaussian_fwhm_to_sigma)
    activity = _smooth(np.abs(beam), good, _AROUND * beam_fwhm)
    quiet = good & (activity <= np.quantile(activity[good], _QUIET_SHARE))
    left = left - np.median(left[quiet])
    scatter = MAD_TO_STD * np.median(np.abs(left[quiet]))
    quiet &= np.abs(left) < _CLIP * max(scatter, 1.0e-30)
    variance = left[quiet].var()
    if quiet.sum() < 2 or variance == 0:
        return (np.nan,) * len(LAGS)
    found = []
    for lag in LAGS:
        products = [
            first[both] * second[both]
            for first, second, both in (
                (left[lag:], left[:-lag], quiet[lag:] & quiet[:-lag]),
                (left[:, lag:], left[:, :-lag], quiet[:, lag:] & quiet[:, :-lag]),
            )
        ]
        products = np.concatenate(products)
        found.append(float(products.mean() / variance) if products.size else np.nan)
    return tuple(found)
