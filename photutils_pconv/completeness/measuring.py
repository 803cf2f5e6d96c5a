# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Injection and recovery of synthetic sources on a map.
"""

from dataclasses import dataclass, replace

import astropy.units as u
import numpy as np
from astropy.table import vstack

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.executors import check_executor
from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.completeness.injection_field import InjectionField
from photutils_pconv.completeness.places import draw_rounds, find_room, split_rounds
from photutils_pconv.completeness.results import Completeness
from photutils_pconv.completeness.rounds import run_rounds
from photutils_pconv.completeness.settings import (
    N_PER_FLUX,
    InjectionSettings,
    parse_fluxes,
)
from photutils_pconv.geometry.holes import TAPER_WIDTH
from photutils_pconv.inputs.sources import mask_excluded, parse_sources
from photutils_pconv.psf.library import parse_psf
from photutils_pconv.removal.remover import NeuralSourceRemover

__all__ = ['measure_completeness']

# The default fluxes: so many, from and to these multiples of the error without a
# source; by choice, from hardly any that are found to all of them.
_N_FLUXES = 8
_FAINTEST, _BRIGHTEST = 1.0, 30.0


def measure_completeness(
    data,
    sources,
    *,
    remover,
    fluxes=None,
    n_per_flux=None,
    places=None,
    psf=None,
    n_per_round=None,
    threshold=None,
    position_tolerance=None,
    position_error=None,
    separation=None,
    clearance=None,
    seed=0,
    executor=None,
    progress_bar=False,
    hdu=None,
    mask=None,
    coverage_mask=None,
    error=None,
    wcs=None,
    beam=None,
):
    """
    Measure the completeness and the errors of photometry on a map.

    Synthetic sources are put into the map, a few at a time, and are removed and
    measured together with the real ones, by the same remover.

    Parameters
    ----------
    data, hdu, mask, coverage_mask, error, wcs, beam : optional
        The map, as `~photutils_pconv.NeuralSourceRemover` takes it. Where it has
        an error array, that stays as it is: it does not know the photon noise of
        what is injected.

    sources : SkyCoord, table, path or (N, 2) array
        The real sources, likewise.

    remover : `~photutils_pconv.NeuralSourceRemover`
        What removes and measures sources.

    fluxes : array_like or `~astropy.units.Quantity`, optional
        The fluxes of the injected sources; numbers are in Jy, or, for a map
        without unit, in its values times pixel. By default eight, in
        logarithmic steps from 1 to 30 times the median error that sources at
        such places have at flux 0.

    n_per_flux, n_per_round, threshold, position_tolerance, position_error, \
    separation, clearance, seed : optional
        See `~photutils_pconv.completeness.InjectionSettings`.

    places : SkyCoord, table, path or (P, 2) array, optional
        Where sources are injected. By default at random, away from the holes of
        real sources, from missing pixels, and from the map's edge.

    psf : str, path-like, array, ``ImagePSF`` or `~photutils_pconv.psf.SampledPSF`, \
          optional
        The PSF of the injected sources, as the remover takes it, averaged over
        all angles if it is not round, and of flux 1. By default the remover's,
        with the angle and the width that it finds on the map, and the flux in the
        first aperture that it expects; without one, the setup's.

    executor : `concurrent.futures.Executor` or dask ``Client``, optional
        What runs the rounds, by its method ``submit``. By default they are run
        one by one. The result does not depend on it.

    progress_bar : bool, optional
        Whether to show a progress bar.

    Returns
    -------
    completeness : `~photutils_pconv.completeness.Completeness`
        Shares, biases and errors by flux.

    Raises
    ------
    TypeError, ValueError
        If an argument is not accepted, or there is no room for sources.

    Examples
    --------
    >>> remover = NeuralSourceRemover(mode='scanmap', band='green')
    >>> found = measure_completeness(ccd, table, remover=remover)  # doctest: +SKIP
    >>> found.flux_at(0.9)  # doctest: +SKIP
    """
    settings = InjectionSettings(
        n_per_flux=n_per_flux,
        n_per_round=n_per_round,
        threshold=threshold,
        position_tolerance=position_tolerance,
        position_error=position_error,
        separation=separation,
        clearance=clearance,
        seed=seed,
    )
    progress_bar = to_bool(progress_bar, 'progress_bar')
    _check_tools(remover, executor)
    chosen, map_input = remover.read_map(
        data,
        hdu=hdu,
        mask=mask,
        coverage_mask=coverage_mask,
        error=error,
        wcs=wcs,
        beam=beam,
    )
    setup = chosen.setup
    source_input = parse_sources(sources, wcs=map_input.wcs)
    map_input = mask_excluded(map_input, source_input)
    if fluxes is not None:
        fluxes = parse_fluxes(fluxes, map_input.flux_unit)
    if places is not None:
        places = _parse_places(places, map_input)
    psf = parse_psf(psf, setup)
    field = InjectionField.from_removal(chosen, map_input, source_input, psf)
    plan = _Plan(field, settings, places, np.random.default_rng(seed))
    if fluxes is None:
        fluxes = _choose_fluxes(field, plan)
    rounds = plan.make_rounds(fluxes)
    tables = run_rounds(
        field.scene, rounds, executor=executor, progress_bar=progress_bar
    )
    if threshold is None:
        threshold = chosen.detection_threshold
    return Completeness.from_sources(
        _join(rounds, tables, field),
        flux_unit=map_input.flux_unit,
        threshold=float(threshold),
        position_tolerance=settings.position_tolerance,
        meta={
            'setup': setup.name,
            'method': chosen.method,
            'model': chosen.model.name,
            'seed': seed if isinstance(seed, int) else None,
        },
    )


def _check_tools(remover, executor):
    """Refuse what cannot remove sources, or run anything."""
    if not isinstance(remover, NeuralSourceRemover):
        msg = f'remover must be a NeuralSourceRemover, got {remover!r}.'
        raise TypeError(msg)
    check_executor(executor)


def _parse_places(places, map_input):
    """Return the pixel positions of given places, all on the map."""
    found = parse_sources(places, wcs=map_input.wcs)
    ny, nx = map_input.shape
    with np.errstate(invalid='ignore'):
        inside = (np.abs(found.x - (nx - 1) / 2) < nx / 2) & (
            np.abs(found.y - (ny - 1) / 2) < ny / 2
        )
    if len(found) == 0 or not inside.all():
        msg = (
            'places must be one or more positions on the map, got '
            f'{len(found)}, of which {np.count_nonzero(~inside)} are not on it.'
        )
        raise ValueError(msg)
    column, row = np.round([found.x, found.y]).astype(int)
    if map_input.missing[row, column].any():
        n = np.count_nonzero(map_input.missing[row, column])
        msg = f'{n} of {len(found)} places lie on missing pixels: leave them out.'
        raise ValueError(msg)
    return np.stack([found.x, found.y])


@dataclass(frozen=True, eq=False)
class _Plan:
    """How sources are spread over a map and over rounds."""

    field: InjectionField
    settings: InjectionSettings
    places: np.ndarray | None
    rng: np.random.Generator

    def make_rounds(self, fluxes):
        """Make the rounds of the injection of some fluxes."""
        settings, field = self.settings, self.field
        n_per_flux = settings.n_per_flux
        how = {
            'n_per_round': settings.round_size(len(field.scene.x)),
            'separation': self._to_pixels(settings.separation, self._far_apart()),
            'position_error': self._to_pixels(settings.position_error, 0.0),
            'rng': self.rng,
        }
        if self.places is None:
            clearance = self._to_pixels(settings.clearance, self._clear())
            room = find_room(field.occupied, clearance)
            n_per_flux = N_PER_FLUX if n_per_flux is None else n_per_flux
            return draw_rounds(
                np.repeat(fluxes, n_per_flux), room, field.occupied.shape, **how
            )
        n_places = self.places.shape[1]
        n_per_flux = n_places if n_per_flux is None else n_per_flux
        # Every flux is at all places as often, but for what is left over.
        index = [
            np.concatenate(
                [
                    self.rng.permutation(n_places)
                    for _ in range(-(-n_per_flux // n_places))
                ]
            )[:n_per_flux]
            for _ in fluxes
        ]
        x, y = self.places[:, np.concatenate(index)]
        return split_rounds(np.repeat(fluxes, n_per_flux), x, y, **how)

    def _to_pixels(self, angle, otherwise):
        """Give an angle in pixels of the map."""
        return otherwise if angle is None else angle / self.field.pixel_scale

    def _far_apart(self):
        """No hole of an injected source reaches into the annulus of another."""
        setup = self.field.scene.settings.setup
        outer = setup.annulus_radii[1].to_value(u.arcsec) / self.field.pixel_scale
        return outer + max(setup.hole_radii) / self.field.factor

    def _clear(self):
        """The holes of faint injected sources do not touch those of real ones."""
        setup = self.field.scene.settings.setup
        return min(setup.hole_radii) / self.field.factor + TAPER_WIDTH


def _choose_fluxes(field, plan):
    """Choose fluxes by the errors at such places without a source."""
    settings = plan.settings
    n = settings.round_size(len(field.scene.x))
    pilot = replace(plan, settings=replace(settings, n_per_flux=n))
    # A round of nothing.
    (table,) = run_rounds(field.scene, pilot.make_rounds(np.zeros(1))[:1])
    with np.errstate(divide='ignore', invalid='ignore'):
        error = np.asarray(u.Quantity(table['flux']).value / table['detection_snr'])
    error = error[np.isfinite(error)]
    if error.size == 0 or not np.median(error) > 0:
        msg = (
            'the errors of fluxes on the map are not known, and so no fluxes can be '
            'chosen: give fluxes'
        )
        raise ValueError(msg)
    return np.median(error) * np.geomspace(_FAINTEST, _BRIGHTEST, _N_FLUXES)


def _join(rounds, tables, field):
    """Join the photometry of all rounds, with what was injected."""
    rows = []
    for one, table in zip(rounds, tables, strict=True):
        table = table.copy()
        known = {
            'round': np.full(len(one), one.number),
            'x_true': one.x,
            'y_true': one.y,
            'flux_true': one.flux,
            'x_center': one.x_given,
            'y_center': one.y_given,
        }
        for name, values in reversed(known.items()):
            table.add_column(values, index=0, name=name)
        rows.append(table)
    table = vstack(rows)
    column, row = np.round([table['x_true'], table['y_true']]).astype(int)
    in_hole = field.occupied[row, column]
    if in_hole.any():
        warn_user(
            f'{np.count_nonzero(in_hole)} of {len(table)} sources were injected into '
            "the holes of real ones, whose errors are then part of the injected ones'"
        )
    flux_unit = field.scene.map_input.flux_unit
    if flux_unit is not None:
        table['flux_true'] = u.Quantity(table['flux_true'], flux_unit)
    error = np.full(len(table), np.nan)
    for name, true in (('x', table['x_true']), ('y', table['y_true'])):
        measured = table[f'{name}_center']
        if f'{name}_fit' in table.colnames:
            fitted = table[f'{name}_fit']
            measured = np.where(np.isfinite(fitted), fitted, measured)
        error = np.hypot(np.nan_to_num(error), measured - true)
    table['position_offset'] = error * field.pixel_scale * u.arcsec
    # By flux, and as they were measured.
    return table[np.lexsort((np.arange(len(table)), table['flux_true']))]
