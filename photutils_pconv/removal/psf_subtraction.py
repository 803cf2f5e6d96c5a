# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Removal of sources with a known PSF.

A linear fit of PSF and polynomial finds the fluxes; what is left after
the sources' subtraction is the emission plus the PSF's mismatch. Where
the mismatch would drown the emission, holes remain, which are the
smaller the fainter the source is; from the residual around and under the
source a network reconstructs the emission. The fluxes are then measured
with the filters that scatter least on the map without its sources.

The residual does not depend on the sources' true fluxes: whatever share
of a source a linear fit takes off, it takes off for any flux alike. The
network therefore never has to guess how bright a source was.
"""

from dataclasses import dataclass, replace

import numpy as np
from astropy.stats import mad_std

from photutils_pconv.geometry.cutouts import extract_cutout
from photutils_pconv.geometry.holes import TAPER_WIDTH, draw_holes
from photutils_pconv.geometry.windows import find_window
from photutils_pconv.inpainting.prediction import choose_sizes, reconstruct
from photutils_pconv.inpainting.reconstruction import Reconstruction
from photutils_pconv.inpainting.residual_images import (
    residual_channels,
    small_holes,
)
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.source_images import (
    expected_error_image,
    image_beyond_holes,
    model_image,
    shape_image,
)
from photutils_pconv.psf_photometry.aperture_scale import (
    aperture_fraction,
    aperture_ratio,
)
from photutils_pconv.psf_photometry.filter_fluxes import measure_fluxes
from photutils_pconv.psf_photometry.fitting import (
    FIT_RADIUS,
    POSITION_SNR,
    SHAPE_SNR,
    fit_psf,
    fit_quality,
)
from photutils_pconv.psf_photometry.shape import fit_shape
from photutils_pconv.removal.settings import check_psf_model

__all__ = [
    'PSFRemoval',
    'remove_with_psf',
]


# Wings are subtracted down to this share of the local scatter.
_WING_LEVEL = 0.05
_SCATTER_RADIUS = 24.0


@dataclass(frozen=True)
class PSFRemoval:
    """
    The sources of a map, removed with a known PSF.

    Parameters
    ----------
    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        The emission in the holes and, where a source's wings reach
        beyond its hole, the map without the wings.

    flux, flux_err : `~numpy.ndarray`
        The total fluxes and their errors, in the map's unit times pixel;
        NaN where nothing could be measured.

    x, y : `~numpy.ndarray`
        The positions, fitted where the SNR is `POSITION_SNR` or more.

    inner_radius : `~numpy.ndarray`
        The radius of the small hole's area in which the network did not
        see the residual, in pixels; 0 where it saw all of it.

    qfit, cfit : `~numpy.ndarray`
        The fit's quality, as `photutils.psf.PSFPhotometry` defines it:
        the sum of the absolute residuals, and the residual of the
        central pixel, over the flux.

    psf : `~photutils_pconv.psf.PixelPSF`
        The PSF, with the angle and width that the map's bright sources
        tell.
    """

    reconstruction: Reconstruction
    flux: np.ndarray
    flux_err: np.ndarray
    x: np.ndarray
    y: np.ndarray
    inner_radius: np.ndarray
    qfit: np.ndarray
    cfit: np.ndarray
    psf: PixelPSF


def remove_with_psf(
    data,
    x,
    y,
    *,
    snr,
    radius,
    psf,
    model,
    missing=None,
    beam_fwhm=None,
    aperture_radius=None,
    fit_positions=True,
    fit_psf_shape=True,
    to_jy_per_pixel=1.0,
    **options,
):
    """
    Remove sources with a known PSF.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map, on the model's native pixel scale.

    x, y : 1D `~numpy.ndarray`
        The sources' positions, 0-based, in pixels; they must be finite.

    snr : 1D `~numpy.ndarray`
        The sources' SNR (Eq. 1 of the paper).

    radius : 1D `~numpy.ndarray`
        The radii of the holes (Table 3), in pixels, in which the map is
        replaced.

    psf : `~photutils_pconv.psf.PixelPSF`
        The PSF on the map's pixels.

    model : `~photutils_pconv.network.LoadedModel`
        A network of `~photutils_pconv.inpainting.N_CHANNELS` channels.

    missing : 2D bool `~numpy.ndarray`, optional
        Missing pixels (default: those that are not finite).

    beam_fwhm : float, optional
        The FWHM of the beam, in pixels, through which the emission is
        seen (default: that of the PSF).

    aperture_radius : float, optional
        The radius, in pixels, of the aperture within which the fluxes
        are normalised: they are total fluxes of the PSF that was given,
        which has in this aperture what the source has there. By default
        they are those of the PSF with the shape found on the map.

    fit_positions : bool or 1D bool `~numpy.ndarray`, optional
        Whether bright sources' positions are fitted; an array tells it
        source by source.

    fit_psf_shape : bool, optional
        Whether the PSF's angle and width, one of each a map, are fitted
        to the map's bright sources.

    to_jy_per_pixel : float, optional
        The factor from the map's unit to Jy/pixel.

    **options
        ``taper_width``, ``batch_size``, ``device``, ``precision`` and
        ``progress_bar``, as for `~photutils_pconv.inpainting.inpaint`.

    Returns
    -------
    removal : `PSFRemoval`
        Fluxes and reconstruction.

    Raises
    ------
    ValueError
        If the network is not made for residuals.
    """
    check_psf_model(model)
    if missing is None:
        missing = ~np.isfinite(data)
    data = np.where(missing, 0.0, data)
    x, y, snr, radius = (
        np.asarray(value, dtype=float) for value in (x, y, snr, radius)
    )
    bright = np.nan_to_num(snr) >= POSITION_SNR
    fit_position = bright & np.broadcast_to(fit_positions, bright.shape)
    nominal = psf
    telling = np.nan_to_num(snr) >= SHAPE_SNR
    if fit_psf_shape:
        psf = fit_shape(
            data,
            x[telling],
            y[telling],
            psf,
            missing=missing,
            snr=snr[telling],
        )
    fit = fit_psf(data, x, y, psf, missing=missing, fit_position=fit_position)
    # Neighbours' wings are none of the scatter that hides a source's own.
    whole = model_image(data.shape, fit.x, fit.y, fit.flux, psf)
    level = _WING_LEVEL * _scatter_around(data - whole, missing, fit.x, fit.y, radius)
    sources = model_image(data.shape, fit.x, fit.y, fit.flux, psf, level=level)
    state = _Residuals(
        data - sources,
        expected_error_image(data.shape, fit.x, fit.y, fit.flux, psf, level=level),
        shape_image(data.shape, fit.x, fit.y, psf),
        missing,
        dict(model.card.normalisation),
        to_jy_per_pixel,
        n_sources=len(x),
    )
    reconstruction = reconstruct(
        state.make_input,
        x,
        y,
        radius,
        network=model.network,
        sizes=choose_sizes(model, radius + options.get('taper_width', TAPER_WIDTH)),
        missing=missing,
        to_jy_per_pixel=to_jy_per_pixel,
        collect=state.collect,
        **options,
    )
    holes = draw_holes(data.shape, x, y, radius)
    flux, flux_err = measure_fluxes(
        data,
        fit,
        psf,
        beam_fwhm=nominal.fwhm if beam_fwhm is None else beam_fwhm,
        missing=missing,
        unseen=missing | holes,
        sources=sources,
        whole_sources=whole,
        bright=telling,
    )
    sources = model_image(data.shape, fit.x, fit.y, flux, psf, level=level)
    qfit, cfit = fit_quality(data, fit.x, fit.y, flux, psf, missing, state.windows)
    factor = 1.0
    if aperture_radius is not None:
        factor = aperture_fraction(psf, aperture_radius)
        factor /= aperture_fraction(nominal, aperture_radius)
        factor *= aperture_ratio(
            data - sources,
            fit,
            np.where(telling, flux, np.nan),
            psf,
            missing,
            state.windows,
            aperture_radius=aperture_radius,
            snr=snr,
        )
    foreign = image_beyond_holes(
        data.shape,
        fit.x,
        fit.y,
        flux,
        psf,
        (x, y, radius),
        taper_width=options.get('taper_width', TAPER_WIDTH),
        level=level,
    )
    return PSFRemoval(
        replace(
            reconstruction,
            wings=np.where(missing, 0.0, sources),
            foreign=np.where(missing, 0.0, foreign),
        ),
        factor * flux,
        factor * flux_err,
        fit.x,
        fit.y,
        state.inner_radius,
        qfit,
        cfit,
        psf,
    )


def _scatter_around(residual, missing, x, y, radius):
    """
    Measure the scatter around each source, on the map without sources.
    """
    scatter = np.zeros(len(x))
    for i in range(len(x)):
        window = find_window(residual.shape, x[i], y[i], _SCATTER_RADIUS)
        if window is None:
            continue
        use = (window.distance > radius[i]) & ~missing[window.region]
        if use.any():
            scatter[i] = mad_std(residual[window.region][use])
    return scatter


class _Residuals:
    """
    The cutouts of a map minus its sources: what the network sees and tells.
    """

    def __init__(
        self, residual, error, shapes, missing, normalisation, factor, *, n_sources
    ):
        self.residual = residual
        self.error = error
        self.missing = missing
        self.shapes = shapes
        self.normalisation = normalisation
        self.factor = factor
        self.windows = [None] * n_sources
        self.inner_radius = np.zeros(n_sources)

    def make_input(self, batch, origins, size):
        """
        Make the network's input of a batch of cutouts.
        """
        shape = (len(origins), size, size)
        residual, error, shapes = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        absent = np.ones(shape, dtype=bool)
        for k, (x0, y0) in enumerate(origins):
            residual[k] = extract_cutout(self.residual, x0, y0, size=size)
            error[k] = extract_cutout(self.error, x0, y0, size=size)
            shapes[k] = extract_cutout(self.shapes, x0, y0, size=size)
            absent[k] = extract_cutout(self.missing, x0, y0, size=size, fill_value=True)
        residual[absent] = 0.0
        holes = small_holes(residual, error, absent) & ~absent
        middle = size // 2
        part = np.s_[:, middle - 16 : middle + 16, middle - 16 : middle + 16]
        self.inner_radius[batch] = np.sqrt(holes[part].sum(axis=(1, 2)) / np.pi)
        validity = ~(absent | holes)
        images, scaling = residual_channels(
            residual * self.factor,
            error * self.factor,
            shapes,
            validity,
            absent,
            **self.normalisation,
        )
        return images, validity, scaling

    def collect(self, i, emission, origin):
        """
        Keep the emission around one source.
        """
        margin = len(emission) // 2 - int(FIT_RADIUS) - 3
        part = emission[margin:-margin, margin:-margin].copy()
        self.windows[i] = origin + margin, part
