# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The normalisation of PSF fluxes to those in an aperture.

A PSF that is a little off gives fluxes that are off by some percent, all
by the same factor. What a source has within an aperture does not depend
on the PSF's shape, and bright sources tell it without error.
"""

import numpy as np
from photutils.aperture import CircularAperture

from photutils_pconv.geometry.cutouts import extract_cutout
from photutils_pconv.psf_photometry.fitting import NEIGHBOUR_DISTANCE, find_neighbours

__all__ = ['aperture_fraction', 'aperture_ratio']

# The scatter of aperture flux over PSF flux: that of the brightest sources,
# and that of a source of SNR 1.
_RATIO_SCATTER = 0.003
_RATIO_NOISE = 0.5


def aperture_fraction(psf, radius):
    """
    Calculate the share of a PSF's flux in an aperture, as pixels have it.

    Parameters
    ----------
    psf : `~photutils_pconv.psf.PixelPSF`
        The PSF.

    radius : float
        The aperture's radius, in pixels.

    Returns
    -------
    fraction : float
        The mean over positions within a pixel.
    """
    half = int(np.ceil(radius)) + 2
    y, x = np.indices((2 * half + 1, 2 * half + 1)) - float(half)
    steps = (-0.375, -0.125, 0.125, 0.375)
    fractions = []
    for dx in steps:
        for dy in steps:
            aperture = CircularAperture((half + dx, half + dy), radius)
            values = psf.evaluate(x - dx, y - dy)
            fractions.append(aperture.do_photometry(values)[0][0])
    return float(np.mean(fractions))


def aperture_ratio(
    residual, fit, flux, psf, missing, emission, *, aperture_radius, weight
):
    """
    Compare bright sources' fluxes in an aperture with their PSF fits'.

    Parameters
    ----------
    residual : 2D `~numpy.ndarray`
        The map minus all sources.

    fit : `~photutils_pconv.psf_photometry.PSFFit`
        The sources' positions.

    flux : 1D `~numpy.ndarray`
        The fluxes of the PSF fits; NaN for sources not to be used.

    psf : `~photutils_pconv.psf.PixelPSF`
        The PSF.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels.

    emission : sequence
        For each source the first pixel (x, y) of a cutout and the
        emission there, or `None`.

    aperture_radius : float
        The aperture's radius, in pixels.

    weight : 1D `~numpy.ndarray`
        The sources' signal-to-noise ratios.

    Returns
    -------
    ratio : float
        The weighted mean of aperture flux over PSF flux, 1 where there
        is no source to tell. The prior is that they are equal within a
        percent.
    """
    neighbours = find_neighbours(fit.x, fit.y, 2 * NEIGHBOUR_DISTANCE)
    precision, total = 1.0e4, 0.0
    for i in np.flatnonzero(np.isfinite(flux)):
        if neighbours[i] or emission[i] is None:
            continue
        (x0, y0), background = emission[i]
        n = background.shape[0]
        window = extract_cutout(residual, x0, y0, size=n)
        if extract_cutout(missing, x0, y0, size=n, fill_value=True).any():
            continue
        position = (fit.x[i] - x0, fit.y[i] - y0)
        aperture = CircularAperture(position, aperture_radius)
        left = aperture.do_photometry(window - background)[0][0]
        y, x = np.indices((n, n))
        image = psf.evaluate(x - position[0], y - position[1])
        own = flux[i] * aperture.do_photometry(image)[0][0]
        share = 1.0 / (_RATIO_SCATTER**2 + (_RATIO_NOISE / weight[i]) ** 2)
        precision += share
        total += share * left / own
    return 1.0 + total / precision
