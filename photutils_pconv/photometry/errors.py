# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Errors of fluxes that include the reconstruction's own.

The flux of a removed source is wrong by what the reconstruction misses
in its aperture. How much that is, empty holes determine
(`photutils_pconv.geometry`): sources of flux 0 at known positions.
The error of a flux ``F``, before the correction for the aperture, is
modelled as ::

    err**2 = (kappa * m * a(R, r) * rms)**2 + (eps * F)**2 + excess

``rms`` is the scatter of the cleaned map in the source's annulus. It
holds the noise as well as the emission's structure. ``a`` is the ratio of
the flux' scatter to it, for a hole of the radius ``R`` and an aperture
``r``, as a calibration of the model on simulated maps gives it, and ``m``
is the map's own ratio to that, the robust scatter of its empty holes.
``kappa`` is what a source adds to the scatter of an empty hole, since its
wings disturb the reconstruction around it, and ``eps`` is what grows
with the flux: the PSF's lobes over the pixels. ``excess`` is the noise
that an error array has in the aperture above that in the annulus, such as
the source's own photon noise; the noise of the annulus is in ``rms``
already.
"""

import numpy as np
from astropy.stats import mad_std

__all__ = [
    'flux_error',
    'scatter_ratio',
]

# The empty holes that weigh as much as the calibration: the scatter of m
# from map to map is about 0.3, that of a robust deviation 0.3 for so many.
_PRIOR = 10
# Radii with fewer holes than this share the median of all; by choice.
_LEAST_OF_A_CLASS = 4


def scatter_ratio(flux, rms, hole_radius, expected):
    """
    Compare the scatter in a map's empty holes with the calibration.

    Parameters
    ----------
    flux : (K, A) `~numpy.ndarray`
        The fluxes in the empty holes, not corrected for the aperture.

    rms : (K,) `~numpy.ndarray`
        The local rms around them.

    hole_radius : (K,) `~numpy.ndarray`
        The radii of the holes.

    expected : (K, A) `~numpy.ndarray`
        The expected scatter of the fluxes in units of the rms
        (`ErrorCalibration.ratio`).

    Returns
    -------
    ratio : (A,) `~numpy.ndarray`
        The robust scatter of the fluxes over the expected one, about
        the median for each radius, drawn towards 1 as much as 10 more
        holes with the expected scatter would do. NaN without any hole.

    Notes
    -----
    The median is not taken as a flux: the network expects a bright source
    in a large hole, and wings around it, which an empty hole lacks.
    """
    flux = np.asarray(flux, dtype=float)
    with np.errstate(invalid='ignore', divide='ignore'):
        z = flux / (expected * np.asarray(rms, dtype=float)[:, None])
    result = np.full(z.shape[1], np.nan)
    for j in range(z.shape[1]):
        use = np.isfinite(z[:, j])
        n = np.count_nonzero(use)
        if n == 0:
            continue
        deviation, n_medians = _about_medians(z[use, j], hole_radius[use])
        ratio = mad_std(deviation) * np.sqrt(n / max(n - n_medians, 1))
        # A map without any scatter has nothing to be drawn from.
        result[j] = ratio ** (n / (n + _PRIOR)) if ratio > 0 else 0.0
    return result


def _about_medians(values, classes):
    """
    Subtract the median of each class, that of all from those too small.
    """
    result = values - np.median(values)
    n_medians = 1
    for one in np.unique(classes):
        members = classes == one
        if np.count_nonzero(members) >= _LEAST_OF_A_CLASS:
            result[members] = values[members] - np.median(values[members])
            n_medians += 1
    return result, n_medians


def flux_error(flux, scatter, *, kappa, eps, excess=0.0):
    """
    Add up the parts of the errors of fluxes.

    Parameters
    ----------
    flux : `~numpy.ndarray`
        The fluxes.

    scatter : `~numpy.ndarray`
        The scatter of fluxes in empty holes there.

    kappa : float
        The calibration's (`ErrorCalibration`).

    eps : float or `~numpy.ndarray`
        The calibration's, with what else grows with the flux.

    excess : `~numpy.ndarray`, optional
        Further variance (``excess`` of `ApertureFluxes`).

    Returns
    -------
    error : `~numpy.ndarray`
        The errors.
    """
    return np.sqrt((kappa * scatter) ** 2 + (eps * flux) ** 2 + excess)
