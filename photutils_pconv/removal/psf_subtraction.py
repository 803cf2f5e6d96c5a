# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Removal of sources with a known PSF.

A linear fit of PSF and polynomial finds the fluxes; what is left after
the sources' subtraction is the emission plus the PSF's mismatch. The
fluxes are then measured with the filters that scatter least on the map
without its sources. A network looks under the sources for the emission;
where the mismatch exceeds it, another one finds it from what is around.

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
from photutils_pconv.geometry.cutouts import cutout_origin, extract_cutout
from photutils_pconv.geometry.holes import TAPER_WIDTH, draw_values
from photutils_pconv.geometry.lazy_images import Difference, copy_sparse
from photutils_pconv.geometry.squares import SquareStack, group_alike
from photutils_pconv.geometry.windows import disc
from photutils_pconv.inpainting.hole_filling import InpaintSettings
from photutils_pconv.network.kinds import check_kind
from photutils_pconv.network.running import RunOptions
from photutils_pconv.psf.source_images import (
    TaperedHoles,
    draw_subtraction,
    model_image,
)
from photutils_pconv.psf_photometry.aperture_scale import (
    aperture_fraction,
    aperture_ratio,
)
from photutils_pconv.psf_photometry.filter_fluxes import measure_fluxes
from photutils_pconv.psf_photometry.fitting import (
    BRIGHT_SNR,
    FitSettings,
    PSFFit,
    fit_psf,
)
from photutils_pconv.psf_photometry.quality import fit_quality
from photutils_pconv.psf_photometry.shape import find_telling, fit_shape
from photutils_pconv.removal.mismatch import (
    estimate_position_errors,
    expected_middles,
    find_poor_fits,
    find_unseen_emission,
    mix_emissions,
    with_poor_fits,
)
from photutils_pconv.removal.psf_removal import PSFRemoval
from photutils_pconv.removal.seen_emission import (
    WINDOW_SIDE,
    ResidualMap,
    look_under_sources,
)
from photutils_pconv.removal.structure import measure_structure

__all__ = [
    'SubtractionSettings',
    'remove_with_psf',
]

# Wings are subtracted down to this share of the local scatter; by choice.
_WING_SHARE = 0.05
# Wings below this share of a fit's ``level`` are those of no source; by choice.
_LEAST_SHARE = 0.05
# The radius within which that scatter is measured, in pixels: that of the robust
# normalisation of cutouts, by choice.
_SCATTER_RADIUS = 24.0
# The error of a position along an axis that the PSF's mismatch makes, in pixels:
# by choice, a little more than the 0.021 to 0.023 of sources above SNR 40 on real
# backgrounds with in-flight PSFs (benchmarks/composition.py, 2026-11-29).
_POSITION_FLOOR = 0.025


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
    fitted = _fit_sources(data, missing, holes, psf, settings.fits, start)
    fit, nominal, psf = fitted.fit, psf.point, fitted.psf
    # Neighbours' wings are none of the scatter that hides a source's own.
    least = _LEAST_SHARE * fit.level
    whole = model_image(data.shape, fit.x, fit.y, fit.flux, psf, level=least)
    left = Difference(data, whole)
    scatter = _scatter_around(left, missing, fit.x, fit.y, radius)
    level = _WING_SHARE * scatter
    sources = model_image(data.shape, fit.x, fit.y, fit.flux, psf, level=level)
    enter_stage('fluxes', len(holes))
    unseen_pixels = missing | holes.mask
    flux, flux_err, null_err = measure_fluxes(
        data,
        fit,
        psf,
        beam_fwhm=settings.beam_fwhm,
        missing=missing,
        unseen=unseen_pixels,
        sources=sources,
        whole_sources=whole,
        bright=fitted.is_bright,
    )
    structure, core = np.zeros((2, len(x)))
    if settings.judge_fits:
        structure = measure_structure(left, unseen_pixels, x, y, radius)
    # Images of large maps go as soon as they can.
    del whole, left, unseen_pixels
    position_err = estimate_position_errors(flux, flux_err, psf, moved=fitted.moved)
    drawn = draw_subtraction(
        data.shape,
        fit.x,
        fit.y,
        flux,
        psf,
        holes=TaperedHoles(x, y, radius, taper_width),
        errors=(flux_err, position_err) if settings.judge_fits else None,
        level=level,
        fit_flux=fit.flux,
    )
    residual = Difference(data, drawn.image)
    poor = core > 0
    if settings.judge_fits:
        poor, core = find_poor_fits(
            residual,
            missing,
            fit,
            flux,
            structure,
            psf,
            expected_error=drawn.expected_error,
        )
    mismatch = np.fmax(np.abs(flux) * expected_middles(psf, len(x)), core)
    unseen = find_unseen_emission(
        np.divide(mismatch, structure, out=np.zeros(len(x)), where=structure > 0),
        data,
        missing,
        holes,
        settings.inpainting,
        jy_per_pixel=jy_per_pixel,
        taper_width=taper_width,
    )
    seen = look_under_sources(
        ResidualMap(
            Difference(data, sources),
            drawn.expected_error,
            drawn.shapes,
            missing,
            settings.model.card.normalisation,
            jy_per_pixel,
        ),
        holes,
        np.ones(len(x), dtype=bool) if unseen is None else ~unseen.drowned,
        model=settings.model,
        run=settings.run,
        taper_width=taper_width,
    )
    del sources
    drawn = replace(drawn, expected_error=None, shapes=None)
    reconstruction, emission = mix_emissions(seen.reconstruction, unseen)
    # What is no PSF has left its marks in the residual.
    hidden = poor if unseen is None else poor | unseen.drowned
    windows = _replace_windows(
        seen.windows, hidden, holes, reconstruction, emission, residual
    )
    qfit, cfit = np.full((2, len(x)), np.nan)
    if settings.judge_fits:
        qfit, cfit = fit_quality(
            data, fit.x, fit.y, flux, psf, missing, windows, sources=drawn.image
        )
    factor = 1.0
    if settings.aperture_radius is not None:
        factor = aperture_fraction(psf.point, settings.aperture_radius)
        factor /= aperture_fraction(nominal, settings.aperture_radius)
        ratio, ratio_err = aperture_ratio(
            residual,
            fit,
            np.where(fitted.telling, flux, np.nan),
            psf.point,
            missing,
            windows,
            aperture_radius=settings.aperture_radius,
            snr=np.nan_to_num(holes.snr),
        )
        factor *= ratio
        flux_err = np.hypot(flux_err, ratio_err * flux)
    shown = reconstruction.emission
    if poor.any():
        marked = draw_values(holes.select(poor), np.ones(poor.sum()), width=taper_width)
        shown = copy_sparse(shown)
        np.copyto(shown, emission, where=marked > 0)
    inside = reconstruction.inside
    if shown is emission:
        shown = copy_sparse(emission)
    for image in (shown, emission):
        image.ravel()[inside] += offset
    if missing.any():
        for image in (drawn.image, drawn.beyond):
            image[missing & (image != 0)] = 0.0
    return PSFRemoval(
        reconstruction=replace(
            reconstruction,
            emission=shown,
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
            fitted.moved, np.hypot(position_err, _POSITION_FLOOR), np.nan
        ),
        inner_radius=seen.inner_radius,
        qfit=qfit,
        cfit=cfit,
        psf=psf.point,
        unstable=fit.unstable,
        poor=poor,
    )


@dataclass(frozen=True, eq=False)
class _FittedSources:
    """
    The fit of a map's PSF to its sources.
    """

    fit: PSFFit
    psf: Any
    moved: np.ndarray
    telling: np.ndarray
    is_bright: np.ndarray


def _fit_sources(data, missing, holes, psf, fits, start):
    """
    Find the PSF's shape on the map, and fit it to all sources.
    """
    x, y, snr = holes.x, holes.y, np.nan_to_num(holes.snr)
    tells_shape = fits.tells_shape(snr)
    point = psf.scales(len(x)) == 1.0
    telling = find_telling(
        data, x, y, psf, missing=missing, snr=snr, usable=tells_shape & point
    )
    if fits.fit_psf_shape:
        found = fit_shape(
            data,
            x[telling],
            y[telling],
            psf.point,
            missing=missing,
            snr=snr[telling],
            angles=psf.turns(len(x))[telling],
        )
        psf = psf.with_point(found)
    moved = fits.may_move(snr)
    fit = fit_psf(data, x, y, psf, missing=missing, fit_position=moved, start=start)
    point &= telling | ~tells_shape
    return _FittedSources(fit, psf, moved, telling, (snr >= BRIGHT_SNR) & point)


def _scatter_around(residual, missing, x, y, radius):
    """
    Measure the scatter around each source, on the map without sources.
    """
    scatter = np.zeros(len(x))
    half = int(_SCATTER_RADIUS)
    # It is a threshold: every second row and column tell enough.
    part = slice(0, 2 * half + 1, 2)
    for group in group_alike(range(len(x)), lambda i: radius[i]):
        squares = SquareStack.around(x[group], y[group], half)
        dx, dy = squares.offsets(x[group], y[group])
        use = ~disc(dx[..., part], dy[..., part, :], radius[group[0]])
        use &= ~squares.cut(missing, fill_value=True)[..., part, part]
        values = squares.cut(residual)[..., part, part]
        for i, one, seen in zip(group, values, use, strict=True):
            if seen.any():
                scatter[i] = robust_std(one[seen])
    return scatter


def _replace_windows(windows, hidden, holes, reconstruction, emission, residual):
    """
    Give the windows of hidden sources the best estimate in place of what was seen.

    Beyond the holes it is the map without its sources.
    """
    windows = list(windows)
    for i in np.flatnonzero(hidden & reconstruction.filled):
        x0, y0 = cutout_origin(holes.x[i], holes.y[i], size=WINDOW_SIDE)
        part, weight, around = (
            extract_cutout(image, x0, y0, size=WINDOW_SIDE)
            for image in (emission, reconstruction.weight, residual)
        )
        windows[i] = np.array([x0, y0]), np.where(weight > 0, part, around)
    return windows
