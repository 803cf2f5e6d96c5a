# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What is measured on a PSF: its mean profile, its width, and where it ends.
"""

import numpy as np
from scipy.optimize import brentq

__all__ = [
    'SAMPLES',
    'largest_radius',
    'mean_density',
    'measure_fwhm',
    'reduce_image',
]

#: Samples along a FWHM of the images that this package makes (by choice: as many
#: as the bundled ones have at 160 micron).
SAMPLES = 12
# The angles over which a profile is averaged, and its steps along a sample where
# the half maximum is looked for (by choice).
_N_ANGLES = 72
_STEPS = 4
# Images of more samples a side than this are reduced (by choice: 8 MB): first to
# samples of no less than a 12th of the FWHM, then to their middle.
_LARGEST_SIDE = 1001
# A round PSF without an image is followed to so many of its widest component.
_REACH_SIGMA = 5.0


def mean_density(psf, radius):
    """
    Average a PSF's density over all angles.

    Parameters
    ----------
    psf : `~photutils_pconv.psf.SampledPSF` or `~photutils_pconv.psf.LobedPSF`
        The PSF.

    radius : 1D `~numpy.ndarray`
        Distances from the source, in arcsec.

    Returns
    -------
    density : 1D `~numpy.ndarray`
        The mean density at each distance, per arcsec^2.
    """
    angle = 2.0 * np.pi * np.arange(_N_ANGLES) / _N_ANGLES
    radius = np.asarray(radius, dtype=float)[:, None]
    density = psf.density(radius * np.cos(angle), radius * np.sin(angle))
    return density.mean(axis=1)


def largest_radius(psf):
    """
    Give the radius beyond which a PSF holds no flux, or hardly any.

    Parameters
    ----------
    psf : `~photutils_pconv.psf.SampledPSF` or `~photutils_pconv.psf.LobedPSF`
        The PSF.

    Returns
    -------
    radius : float
        The distance of an image's corners, or five times the standard deviation
        of the widest component, in arcsec.
    """
    if hasattr(psf, 'sigmas'):
        return _REACH_SIGMA * max(psf.sigmas)
    return float(np.hypot(*psf.data.shape)) / 2 * psf.pixel_scale


def measure_fwhm(psf):
    """
    Measure the full width at half maximum of a PSF's mean radial profile.

    Parameters
    ----------
    psf : `~photutils_pconv.psf.SampledPSF` or `~photutils_pconv.psf.LobedPSF`
        The PSF.

    Returns
    -------
    fwhm : float
        The width, in arcsec.

    Raises
    ------
    ValueError
        If the profile does not fall below half of the central value.
    """
    step = min(psf.sigmas) if hasattr(psf, 'sigmas') else psf.pixel_scale
    radius = np.arange(0.0, largest_radius(psf), step / _STEPS)
    above = mean_density(psf, radius)
    above -= 0.5 * above[0]
    last = np.argmax(above < 0)
    if last == 0:
        msg = (
            'The mean radial profile of a PSF must fall below half of its central '
            'value within its image.'
        )
        raise ValueError(msg)
    half = 0.5 * mean_density(psf, radius[:1])[0]
    return 2.0 * brentq(
        lambda r: mean_density(psf, [r])[0] - half, radius[last - 1], radius[last]
    )


def reduce_image(data, samples):
    """
    Bound the size of a PSF's image, whatever its sampling.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The image, with odd sides.

    samples : float
        Its samples along the FWHM.

    Returns
    -------
    data : 2D `~numpy.ndarray`
        The image, of 1001 samples or fewer along a side. What was cut off its
        rim is missing in its sum.

    factor : int
        How many of the old samples make a side of a new one.
    """
    factor = 1
    if max(data.shape) > _LARGEST_SIDE:
        # An odd number keeps the source on the central sample.
        factor = max(int(samples / SAMPLES), 1)
        factor -= 1 - factor % 2
        data = _sum_blocks(data, factor)
    return _cut_middle(data, _LARGEST_SIDE), factor


def _sum_blocks(data, factor):
    """
    Add up square blocks of samples, one of them about the central sample.
    """
    if factor == 1:
        return data
    # Zeros fill the blocks at the rims, an odd number of them along each side.
    margins = []
    for size in data.shape:
        n_blocks = 2 * int(np.ceil((size - factor) / (2 * factor))) + 1
        margins.append(((n_blocks * factor - size) // 2,) * 2)
    padded = np.pad(data, margins)
    ny, nx = (size // factor for size in padded.shape)
    return padded.reshape(ny, factor, nx, factor).sum(axis=(1, 3))


def _cut_middle(data, side):
    """
    Cut an image with odd sides to a smaller one about its centre.
    """
    cuts = []
    for size in data.shape:
        start = max((size - side) // 2, 0)
        cuts.append(slice(start, size - start))
    return data[tuple(cuts)]
