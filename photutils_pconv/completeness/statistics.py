# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The numbers that injected sources give, flux by flux.
"""

import numpy as np
from scipy.optimize import isotonic_regression

__all__ = ['FRACTIONS', 'flux_at_completeness', 'robust_width']

#: The shares whose fluxes are shown; by choice.
FRACTIONS = (0.5, 0.8, 0.9)

# The interquartile range of a Gaussian, in standard deviations.
_IQR_OF_GAUSSIAN = 1.3489795


def robust_width(values):
    """
    Give the standard deviation of a Gaussian with the values' quartiles.

    Parameters
    ----------
    values : array_like
        The values; those that are not finite are left out.

    Returns
    -------
    width : float
        The interquartile range over 1.349; NaN for fewer than two values.
    """
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values)]
    if values.size < 2:
        return np.nan
    low, high = np.percentile(values, [25, 75])
    return float((high - low) / _IQR_OF_GAUSSIAN)


def flux_at_completeness(flux, completeness, n, fraction):
    """
    Find the flux at which a share of the sources is recovered.

    Parameters
    ----------
    flux : (F,) `~numpy.ndarray`
        The fluxes, ascending.

    completeness : (F,) `~numpy.ndarray`
        The share that is recovered of each.

    n : (F,) `~numpy.ndarray`
        The number of sources of each.

    fraction : float
        The share.

    Returns
    -------
    flux : float
        The flux, interpolated in its logarithm on the curve that rises with
        the flux and fits best (isotonic regression); NaN where the share is
        not reached, or is exceeded already by the faintest.
    """
    rising = isotonic_regression(completeness, weights=n).x
    if not rising[0] <= fraction <= rising[-1]:
        return np.nan
    # The first of a flat part, which bounds the flux from below.
    above = int(np.argmax(rising >= fraction))
    if above == 0 or rising[above] == fraction:
        return float(flux[above])
    share = (fraction - rising[above - 1]) / (rising[above] - rising[above - 1])
    low, high = np.log(flux[above - 1 : above + 1])
    return float(np.exp(low + share * (high - low)))
