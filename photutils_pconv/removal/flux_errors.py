# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The errors of fluxes.
"""

import numpy as np

from photutils_pconv.geometry.empty_holes import MINIMUM_EMPTY
from photutils_pconv.photometry.errors import excess_variance, flux_error, scatter_ratio
from photutils_pconv.photometry.flags import SourceFlags

__all__ = [
    'calculate_errors',
]


def calculate_errors(
    measured,
    holes,
    *,
    calibration,
    sample,
    photometry,
    factor,
    fluxes=None,
    psf_errors_known=False,
    error=None,
    missing=None,
):
    """
    Give errors to measured fluxes.

    Parameters
    ----------
    measured : dict of `~numpy.ndarray`
        The results of `~photutils_pconv.photometry.source_photometry`,
        in the unit of the map times pixel.

    holes : tuple of (N,) `~numpy.ndarray`
        Positions and radii of the holes, in pixels; NaN radii for those
        that are not filled.

    calibration : `~photutils_pconv.photometry.ErrorCalibration`
        The calibration of the model.

    sample : `EmptySample` or `None`
        The empty holes; `None` for the calibration alone.

    photometry : dict
        As for `sample_empty_holes`.

    factor : float
        Map pixel / native pixel.

    fluxes : `~photutils_pconv.removal.PSFFluxes`, optional
        The PSF photometry of the same sources.

    psf_errors_known : bool, optional
        Whether its errors were measured on the map, filter by filter;
        otherwise they are calibrated as those of the apertures.

    error : 2D `~numpy.ndarray`, optional
        The map's error.

    missing : 2D bool `~numpy.ndarray`, optional
        The map's missing pixels.

    Returns
    -------
    errors : dict of `~numpy.ndarray`
        ``flux_err`` (N, A), corrected for the aperture as the fluxes
        are; ``flux_psf_err`` (N,), where PSF photometry is given; and
        ``flags`` (N,), ``CALIBRATED_ERROR`` where the sample is too
        small.

    ratio : (A,) `~numpy.ndarray` or `None`
        The map's scatter in units of the calibration's, where the sample
        was large enough.
    """
    radii = np.asarray(photometry['radii']) / photometry['pixel_scale']
    radius = holes[2]
    rms = measured['local_bkg_std']

    def expected(hole_radius, fraction):
        aperture = radii * np.sqrt(fraction)
        ratio = calibration.ratio(hole_radius[:, None] * factor, aperture * factor)
        # The calibration counts native pixels.
        return ratio / factor**2

    def expected_psf(hole_radius, psf_err):
        return calibration.psf_ratio(hole_radius * factor) * psf_err

    scatter = expected(radius, measured['hole_fraction']) * rms[:, None]
    flags = np.zeros(radius.size, dtype=int)
    enough = sample is not None and len(sample) >= MINIMUM_EMPTY
    ratio = None
    if enough:
        shared = (sample.rms, sample.radius)
        ratio = scatter_ratio(
            sample.flux, *shared, expected(sample.radius, sample.hole_fraction)
        )
        scatter = scatter * ratio
    elif sample is not None:
        flags[np.isfinite(radius)] = SourceFlags.CALIBRATED_ERROR
    excess = np.zeros(scatter.shape)
    if error is not None:
        excess = excess_variance(
            error,
            *holes[:2],
            radii=radii,
            hole_radius=radius,
            annulus_radii=np.asarray(photometry['annulus_radii'])
            / photometry['pixel_scale'],
            missing=missing,
        )
    correction = measured['aperture_correction']
    flux_err = correction * flux_error(
        measured['flux'] / correction,
        scatter,
        kappa=calibration.kappa,
        eps=calibration.eps,
        excess=excess,
    )
    result = {'flux_err': flux_err, 'flags': flags}
    if fluxes is not None:
        kappa, eps = calibration.psf_kappa, calibration.psf_eps
        scatter = expected_psf(radius, fluxes.flux_err)
        if psf_errors_known:
            scatter, kappa, eps = fluxes.flux_err, 1.0, 0.0
        elif enough:
            ratio_psf = scatter_ratio(
                sample.psf_flux[:, None],
                np.ones(len(sample)),
                sample.radius,
                expected_psf(sample.radius, sample.psf_err)[:, None],
            )
            scatter = scatter * ratio_psf[0]
        # The mean excess of a pixel in the aperture that is the smallest.
        k = np.argmin(radii)
        area = np.pi * radii[k] ** 2 * measured['hole_fraction'][:, k]
        result['flux_psf_err'] = flux_error(
            fluxes.flux,
            scatter,
            kappa=kappa,
            eps=eps,
            excess=(fluxes.flux_err / rms) ** 2 * excess[:, k] / area,
        )
    return result, ratio
