# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The ways from a map to its reconstruction, for `~photutils_pconv.removal`.

`OnePass` is the paper's: holes, and what the network puts into them. The
other, which removes sources with a known PSF, is in
`photutils_pconv.removal`. Either takes sources or empty holes, and
arrays on the map's own grid.
"""

import functools

import numpy as np

from photutils_pconv.inpainting.hole_filling import inpaint
from photutils_pconv.inpainting.native_grid import inpaint_resampled
from photutils_pconv.photometry.annulus import local_background
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf_photometry.fitting import (
    FIT_RADIUS,
    SHAPE_SNR,
    fit_psf,
    fit_quality,
)
from photutils_pconv.psf_photometry.shape import fit_shape
from photutils_pconv.removal.filling import Filled, PSFFluxes

__all__ = [
    'OnePass',
]


class OnePass:
    """
    Fill holes as the paper does; fit the PSF to what was removed.

    Parameters
    ----------
    psf : optional
        The PSF, for PSF photometry.

    pixel_scale : float
        The map's pixel scale, in arcsec.

    annulus_radii : 2-tuple of float
        The annulus of the local scatter, in pixels of the map.

    fit_positions, fit_psf_shape : bool, optional
        Whether bright sources' positions, and the PSF's angle and width,
        are fitted.

    **options
        The options of `~photutils_pconv.inpainting.inpaint`.
    """

    injects = False

    def __init__(
        self,
        *,
        psf=None,
        pixel_scale,
        annulus_radii,
        fit_positions=False,
        fit_psf_shape=False,
        **options,
    ):
        self.psf = None if psf is None else PixelPSF(psf, pixel_scale)
        self.annulus_radii = annulus_radii
        self.fit_positions = fit_positions
        self.fit_psf_shape = fit_psf_shape
        self.options = options

    def fill(self, native_map, x, y, radius, *, snr):
        """Fill the holes of sources."""
        psf = self.psf
        if psf is not None and self.fit_psf_shape:
            psf = _shape_of_map(native_map, x, y, snr, psf)
        fit_position = np.full(len(x), self.fit_positions) & (
            np.nan_to_num(snr) >= SHAPE_SNR
        )
        return self._fill(native_map, x, y, radius, psf, fit_position)

    def fill_empty(self, native_map, x, y, radius, *, psf):
        """Fill empty holes, with the PSF that was found on the map."""
        fixed = np.zeros(len(x), dtype=bool)
        # What is there is emission, not wings.
        options = {'subtract_wings': False}
        return self._fill(native_map, x, y, radius, psf, fixed, **options)

    def _fill(self, native_map, x, y, radius, psf, fit_position, **more):
        method = inpaint
        if native_map.factor != 1:
            method = functools.partial(
                inpaint_resampled, factor=native_map.factor, native=native_map.native
            )
        data, missing = native_map.data, native_map.missing
        options = {**self.options, **more}
        reconstruction = method(data, x, y, radius, missing=missing, **options)
        fluxes = None
        if psf is not None:
            rms = local_background(
                reconstruction.clean(data),
                x,
                y,
                annulus_radii=self.annulus_radii,
                missing=missing,
            )['local_bkg_std']
            fluxes = _fit_removed(
                data, missing, reconstruction, x, y, psf, fit_position, rms
            )
        return Filled(reconstruction, fluxes, psf)


def _shape_of_map(native_map, x, y, snr, psf):
    """
    Fit the PSF's angle and width on the map's own pixels.
    """
    use = np.nan_to_num(snr) >= SHAPE_SNR
    data = np.where(native_map.missing, 0.0, native_map.data)
    return fit_shape(
        data, x[use], y[use], psf, missing=native_map.missing, snr=snr[use]
    )


def _fit_removed(data, missing, reconstruction, x, y, psf, fit_position, rms):
    """
    Fit the PSF to map minus reconstruction, in the holes.
    """
    known = (reconstruction.weight == 1) & ~missing
    removed = np.where(known, data - reconstruction.emission, 0.0)
    fit = fit_psf(
        removed, x, y, psf, missing=~known, degree=None, fit_position=fit_position
    )
    reach = int(np.ceil(FIT_RADIUS)) + 2
    padded = np.pad(reconstruction.emission, 2 * reach)
    windows = []
    for i in range(len(x)):
        x0, y0 = int(fit.x[i]) - reach, int(fit.y[i]) - reach
        part = padded[
            y0 + 2 * reach : y0 + 4 * reach + 1, x0 + 2 * reach : x0 + 4 * reach + 1
        ]
        windows.append((np.array([x0, y0]), part) if reconstruction.filled[i] else None)
    values = np.where(known, data, 0.0)
    quality = fit_quality(values, fit.x, fit.y, fit.flux, psf, ~known, windows)
    return PSFFluxes(fit.flux, fit.flux_err * rms, *quality, fit.x, fit.y)
