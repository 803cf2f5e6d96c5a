# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
PSF fluxes on a map whose pixels are coarser than the native ones.

Splines through coarse pixels show a source differently for each position within
a pixel; the pixels themselves do not lie.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv._utils.arrays import take_off_level
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.source_images import model_image
from photutils_pconv.psf_photometry.filter_fluxes import measure_fluxes
from photutils_pconv.psf_photometry.fit_windows import FIT_RADIUS
from photutils_pconv.psf_photometry.fitting import BRIGHT_SNR, fit_psf
from photutils_pconv.psf_photometry.shape import find_telling, fit_shape

__all__ = ['MapFluxes', 'measure_on_map']


@dataclass(frozen=True, eq=False)
class MapFluxes:
    """
    PSF fluxes of M sources, measured on the map's own pixels.

    Parameters
    ----------
    flux, flux_err, null_err : (M,) `~numpy.ndarray`
        The fluxes, their errors, and those without the source, in the map's
        unit times pixel.

    x, y : (M,) `~numpy.ndarray`
        The positions, in pixels of the map.

    telling : (M,) bool `~numpy.ndarray`
        The sources that determine the PSF's shape (`find_telling`).

    unstable : (M,) bool `~numpy.ndarray`
        The sources whose fit ran away from the data.

    psf : `~photutils_pconv.psf.PixelPSF` or `~photutils_pconv.psf.SourcePSFs`
        The PSF, with the shape that was found.
    """

    flux: np.ndarray
    flux_err: np.ndarray
    null_err: np.ndarray
    x: np.ndarray
    y: np.ndarray
    telling: np.ndarray
    unstable: np.ndarray
    psf: PixelPSF


def measure_on_map(grid, holes, map_psf, fits, beam_fwhm):
    """
    Measure PSF fluxes on the map's own pixels.

    Parameters
    ----------
    grid : `~photutils_pconv.geometry.MapGrid`
        The map.

    holes : `~photutils_pconv.geometry.Holes`
        The holes, in the map's pixels, with the SNR of their sources.

    map_psf : `~photutils_pconv.psf.PixelPSF` or `~photutils_pconv.psf.SourcePSFs`
        The PSF on the map's pixels, or that of each source.

    fits : `~photutils_pconv.psf_photometry.FitSettings`
        Which sources' positions are fitted, and which determine the PSF's shape.

    beam_fwhm : float
        The FWHM of the beam, in native pixels.

    Returns
    -------
    fluxes : `MapFluxes`
        The fluxes.
    """
    missing = grid.missing
    data, _ = take_off_level(grid.data, missing)
    point = map_psf.scales(len(holes)) == 1.0
    telling = fits.tells_shape(holes.snr) & point
    telling = find_telling(
        data,
        holes.x,
        holes.y,
        map_psf,
        missing=missing,
        snr=np.nan_to_num(holes.snr),
        usable=telling,
    )
    point &= telling | ~fits.tells_shape(holes.snr)
    if fits.fit_psf_shape:
        found = fit_shape(
            data,
            holes.x[telling],
            holes.y[telling],
            map_psf.point,
            missing=missing,
            snr=holes.snr[telling],
            angles=map_psf.turns(len(holes))[telling],
        )
        map_psf = map_psf.with_point(found)
    fit = fit_psf(
        data,
        holes.x,
        holes.y,
        map_psf,
        missing=missing,
        fit_position=fits.may_move(holes.snr),
        radius=FIT_RADIUS / grid.factor,
    )
    flux, flux_err, null_err = measure_fluxes(
        data,
        fit,
        map_psf,
        beam_fwhm=beam_fwhm / grid.factor,
        missing=missing,
        unseen=missing | holes.mask,
        sources=model_image(data.shape, fit.x, fit.y, fit.flux, map_psf),
        bright=(np.nan_to_num(holes.snr) >= BRIGHT_SNR) & point,
    )
    return MapFluxes(
        flux=flux,
        flux_err=flux_err,
        null_err=null_err,
        x=fit.x,
        y=fit.y,
        telling=telling,
        unstable=fit.unstable,
        psf=map_psf,
    )
