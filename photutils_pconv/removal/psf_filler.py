# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Removal with a PSF: it is subtracted, and a network looks under it.
"""

from dataclasses import dataclass, replace

import numpy as np

from photutils_pconv.geometry.cutouts import extract_cutout
from photutils_pconv.geometry.holes import TAPER_WIDTH
from photutils_pconv.inpainting.native_grid import (
    native_taper,
    replace_on_map,
    to_map_grid,
)
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.source_images import TaperedHoles, draw_subtraction
from photutils_pconv.psf_photometry.aperture_scale import (
    aperture_fraction,
    aperture_ratio,
)
from photutils_pconv.psf_photometry.fitting import PSFFit
from photutils_pconv.removal.filling import Filled, PSFFluxes
from photutils_pconv.removal.map_fluxes import measure_on_map
from photutils_pconv.removal.psf_subtraction import (
    SubtractionSettings,
    remove_with_psf,
)

__all__ = ['PSFFiller']

# Wings are drawn on the map down to this share of the structure around; by choice.
_WING_SHARE = 0.05


@dataclass(frozen=True, eq=False)
class PSFFiller:
    """
    Remove sources with a known PSF.

    Parameters
    ----------
    settings : `~photutils_pconv.removal.psf_subtraction.SubtractionSettings`
        The network, and what is fitted.

    pixel_psf : `~photutils_pconv.psf.PixelPSF`
        The PSF on native pixels.

    map_psf : `~photutils_pconv.psf.PixelPSF`, optional
        The PSF on the map's pixels, for a map of coarser ones, on which fluxes
        are measured.

    start : `~photutils_pconv.psf_photometry.PSFFit`, optional
        A fit to the native map with which that of the sources begins.
    """

    settings: SubtractionSettings
    pixel_psf: PixelPSF
    map_psf: PixelPSF | None = None
    start: PSFFit | None = None

    depends_on_flux = True

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
        return self._fill(
            grid, holes, self.settings, self.pixel_psf, self.map_psf, self.start
        )

    def fill_empty(self, grid, holes, pixel_psf):
        """
        Fill holes without a source, with the PSF that was found on the map.

        Parameters
        ----------
        grid : `~photutils_pconv.geometry.MapGrid`
            The map.

        holes : `~photutils_pconv.geometry.Holes`
            The holes.

        pixel_psf : `~photutils_pconv.psf.PixelPSF`
            The PSF.

        Returns
        -------
        filled : `~photutils_pconv.removal.Filled`
            The holes, filled.
        """
        fixed = replace(self.settings.fits, fit_positions=False, fit_psf_shape=False)
        settings = replace(self.settings, fits=fixed, inpainting=None, judge_fits=False)
        return self._fill(grid, holes, settings, pixel_psf)

    @staticmethod
    def _fill(grid, holes, settings, pixel_psf, map_psf=None, start=None):
        native, factor = grid.native, grid.factor
        removal = remove_with_psf(
            native.data,
            native.missing,
            grid.native_holes(holes),
            pixel_psf,
            settings,
            jy_per_pixel=native.jy_per_pixel,
            taper_width=native_taper(grid),
            start=start,
        )
        x, y = grid.to_map(removal.x, removal.y)
        fluxes = PSFFluxes(
            # A native pixel collects the flux of 1 / factor**2 of the map's.
            flux=removal.flux / factor**2,
            flux_err=removal.flux_err / factor**2,
            null_err=removal.null_err / factor**2,
            qfit=removal.qfit,
            cfit=removal.cfit,
            x=x,
            y=y,
            position_err=removal.position_err / factor,
            inner_radius=removal.inner_radius / factor,
            unstable=removal.unstable,
            poor=removal.poor,
        )
        if factor == 1:
            return Filled(
                removal.reconstruction,
                fluxes,
                removal.psf,
                wings_are_sources=True,
                emission=removal.emission,
                structure=removal.structure,
                subtraction_error=_blank(removal.subtraction_error, native.missing),
            )
        if map_psf is None:
            return Filled(
                replace_on_map(removal.reconstruction, grid),
                fluxes,
                removal.psf,
                wings_are_sources=True,
            )
        if factor > 1:
            found = measure_on_map(
                grid, holes, map_psf, settings.fits, settings.beam_fwhm
            )
            nominal, map_psf = map_psf, found.psf
            fluxes = replace(
                fluxes,
                flux=found.flux,
                flux_err=found.flux_err,
                null_err=found.null_err,
                x=found.x,
                y=found.y,
                unstable=found.unstable,
            )
        else:
            shape = removal.psf
            point = map_psf.point.adjusted(angle=shape.angle, width=shape.width)
            map_psf = map_psf.with_point(point)
        filled = _draw_on_map(grid, holes, removal, fluxes, map_psf)
        if factor > 1 and settings.aperture_radius is not None:
            radius = settings.aperture_radius / factor
            scale = aperture_fraction(map_psf.point, radius)
            scale /= aperture_fraction(nominal.point, radius)
            ratio, ratio_err = _compare_apertures(
                grid, holes, filled, map_psf, radius, found.telling
            )
            error = np.hypot(fluxes.flux_err, ratio_err * fluxes.flux)
            scale *= ratio
            fluxes = replace(
                fluxes,
                flux=scale * fluxes.flux,
                flux_err=scale * error,
                null_err=scale * fluxes.null_err,
            )
            filled = replace(filled, psf_fluxes=fluxes)
        return filled


def _blank(image, missing):
    """Let a sparse image, if there is one, be 0 where the map is missing, in place."""
    if image is not None:
        image[missing & (image != 0)] = 0.0
    return image


def _compare_apertures(grid, holes, filled, map_psf, radius, telling):
    """
    Compare fluxes in an aperture with those of the PSF, on the map's own pixels.
    """
    fluxes, reconstruction = filled.psf_fluxes, filled.reconstruction
    background = reconstruction.clean(grid.data)
    half = int(np.ceil(radius)) + 2
    windows = [None] * len(holes)
    for i in np.flatnonzero(reconstruction.filled):
        origin = np.round([fluxes.x[i], fluxes.y[i]]).astype(int) - half
        part = extract_cutout(background, *origin, size=2 * half + 1)
        windows[i] = origin, part
    return aperture_ratio(
        np.where(grid.missing, 0.0, grid.data - reconstruction.wings),
        fluxes,
        np.where(telling, fluxes.flux, np.nan),
        map_psf.point,
        grid.missing,
        windows,
        aperture_radius=radius,
        snr=np.nan_to_num(holes.snr),
    )


def _draw_on_map(grid, holes, removal, fluxes, map_psf):
    """
    Subtract the sources from the map's own pixels.

    Only the emission in the holes is interpolated from the native grid.
    """
    drawn = draw_subtraction(
        grid.data.shape,
        fluxes.x,
        fluxes.y,
        fluxes.flux,
        map_psf,
        holes=TaperedHoles(holes.x, holes.y, holes.radius, TAPER_WIDTH),
        errors=(fluxes.flux_err, np.nan_to_num(fluxes.position_err)),
        level=_WING_SHARE * removal.structure * grid.factor**2,
    )
    native = removal.reconstruction
    reconstruction, mean = (
        to_map_grid(one, grid, holes, wingless=True)
        for one in (native, replace(native, emission=removal.emission))
    )
    return Filled(
        replace(
            reconstruction,
            wings=_blank(drawn.image, grid.missing),
            foreign=_blank(drawn.beyond, grid.missing),
        ),
        fluxes,
        removal.psf,
        wings_are_sources=True,
        emission=mean.emission,
        subtraction_error=_blank(drawn.error, grid.missing),
    )
