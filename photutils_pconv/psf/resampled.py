# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A PSF as a map shows it that was resampled to pixels of another size.
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from photutils_pconv._psf_models.sampled import SampledPSF
from photutils_pconv._psf_models.splines import filter_image
from photutils_pconv.geometry.resampling import smoothing_sigma

__all__ = ['resample_psf']

# A cubic spline through the pixels of a map rings by 0.27 a pixel: so far (in
# pixels of the map) it is followed, by choice.
_REACH = 6.0


def resample_psf(psf, map_scale, native_scale):
    """
    Give a PSF as a map shows it that was resampled to native pixels.

    The pixels of the map average the PSF. Cubic splines through them, and the
    smoothing before larger pixels are made of them, change it further
    (`~photutils_pconv.geometry.resample_grid`); the mean over all positions
    within a pixel is what is given.

    Parameters
    ----------
    psf : `~photutils_pconv.psf.SampledPSF`
        The PSF.

    map_scale, native_scale : float
        The side of the map's pixels and of those to which it was resampled, in
        arcsec.

    Returns
    -------
    psf : `~photutils_pconv.psf.SampledPSF`
        The PSF with all that in it, to be taken as it is on native pixels.
    """
    pixel = map_scale / psf.pixel_scale
    box = psf.pixel_average(map_scale) / psf.pixel_scale

    kernel = _smoothing_kernel(smoothing_sigma(map_scale / native_scale))

    def response(frequency):
        average = np.sinc(box * frequency)
        turn = pixel * frequency
        smoothing = sum(
            weight * np.cos(2.0 * np.pi * k * turn) for k, weight in kernel.items()
        )
        # That of the cardinal cubic spline (Unser 1999, IEEE Signal Processing
        # Magazine 16, 22, eq. 8 and 15).
        spline = 3.0 * np.sinc(turn) ** 4 / (2.0 + np.cos(2.0 * np.pi * turn))
        return average * smoothing * spline

    data = filter_image(psf.data, response, int(np.ceil(_REACH * pixel)))
    # A map's scale counts as a pixel's that is contained already.
    effective = max(map_scale, native_scale)
    return SampledPSF(data, psf.pixel_scale, effective_pixel=effective)


def _smoothing_kernel(sigma):
    """Give the weights by pixel of a map's smoothing, as SciPy takes them."""
    if sigma == 0:
        return {0: 1.0}
    reach = int(np.ceil(_REACH))
    pixels = np.arange(-reach, reach + 1)
    weights = gaussian_filter1d((pixels == 0).astype(float), sigma, mode='constant')
    return dict(zip(pixels.tolist(), weights.tolist(), strict=True))
