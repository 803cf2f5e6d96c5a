# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What follows from a PSF for a setup: every size goes by the beam.

The rules are described in ``docs/explanations/setup_rules.rst``; with the PSFs of PACS
they give the hole radii of Table 3 of the paper within a pixel.
"""

from dataclasses import dataclass
from pathlib import Path

import astropy.units as u
import numpy as np

from photutils_pconv._psf_models.lobed import LobedPSF
from photutils_pconv._psf_models.measures import measure_fwhm, reduce_image
from photutils_pconv._psf_models.reading import is_image_psf, read_psf
from photutils_pconv._psf_models.sampled import SampledPSF
from photutils_pconv._psf_models.shapes import gaussian_psf, sample_components
from photutils_pconv._utils.checks import to_float, to_quantity
from photutils_pconv._utils.warnings import warn_user

__all__ = [
    'DEFAULT_THRESHOLDS',
    'Beam',
    'choose_pixel_scale',
    'derive_sizes',
    'name_beam',
    'parse_beam',
    'size_ratio',
]

#: The lower SNR limits of the hole radii, by default: those of the paper's scan maps.
DEFAULT_THRESHOLDS = (300.0, 140.0, 13.0, 8.0, 4.0)

# The native pixels of a setup without a given scale: the FWHM has so many of them,
# as those of the paper's scan maps have (3.4, 4.3, 3.5).
_FWHM_PIXELS = 3.5
# The networks were trained with a FWHM of 1.8 to 4.3 pixels. They are said to be
# outside of that beyond the limits below (by choice).
_TRAINED_PIXELS = (1.8, 4.3)
_LEAST_PIXELS, _MOST_PIXELS = 1.4, 7.0
# The FWHMs of PACS are 5.5 to 13.5 arcsec; what is said in arcsec suits these (by
# choice, rounded outwards).
_PACS_FWHM = (5.0, 14.0)
# In units of the FWHM, the default aperture and the annulus of standard photometry:
# the means over the six PACS setups of 6, 7 and 10 arcsec, and of 25 and 35 arcsec
# (0.90 to 1.10; 2.2 to 4.6 and 3.1 to 6.4), rounded.
_APERTURE = 1.0
_ANNULUS = (3.5, 5.0)
# What a source covers, in pixels, is the FWHM and these two pixels in quadrature:
# the pixel itself, and that centres are whole pixels (Table 3 asks for it at the
# parallel mode's coarse pixels, whose FWHM is 1.8 and 2.2 of them).
_PIXEL_BLUR = 2.0
# In units of that: the radii of Eq. 1 (the means over the six setups are 1.8, 2.5
# and 5.6) ...
_SNR_SOURCE, _SNR_INNER, _SNR_OUTER = 2.0, 2.5, 5.5
# ... and the hole radius by SNR, linear in its logarithm: the fit to the 36 radii of
# Table 3 whose largest error is smallest. The class below all thresholds counts as
# half of the last one.
_HOLE, _HOLE_BY_LOG_SNR = 1.154, 0.2926
_LAST_CLASS = 0.5
_SMALLEST_HOLE = 2.0
# The radii of the table of encircled energies, in units of the FWHM: fine ones to 2
# FWHM, then coarser ones to the end of the image, or at most this radius.
_FINE_RADII = np.arange(0.25, 2.0, 0.125)
_COARSE_RADII = np.arange(2.0, 12.01, 0.5)


@dataclass(frozen=True, eq=False)
class Beam:
    """
    A PSF and what was measured on it.

    Parameters
    ----------
    psf : `~photutils_pconv.psf.SampledPSF`
        The PSF.

    fwhm : float
        The FWHM of its mean radial profile, in arcsec.

    pixel_scale : float
        The native pixel scale, in arcsec.
    """

    psf: SampledPSF
    fwhm: float
    pixel_scale: float


def choose_pixel_scale(fwhm, map_scale=None):
    """
    Choose the native pixel scale of a setup for a map.

    Parameters
    ----------
    fwhm : float
        The FWHM of the PSF, in arcsec.

    map_scale : float, optional
        The map's pixel scale, in arcsec.

    Returns
    -------
    pixel_scale : float
        The map's own, where the FWHM has as many pixels as in the training
        of the networks; otherwise a 3.5th of the FWHM.
    """
    if map_scale is not None:
        least, most = _TRAINED_PIXELS
        if least <= fwhm / map_scale <= most:
            return map_scale
    return fwhm / _FWHM_PIXELS


def size_ratio(fwhm):
    """
    Give the ratio of sizes in simulations to those that suit PACS.

    Parameters
    ----------
    fwhm : float
        The FWHM of the PSF, in arcsec.

    Returns
    -------
    ratio : float
        1 within the range of the FWHMs of PACS; beyond, sizes go with the
        FWHM.
    """
    narrowest, widest = _PACS_FWHM
    return float(max(fwhm / widest, min(fwhm / narrowest, 1.0)))


def parse_beam(psf, *, pixel_scale=None, psf_pixel_scale=None):
    """
    Make a PSF from what a user gives, and measure it.

    Parameters
    ----------
    psf, pixel_scale, psf_pixel_scale
        As for `ObservingSetup.from_psf`.

    Returns
    -------
    beam : `Beam`
        The PSF, as an image. One of more than 1001 samples along a side is
        reduced.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If the PSF or a pixel scale is not acceptable.
    """
    if pixel_scale is not None:
        pixel_scale = float(to_quantity(pixel_scale, u.arcsec, 'pixel_scale').value)
    if psf_pixel_scale is not None:
        scale = to_quantity(psf_pixel_scale, u.arcsec, 'psf_pixel_scale')
        psf_pixel_scale = float(scale.value)
    if isinstance(psf, u.Quantity) and psf.isscalar:
        if psf_pixel_scale is not None:
            msg = 'A Gaussian PSF given by its FWHM has no psf_pixel_scale.'
            raise ValueError(msg)
        found = gaussian_psf(float(to_quantity(psf, u.arcsec, 'psf').value))
    else:
        of_map = isinstance(psf, np.ndarray | list | tuple) or is_image_psf(psf)
        if psf_pixel_scale is None and of_map:
            psf_pixel_scale = pixel_scale
        found = read_psf(
            psf,
            pixel_scale=psf_pixel_scale,
            accepted='a FWHM with a unit, a FITS file, an image, an ImagePSF',
        )
    fwhm = measure_fwhm(found)
    if isinstance(found, LobedPSF):
        found = sample_components(found)
    found = _reduce(found, fwhm)
    if pixel_scale is None:
        pixel_scale = choose_pixel_scale(fwhm)
    n_pixels = fwhm / pixel_scale
    if not _LEAST_PIXELS <= n_pixels <= _MOST_PIXELS:
        msg = (
            f'The FWHM of the PSF, {fwhm:.3g} arcsec, is {n_pixels:.3g} pixels of '
            f'{pixel_scale:.3g} arcsec; the networks were trained with 1.8 to 4.3. '
            f'With pixel_scale={choose_pixel_scale(fwhm):.3g} maps are resampled to '
            'pixels of that size.'
        )
        warn_user(msg)
    return Beam(found, fwhm, pixel_scale)


def name_beam(psf, beam):
    """
    Name a setup after its PSF.

    Parameters
    ----------
    psf : object
        The PSF, as a user gave it.

    beam : `Beam`
        What was made of it.

    Returns
    -------
    name : str
        The name of the file, or what the PSF is.
    """
    if isinstance(psf, str | Path):
        return Path(psf).stem
    return f'{type(psf).__name__} of {beam.fwhm:.3g} arcsec'


def derive_sizes(beam, snr_thresholds=DEFAULT_THRESHOLDS):
    """
    Derive all sizes of a setup from its beam.

    Parameters
    ----------
    beam : `Beam`
        The beam.

    snr_thresholds : sequence of float, optional
        The lower SNR limits of the hole radii, highest first.

    Returns
    -------
    sizes : dict
        The arguments of `ObservingSetup` that follow.

    Raises
    ------
    ValueError
        If the image of the PSF ends within the default aperture.
    """
    fwhm, pixels = beam.fwhm, np.hypot(beam.fwhm / beam.pixel_scale, _PIXEL_BLUR)
    end = beam.psf.radius
    if end <= _APERTURE * fwhm:
        msg = (
            f'The image of a PSF must reach beyond its FWHM of {fwhm:.3g} arcsec, '
            f'but it ends at {end:.3g} arcsec: give a larger image.'
        )
        raise ValueError(msg)
    thresholds = [to_float(value, 'snr_thresholds') for value in snr_thresholds]
    classes = np.array([*thresholds, _LAST_CLASS * thresholds[-1]])
    holes = np.rint(pixels * (_HOLE + _HOLE_BY_LOG_SNR * np.log(classes)))
    radii = np.concatenate([_FINE_RADII, _COARSE_RADII]) * fwhm
    radii = np.append(radii[radii < end], min(end, radii[-1]))
    radii = np.unique(radii)
    eef = np.clip(beam.psf.encircled_energy(radii), np.finfo(float).tiny, 1.0)
    return {
        'psf_fwhm': fwhm,
        'aperture_radius': _APERTURE * fwhm,
        'annulus_radii': tuple(factor * fwhm for factor in _ANNULUS),
        'snr_source_radius': float(np.rint(_SNR_SOURCE * pixels)),
        'snr_inner_radius': float(np.rint(_SNR_INNER * pixels)),
        'snr_outer_radius': float(np.rint(_SNR_OUTER * pixels)),
        'snr_thresholds': tuple(thresholds),
        'hole_radii': tuple(np.maximum(holes, _SMALLEST_HOLE).tolist()),
        # noise in the wings may let the sum fall
        'encircled_energy': {'real': (radii, np.maximum.accumulate(eef))},
    }


def _reduce(psf, fwhm):
    """Bound a PSF's image."""
    data, factor = reduce_image(psf.data, fwhm / psf.pixel_scale)
    if data.shape == psf.data.shape:
        return psf
    scale = factor * psf.pixel_scale
    # New samples contain the average over their own side.
    effective = psf.effective_pixel and max(psf.effective_pixel, scale)
    return SampledPSF(data, scale, effective_pixel=effective, meta=psf.meta)
