# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Removal in one pass, which does not look into the holes: the paper's way.

Where a PSF is known it is fitted to what was removed.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from photutils_pconv._utils.arrays import take_off_level
from photutils_pconv.inpainting.hole_filling import InpaintSettings
from photutils_pconv.inpainting.native_grid import inpaint_grid
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf_photometry.fit_windows import FIT_RADIUS
from photutils_pconv.psf_photometry.fitting import (
    FitSettings,
    fit_psf,
)
from photutils_pconv.psf_photometry.quality import fit_quality
from photutils_pconv.psf_photometry.shape import find_telling, fit_shape
from photutils_pconv.removal.filling import Filled, PSFFluxes

__all__ = ['InpaintFiller']


@dataclass(frozen=True, eq=False)
class InpaintFiller:
    """
    Fill holes as the paper does; fit the PSF to what was removed.

    Parameters
    ----------
    settings : `~photutils_pconv.inpainting.InpaintSettings`
        The network and how it is run.

    pixel_psf : `~photutils_pconv.psf.PixelPSF`, optional
        The PSF on the map's pixels, for PSF photometry.

    fits : `~photutils_pconv.psf_photometry.FitSettings`, optional
        Which sources' positions are fitted, and which determine the PSF's shape.
    """

    settings: InpaintSettings
    pixel_psf: PixelPSF | None = None
    fits: FitSettings = field(default_factory=lambda: FitSettings.for_method('inpaint'))

    depends_on_flux = False

    def fill(self, grid, holes):
        """
        Fill the holes of sources.

        Parameters
        ----------
        grid : `~photutils_pconv.geometry.MapGrid`
            The map.

        holes : `~photutils_pconv.geometry.Holes`
            The holes, with the SNR of their sources.

        Returns
        -------
        filled : `~photutils_pconv.removal.Filled`
            The holes, filled.
        """
        pixel_psf = self.pixel_psf
        if pixel_psf is not None and self.fits.fit_psf_shape:
            point = pixel_psf.scales(len(holes)) == 1.0
            telling = self.fits.tells_shape(holes.snr) & point
            data, _ = take_off_level(grid.data, grid.missing)
            telling = find_telling(
                data,
                holes.x,
                holes.y,
                pixel_psf,
                missing=grid.missing,
                snr=np.nan_to_num(holes.snr),
                usable=telling,
            )
            turns = pixel_psf.turns(len(holes))[telling]
            found = _fit_shape(grid, holes.select(telling), pixel_psf.point, turns)
            pixel_psf = pixel_psf.with_point(found)
        fit_position = self.fits.may_move(holes.snr)
        return self._fill(grid, holes, self.settings, pixel_psf, fit_position)

    def fill_empty(self, grid, holes, pixel_psf):
        """
        Fill holes without a source, with the PSF that was found on the map.

        Parameters
        ----------
        grid : `~photutils_pconv.geometry.MapGrid`
            The map.

        holes : `~photutils_pconv.geometry.Holes`
            The holes.

        pixel_psf : `~photutils_pconv.psf.PixelPSF` or `None`
            The PSF.

        Returns
        -------
        filled : `~photutils_pconv.removal.Filled`
            The holes, filled.
        """
        # What is there is emission, not wings.
        settings = replace(self.settings, subtract_wings=False)
        fixed = np.zeros(len(holes), dtype=bool)
        return self._fill(grid, holes, settings, pixel_psf, fixed)

    @staticmethod
    def _fill(grid, holes, settings, pixel_psf, fit_position):
        reconstruction = inpaint_grid(grid, holes, settings)
        if pixel_psf is None:
            return Filled(reconstruction)
        fluxes = _fit_removed(grid, holes, reconstruction, pixel_psf, fit_position)
        return Filled(reconstruction, fluxes, pixel_psf.point, errors_in_rms=True)


def _fit_shape(grid, holes, pixel_psf, angles):
    """
    Fit the PSF's angle and width on the map's own pixels.
    """
    data, _ = take_off_level(grid.data, grid.missing)
    return fit_shape(
        data,
        holes.x,
        holes.y,
        pixel_psf,
        missing=grid.missing,
        snr=holes.snr,
        angles=angles,
    )


def _fit_removed(grid, holes, reconstruction, pixel_psf, fit_position):
    """
    Fit the PSF to map minus reconstruction, in the holes.
    """
    known = (reconstruction.weight == 1) & ~grid.missing
    emission = reconstruction.emission
    removed = np.where(known, grid.data - emission, 0.0)
    fit = fit_psf(
        removed,
        holes.x,
        holes.y,
        pixel_psf,
        missing=~known,
        degree=None,
        fit_position=fit_position,
    )
    reach = int(np.ceil(FIT_RADIUS)) + 2
    padded = np.pad(emission, 2 * reach)
    windows = []
    for i in range(len(holes)):
        x0, y0 = int(fit.x[i]) - reach, int(fit.y[i]) - reach
        part = padded[
            y0 + 2 * reach : y0 + 4 * reach + 1, x0 + 2 * reach : x0 + 4 * reach + 1
        ]
        windows.append((np.array([x0, y0]), part) if reconstruction.filled[i] else None)
    values = np.where(known, grid.data, 0.0)
    qfit, cfit = fit_quality(values, fit.x, fit.y, fit.flux, pixel_psf, ~known, windows)
    return PSFFluxes(
        fit.flux, fit.flux_err, qfit, cfit, fit.x, fit.y, unstable=fit.unstable
    )
