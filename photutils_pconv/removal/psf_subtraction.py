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

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from photutils_pconv._utils.arrays import take_off_level
from photutils_pconv._utils.medians import robust_std
from photutils_pconv._utils.progress import enter_stage
from photutils_pconv.geometry.cutouts import cut_stack, extract_cutout
from photutils_pconv.geometry.holes import TAPER_WIDTH, draw_values
from photutils_pconv.geometry.lazy_images import Difference, copy_sparse
from photutils_pconv.geometry.windows import find_window
from photutils_pconv.inpainting.blending import Blender
from photutils_pconv.inpainting.hole_filling import InpaintSettings
from photutils_pconv.inpainting.prediction import CutoutInput, predict_cutouts
from photutils_pconv.inpainting.reconstruction import Reconstruction
from photutils_pconv.inpainting.residual_images import (
    residual_channels,
    small_holes,
)
from photutils_pconv.network.kinds import check_kind
from photutils_pconv.network.running import RunOptions
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.source_images import (
    TaperedHoles,
    draw_subtraction,
    expected_error_image,
    model_image,
    shape_image,
)
from photutils_pconv.psf_photometry.aperture_scale import (
    aperture_fraction,
    aperture_ratio,
)
from photutils_pconv.psf_photometry.filter_fluxes import measure_fluxes
from photutils_pconv.psf_photometry.fit_windows import FIT_RADIUS
from photutils_pconv.psf_photometry.fitting import (
    BRIGHT_SNR,
    FitSettings,
    fit_psf,
    fit_quality,
)
from photutils_pconv.psf_photometry.shape import find_telling, fit_shape
from photutils_pconv.removal.mismatch import (
    add_inpainted,
    estimate_position_errors,
    expected_middles,
    find_poor_fits,
    with_poor_fits,
)
from photutils_pconv.removal.structure import measure_structure

__all__ = [
    'PSFRemoval',
    'SubtractionSettings',
    'remove_with_psf',
]

# Wings are subtracted down to this share of the local scatter; by choice.
_WING_SHARE = 0.05
# Wings below this share of a fit's ``level`` are those of no source; by choice.
_LEAST_SHARE = 0.01
# The radius within which that scatter is measured, in pixels: that of the robust
# normalisation of cutouts, by choice.
_SCATTER_RADIUS = 24.0
# The error of a position along an axis that the PSF's mismatch makes, in pixels:
# by choice, a little more than the 0.021 to 0.023 of sources above SNR 40 on real
# backgrounds with in-flight PSFs (benchmarks/composition.py, 2026-11-29).
_POSITION_FLOOR = 0.025
# Half the side of the square in which small holes are counted as a source's own,
# in pixels; by choice, the largest holes fit into it.
_NEAR = 16


@dataclass(frozen=True)
class PSFRemoval:
    """
    The sources of a map, removed with a known PSF.

    Parameters
    ----------
    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        The emission in the holes, from the residual, and, where a source's
        wings reach beyond its hole, the map without the wings.

    emission : 2D `~numpy.ndarray`
        The best estimate of the emission in the holes: where the mismatch
        exceeds it, the mean of that and of what is found without a look into
        the holes.

    structure : `~numpy.ndarray`
        The scatter around each source of what its surroundings do not determine,
        in the map's unit (`measure_structure`).

    flux, flux_err, null_err : `~numpy.ndarray`
        The total fluxes, their errors, and the errors without the source, in
        the map's unit times pixel; NaN where nothing could be measured.

    x, y : `~numpy.ndarray`
        The positions, fitted where the SNR is `POSITION_SNR` or more.

    position_err : `~numpy.ndarray`
        The errors of fitted positions along an axis, in pixels; NaN where
        a position was not fitted.

    subtraction_error : 2D `~numpy.ndarray` or `None`
        What the subtraction of the sources is expected to leave in each
        pixel; `None` where the fits are not judged.

    inner_radius : `~numpy.ndarray`
        The radius of the small hole's area in which the network did not
        see the residual, in pixels; 0 where it saw all of it.

    qfit, cfit : `~numpy.ndarray`
        The fit's quality, as `photutils.psf.PSFPhotometry` defines it:
        the sum of the absolute residuals, and the residual of the
        central pixel, over the flux.

    psf : `~photutils_pconv.psf.PixelPSF`
        The PSF, with the angle and width that the map's bright sources
        show.

    unstable : `~numpy.ndarray` of bool
        The sources whose fit ran away from the data.

    poor : `~numpy.ndarray` of bool
        The sources of which the PSF leaves more than it is expected to.
    """

    reconstruction: Reconstruction
    emission: np.ndarray
    structure: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray
    null_err: np.ndarray
    x: np.ndarray
    y: np.ndarray
    position_err: np.ndarray
    subtraction_error: np.ndarray | None
    inner_radius: np.ndarray
    qfit: np.ndarray
    cfit: np.ndarray
    psf: PixelPSF
    unstable: np.ndarray
    poor: np.ndarray


@dataclass(frozen=True, eq=False)
class SubtractionSettings:
    """
    How sources are removed with a known PSF.

    Parameters
    ----------
    model : `~photutils_pconv.network.LoadedModel`
        A model of the kind ``'residual'``.

    beam_fwhm : float
        The FWHM of the beam, in native pixels, through which the emission
        is seen.

    aperture_radius : float, optional
        The radius, in native pixels, of the aperture within which the fluxes
        are normalised: they are total fluxes of the PSF that was given,
        which has in this aperture what the source has there. By default
        they are those of the PSF with the shape found on the map.

    fits : `~photutils_pconv.psf_photometry.FitSettings`, optional
        Which sources' positions are fitted, and which determine the PSF's shape.

    inpainting : `~photutils_pconv.inpainting.InpaintSettings`, optional
        How the emission is also found without a look into the holes, where
        the PSF's mismatch exceeds it (default: not at all).

    judge_fits : bool, optional
        Whether the quality of the fits, and what they leave, is measured, and the
        error of the subtraction drawn.

    run : `~photutils_pconv.network.RunOptions`, optional
        How the network is run.
    """

    model: Any
    beam_fwhm: float
    aperture_radius: float | None = None
    fits: FitSettings = field(default_factory=lambda: FitSettings.for_method('psf'))
    inpainting: InpaintSettings | None = None
    judge_fits: bool = True
    run: RunOptions = field(default_factory=RunOptions)

    def __post_init__(self):
        check_kind(self.model.card, 'residual')


def remove_with_psf(
    data,
    missing,
    holes,
    psf,
    settings,
    *,
    jy_per_pixel=1.0,
    taper_width=TAPER_WIDTH,
    start=None,
):
    """
    Remove sources with a known PSF.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map, on the model's native pixel scale.

    missing : 2D bool `~numpy.ndarray`
        Its missing pixels.

    holes : `~photutils_pconv.geometry.Holes`
        The holes (Table 3) in which the map is replaced, with the SNR of the
        sources in them.

    psf : `~photutils_pconv.psf.PixelPSF` or `~photutils_pconv.psf.SourcePSFs`
        The PSF on the map's pixels, or that of each source.

    settings : `SubtractionSettings`
        The network, and what is fitted.

    jy_per_pixel : float, optional
        The factor from the map's unit to Jy/pixel.

    taper_width : float, optional
        The width of the taper around each hole, in pixels.

    start : `~photutils_pconv.psf_photometry.PSFFit`, optional
        A fit with which that of the sources begins.

    Returns
    -------
    removal : `PSFRemoval`
        Fluxes and reconstruction.
    """
    data, offset = take_off_level(data, missing)
    x, y, radius = holes.x, holes.y, holes.radius
    enter_stage('PSF', len(holes))
    snr = np.nan_to_num(holes.snr)
    point = psf.scales(len(x)) == 1.0
    telling = settings.fits.tells_shape(snr) & point
    telling = find_telling(data, x, y, psf, missing=missing, snr=snr, usable=telling)
    point &= telling | ~settings.fits.tells_shape(snr)
    nominal = psf.point
    if settings.fits.fit_psf_shape:
        found = fit_shape(
            data,
            x[telling],
            y[telling],
            nominal,
            missing=missing,
            snr=snr[telling],
            angles=psf.turns(len(x))[telling],
        )
        psf = psf.with_point(found)
    fit_position = settings.fits.may_move(snr)
    fit = fit_psf(
        data, x, y, psf, missing=missing, fit_position=fit_position, start=start
    )
    # Neighbours' wings are none of the scatter that hides a source's own.
    least = _LEAST_SHARE * fit.level
    whole = model_image(data.shape, fit.x, fit.y, fit.flux, psf, level=least)
    left = Difference(data, whole)
    scatter = _scatter_around(left, missing, fit.x, fit.y, radius)
    level = _WING_SHARE * scatter
    sources = model_image(data.shape, fit.x, fit.y, fit.flux, psf, level=level)
    expected = expected_error_image(
        data.shape, fit.x, fit.y, fit.flux, psf, level=level
    )
    residual_map = _ResidualMap(
        Difference(data, sources),
        expected,
        shape_image(data.shape, fit.x, fit.y, psf),
        missing,
        settings.model.card.normalisation,
        jy_per_pixel,
    )
    blender = Blender(data.shape, len(holes), taper_width)
    inner_radius = np.zeros(len(holes))
    windows = [None] * len(holes)
    for cutouts in predict_cutouts(
        residual_map.cut,
        holes,
        model=settings.model,
        run=settings.run,
        taper_width=taper_width,
        jy_per_pixel=jy_per_pixel,
    ):
        blender.add(cutouts, holes)
        inner_radius[cutouts.index] = _inner_radius(cutouts.inputs.small_holes)
        for k in np.flatnonzero(cutouts.usable):
            windows[cutouts.index[k]] = _cut_middle(
                cutouts.emission[k], cutouts.origins[k]
            )
    # Images of large maps go as soon as they can.
    del residual_map
    enter_stage('fluxes', len(holes))
    unseen = missing | holes.mask
    flux, flux_err, null_err = measure_fluxes(
        data,
        fit,
        psf,
        beam_fwhm=settings.beam_fwhm,
        missing=missing,
        unseen=unseen,
        sources=sources,
        whole_sources=whole,
        bright=(snr >= BRIGHT_SNR) & point,
    )
    del sources
    structure, core = np.zeros((2, len(x)))
    if settings.judge_fits:
        structure = measure_structure(left, unseen, x, y, radius)
    del whole, left, unseen
    position_err = estimate_position_errors(flux, flux_err, psf, moved=fit_position)
    drawn = draw_subtraction(
        data.shape,
        fit.x,
        fit.y,
        flux,
        psf,
        holes=TaperedHoles(x, y, radius, taper_width),
        errors=(flux_err, position_err) if settings.judge_fits else None,
        level=level,
    )
    residual = Difference(data, drawn.image)
    poor, qfit, cfit = core > 0, *np.full((2, len(x)), np.nan)
    if settings.judge_fits:
        poor, core = find_poor_fits(
            residual, missing, fit, flux, structure, psf, expected_error=expected
        )
        qfit, cfit = fit_quality(
            data, fit.x, fit.y, flux, psf, missing, windows, sources=drawn.image
        )
    del expected
    reconstruction = blender.finish(missing)
    middle = expected_middles(psf, len(x))
    mismatch = np.fmax(np.abs(flux) * middle, core)
    emission = add_inpainted(
        reconstruction,
        np.divide(mismatch, structure, out=np.zeros(len(x)), where=structure > 0),
        data,
        missing,
        holes,
        settings.inpainting,
        jy_per_pixel=jy_per_pixel,
        taper_width=taper_width,
    )
    # What is no PSF has left its marks in the residual.
    for i in np.flatnonzero(poor):
        if windows[i] is not None:
            # The residual shows what is left of it, rather than the emission.
            (x0, y0), part = windows[i]
            windows[i] = windows[i][0], extract_cutout(emission, x0, y0, size=len(part))
    factor = 1.0
    if settings.aperture_radius is not None:
        factor = aperture_fraction(psf.point, settings.aperture_radius)
        factor /= aperture_fraction(nominal, settings.aperture_radius)
        ratio, ratio_err = aperture_ratio(
            residual,
            fit,
            np.where(telling, flux, np.nan),
            psf.point,
            missing,
            windows,
            aperture_radius=settings.aperture_radius,
            snr=snr,
        )
        factor *= ratio
        flux_err = np.hypot(flux_err, ratio_err * flux)
    seen = reconstruction.emission
    if poor.any():
        marked = draw_values(holes.select(poor), np.ones(poor.sum()), width=taper_width)
        seen = copy_sparse(seen)
        np.copyto(seen, emission, where=marked > 0)
    inside = reconstruction.weight > 0
    if seen is emission:
        seen = copy_sparse(emission)
    for image in (seen, emission):
        image[inside] += offset
    for image in (drawn.image, drawn.beyond):
        image[missing & (image != 0)] = 0.0
    return PSFRemoval(
        reconstruction=replace(
            reconstruction,
            emission=seen,
            wings=drawn.image,
            foreign=drawn.beyond,
        ),
        emission=emission,
        structure=structure,
        subtraction_error=with_poor_fits(drawn.error, fit, core, psf),
        flux=factor * flux,
        flux_err=factor * flux_err,
        null_err=factor * null_err,
        x=fit.x,
        y=fit.y,
        position_err=np.where(
            fit_position, np.hypot(position_err, _POSITION_FLOOR), np.nan
        ),
        inner_radius=inner_radius,
        qfit=qfit,
        cfit=cfit,
        psf=psf.point,
        unstable=fit.unstable,
        poor=poor,
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
            scatter[i] = robust_std(residual[window.region][use])
    return scatter


@dataclass(frozen=True, eq=False)
class _ResidualMap:
    """
    A map minus its sources, from which a network's input is cut.
    """

    residual: np.ndarray
    error: np.ndarray
    shapes: np.ndarray
    missing: np.ndarray
    normalisation: dict
    jy_per_pixel: float

    def cut(self, batch, origins, size):
        """
        Cut the input of a batch of cutouts, as `predict_cutouts` asks for it.
        """
        residual, error, shapes = (
            cut_stack(image, origins, size)
            for image in (self.residual, self.error, self.shapes)
        )
        absent = cut_stack(self.missing, origins, size, fill_value=True)
        residual[absent] = 0.0
        holes = small_holes(residual, error, absent) & ~absent
        validity = ~(absent | holes)
        images, scaling = residual_channels(
            residual * self.jy_per_pixel,
            error * self.jy_per_pixel,
            shapes,
            validity,
            absent,
            self.normalisation,
        )
        return CutoutInput(images, validity, scaling, small_holes=holes)


def _inner_radius(holes):
    """Give the radii of discs with the area of the small holes in cutouts."""
    middle = holes.shape[-1] // 2
    near = slice(middle - _NEAR, middle + _NEAR)
    return np.sqrt(holes[:, near, near].sum(axis=(1, 2)) / np.pi)


def _cut_middle(emission, origin):
    """Cut what a fit sees of a cutout; return its first pixel and itself."""
    margin = len(emission) // 2 - int(FIT_RADIUS) - 3
    return origin + margin, emission[margin:-margin, margin:-margin].copy()
