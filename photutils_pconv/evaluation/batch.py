# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Removal on many maps: simulations (section 4.1) and real data (4.2).

Each map gets a folder of its own with what
`~photutils_pconv.SourceRemovalResult.write` writes and a picture of
before and after; one table holds the photometry of all.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import astropy.units as u
from astropy.table import QTable

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.writing import check_output, write_atomically
from photutils_pconv.evaluation.encircled_energy import measure_encircled_energy
from photutils_pconv.evaluation.plots.before_after import plot_before_after
from photutils_pconv.evaluation.removers import RemoverChoice
from photutils_pconv.evaluation.tables import label_rows, stack_tables
from photutils_pconv.inputs.map_files import find_pairs, map_name
from photutils_pconv.inputs.sources import read_sources
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.setups.setup import ObservingSetup

__all__ = [
    'MapRemoval',
    'photometry_table',
    'remove_from_maps',
    'remove_from_simulations',
]


# What is written for a map; the last one is its picture.
_FILES = ('cleaned.fits', 'photometry.ecsv', 'before_after.png')


@dataclass(frozen=True, eq=False)
class MapRemoval:
    """
    The removal from one map of several.

    Parameters
    ----------
    name : str
        The map's name: that of its file without endings.

    photometry : `~astropy.table.QTable`
        The photometry; with known fluxes it has ``flux_injected`` and
        for every aperture ``ratio``.

    result : `~photutils_pconv.SourceRemovalResult`
        The removal.

    paths : tuple of `pathlib.Path`
        The files that were written.
    """

    name: str
    photometry: QTable
    result: Any
    paths: tuple


def remove_from_simulations(
    folder,
    output,
    *,
    setup,
    psf=None,
    remover=None,
    picture=True,
    overwrite=False,
    report=None,
):
    """
    Clean every simulation of a folder and measure its sources.

    Parameters
    ----------
    folder : path-like
        A folder of FITS/CSV pairs (see `find_pairs`), whose lists have
        the injected ``flux`` (mJy).

    output : path-like
        The folder for a folder a map, and ``photometry.ecsv``, the
        photometry of all maps.

    setup : `~photutils_pconv.ObservingSetup` or str
        The setup.

    psf : optional
        The PSF that was injected, as `~photutils_pconv.psf.get_psf`
        takes it, for the aperture corrections; by default the setup's.

    remover : `~photutils_pconv.evaluation.RemoverChoice`, optional
        The remover; by default a plain
        `~photutils_pconv.NeuralSourceRemover`.

    picture : bool, optional
        Whether to draw ``before_after.png`` (Fig. 9).

    overwrite : bool, optional
        Whether to replace files.

    report : callable, optional
        Called with a line of text after each map.

    Returns
    -------
    removals : list of `MapRemoval`
        The removals. All maps are kept in memory: for many large ones,
        loop over `find_pairs` and `~photutils_pconv.NeuralSourceRemover`.

    Raises
    ------
    FileExistsError
        If a file exists and ``overwrite`` is False; nothing is done
        then.

    FileNotFoundError
        If the folder has no pair.

    ValueError
        If a list has no fluxes.
    """
    picture = to_bool(picture, 'picture')
    overwrite = to_bool(overwrite, 'overwrite')
    return remove_from_maps(
        find_pairs(folder),
        output,
        setup=setup,
        simulated=True,
        psf=psf,
        remover=remover,
        picture=picture,
        overwrite=overwrite,
        report=report,
    )


def remove_from_maps(
    maps,
    output,
    *,
    setup=None,
    simulated=False,
    psf=None,
    remover=None,
    picture=True,
    overwrite=False,
    report=None,
):
    """
    Clean maps, real ones by default, and measure their sources.

    Parameters
    ----------
    maps : sequence of tuple
        For each map its path and its sources (path, table or SkyCoord),
        and as a third item its setup, if they are not all of one.

    output : path-like
        The folder for a folder a map, and ``photometry.ecsv``, the
        photometry of all maps.

    setup : `~photutils_pconv.ObservingSetup` or str, optional
        The setup of maps that name none.

    simulated : bool, optional
        Whether the lists hold the injected ``flux`` (mJy).

    psf, remover, picture, overwrite, report : optional
        See `remove_from_simulations`. The picture is that of Fig. 10.

    Returns
    -------
    removals : list of `MapRemoval`
        The removals.

    Raises
    ------
    FileExistsError
        If a file exists and ``overwrite`` is False; nothing is done
        then.

    ValueError
        If there is no map, a setup is missing, two maps have one name,
        or a list lacks the injected fluxes.
    """
    simulated = to_bool(simulated, 'simulated')
    picture = to_bool(picture, 'picture')
    overwrite = to_bool(overwrite, 'overwrite')
    jobs = [_parse_job(item, setup, simulated=simulated) for item in maps]
    remover = RemoverChoice() if remover is None else remover
    output = Path(output)
    names = _name_maps([job.path for job in jobs])
    files = _FILES if picture else _FILES[:2]
    table_path = output / _FILES[1]
    planned = [output / name / file for name in names for file in files]
    check_output([*planned, table_path], overwrite=overwrite)
    removers = {}
    removals = []
    for name, job in zip(names, jobs, strict=True):
        own = job.setup
        if own.name not in removers:
            given = RemoverChoice()
            if simulated:
                given = RemoverChoice(
                    aperture_corrections=measure_encircled_energy(
                        own if psf is None else psf, own.pixel_scale
                    )
                )
            removers[own.name] = remover.or_else(given).make_remover(own)
        result = removers[own.name](job.path, job.sources)
        if simulated:
            result.photometry = _with_truth(result.photometry, job.sources)
        figures = {}
        if picture:
            figures[_FILES[2]] = plot_before_after(result, title=name)
        # The table of them all must not stand beside maps that are newer.
        table_path.unlink(missing_ok=True)
        paths = result.write(output / name, overwrite=overwrite, figures=figures)
        removals.append(MapRemoval(name, result.photometry, result, paths))
        if report is not None:
            report(f'{name}: {len(result.photometry)} sources')
    table = photometry_table(removals)
    write_atomically(table_path, lambda f: table.write(f, format='ascii.ecsv'))
    return removals


@dataclass(frozen=True, eq=False)
class _Job:
    """
    A map to clean: its file, its sources, and its setup.
    """

    path: Path
    sources: Any
    setup: ObservingSetup


def _parse_job(item, setup, *, simulated):
    """
    Check what was given for a map, and read its list.
    """
    if len(item) not in (2, 3):
        msg = f'a map must be a pair (map, sources) or have a setup too: {item!r}'
        raise ValueError(msg)
    own = item[2] if len(item) == 3 else setup
    if own is None:
        msg = f'{item[0]} has no setup: give setup, such as "scanmap/green"'
        raise ValueError(msg)
    sources = item[1]
    if isinstance(sources, str | Path):
        sources = read_sources(sources)
    if simulated and 'flux' not in getattr(sources, 'colnames', ()):
        msg = (
            f"the source list of {item[0]} has no column 'flux' (mJy): without "
            'known fluxes, use remove_from_maps'
        )
        raise ValueError(msg)
    return _Job(path=Path(item[0]), sources=sources, setup=get_setup(setup=own))


def _name_maps(paths):
    """
    Name the maps after their files, which must have names of their own.
    """
    if not paths:
        msg = 'there is no map'
        raise ValueError(msg)
    names = [map_name(path) for path in paths]
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        msg = f'each map needs a name of its own, but {double} are not'
        raise ValueError(msg)
    return names


def _with_truth(photometry, sources):
    """
    Add the injected fluxes, and measured over injected flux.
    """
    photometry = photometry.copy()
    injected = u.Quantity(sources['flux'], u.mJy, dtype=float)
    photometry['flux_injected'] = injected
    for name in photometry.colnames:
        found = re.fullmatch(r'flux(_aperture(_[0-9]+)?)?', name)
        if found:
            ratio = u.Quantity(photometry[name], u.Jy) / injected
            photometry['ratio' + (found[1] or '')] = ratio.to_value(u.one)
    return photometry


def photometry_table(removals):
    """
    Join the photometry of several maps.

    Parameters
    ----------
    removals : sequence of `MapRemoval`
        The removals.

    Returns
    -------
    table : `~astropy.table.QTable`
        The rows of all, with the column ``map`` and the setup of each in
        ``setup``.
    """
    joined = stack_tables(
        label_rows(
            one.photometry, {'map': one.name, 'setup': one.photometry.meta['setup']}
        )
        for one in removals
    )
    first = removals[0].photometry.meta
    joined.meta = {
        key: value
        for key, value in json.loads(json.dumps(dict(first), default=str)).items()
        if key != 'setup'
    }
    return joined
