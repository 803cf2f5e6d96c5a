# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
From a map and sources to a cleaned map and a table: the stages of a removal.
"""

from dataclasses import dataclass, replace
from functools import partial

import astropy.units as u

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.progress import enter_stage, show_stages
from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.geometry.holes import Holes
from photutils_pconv.geometry.parts import MapParts
from photutils_pconv.inpainting.hole_filling import InpaintSettings
from photutils_pconv.photometry.aperture_fluxes import ApertureFluxes, AperturePlan
from photutils_pconv.photometry.calibration import get_error_calibration
from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.profiles import wing_profile
from photutils_pconv.psf.resampled import resample_psf
from photutils_pconv.psf.resolved import SourcePSFs
from photutils_pconv.psf.varying import see_sources
from photutils_pconv.psf_photometry.empirical import build_empirical_psf
from photutils_pconv.psf_photometry.fitting import FitSettings
from photutils_pconv.removal.assembly import assemble
from photutils_pconv.removal.composition import Composition, compose
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
from photutils_pconv.removal.nearby import Nearby
from photutils_pconv.removal.orientations import find_turns
from photutils_pconv.removal.psf_filler import PSFFiller
from photutils_pconv.removal.psf_subtraction import SubtractionSettings
from photutils_pconv.removal.settings import EMPIRICAL
from photutils_pconv.removal.sizes import FoundSizes, enlarge_holes, measure_sizes
from photutils_pconv.removal.sources import (
    Sources,
    choose_holes,
    locate_sources,
)

__all__ = [
    'Removal',
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

    parts : `~photutils_pconv.geometry.parts.MapParts` or `None`
        The parts of the map that the images of ``filled`` and ``composition`` show;
        `None` for the whole map. Positions are those on the map in any case.
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
    parts: MapParts | None = None


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
    removal = remove_sources(settings, map_input, source_input, by_parts=True)
    return assemble(settings, map_input, removal)


def remove_sources(settings, map_input, source_input, *, by_parts=False):
    """
    Go through the stages of a removal.

    Parameters
    ----------
    settings, map_input, source_input
        As for `run_removal`.

    by_parts : bool, optional
        Whether only the parts of the map around the sources are worked on, where
        that is less. The images found are those of the parts then.

    Returns
    -------
    removal : `Removal`
        What each stage found.
    """
    by_parts = to_bool(by_parts, 'by_parts')
    with show_stages(settings.run.progress_bar):
        return _go_through_stages(settings, map_input, source_input, by_parts)


def _go_through_stages(settings, map_input, source_input, by_parts):
    """Remove sources; the progress bar shows which stage begins."""
    setup = settings.setup
    enter_stage('SNR', len(source_input))
    whole = MapGrid.from_input(map_input, setup, resample=settings.resample)
    sources = locate_sources(source_input, whole, settings, wcs=map_input.wcs)
    distinct = sources.distinct
    on_map = choose_holes(distinct.x, distinct.y, whole, setup)
    near = Nearby.around(whole, on_map, settings, by_parts=by_parts)
    grid, holes = near.grid, near.holes
    whole = grid if near.parts is None else whole
    if settings.psf_name == EMPIRICAL:
        enter_stage('empirical PSF', len(holes))
    psf = find_psf(settings, grid, holes)
    if settings.fit_sizes:
        enter_stage('sizes', len(holes))
    found = measure_sizes(settings, grid, holes, psf, sources)
    start = found.fit
    if found.is_any_resolved:
        on_map = enlarge_holes(on_map, found)
        wider = near.widen(whole, on_map, found.scales(), settings)
        start = None if start is None else near.carry(start, wider)
        near, grid, holes = wider, wider.grid, wider.holes
    filler = make_filler(
        settings,
        grid,
        psf,
        sizes=found.sizes,
        angles=find_turns(settings, psf, sources),
        start=start,
        positions=(on_map.x, on_map.y),
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
            replace(
                whole,
                data=near.lay_over(
                    whole.data,
                    filled.reconstruction.clean(grid.data),
                    filled.reconstruction.holes,
                ),
                error=None,
            ),
            on_map,
            filler,
            filled,
            plan,
            rms=fluxes.local_bkg_std,
            by_parts=by_parts,
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
    if near.parts is not None and filled.psf_fluxes is not None:
        x, y = near.parts.move_back(filled.psf_fluxes.x, filled.psf_fluxes.y)
        filled = replace(filled, psf_fluxes=replace(filled.psf_fluxes, x=x, y=y))
    return Removal(
        grid=whole,
        sources=sources,
        holes=on_map,
        filler=filler,
        filled=filled,
        plan=plan,
        fluxes=fluxes,
        errors=errors,
        composition=composition,
        found_sizes=found,
        sample=sample,
        parts=near.parts,
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
