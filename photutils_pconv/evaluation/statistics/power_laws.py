# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Power laws, the shape of power spectra and delta-variances of clouds.
"""

from dataclasses import dataclass

import astropy.units as u
import numpy as np

__all__ = ['PowerLaw', 'fit_power_law']


@dataclass(frozen=True)
class PowerLaw:
    """
    A power law, y = amplitude * (x / pivot)**slope.

    Parameters
    ----------
    slope, slope_err : float
        The exponent and its standard error.

    amplitude : float or `~astropy.units.Quantity`
        The value at the pivot.

    pivot : float or `~astropy.units.Quantity`
        The geometric mean of the abscissae of the fit.
    """

    slope: float
    slope_err: float
    amplitude: u.Quantity
    pivot: u.Quantity

    def __call__(self, x):
        """
        Evaluate the power law.

        Parameters
        ----------
        x : float or `~astropy.units.Quantity`
            The abscissae, in a unit like the pivot's.

        Returns
        -------
        y : `~numpy.ndarray` or `~astropy.units.Quantity`
            The values.
        """
        ratio = x / self.pivot
        if isinstance(ratio, u.Quantity):
            ratio = ratio.to_value(u.dimensionless_unscaled)
        return self.amplitude * ratio**self.slope


def fit_power_law(x, y, *, y_err=None, limits=None):
    """
    Fit a power law by least squares in the logarithms.

    Parameters
    ----------
    x, y : array_like or `~astropy.units.Quantity`
        The abscissae and ordinates, such as ``frequency`` and ``power``
        of a power spectrum. Ordinates that are not positive are left out.

    y_err : array_like or `~astropy.units.Quantity`, optional
        The errors of the ordinates, for the weights and the slope's
        error. Without it, the error follows from the residuals.

    limits : pair of float or `~astropy.units.Quantity`, optional
        The range of ``x`` to fit, such as the frequencies between those
        of the map's size and of the beam.

    Returns
    -------
    fit : `PowerLaw`
        The power law.

    Raises
    ------
    ValueError
        If the lengths differ, or fewer than three points are left.
    """
    x, y = u.Quantity(x), u.Quantity(y)
    sigma = None if y_err is None else u.Quantity(y_err).to_value(y.unit)
    if (
        x.ndim != 1
        or x.shape != y.shape
        or (sigma is not None and sigma.shape != y.shape)
    ):
        msg = 'x, y and y_err must be 1-D and of one length.'
        raise ValueError(msg)
    good = (x.value > 0) & np.isfinite(x.value) & (y.value > 0) & np.isfinite(y.value)
    if sigma is not None:
        good &= (sigma > 0) & np.isfinite(sigma)
    if limits is not None:
        low, high = u.Quantity(limits, x.unit)
        good &= (x >= low) & (x <= high)
    if np.count_nonzero(good) < 3:
        msg = (
            'a power law needs three points, got '
            f'{np.count_nonzero(good)} that are positive and within the limits.'
        )
        raise ValueError(msg)
    log_x, log_y = np.log(x.value[good]), np.log(y.value[good])
    centre = log_x.mean()
    weight = None if sigma is None else y.value[good] / sigma[good]
    coefficients, covariance = np.polyfit(
        log_x - centre,
        log_y,
        1,
        w=weight,
        cov=True if weight is None else 'unscaled',
    )
    return PowerLaw(
        slope=float(coefficients[0]),
        slope_err=float(np.sqrt(covariance[0, 0])),
        amplitude=_plain(np.exp(coefficients[1]) * y.unit),
        pivot=_plain(np.exp(centre) * x.unit),
    )


def _plain(quantity):
    if quantity.unit == u.dimensionless_unscaled:
        return float(quantity.value)
    return quantity
