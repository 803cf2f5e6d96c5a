# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Photometric accuracy: measured over injected flux (section 5.2).

Sources of known flux are injected into fields, removed and measured;
ours and every other method are corrected with the encircled energy of
the PSF that was injected.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import Table, vstack

from photutils_pconv._utils.executors import check_executor, run_jobs
from photutils_pconv.evaluation.encircled_energy import measure_encircled_energy
from photutils_pconv.evaluation.removers import PSF, RemoverChoice
from photutils_pconv.evaluation.tables import label_rows
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.psf.library import get_psf
from photutils_pconv.setups.beam_rules import size_ratio
from photutils_pconv.setups.registry import get_setup

__all__ = [
    'APERTURE_RADII',
    'evaluate_fluxes',
    'measure_others',
    'measure_ratios',
]

APERTURE_RADII = (4.0, 6.0, 7.0, 8.0, 10.0, 12.0, 15.0, 18.0)
"""
The aperture radii, in arcsec; the default ones of the PACS setups are
among them.
"""

# What belongs to a source and not to a method.
_COMMON = ('snr', 'hole_radius', 'flags')


def measure_ratios(
    ccd,
    sources,
    *,
    setup,
    psf=None,
    removers=(PSF,),
    aperture_radii=None,
    methods=None,
):
    """
    Remove sources of known flux from a map, and measure them every way.

    Parameters
    ----------
    ccd : map
        The map with the sources, in a unit of surface brightness.

    sources : `~astropy.table.Table`
        Positions, and the column ``flux``: the total injected flux, in
        mJy if it has no unit.

    setup : `~photutils_pconv.ObservingSetup` or str
        The setup.

    psf : optional
        The PSF that was injected, as `~photutils_pconv.psf.get_psf`
        takes it; by default the setup's.

    removers : sequence of `~photutils_pconv.evaluation.RemoverChoice`, optional
        The removers to compare (see
        `~photutils_pconv.evaluation.list_removers`); by default that of
        one pass.

    aperture_radii : sequence of float, optional
        The aperture radii (arcsec). The setup's is added to them. By default
        4 to 18 arcsec for the beams of PACS; beyond, they go with the FWHM.

    methods : sequence of str, optional
        The other methods to measure with, in the setup's aperture: names
        of `photutils_pconv.evaluation`, by default all that
        are installed. The annulus is always measured.

    Returns
    -------
    table : `~astropy.table.Table`
        A row per source: ``flux`` (mJy, injected), ``snr``,
        ``hole_radius``, ``flags``; ``ratio_REMOVER`` of every remover that
        knows the PSF, and ``ratio_REMOVER_aperture_RADIUS`` for every aperture
        (arcsec); ``ratio_REMOVER_RADIUS`` of removers that do not;
        ``ratio_annulus_RADIUS``; and ``ratio_METHOD`` for every other method.

    results : dict of `~photutils_pconv.SourceRemovalResult`
        The removals, by remover.

    Raises
    ------
    ValueError
        If the sources have no flux or the map no unit.
    """
    setup = get_setup(setup=setup)
    if 'flux' not in sources.colnames:
        msg = f"sources must have the column 'flux', got {sources.colnames}"
        raise ValueError(msg)
    injected = u.Quantity(sources['flux'], u.mJy).value
    psf = get_psf(setup if psf is None else psf)
    own = setup.aperture_radius.to_value(u.arcsec)
    if aperture_radii is None:
        ratio = size_ratio(setup.psf_fwhm.to_value(u.arcsec))
        aperture_radii = np.multiply(APERTURE_RADII, ratio)
    radii = np.unique([*aperture_radii, own])
    map_input = parse_map(ccd, pixel_scale=setup.pixel_scale)
    if map_input.unit is None:
        msg = 'the map has no unit: known fluxes need one of surface brightness'
        raise ValueError(msg)
    scale = map_input.pixel_scale
    scale = setup.pixel_scale if scale is None else scale
    eef = measure_encircled_energy(psf, scale)
    given = RemoverChoice(
        aperture_radii=radii, aperture_corrections=eef, error_method='card'
    )
    results = {}
    for one in removers:
        # Ratios have no error, fluxes do not depend on the fill, and those that
        # are injected are the map's own.
        one = replace(one, fill=None, colour_correction=None, calibration_error=None)
        remover = one.or_else(given).make_remover(setup)
        results[one.name] = remover(ccd, sources)
    radii = remover.aperture_radii

    photometry = next(iter(results.values())).photometry
    table = Table({'flux': injected})
    for name in _COMMON:
        table[name] = np.asarray(photometry[name])
    with np.errstate(divide='ignore', invalid='ignore'):
        for method, result in results.items():
            if result.photometry.meta['flux'] == 'psf':
                flux = result.photometry['flux'].to_value(u.mJy)
                table[f'ratio_{method}'] = flux / injected
                method = f'{method}_aperture'
            _add_ratios(table, method, result.photometry, 'flux_aperture', radii)
        _add_ratios(table, 'annulus', photometry, 'flux_annulus', radii)
        if len(table) and (methods is None or len(methods)):
            fluxes = measure_others(
                map_input,
                photometry,
                setup=setup,
                psf=psf,
                eef=lambda radius: setup.eef(radius, table=eef),
                methods=methods,
            )
            for method, flux in fluxes.items():
                # The annulus is there already, in all apertures.
                if method != 'annulus':
                    table[f'ratio_{method}'] = 1.0e3 * np.asarray(flux) / injected
    table.meta.update(setup=setup.name, aperture=float(own))
    return table, results


def _add_ratios(table, method, photometry, column, radii):
    for k, radius in enumerate(radii):
        name = column if len(radii) == 1 else f'{column}_{k}'
        ratio = photometry[name].to_value(u.mJy) / np.asarray(table['flux'])
        table[f'ratio_{method}_{radius:g}'] = ratio


def measure_others(map_input, photometry, *, setup, psf, eef, methods=None):
    """
    Measure removed sources with the methods of the baselines.

    Parameters
    ----------
    map_input : `~photutils_pconv.inputs.MapInput`
        The map.

    photometry : `~astropy.table.Table`
        The photometry of a removal, for positions and radii.

    setup : `~photutils_pconv.ObservingSetup`
        The setup, whose aperture is taken.

    psf : optional
        The PSF, as `~photutils_pconv.psf.get_psf` takes it.

    eef : callable
        The encircled-energy fraction of a radius in arcsec.

    methods : sequence of str, optional
        The methods, by default all that are installed.

    Returns
    -------
    fluxes : dict of `~numpy.ndarray`
        The fluxes (Jy) of every method.
    """
    from photutils_pconv.evaluation.methods.registry import measure_baselines

    scale = map_input.pixel_scale
    if scale is not None:
        # Their radii in pixels are those of the setup's own grid.
        factor = (setup.pixel_scale / scale).to_value(u.one)
        radii = tuple(radius * factor for radius in setup.hole_radii)
        setup = replace(setup, pixel_scale=scale, hole_radii=radii)
    measured = measure_baselines(
        map_input.data.astype(float) * map_input.jy_per_pixel,
        np.asarray(photometry['x_center']),
        np.asarray(photometry['y_center']),
        setup=setup,
        hole_radius=np.asarray(photometry['hole_radius']),
        psf=psf,
        eef=eef,
        names=methods,
    )
    return {name: one.flux for name, one in measured.items()}


def evaluate_fluxes(
    fields,
    *,
    levels=None,
    n_sources=None,
    psf=None,
    removers=(PSF,),
    aperture_radii=None,
    methods=None,
    report=None,
    executor=None,
):
    """
    Measure one simulation for each field and flux level.

    Parameters
    ----------
    fields : iterable of `~photutils_pconv.evaluation.EvaluationField`
        The fields, of one setup or of several.

    levels : sequence of float, optional
        The flux levels (mJy) to take from each field's range, by default
        all of Table 1.

    n_sources : int, optional
        The sources a simulation; by default 0.5 per square arcmin.

    psf, removers, aperture_radii, methods : optional
        See `measure_ratios`.

    report : callable, optional
        Called with a line of text after each field.

    executor : `concurrent.futures.Executor` or dask ``Client``, optional
        What measures the fields, each for itself (default: this process, one after
        the other).

    Returns
    -------
    table : `~astropy.table.Table`
        The rows of `measure_ratios` of all simulations, with ``field``,
        ``setup``, ``complexity`` and ``rank``.

    Raises
    ------
    ValueError
        If no field has a level.
    """
    check_executor(executor)
    fields = list(fields)
    how = _HowToMeasure(levels, n_sources, psf, removers, aperture_radii, methods)
    measured = run_jobs(_measure_field, how, fields, executor=executor)
    tables = []
    for field, found in zip(fields, measured, strict=True):
        tables += found
        if report is not None:
            report(f'{field.name}: {sum(map(len, found))} sources')
    if not tables:
        msg = 'no field has a flux level: give others, or other fields'
        raise ValueError(msg)
    table = vstack(tables)
    for name in table.colnames:
        if name.startswith('ratio_') and hasattr(table[name], 'filled'):
            table[name] = table[name].filled(np.nan)
    return table


@dataclass(frozen=True, eq=False)
class _HowToMeasure:
    """
    What the measurements of all fields have in common.
    """

    levels: Sequence | None
    n_sources: int | None
    psf: Any
    removers: tuple
    aperture_radii: Sequence | None
    methods: Sequence | None


def _measure_field(how, field):
    """Measure a simulation of each flux level; give their tables."""
    labels = {
        'field': field.name,
        'setup': field.setup.name,
        'complexity': field.complexity,
        'rank': field.rank,
    }
    tables = []
    for level in field.levels(how.levels):
        ccd, sources = field.simulate(
            level, n_sources=how.n_sources, psf=how.psf, stream=round(level)
        )
        table, _ = measure_ratios(
            ccd,
            sources,
            setup=field.setup,
            psf=how.psf,
            removers=how.removers,
            aperture_radii=how.aperture_radii,
            methods=how.methods,
        )
        table = label_rows(table, labels)
        table.meta = {}
        tables.append(table)
    return tables
