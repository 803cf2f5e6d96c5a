# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The errors of a cleaned map's statistics, from draws of what is not known.
"""

from dataclasses import dataclass, fields

import numpy as np

from photutils_pconv.evaluation.statistics.pixels import (
    PixelStatistics,
    pixel_statistics,
)
from photutils_pconv.evaluation.statistics.spectra import (
    delta_variance,
    power_spectrum,
)

__all__ = ['MOMENTS', 'DrawErrors', 'measure_draw_errors']

MOMENTS = tuple(one.name for one in fields(PixelStatistics) if one.name != 'n_pixels')
"""
The moments of the pixels that have errors.
"""


@dataclass(frozen=True, eq=False)
class DrawErrors:
    """
    The standard deviations of statistics over draws of a cleaned map.

    They hold what is not known of the emission under the sources, and nothing
    else: neither the noise of the map nor the variance of one field among many.

    Parameters
    ----------
    power : 1D `~numpy.ndarray` or `~astropy.units.Quantity`
        That of the power spectrum, in each bin.

    delta_variance : 1D `~numpy.ndarray` or `~astropy.units.Quantity`
        That of the delta-variance, at each lag.

    moments : dict
        Those of the moments of the pixels in the holes, by the names of
        `PixelStatistics`.
    """

    power: np.ndarray
    delta_variance: np.ndarray
    moments: dict


def measure_draw_errors(result, n_draws, *, region, seed=0):
    """
    Measure how far statistics differ between draws of a cleaned map.

    Parameters
    ----------
    result : `~photutils_pconv.SourceRemovalResult`
        The removal, with draws (`~photutils_pconv.SourceRemovalResult.draw`).

    n_draws : int
        The number of draws, 2 or more. The errors themselves are known to one
        over the square root of twice their number.

    region : 2D bool `~numpy.ndarray`
        `True` in the pixels whose moments are taken: the removal's ``holes``.

    seed : int, optional
        The seed of the draws.

    Returns
    -------
    errors : `DrawErrors`
        The standard deviations.

    Raises
    ------
    ValueError
        If there are fewer than 2 draws, or the removal has none.
    """
    if n_draws < 2:
        msg = f'errors need 2 draws or more, got n_draws={n_draws}'
        raise ValueError(msg)
    powers, variances, moments = [], [], []
    for cleaned in result.draw(n_draws, seed):
        powers.append(power_spectrum(cleaned)['power'])
        variances.append(delta_variance(cleaned)['delta_variance'])
        moments.append(pixel_statistics(cleaned, region=region))
    return DrawErrors(
        power=_scatter(powers),
        delta_variance=_scatter(variances),
        moments={
            name: _scatter([getattr(one, name) for one in moments]) for name in MOMENTS
        },
    )


def _scatter(values):
    unit = getattr(values[0], 'unit', None)
    values = np.array([getattr(one, 'value', one) for one in values])
    scatter = np.std(values, axis=0, ddof=1)
    return scatter if unit is None else scatter * unit
