# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Holes without a source, filled and measured: what a removal is worth on a map.

This is the only place where empty holes are sampled: the errors of fluxes,
the texture, and the rms of backgrounds follow from it.
"""

from dataclasses import dataclass, replace

import numpy as np

from photutils_pconv._utils.progress import single_stage
from photutils_pconv.geometry.empty_holes import choose_empty_radii, place_empty_holes
from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.geometry.holes import Holes
from photutils_pconv.geometry.lazy_images import Difference
from photutils_pconv.geometry.parts import find_parts
from photutils_pconv.photometry.annulus import measure_annuli
from photutils_pconv.photometry.apertures import sum_removed
from photutils_pconv.psf.source_images import model_image
from photutils_pconv.removal.filling import Filled
from photutils_pconv.removal.measuring import measure
from photutils_pconv.removal.nearby import find_reach
from photutils_pconv.removal.structure import scales_around
from photutils_pconv.removal.texture_models import cut_residuals

__all__ = ['EmptySample', 'FilledEmpty', 'fill_empty_holes', 'sample_empty_holes']

# Where empty holes lie is no choice of the user's; a number by choice.
_PLACES_SEED = 20250411


@dataclass(frozen=True, eq=False)
class FilledEmpty:
    """
    One round of empty holes, filled.

    Parameters
    ----------
    holes : `~photutils_pconv.geometry.Holes`
        The holes, in pixels of the map.

    whole : `~photutils_pconv.geometry.MapGrid`
        The map without its sources, or the parts of it that were worked on.

    grid : `~photutils_pconv.geometry.MapGrid`
        What was filled: the same with the sources' holes missing, and with what was
        put into the empty ones.

    filled : `~photutils_pconv.removal.Filled`
        The holes, filled; the errors of PSF fluxes may be in units of the
        rms.

    injected : 1D `~numpy.ndarray`
        The fluxes that were put into the holes, in the map's unit times
        pixel.

    image : 2D `~numpy.ndarray` or `None`
        The image of what was put into them.
    """

    holes: Holes
    whole: MapGrid
    grid: MapGrid
    filled: Filled
    injected: np.ndarray
    image: np.ndarray | None


@dataclass(frozen=True, eq=False)
class EmptySample:
    """
    What was measured in empty holes, K of them.

    Parameters
    ----------
    radius, rms : (K,) `~numpy.ndarray`
        The holes' radii, in pixels, and the local rms around them, in the
        map's unit.

    flux, hole_fraction : (K, A) `~numpy.ndarray`
        The fluxes, not corrected for the aperture, less what was put in,
        in the map's unit times pixel, and the part of each aperture in its
        hole.

    psf_flux, psf_err : (K,) `~numpy.ndarray`
        The PSF fluxes, likewise, and the errors that their fit expects;
        NaN without a PSF.

    stamps : tuple of `~photutils_pconv.removal.texture_models.ResidualStamp`
        The residuals: map minus reconstruction.
    """

    radius: np.ndarray
    rms: np.ndarray
    flux: np.ndarray
    hole_fraction: np.ndarray
    psf_flux: np.ndarray
    psf_err: np.ndarray
    stamps: tuple

    def __len__(self):
        return self.radius.size


def fill_empty_holes(
    grid,
    holes,
    filler,
    *,
    annulus_radii,
    pixel_psf=None,
    brightness=None,
    n_empty=None,
    seed=None,
    by_parts=False,
):
    """
    Place holes where there are no sources, and fill them.

    Parameters
    ----------
    grid : `~photutils_pconv.geometry.MapGrid`
        The map without its sources.

    holes : `~photutils_pconv.geometry.Holes`
        The holes of the M sources on the map.

    filler : `~photutils_pconv.removal.Filler`
        What filled them.

    annulus_radii : 2-tuple of float
        The annulus of the local rms, in pixels.

    pixel_psf : `~photutils_pconv.psf.PixelPSF`, optional
        The PSF that was found on the map.

    brightness : (M,) `~numpy.ndarray`, optional
        The sources' fluxes in units of the local rms, needed by a filler
        that depends on the flux: a source that is as bright as the sources
        with holes of that size are is then put into every empty hole.

    n_empty : int, optional
        The number of holes; see
        `~photutils_pconv.geometry.choose_empty_radii`.

    seed : int, optional
        The seed of their places.

    by_parts : bool, optional
        Whether only the parts of the map around the holes are worked on, where that
        is less: what is yielded lies on them then.

    Yields
    ------
    part : `FilledEmpty`
        A round of holes that are far from each other.
    """
    rng = np.random.default_rng(_PLACES_SEED if seed is None else seed)
    radii = choose_empty_radii(holes.radius, rng=rng, n_empty=n_empty)
    empty = place_empty_holes(grid.missing, holes, radii, rng=rng)
    grid, unseen, empty = _take_nearby(
        grid,
        holes,
        empty,
        annulus_radii,
        by_parts=by_parts,
        wings=not filler.depends_on_flux,
    )
    injected = np.zeros(len(empty))
    if filler.depends_on_flux and len(empty):
        places = empty.holes
        (around,) = measure_annuli(
            [(grid.data, grid.missing)],
            places.x,
            places.y,
            np.ones(len(places), dtype=bool),
            annulus_radii,
        )
        levels = _class_levels(places.radius, holes.radius, brightness)
        injected = levels * np.nan_to_num(around.local_bkg_std)
    with single_stage('errors', len(empty), unit='empty hole') as advance:
        for index, places in empty.by_round():
            data, image = grid.data, None
            if injected[index].any():
                image = _source_image(grid, places, injected[index], pixel_psf)
                data = grid.data + image
            part = replace(grid, data=data, missing=unseen)
            yield FilledEmpty(
                holes=places,
                whole=grid,
                grid=part,
                filled=filler.fill_empty(part, places, pixel_psf),
                injected=injected[index],
                image=image,
            )
            advance(len(places))


def _take_nearby(grid, holes, empty, annulus_radii, *, by_parts, wings):
    """
    Take what is near empty holes: map, pixels not to be seen, and the holes.
    """
    parts = None
    if by_parts and grid.factor == 1:
        places = empty.holes
        reach = find_reach(places.radius, annulus_radii[1], 0.0, wings=wings)
        parts = find_parts(grid.missing.shape, places.x, places.y, reach)
    if parts is None:
        return grid.in_double(), grid.missing | holes.mask, empty
    unseen = parts.gather(grid.missing, fill=True)
    for region, place in zip(parts.regions, parts.places, strict=True):
        unseen[place] |= holes.mask_within(region)
    moved = replace(empty, holes=parts.move_holes(empty.holes))
    return parts.gather_grid(grid), unseen, moved


def sample_empty_holes(
    grid,
    holes,
    filler,
    filled,
    plan,
    *,
    rms=None,
    n_empty=None,
    seed=None,
    by_parts=False,
):
    """
    Place, fill and measure empty holes.

    Parameters
    ----------
    grid : `~photutils_pconv.geometry.MapGrid`
        The map without its sources.

    holes : `~photutils_pconv.geometry.Holes`
        The holes of the M sources on the map.

    filler : `~photutils_pconv.removal.Filler`
        What filled them.

    filled : `~photutils_pconv.removal.Filled`
        Those holes, filled.

    plan : `~photutils_pconv.photometry.AperturePlan`
        The apertures.

    rms : (M,) `~numpy.ndarray`, optional
        The local rms around the sources, in the map's unit, needed by a
        filler that depends on the flux.

    n_empty, seed, by_parts : optional
        As for `fill_empty_holes`.

    Returns
    -------
    sample : `EmptySample`
        The measurements.
    """
    n_apertures = plan.radii.size
    rows = [tuple(np.empty((0, n_apertures) if k in (2, 3) else 0) for k in range(6))]
    kept = []
    brightness = None
    if filler.depends_on_flux:
        with np.errstate(divide='ignore', invalid='ignore'):
            # Not finite where the map is flat: such sources determine nothing.
            brightness = filled.psf_fluxes.flux / rms
    for part in fill_empty_holes(
        grid,
        holes,
        filler,
        annulus_radii=plan.pixel_annulus,
        pixel_psf=filled.pixel_psf,
        brightness=brightness,
        n_empty=n_empty,
        seed=seed,
        by_parts=by_parts,
    ):
        use = part.filled.reconstruction.filled
        rows.append(tuple(column[use] for column in _measure_round(part, plan)))
        kept += _cut_stamps(part)
    columns = [np.concatenate(column) for column in zip(*rows, strict=True)]
    return EmptySample(*columns, stamps=tuple(kept))


def _measure_round(part, plan):
    """
    Measure a round of empty holes; return the columns of `EmptySample`.
    """
    grid = part.whole
    # The sources' holes are no gaps of the map: annuli may see what is there.
    whole = MapGrid(part.grid.data, grid.missing, pixel_scale=grid.pixel_scale)
    fluxes = measure(whole, part.holes, part.filled, plan, unseen=part.grid.missing)
    filled = part.filled.with_rms(fluxes.wingless_std)
    flux = fluxes.flux / fluxes.aperture_correction
    if part.image is not None:
        inside = np.ones(len(part.holes), dtype=bool) & filled.reconstruction.filled
        flux -= sum_removed(
            part.image,
            np.zeros(part.image.shape, dtype=bool),
            part.holes.x,
            part.holes.y,
            inside,
            part.holes.radius,
            plan.pixel_radii,
            np.zeros(len(part.holes)),
        ).flux
    psf_flux, psf_err = np.full((2, len(part.holes)), np.nan)
    if filled.psf_fluxes is not None:
        psf_flux = filled.psf_fluxes.flux - part.injected
        psf_err = filled.psf_fluxes.flux_err
    return (
        part.holes.radius,
        fluxes.local_bkg_std,
        flux,
        fluxes.hole_fraction,
        psf_flux,
        psf_err,
    )


def _cut_stamps(part):
    """
    Cut the residuals of a round of empty holes.
    """
    reconstruction = part.filled.reconstruction
    usable = part.holes.select(reconstruction.filled)
    unusable = part.grid.missing | usable.mask
    where = (usable.x, usable.y, usable.radius)
    data = part.whole.data
    scales = scales_around(data, unusable, *where)
    residual = Difference(data, reconstruction.emission)
    return cut_residuals(residual, *where, scales)


def _class_levels(empty_radius, radius, ratio):
    """
    Give each empty hole the median flux over rms of its class' sources.
    """
    level = np.zeros(empty_radius.size)
    for one in np.unique(empty_radius):
        members = ratio[(radius == one) & np.isfinite(ratio)]
        if members.size:
            level[empty_radius == one] = max(np.median(members), 0.0)
    return level


def _source_image(grid, holes, flux, pixel_psf):
    """
    Draw sources on the map's grid with a PSF on native pixels.
    """
    shape, factor = grid.data.shape, grid.factor
    if factor == 1:
        return model_image(shape, holes.x, holes.y, flux, pixel_psf)
    image = np.zeros(shape)
    rows, columns = np.indices(shape)
    for i in range(len(holes)):
        dx, dy = (columns - holes.x[i]) * factor, (rows - holes.y[i]) * factor
        # A map pixel holds the flux of factor**2 native ones.
        image += flux[i] * factor**2 * pixel_psf.evaluate(dx, dy)
    return image
