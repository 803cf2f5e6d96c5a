# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What users get of a removal: the cleaned map, the table, and what was done.
"""

from dataclasses import dataclass, replace

import numpy as np

from photutils_pconv.geometry.parts import Overlaid
from photutils_pconv.photometry.flags import SourceFlags
from photutils_pconv.removal.draws import Draws
from photutils_pconv.removal.provenance import make_history, make_meta
from photutils_pconv.removal.result import SourceRemovalResult
from photutils_pconv.removal.sources import flag_holes
from photutils_pconv.removal.table import make_photometry_table

__all__ = ['assemble']


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
    flags = flag_holes(
        holes, reconstruction.filled, grid, model=settings.model, run=settings.run
    )
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
    images = _make_images(removal, map_input)
    draws = drawn = None
    if removal.sample is not None:
        filled_holes = holes.select(reconstruction.filled)
        stamps = removal.sample.stamps
        draws = Draws(images.cleaned, grid.missing, filled_holes, stamps, images.lost)
    cleaned = images.cleaned
    if settings.fill == 'draw':
        drawn = draws.model.draw(np.random.default_rng(settings.draw_seed))
        cleaned = np.asarray(cleaned) + drawn
    history = make_history(meta, int(reconstruction.filled.sum()))
    return SourceRemovalResult(
        cleaned=map_input.like_input(cleaned, error=images.error, history=history),
        photometry=table,
        sources=map_input.like_input(images.sources, fill=0.0),
        holes=images.changed,
        map_input=map_input,
        drawn=drawn,
        draws=draws,
        emission=images.emission,
    )


@dataclass(frozen=True, eq=False)
class _Images:
    """
    What a removal found, on the whole map; what it left alone takes no memory.
    """

    cleaned: np.ndarray | Overlaid
    sources: np.ndarray | Overlaid
    lost: np.ndarray | Overlaid
    changed: np.ndarray
    error: np.ndarray | None
    emission: np.ndarray


def _make_images(removal, map_input):
    """Give the images of a removal on the whole map."""
    grid, composition, parts = removal.grid, removal.composition, removal.parts
    reconstruction = removal.filled.reconstruction
    changed = reconstruction.holes
    if parts is None:
        return _Images(
            cleaned=composition.cleaned,
            sources=grid.data - composition.cleaned,
            lost=composition.lost,
            changed=changed,
            error=composition.error,
            emission=reconstruction.clean(grid.data)[changed],
        )
    near = parts.gather(grid.data, fill=np.nan, dtype=float)
    on_map = map_input.make_zeros(bool)
    parts.write_to(on_map, True, changed)
    error = None
    if grid.error is not None:
        error = Overlaid(grid.error, parts, composition.error, changed)
    order = np.argsort(parts.number_pixels(changed))
    return _Images(
        cleaned=Overlaid(grid.data, parts, composition.cleaned, changed),
        sources=Overlaid(None, parts, near - composition.cleaned, changed),
        lost=Overlaid(None, parts, composition.lost, changed),
        changed=on_map,
        error=error,
        emission=reconstruction.clean(near)[changed][order],
    )
