# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The errors of fluxes.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv.geometry.empty_holes import MINIMUM_EMPTY
from photutils_pconv.photometry.errors import flux_error, scatter_ratio
from photutils_pconv.photometry.flags import SourceFlags
from photutils_pconv.psf_photometry.fitting import BRIGHT_SNR

__all__ = ['FluxErrors', 'estimate_errors']

# Fewer bright sources do not show how fluxes disagree; by choice.
_LEAST_BRIGHT = 2


@dataclass(frozen=True, eq=False)
class FluxErrors:
    """
    The errors of fluxes, in the map's unit times pixel.

    Parameters
    ----------
    flux_err : (M, A) `~numpy.ndarray`
        Those of fluxes in apertures, corrected for the aperture as the
        fluxes are.

    flux_psf_err : (M,) `~numpy.ndarray` or `None`
        Those of PSF fluxes, where there are any.

    flags : (M,) int `~numpy.ndarray`
        ``CALIBRATED_ERROR`` where the map had too few empty holes.

    n_empty : int
        The number of empty holes that they follow from.

    ratio : (A,) `~numpy.ndarray` or `None`
        The map's scatter in units of the calibration's, where there were
        enough empty holes.

    null_err : (M, A) `~numpy.ndarray`, optional
        What the errors of fluxes in apertures were without the source: the
        scatter of empty holes (default: ``flux_err``).

    null_psf_err : (M,) `~numpy.ndarray`, optional
        The same of PSF fluxes (default: ``flux_psf_err``).
    """

    flux_err: np.ndarray
    flux_psf_err: np.ndarray | None
    flags: np.ndarray
    n_empty: int = 0
    ratio: np.ndarray | None = None
    null_err: np.ndarray | None = None
    null_psf_err: np.ndarray | None = None

    def __post_init__(self):
        for name, source in (
            ('null_err', 'flux_err'),
            ('null_psf_err', 'flux_psf_err'),
        ):
            if getattr(self, name) is None:
                object.__setattr__(self, name, getattr(self, source))


def estimate_errors(
    grid,
    holes,
    filled,
    fluxes,
    plan,
    *,
    calibration,
    sample=None,
    known_psf_errors=False,
):
    """
    Estimate the errors of fluxes.

    Parameters
    ----------
    grid : `~photutils_pconv.geometry.MapGrid`
        The map.

    holes : `~photutils_pconv.geometry.Holes`
        The holes of the M sources.

    filled : `~photutils_pconv.removal.Filled`
        The holes, filled, with final PSF fluxes.

    fluxes : `~photutils_pconv.photometry.ApertureFluxes`
        The fluxes in apertures.

    plan : `~photutils_pconv.photometry.AperturePlan`
        The apertures.

    calibration : `~photutils_pconv.photometry.ErrorCalibration` or `None`
        The calibration of the model. `None` for errors that know nothing of
        the reconstruction's: those of the fluxes themselves.

    sample : `~photutils_pconv.removal.EmptySample`, optional
        The empty holes; by default the calibration alone.

    known_psf_errors : bool, optional
        Whether the errors of PSF fluxes were measured on the map, filter by
        filter; otherwise they are calibrated as those of the apertures.

    Returns
    -------
    errors : `FluxErrors`
        The errors.
    """
    psf_fluxes = filled.psf_fluxes
    flags = np.zeros(len(holes), dtype=int)
    if calibration is None:
        psf_err = None if psf_fluxes is None else psf_fluxes.flux_err
        null = None if psf_fluxes is None else psf_fluxes.null_err
        return FluxErrors(fluxes.flux_err, psf_err, flags, null_psf_err=null)
    is_filled = filled.reconstruction.filled
    radius = np.where(is_filled, holes.radius, np.nan)
    rms = fluxes.local_bkg_std
    aperture = fluxes.aperture_radius / plan.pixel_scale
    expected = _expected_ratio(
        calibration, grid, aperture, radius, fluxes.hole_fraction
    )
    scatter = expected * rms[:, None]
    ratio = None
    enough = sample is not None and len(sample) >= MINIMUM_EMPTY
    if enough:
        expected = _expected_ratio(
            calibration, grid, plan.pixel_radii, sample.radius, sample.hole_fraction
        )
        ratio = scatter_ratio(sample.flux, sample.rms, sample.radius, expected)
        scatter = scatter * ratio
    elif sample is not None:
        flags[is_filled] = SourceFlags.CALIBRATED_ERROR
    excess = np.zeros(scatter.shape) if fluxes.excess is None else fluxes.excess
    correction = fluxes.aperture_correction
    flux_err = correction * flux_error(
        fluxes.flux / correction,
        scatter,
        kappa=calibration.kappa,
        eps=np.hypot(calibration.eps, _disagreement(holes, fluxes, psf_fluxes)),
        excess=excess,
    )
    null_err = correction * flux_error(0.0, scatter, kappa=1.0, eps=0.0, excess=excess)
    psf_err = null_psf_err = None
    if psf_fluxes is not None:
        # The mean excess of a pixel in the aperture that is the smallest.
        k = np.argmin(plan.pixel_radii)
        area = np.pi * aperture[:, k] ** 2 * fluxes.hole_fraction[:, k]
        with np.errstate(divide='ignore', invalid='ignore'):
            # A flat map has no rms (flag 'no_scatter').
            excess = (psf_fluxes.flux_err / rms) ** 2 * excess[:, k] / area
        psf_err, null_psf_err = _psf_errors(
            psf_fluxes,
            radius * grid.factor,
            calibration,
            sample=sample if enough else None,
            factor=grid.factor,
            known=known_psf_errors,
            excess=excess,
        )
    n_empty = len(sample) if enough else 0
    return FluxErrors(flux_err, psf_err, flags, n_empty, ratio, null_err, null_psf_err)


def _disagreement(holes, fluxes, psf_fluxes):
    """
    Compare bright sources' fluxes in apertures with those of the PSF.

    What they differ by, relative to the flux, is an error of the apertures that
    empty holes do not show: what a bright source leaves in its surroundings. Of
    two or more sources, the median is taken.
    """
    if psf_fluxes is None:
        return np.zeros(fluxes.flux.shape[1])
    bright = (np.nan_to_num(holes.snr) >= BRIGHT_SNR) & (psf_fluxes.flux > 0)
    bright &= np.all(np.isfinite(fluxes.flux), axis=1)
    if np.count_nonzero(bright) < _LEAST_BRIGHT:
        return np.zeros(fluxes.flux.shape[1])
    ratio = fluxes.flux[bright] / psf_fluxes.flux[bright, None]
    return np.median(np.abs(ratio - 1.0), axis=0)


def _expected_ratio(calibration, grid, aperture, hole_radius, fraction):
    """
    Give the scatter of fluxes in apertures in units of the rms.
    """
    aperture = aperture * np.sqrt(fraction)
    factor = grid.factor
    ratio = calibration.ratio(hole_radius[:, None] * factor, aperture * factor)
    # The calibration counts native pixels.
    return ratio / factor**2


def _psf_errors(psf_fluxes, radius, calibration, *, sample, factor, known, excess):
    """
    Estimate the errors of PSF fluxes with and without the source.

    Radii are in native pixels.
    """
    scatter = calibration.psf_ratio(radius) * psf_fluxes.flux_err
    kappa, eps = calibration.psf_kappa, calibration.psf_eps
    if known:
        scatter, kappa, eps = psf_fluxes.flux_err, 1.0, 0.0
    elif sample is not None:
        expected = calibration.psf_ratio(sample.radius * factor) * sample.psf_err
        ratio = scatter_ratio(
            sample.psf_flux[:, None],
            np.ones(len(sample)),
            sample.radius,
            expected[:, None],
        )
        scatter = scatter * ratio[0]
    null = psf_fluxes.null_err if known else scatter
    null = scatter if null is None else null
    return (
        flux_error(psf_fluxes.flux, scatter, kappa=kappa, eps=eps, excess=excess),
        flux_error(0.0, null, kappa=1.0, eps=0.0, excess=excess),
    )
