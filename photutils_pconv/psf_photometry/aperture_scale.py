# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The normalisation of PSF fluxes to those in an aperture.

A PSF that is a little off gives fluxes that are off by some percent, all
by the same factor. What a source has within an aperture does not depend
on the PSF's shape, and bright sources determine it without error.
"""

from functools import lru_cache

import numpy as np
from photutils.aperture import CircularAperture

from photutils_pconv._utils.warnings import hold_filters
from photutils_pconv.geometry.cutouts import extract_cutout
from photutils_pconv.psf_photometry.fit_windows import (
    NEIGHBOUR_DISTANCE,
    find_neighbours,
)
from photutils_pconv.psf_photometry.fitting import BRIGHT_SNR

__all__ = ['aperture_fraction', 'aperture_ratio']

# All by choice, 2026-11-22.
# The scatter of aperture flux over PSF flux: that of the brightest sources,
# and that of a source of SNR 1.
_RATIO_SCATTER = 0.003
_RATIO_NOISE = 0.5
# The prior's standard deviation of the ratio, about 1: where bright sources told the
# PSF's shape, and where none did (the scatter of `flux` between PSFs of the archive,
# docs/explanations/psf_removal.rst).
_RATIO_PRIOR, _UNKNOWN_RATIO_PRIOR = 0.01, 0.03
# Positions within a pixel, along an axis (pixels), over which is averaged.
_STEPS = (-0.375, -0.125, 0.125, 0.375)
# The room around an aperture (pixels) in which its PSF is drawn.
_MARGIN = 2
# The number of fractions that are remembered: a removal needs each several times.
_KEPT = 4


@lru_cache(maxsize=_KEPT)
@hold_filters
def aperture_fraction(pixel_psf, radius):
    """
    Calculate the share of a PSF's flux in an aperture, as pixels have it.

    Parameters
    ----------
    pixel_psf : `~photutils_pconv.psf.PixelPSF`
        The PSF on the map's pixels.

    radius : float
        The aperture's radius, in pixels.

    Returns
    -------
    fraction : float
        The mean over positions within a pixel.
    """
    half = int(np.ceil(radius)) + _MARGIN
    dx, dy = (one.ravel() for one in np.meshgrid(_STEPS, _STEPS))
    y, x = np.indices((2 * half + 1, 2 * half + 1)) - float(half)
    images = pixel_psf.evaluate(x - dx[:, None, None], y - dy[:, None, None])
    masks = CircularAperture(np.stack([half + dx, half + dy], axis=1), radius).to_mask()
    sums = [mask.get_values(one).sum() for mask, one in zip(masks, images, strict=True)]
    return float(np.mean(sums))


@hold_filters
def aperture_ratio(
    residual, fit, flux, pixel_psf, missing, emission, *, aperture_radius, snr
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

    pixel_psf : `~photutils_pconv.psf.PixelPSF`
        The PSF on the map's pixels.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels.

    emission : sequence
        For each source the first pixel (x, y) of a cutout and the
        emission there, or `None`.

    aperture_radius : float
        The aperture's radius, in pixels.

    snr : 1D `~numpy.ndarray`
        The sources' signal-to-noise ratios (Eq. 1).

    Returns
    -------
    ratio, ratio_err : float
        The weighted mean of aperture flux over PSF flux, and its error,
        which the fluxes of all sources share; 1 where there is no source to
        show it. The prior is that they are equal within a
        percent, or within 3 percent where no source is bright.
    """
    neighbours = find_neighbours(fit.x, fit.y, 2 * NEIGHBOUR_DISTANCE)
    use = np.isfinite(flux)
    told = np.any(snr[use] >= BRIGHT_SNR)
    prior = _RATIO_PRIOR if told else _UNKNOWN_RATIO_PRIOR
    precision, total = 1.0 / prior**2, 0.0
    alone = [
        i for i in np.flatnonzero(use) if not neighbours[i] and emission[i] is not None
    ]
    origins = np.array([emission[i][0] for i in alone]).reshape(-1, 2)
    places = np.stack([fit.x[alone], fit.y[alone]], axis=1) - origins
    # All at once: photutils checks positions as often as it is asked.
    masks = CircularAperture(places, aperture_radius).to_mask() if alone else []
    for i, position, mask in zip(alone, places, masks, strict=True):
        (x0, y0), background = emission[i]
        n = background.shape[0]
        window = extract_cutout(residual, x0, y0, size=n)
        if extract_cutout(missing, x0, y0, size=n, fill_value=True).any():
            continue
        large, small = mask.get_overlap_slices((n, n))
        weights = mask.data[small]
        left = np.sum(weights * (window - background)[large])
        image = pixel_psf.draw(large, *position)
        own = flux[i] * np.sum(weights * image)
        weight = 1.0 / (_RATIO_SCATTER**2 + (_RATIO_NOISE / snr[i]) ** 2)
        precision += weight
        total += weight * left / own
    return 1.0 + total / precision, float(1.0 / np.sqrt(precision))
