# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Removal of sources with a known PSF, for `~photutils_pconv.removal`.
"""

import numpy as np

from photutils_pconv.geometry.grids import resample_grid
from photutils_pconv.inpainting.reconstruction import Reconstruction
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.removal.filling import Filled, PSFFluxes
from photutils_pconv.removal.psf_subtraction import remove_with_psf

__all__ = ['TwoPass']


class TwoPass:
    """
    Remove sources with a known PSF.

    Parameters
    ----------
    psf : PSF
        The PSF.

    pixel_scale : float
        The native pixel scale, in arcsec.

    beam_fwhm, aperture_radius : float
        The beam's FWHM, and the aperture within which fluxes are
        normalised, in native pixels.

    fit_positions, fit_psf_shape : bool
        See `OnePass`.

    **options
        The options of `~photutils_pconv.removal.remove_with_psf`.
    """

    injects = True

    def __init__(
        self,
        *,
        psf,
        pixel_scale,
        beam_fwhm,
        aperture_radius,
        fit_positions,
        fit_psf_shape,
        **options,
    ):
        self.psf = PixelPSF(psf, pixel_scale)
        self.beam_fwhm = beam_fwhm
        self.aperture_radius = aperture_radius
        self.fit_positions = fit_positions
        self.fit_psf_shape = fit_psf_shape
        self.options = options

    def fill(self, native_map, x, y, radius, *, snr):
        """Fill the holes of sources."""
        return self._fill(
            native_map,
            x,
            y,
            radius,
            snr,
            self.psf,
            fit_positions=self.fit_positions,
            fit_psf_shape=self.fit_psf_shape,
        )

    def fill_empty(self, native_map, x, y, radius, *, psf):
        """Fill empty holes, with the PSF that was found on the map."""
        snr = np.zeros(len(x))
        return self._fill(
            native_map,
            x,
            y,
            radius,
            snr,
            psf,
            fit_positions=False,
            fit_psf_shape=False,
        )

    def _fill(self, native_map, x, y, radius, snr, psf, **fits):
        factor = native_map.factor
        native, missing = native_map.native
        xn, yn = native_map.to_native(x, y)
        options = dict(self.options)
        # A native pixel collects the flux of 1 / factor**2 of the map's.
        options['to_jy_per_pixel'] = options['to_jy_per_pixel'] / factor**2
        removal = remove_with_psf(
            native,
            xn,
            yn,
            snr=snr,
            radius=radius * factor,
            psf=psf,
            beam_fwhm=self.beam_fwhm,
            aperture_radius=self.aperture_radius,
            missing=missing,
            **fits,
            **options,
        )
        fluxes = PSFFluxes(
            removal.flux / factor**2,
            removal.flux_err / factor**2,
            removal.qfit,
            removal.cfit,
            *native_map.to_map(removal.x, removal.y),
            removal.inner_radius / factor,
        )
        reconstruction = removal.reconstruction
        if factor != 1:
            reconstruction = _to_map_grid(reconstruction, native_map)
        return Filled(reconstruction, fluxes, removal.psf)


def _to_map_grid(reconstruction, native_map):
    """
    Bring a reconstruction from the native grid to the map's.
    """
    factor = 1.0 / native_map.factor
    native, missing = native_map.native
    shape = native_map.data.shape
    cleaned, foreign = (
        resample_grid(image, missing, factor, shape=shape)[0]
        for image in (reconstruction.clean(native), reconstruction.foreign)
    )
    weight, _ = resample_grid(
        reconstruction.holes.astype(float),
        np.zeros(missing.shape, dtype=bool),
        factor,
        shape=shape,
    )
    # Splines ring; what is left of a taper lies in the subtracted wings.
    use = (weight > 0.5) & ~native_map.missing & np.isfinite(cleaned)
    return Reconstruction(
        np.where(use, cleaned, 0.0),
        use.astype(float),
        reconstruction.filled,
        # They are off already.
        wings=np.zeros(shape),
        foreign=np.where(use, np.nan_to_num(foreign), 0.0),
    )
