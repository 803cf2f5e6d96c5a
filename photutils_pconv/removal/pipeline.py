# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From a map and sources to a cleaned map and a table: the stages of a removal.
"""

from dataclasses import dataclass, replace
from functools import partial

import astropy.units as u
import numpy as np

from photutils_pconv._utils.progress import enter_stage, show_stages
from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.geometry.holes import Holes
from photutils_pconv.inpainting.hole_filling import InpaintSettings
from photutils_pconv.photometry.aperture_fluxes import ApertureFluxes, AperturePlan
from photutils_pconv.photometry.calibration import get_error_calibration
from photutils_pconv.photometry.flags import SourceFlags
from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.profiles import wing_profile
from photutils_pconv.psf.resampled import resample_psf
from photutils_pconv.psf.resolved import SourcePSFs
from photutils_pconv.psf.varying import see_sources
from photutils_pconv.psf_photometry.empirical import build_empirical_psf
from photutils_pconv.psf_photometry.fitting import FitSettings
from photutils_pconv.removal.composition import Composition, compose
from photutils_pconv.removal.draws import Draws
from photutils_pconv.removal.empty_sample import EmptySample, sample_empty_holes
from photutils_pconv.removal.filling import Filled, Filler
from photutils_pconv.removal.flux_errors import FluxErrors, estimate_errors
from photutils_pconv.removal.inpaint_filler import InpaintFiller
from photutils_pconv.removal.measuring import (
    make_eef,
    make_plan,
    measure,
    measure_resolved,
)
from photutils_pconv.removal.orientations import find_turns
from photutils_pconv.removal.provenance import make_history, make_meta
from photutils_pconv.removal.psf_filler import PSFFiller
from photutils_pconv.removal.psf_subtraction import SubtractionSettings
from photutils_pconv.removal.result import SourceRemovalResult
from photutils_pconv.removal.settings import EMPIRICAL
from photutils_pconv.removal.sizes import FoundSizes, enlarge_holes, measure_sizes
from photutils_pconv.removal.sources import (
    Sources,
    choose_holes,
    flag_holes,
    locate_sources,
)
from photutils_pconv.removal.table import make_photometry_table

__all__ = [
    'Removal',
    'assemble',
    'find_psf',
    'make_filler',
    'remove_sources',
    'run_removal',
]


@dataclass(frozen=True, eq=False)
class Removal:
    """
    All that the stages of a removal found.

    Parameters
    ----------
    grid : `~photutils_pconv.geometry.MapGrid`
        The map.

    sources : `~photutils_pconv.removal.Sources`
        The N sources.

    holes : `~photutils_pconv.geometry.Holes`
        The holes of the M sources on the map.

    filler : `~photutils_pconv.removal.Filler`
        What filled them.

    filled : `~photutils_pconv.removal.Filled`
        The holes, filled.

    plan : `~photutils_pconv.photometry.AperturePlan`
        The apertures.

    fluxes : `~photutils_pconv.photometry.ApertureFluxes`
        The fluxes in them.

    errors : `~photutils_pconv.removal.FluxErrors`
        Their errors.

    composition : `~photutils_pconv.removal.Composition`
        The cleaned map.

    found_sizes : `~photutils_pconv.removal.sizes.FoundSizes`
        The sources' sizes.

    sample : `~photutils_pconv.removal.EmptySample` or `None`
        What was measured in empty holes, where they were needed.
    """

    grid: MapGrid
    sources: Sources
    holes: Holes
    filler: Filler
    filled: Filled
    plan: AperturePlan
    fluxes: ApertureFluxes
    errors: FluxErrors
    composition: Composition
    found_sizes: FoundSizes
    sample: EmptySample | None = None


def run_removal(settings, map_input, source_input):
    """
    Clean a map and measure its sources.

    Parameters
    ----------
    settings : `~photutils_pconv.removal.RemovalSettings`
        What is to be done.

    map_input : `~photutils_pconv.inputs.MapInput`
        The map.

    source_input : `~photutils_pconv.inputs.SourceInput`
        The sources.

    Returns
    -------
    result : `~photutils_pconv.SourceRemovalResult`
        The result.
    """
    removal = remove_sources(settings, map_input, source_input)
    return assemble(settings, map_input, removal)


def remove_sources(settings, map_input, source_input):
    """
    Go through the stages of a removal.

    Parameters
    ----------
    settings, map_input, source_input
        As for `run_removal`.

    Returns
    -------
    removal : `Removal`
        What each stage found.
    """
    with show_stages(settings.run.progress_bar):
        return _go_through_stages(settings, map_input, source_input)


def _go_through_stages(settings, map_input, source_input):
    """Remove sources; the progress bar shows which stage begins."""
    setup = settings.setup
    enter_stage('SNR', len(source_input))
    grid = MapGrid.from_input(map_input, setup, resample=settings.resample)
    sources = locate_sources(source_input, grid, settings, wcs=map_input.wcs)
    distinct = sources.distinct
    holes = choose_holes(distinct.x, distinct.y, grid, setup)
    if settings.psf_name == EMPIRICAL:
        enter_stage('empirical PSF', len(holes))
    psf = find_psf(settings, grid, holes)
    if settings.fit_sizes:
        enter_stage('sizes', len(holes))
    found = measure_sizes(settings, grid, holes, psf, sources)
    holes = enlarge_holes(holes, found)
    filler = make_filler(
        settings,
        grid,
        psf,
        sizes=found.sizes,
        angles=find_turns(settings, psf, sources),
        start=found.fit,
        positions=(holes.x, holes.y),
    )
    filled = filler.fill(grid, holes)
    plan = make_plan(settings, grid, psf)
    enter_stage('apertures', len(holes))
    fluxes = measure(grid, holes, filled, plan)
    if found.is_any_resolved:
        images = SourcePSFs(
            PixelPSF(get_psf(setup) if psf is None else psf, grid.pixel_scale),
            found.sizes,
        )
        fluxes = measure_resolved(grid, holes, filled, plan, fluxes, images)
    filled = filled.with_rms(fluxes.wingless_std)
    by_map = settings.error_method == 'empty_apertures'
    sample = None
    if by_map or settings.fill == 'draw':
        sample = sample_empty_holes(
            replace(grid, data=filled.reconstruction.clean(grid.data), error=None),
            holes,
            filler,
            filled,
            plan,
            rms=fluxes.local_bkg_std,
        )
    composition = compose(
        grid,
        holes,
        filled,
        keep=settings.fill != 'mean',
    )
    filled = _use_corrections(settings, grid, psf, filled, plan)
    errors = estimate_errors(
        grid,
        holes,
        filled,
        fluxes,
        plan,
        calibration=_find_calibration(settings),
        sample=sample if by_map else None,
        known_psf_errors=filler.depends_on_flux,
    )
    return Removal(
        grid=grid,
        sources=sources,
        holes=holes,
        filler=filler,
        filled=filled,
        plan=plan,
        fluxes=fluxes,
        errors=errors,
        composition=composition,
        found_sizes=found,
        sample=sample,
    )


def _use_corrections(settings, grid, psf, filled, plan):
    """
    Let fluxes of the PSF be total ones in the sense of the given corrections.

    They are those of the PSF's own encircled energy in the first aperture.
    """
    if settings.aperture_corrections is None or filled.psf_fluxes is None:
        return filled
    first = plan.radii[:1]
    own = make_eef(settings.setup, None, psf, grid.pixel_scale)(first)
    factor = float((own / plan.eef(first))[0])
    fluxes = filled.psf_fluxes
    null_err = None if fluxes.null_err is None else factor * fluxes.null_err
    fluxes = replace(
        fluxes,
        flux=factor * fluxes.flux,
        flux_err=factor * fluxes.flux_err,
        null_err=null_err,
    )
    return replace(filled, psf_fluxes=fluxes)


def find_psf(settings, grid, holes):
    """
    Give the PSF; build it if it is to come from the map.

    Parameters
    ----------
    settings : `~photutils_pconv.removal.RemovalSettings`
        The settings.

    grid : `~photutils_pconv.geometry.MapGrid`
        The map.

    holes : `~photutils_pconv.geometry.Holes`
        The holes of its sources, with their SNR.

    Returns
    -------
    psf : PSF or `None`
        The PSF.
    """
    if settings.psf_name != EMPIRICAL:
        return settings.psf
    setup = settings.setup
    scale = setup.pixel_scale.to_value(u.arcsec)
    return build_empirical_psf(
        grid.native.data,
        *grid.to_native(holes.x, holes.y),
        snr=holes.snr,
        pixel_scale=scale,
        fwhm=setup.psf_fwhm.to_value(u.arcsec) / scale,
        missing=grid.native.missing,
        wings=get_psf(setup),
    )


def make_filler(
    settings, grid, psf, *, sizes=None, angles=None, start=None, positions=None
):
    """
    Make what fills the holes of a map.

    Parameters
    ----------
    settings : `~photutils_pconv.removal.RemovalSettings`
        The settings.

    grid : `~photutils_pconv.geometry.MapGrid`
        The map, for its pixel scale.

    psf : PSF or `None`
        The PSF.

    sizes : `~photutils_pconv.psf.SourceSizes`, optional
        The sources' sizes (default: all are unresolved).

    angles : 1D `~numpy.ndarray`, optional
        The angles by which the PSF is turned at each source (`see_sources`).

    start : `~photutils_pconv.psf_photometry.PSFFit`, optional
        The fit of the PSF to the native map, where it was made already.

    positions : pair of 1D array_like, optional
        The sources' positions on the map, for a PSF that varies.

    Returns
    -------
    filler : `~photutils_pconv.removal.Filler`
        The filler.
    """
    see = partial(see_sources, psf, positions=positions, sizes=sizes, angles=angles)
    setup = settings.setup
    fits = FitSettings.for_method(
        settings.method,
        fit_positions=settings.fit_positions,
        fit_psf_shape=settings.fit_psf_shape,
    )
    inpainting = InpaintSettings(
        model=settings.inpaint_model,
        profile=wing_profile(setup),
        subtract_wings=settings.subtract_wings and settings.method == 'inpaint',
        run=settings.run,
    )
    if settings.method == 'inpaint':
        return InpaintFiller(
            inpainting,
            None if psf is None else see(grid.pixel_scale),
            fits,
        )
    scale = grid.native.pixel_scale
    subtraction = SubtractionSettings(
        model=settings.model,
        beam_fwhm=setup.psf_fwhm.to_value(u.arcsec) / scale,
        aperture_radius=settings.aperture_radii[0] / scale,
        fits=fits,
        inpainting=inpainting,
        run=settings.run,
    )
    if grid.factor == 1:
        return PSFFiller(subtraction, see(scale), start=start)

    def resample(one):
        return resample_psf(one, grid.pixel_scale, scale)

    seen = see(scale, change=resample)
    return PSFFiller(subtraction, seen, see(grid.pixel_scale), start)


def _find_calibration(settings):
    """Give the calibration of errors; None where they are to be local."""
    if settings.error_method == 'local':
        return None
    return get_error_calibration(settings.model, settings.setup)


def assemble(settings, map_input, removal):
    """
    Put the result together: map, table, flags, and what was done.

    Parameters
    ----------
    settings, map_input
        As for `run_removal`.

    removal : `Removal`
        What the stages found.

    Returns
    -------
    result : `~photutils_pconv.SourceRemovalResult`
        The result.
    """
    grid, sources, holes = removal.grid, removal.sources, removal.holes
    filled, errors = removal.filled, removal.errors
    reconstruction = filled.reconstruction
    flags = flag_holes(holes, reconstruction.filled, grid, settings.model)
    flags |= removal.fluxes.flags | errors.flags
    flags[removal.found_sizes.untold] |= SourceFlags.RESOLVED
    psf_fluxes = filled.psf_fluxes
    if psf_fluxes is not None and psf_fluxes.unstable is not None:
        flags[psf_fluxes.unstable] |= SourceFlags.UNSTABLE_FIT
    if psf_fluxes is not None and psf_fluxes.poor is not None:
        flags[psf_fluxes.poor] |= SourceFlags.POOR_FIT
    if psf_fluxes is not None and not settings.fit_positions:
        psf_fluxes = replace(psf_fluxes, x=None, y=None)
    colour = settings.colour_correction
    table = make_photometry_table(
        sources,
        holes,
        removal.fluxes,
        errors,
        psf_fluxes,
        removal.found_sizes if removal.found_sizes.shown else None,
        map_input,
        sources.flags | sources.spread(flags, fill=0),
        detection_threshold=settings.detection_threshold,
        upper_limit_probability=settings.upper_limit_probability,
        colour_factor=1.0 if colour is None else colour.factor,
        calibration_error=settings.calibration_error,
    )
    meta = make_meta(settings, filled.pixel_psf)
    if settings.error_method != 'local':
        meta['n_empty_apertures'] = errors.n_empty
        meta['error_scale'] = None if errors.ratio is None else errors.ratio.tolist()
    table.meta.update(meta)
    composition = removal.composition
    draws = drawn = None
    if removal.sample is not None:
        draws = Draws(
            composition.cleaned,
            grid.missing,
            holes.select(reconstruction.filled),
            removal.sample.stamps,
            composition.lost,
        )
    cleaned = composition.cleaned
    if settings.fill == 'draw':
        drawn = draws.model.draw(np.random.default_rng(settings.draw_seed))
        cleaned = cleaned + drawn
    return SourceRemovalResult(
        cleaned=map_input.like_input(
            cleaned,
            error=composition.error,
            history=make_history(meta, int(reconstruction.filled.sum())),
        ),
        photometry=table,
        sources=map_input.like_input(grid.data - composition.cleaned, fill=0.0),
        holes=reconstruction.holes,
        map_input=map_input,
        drawn=drawn,
        draws=draws,
        emission=reconstruction.clean(grid.data)[reconstruction.holes],
    )
