# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What is known of the fluxes of sources that are not detected.

A source is detected if its flux exceeds what noise and structure alone would
give: the flux over the error that it had without the source, `detection_ratio`.
Otherwise `flux_upper_limit` says how bright the source may be.
"""

from numbers import Real

import numpy as np
from scipy.special import log_ndtr, ndtri_exp

__all__ = [
    'DETECTION_THRESHOLD',
    'LIMIT_PROBABILITY',
    'check_probability',
    'detection_ratio',
    'flux_upper_limit',
]

#: The signal-to-noise ratio of a detection; by choice, the usual one.
DETECTION_THRESHOLD = 3.0
#: The probability that a flux is below its upper limit; by choice, 99.7 percent.
LIMIT_PROBABILITY = 0.997


def check_probability(probability, name):
    """
    Refuse what is no probability between 0 and 1.

    Parameters
    ----------
    probability : float
        The value.

    name : str
        The value's name for error messages.

    Raises
    ------
    TypeError, ValueError
        If it is no number, or not between 0 and 1 (exclusive).
    """
    if not isinstance(probability, Real) or isinstance(probability, bool):
        msg = f'{name} must be a number, got {probability!r}.'
        raise TypeError(msg)
    if not 0 < probability < 1:
        msg = (
            f'{name} must be between 0 and 1, such as 0.997 for 99.7 percent, got '
            f'{probability!r}.'
        )
        raise ValueError(msg)


def detection_ratio(flux, null_err):
    """
    Give fluxes in units of the errors that they had without the source.

    Parameters
    ----------
    flux, null_err : array_like
        The fluxes and these errors, in one unit.

    Returns
    -------
    ratio : `~numpy.ndarray`
        The signal-to-noise ratio of the detection; NaN where the error is not
        known or not positive.
    """
    flux, null_err = np.broadcast_arrays(
        np.asarray(flux, dtype=float), np.asarray(null_err, dtype=float)
    )
    ratio = np.full(flux.shape, np.nan)
    np.divide(flux, null_err, out=ratio, where=null_err > 0)
    return ratio


def flux_upper_limit(flux, flux_err, *, probability=LIMIT_PROBABILITY):
    """
    Give the flux that a source exceeds with a small probability.

    Parameters
    ----------
    flux, flux_err : array_like
        The measured fluxes, which may be negative, and their errors, in one
        unit.

    probability : float, optional
        The probability, of one side, with which the true flux is below the
        limit.

    Returns
    -------
    limit : `~numpy.ndarray`
        The limits, always positive; NaN where flux or error is not known.

    Raises
    ------
    TypeError, ValueError
        If the probability is not between 0 and 1.

    Notes
    -----
    The error is Gaussian, and all fluxes that are not negative are equally
    probable before the measurement. The limit ``L`` then solves (Helene 1983,
    Nucl. Instrum. Methods 212, 319) ::

        Phi((L - F) / err) - Phi(-F / err) = probability * Phi(F / err)

    with the Gaussian distribution function ``Phi``. It holds for each measured
    flux by itself, so that it may be given for some sources only, such as those
    that are not detected. In repeated measurements of one flux it is exceeded at
    most as often as stated. The plain quantile ``F + z * err``, which it is for
    bright sources, is negative for a flux far below 0.
    """
    check_probability(probability, 'probability')
    flux, flux_err = np.broadcast_arrays(
        np.asarray(flux, dtype=float), np.asarray(flux_err, dtype=float)
    )
    ratio = detection_ratio(flux, flux_err)
    # 1 - Phi((L - F) / err) = (1 - probability) Phi(F / err), in logarithms.
    quantile = -ndtri_exp(np.log1p(-probability) + log_ndtr(ratio))
    return np.maximum(flux_err * (ratio + quantile), 0.0)
