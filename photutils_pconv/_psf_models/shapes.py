# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
PSFs of published shapes, as images: Gaussians, and the Airy pattern of a telescope.
"""

import numpy as np
from astropy.stats import gaussian_fwhm_to_sigma
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import j1

from photutils_pconv._psf_models.lobed import LobedPSF
from photutils_pconv._psf_models.measures import (
    SAMPLES,
    largest_radius,
    measure_fwhm,
)
from photutils_pconv._psf_models.sampled import SampledPSF

__all__ = ['airy_psf', 'gaussian_psf', 'gaussians_psf', 'sample_components']

# Images end at this radius, in units of the largest FWHM. A Gaussian has 3e-8 of
# its flux beyond. An Airy pattern has 1.5 percent, or 2.3 with a third of its diameter
# obscured, which its image has inside. By choice.
_GAUSSIAN_REACH = 2.5
_AIRY_REACH = 12.0
# A Gaussian smooths an Airy pattern to a wider FWHM than its own by more than this
# factor, or not at all (by choice).
_WIDER = 1.0e-3
# Components are sampled on no more than so many samples on either side (by choice).
_MOST_SAMPLES = 500


def gaussian_psf(fwhm):
    """
    Make a round Gaussian PSF.

    Parameters
    ----------
    fwhm : float
        Its full width at half maximum, in arcsec.

    Returns
    -------
    psf : `~photutils_pconv.psf.SampledPSF`
        The PSF, of flux 1: 12 samples a FWHM, out to 2.5 FWHM.
    """
    step = fwhm / SAMPLES
    offset = _offsets(_GAUSSIAN_REACH)
    profile = np.exp(-0.5 * (offset / (SAMPLES * gaussian_fwhm_to_sigma)) ** 2)
    image = np.outer(profile, profile)
    meta = {'shape': 'gaussian', 'fwhm_arcsec': fwhm}
    return SampledPSF(image / image.sum(), step, meta=meta)


def gaussians_psf(fwhm, amplitude):
    """
    Make a PSF that is a sum of round Gaussians.

    Parameters
    ----------
    fwhm : sequence of float
        The full widths at half maximum, in arcsec.

    amplitude : sequence of float
        Their peaks.

    Returns
    -------
    psf : `~photutils_pconv.psf.SampledPSF`
        The PSF.
    """
    fwhm = np.asarray(fwhm, dtype=float)
    flux = np.asarray(amplitude, dtype=float) * fwhm**2
    psf = LobedPSF(
        tuple(fwhm * gaussian_fwhm_to_sigma),
        tuple(flux / flux.sum()),
        (0.0,) * len(fwhm),
    )
    return sample_components(psf)


def sample_components(psf):
    """
    Sample a sum of Gaussians with lobes or without.

    Parameters
    ----------
    psf : `~photutils_pconv.psf.LobedPSF`
        The sum.

    Returns
    -------
    psf : `~photutils_pconv.psf.SampledPSF`
        The PSF: 12 samples a FWHM, out to 5 standard deviations of the widest
        component, in no more than 1001 x 1001 samples.
    """
    step = measure_fwhm(psf) / SAMPLES
    half = min(int(np.ceil(largest_radius(psf) / step)), _MOST_SAMPLES)
    size = 2 * half + 1
    image = psf.render((size, size), half, half, pixel_scale=step)
    return SampledPSF(image, step, meta={'shape': 'gaussians'})


def airy_psf(wavelength, diameter, *, obscuration=0.0, fwhm=None):
    """
    Make the Airy pattern of a telescope, smoothed to a FWHM that was measured.

    Parameters
    ----------
    wavelength : float
        The wavelength, in micron.

    diameter : float
        The diameter of the aperture, in m.

    obscuration : float, optional
        The diameter of the central obscuration, in units of the aperture's.

    fwhm : float, optional
        The FWHM, in arcsec, to which a Gaussian smooths the pattern: it stands
        for the detectors, the scan and the width of the band. By default, the
        pattern is as it is.

    Returns
    -------
    psf : `~photutils_pconv.psf.SampledPSF`
        The PSF, out to 12 FWHM, and of flux 1 within.

    Raises
    ------
    ValueError
        If the FWHM is smaller than that of the pattern.
    """
    unit = np.rad2deg(wavelength * 1.0e-6 / diameter) * 3600.0
    sharp = 2.0 * unit * _half_width(obscuration)
    fwhm = sharp if fwhm is None else fwhm
    if fwhm < sharp * (1.0 - _WIDER):
        msg = (
            f'fwhm must be that of the pattern, {sharp:.3g} arcsec, or larger, got '
            f'{fwhm:.3g} arcsec.'
        )
        raise ValueError(msg)
    step = sharp / SAMPLES
    offset = _offsets(_AIRY_REACH * fwhm / sharp)
    radius = np.hypot(offset, offset[:, None]) * step / unit
    image = _pattern(radius, obscuration)
    sigma = 0.0
    if fwhm > sharp * (1.0 + _WIDER):
        # Widths of Gaussians add up in quadrature; those of other cores nearly.
        widest = 1.5 * np.sqrt(fwhm**2 - sharp**2) * gaussian_fwhm_to_sigma / step

        def too_wide(sigma):
            return step * _width(_smooth(image, sigma)) - fwhm

        sigma = brentq(too_wide, 0.0, widest, rtol=_WIDER)
    meta = {
        'shape': 'airy',
        'wavelength_um': wavelength,
        'diameter_m': diameter,
        'obscuration': obscuration,
        'fwhm_arcsec': fwhm,
    }
    image = _smooth(image, sigma)
    return SampledPSF(image / image.sum(), step, meta=meta)


def _width(image):
    """Measure the FWHM of a round image on its middle row, in samples."""
    row = image[image.shape[0] // 2, image.shape[1] // 2 :]
    profile = CubicSpline(np.arange(row.size), row)
    return 2.0 * profile.solve(0.5 * row[0], extrapolate=False).min()


def _offsets(reach):
    """Give the offsets of samples along an axis, for a reach in FWHM."""
    half = int(np.ceil(reach * SAMPLES))
    return np.arange(-half, half + 1, dtype=float)


def _pattern(radius, obscuration):
    """Give the Airy pattern of peak 1 at a radius in units of wavelength/diameter."""
    amplitude = _jinc(np.pi * radius)
    if obscuration:
        amplitude = amplitude - obscuration**2 * _jinc(np.pi * radius * obscuration)
    return (amplitude / (1.0 - obscuration**2)) ** 2


def _jinc(x):
    """Give 2 J1(x) / x, which is 1 at 0."""
    x = np.asarray(x, dtype=float)
    return np.where(x == 0, 1.0, 2.0 * j1(x) / np.where(x == 0, 1.0, x))


def _half_width(obscuration):
    """Give the pattern's half width at half maximum, in wavelength/diameter."""
    # That of an open aperture is 0.51; it falls with the obscuration.
    return brentq(lambda r: _pattern(r, obscuration) - 0.5, 0.1, 0.6)


def _smooth(image, sigma):
    """Smooth an image by a Gaussian, in its Fourier transform."""
    if sigma == 0:
        return image
    shape = [next_fast_len(2 * size, real=True) for size in image.shape]
    fy, fx = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])
    response = np.exp(-2.0 * (np.pi * sigma) ** 2 * (fx**2 + fy**2))
    smooth = irfft2(rfft2(image, shape) * response, shape)
    return smooth[: image.shape[0], : image.shape[1]]
