# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The ways from a map to its reconstruction, for `~photutils_pconv.removal`.

`OnePass` is the paper's: holes, and what the network puts into them. The
other, which removes sources with a known PSF, is in
`photutils_pconv.removal`. Either takes sources or empty holes, and
arrays on the map's own grid.
"""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from photutils_pconv.geometry.grids import resample_grid, to_native_position
from photutils_pconv.geometry.holes import draw_holes
from photutils_pconv.geometry.holes import snr as compute_snr
from photutils_pconv.inpainting.hole_filling import inpaint, inpaint_resampled
from photutils_pconv.inpainting.reconstruction import Reconstruction
from photutils_pconv.photometry.apertures import local_background
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf_photometry.fitting import FIT_RADIUS, fit_psf, fit_quality
from photutils_pconv.psf_photometry.shape import fit_shape
from photutils_pconv.removal.psf_subtraction import SHAPE_SNR

__all__ = ['Filled', 'NativeMap', 'OnePass', 'PSFFluxes', 'with_holes_missing']


@dataclass(frozen=True, eq=False)
class PSFFluxes:
    """
    The results of PSF photometry, of length N, NaN where there is none.

    Parameters
    ----------
    flux, flux_err : `~numpy.ndarray`
        The fluxes, in the map's unit times pixel, and the errors that
        the fit expects.

    qfit, cfit : `~numpy.ndarray`
        The fits' quality.

    x, y : `~numpy.ndarray`
        The positions.

    inner_radius : `~numpy.ndarray` or `None`
        The radii of the small holes, in pixels, after two passes.
    """

    flux: np.ndarray
    flux_err: np.ndarray
    qfit: np.ndarray
    cfit: np.ndarray
    x: np.ndarray
    y: np.ndarray
    inner_radius: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Filled:
    """
    The holes of a map, filled.

    Parameters
    ----------
    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        The reconstruction.

    fluxes : `PSFFluxes` or `None`
        The PSF photometry, where there is a PSF.

    psf : `~photutils_pconv.psf.PixelPSF` or `None`
        The PSF, with the angle and width found on the map.
    """

    reconstruction: Reconstruction
    fluxes: PSFFluxes | None = None
    psf: Any = None


class NativeMap:
    """
    A map, and itself on the setup's native grid.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.

    missing : 2D bool `~numpy.ndarray`
        Its missing pixels.

    factor : float
        Map pixel / native pixel.
    """

    def __init__(self, data, missing, factor):
        self.data = data
        self.missing = missing
        self.factor = factor
        self.native = (data, missing)
        if factor != 1:
            self.native = resample_grid(data, missing, factor)

    def choose_holes(self, x, y, inside, *, setup):
        """Return the SNR (Eq. 1) and the hole radii, in the map's pixels."""
        snr = compute_snr(self.native[0], *self.to_native(x, y), setup=setup)
        radius = np.full(x.size, np.nan)
        radius[inside] = setup.hole_radius(snr[inside]) / self.factor
        return snr, radius

    def to_native(self, x, y):
        """Return positions on the native grid."""
        return to_native_position(x, self.factor), to_native_position(y, self.factor)

    def to_map(self, x, y):
        """Return positions on the map from those on the native grid."""
        factor = 1.0 / self.factor
        return to_native_position(x, factor), to_native_position(y, factor)


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
        data, x[use], y[use], psf, missing=native_map.missing, weight=snr[use]
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


def with_holes_missing(native_map, data, x, y, radius):
    """
    Give a map in which holes count as missing, on both grids.

    Parameters
    ----------
    native_map : `NativeMap`
        The map.

    data : 2D `~numpy.ndarray`
        Its pixels, or others in their place.

    x, y, radius : 1D `~numpy.ndarray`
        The holes, in pixels.

    Returns
    -------
    native_map : `NativeMap`
        The map with more missing pixels.
    """
    holes = draw_holes(data.shape, x, y, radius)
    return NativeMap(data, native_map.missing | holes, native_map.factor)
