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
from astropy.table import QTable, vstack

from photutils_pconv._utils.writing import refuse_existing, write_atomically
from photutils_pconv.evaluation.fields import measure_encircled_energy
from photutils_pconv.evaluation.plots.before_after import plot_before_after
from photutils_pconv.evaluation.removers import make_remover
from photutils_pconv.evaluation.standard_stars import find_setup
from photutils_pconv.inputs.tables import read_source_table
from photutils_pconv.setups.registry import get_setup

__all__ = [
    'MapRemoval',
    'find_pairs',
    'list_maps',
    'photometry_table',
    'remove_from_maps',
    'remove_from_simulations',
]

_MAP_ENDS = ('.fits', '.fits.gz', '.fit', '.fits.fz')
_LIST_ENDS = ('.csv', '.ecsv')


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


def find_pairs(folder):
    """
    Find the maps of a folder that have a source list of the same name.

    Parameters
    ----------
    folder : path-like
        The folder, with files such as those of
        `~photutils_pconv.simulation.write_simulation`.

    Returns
    -------
    pairs : list of pair of `pathlib.Path`
        Map and source list, sorted by name.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no pair in it.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        msg = f'no folder {str(folder)!r}'
        raise FileNotFoundError(msg)
    pairs = []
    for path in sorted(folder.iterdir()):
        stem = _stem(path)
        if stem is None or path.name.startswith('.'):
            continue
        lists = [folder / f'{stem}{end}' for end in _LIST_ENDS]
        lists = [name for name in lists if name.is_file()]
        if lists:
            pairs.append((path, lists[0]))
    if not pairs:
        msg = (
            f'{str(folder)!r} holds no map with a source list of the same name, such '
            'as a.fits and a.csv'
        )
        raise FileNotFoundError(msg)
    return pairs


def _stem(path):
    for end in _MAP_ENDS:
        if path.name.lower().endswith(end):
            return path.name[: -len(end)]
    return None


def list_maps(entries):
    """
    List the maps of a configuration, one by one.

    Parameters
    ----------
    entries : iterable of dict
        ``path`` of a map or of a folder of pairs (see `find_pairs`),
        and optionally ``sources``, ``setup`` and ``simulated``.

    Returns
    -------
    maps : list of tuple
        Path, sources, setup (by default that of the header, see
        `~photutils_pconv.evaluation.standard_stars.find_setup`), and
        whether the fluxes in the list were injected: by default where
        the map's name ends as that of a simulation does, in ``_simN``.

    Raises
    ------
    FileNotFoundError
        If a map or its list does not exist.

    ValueError
        If a folder is given together with a list, or a setup is not
        known.
    """
    maps = []
    for entry in entries:
        path = Path(entry['path']).expanduser()
        sources = entry.get('sources')
        if path.is_dir():
            if sources is not None:
                msg = f'{str(path)!r} is a folder: leave sources out'
                raise ValueError(msg)
            pairs = find_pairs(path)
        elif not path.is_file():
            msg = f'no map {str(path)!r}'
            raise FileNotFoundError(msg)
        elif sources is not None:
            pairs = [(path, Path(sources).expanduser())]
        else:
            pairs = [(path, _list_beside(path))]
        for name, table in pairs:
            stem = _stem(name) or name.name
            simulated = bool(re.search(r'_sim[0-9]+$', stem))
            setup = entry.get('setup') or _find_setup(name)
            maps.append((name, table, setup, entry.get('simulated', simulated)))
    return maps


def _list_beside(path):
    stem = _stem(path) or path.stem
    for end in _LIST_ENDS:
        if path.with_name(f'{stem}{end}').is_file():
            return path.with_name(f'{stem}{end}')
    msg = f'{str(path)!r} has no source list {stem}.csv beside it: give sources'
    raise FileNotFoundError(msg)


def _find_setup(path):
    try:
        return find_setup(path)
    except ValueError as exc:
        msg = f'{path.name}: {exc}'
        raise ValueError(msg) from exc


def remove_from_simulations(
    folder,
    output,
    *,
    setup,
    psf=None,
    model=None,
    remover_options=None,
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

    model, remover_options : optional
        See `~photutils_pconv.evaluation.removers.make_remover`.

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
    return remove_from_maps(
        find_pairs(folder),
        output,
        setup=setup,
        simulated=True,
        psf=psf,
        model=model,
        remover_options=remover_options,
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
    model=None,
    remover_options=None,
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

    psf, model, remover_options, picture, overwrite, report : optional
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
    jobs = []
    for item in maps:
        if len(item) not in (2, 3):
            msg = f'a map must be a pair (map, sources) or have a setup too: {item!r}'
            raise ValueError(msg)
        own = item[2] if len(item) == 3 else setup
        if own is None:
            msg = f'{item[0]} has no setup: give setup, such as "scanmap/green"'
            raise ValueError(msg)
        sources = item[1]
        if isinstance(sources, str | Path):
            sources = read_source_table(sources)
        if simulated and 'flux' not in getattr(sources, 'colnames', ()):
            msg = (
                f"the source list of {item[0]} has no column 'flux' (mJy): without "
                'known fluxes, use remove_from_maps'
            )
            raise ValueError(msg)
        jobs.append((Path(item[0]), sources, get_setup(setup=own)))
    return _remove_all(
        jobs,
        output,
        model=model,
        remover_options=remover_options,
        psf=psf,
        truth=simulated,
        picture=picture,
        overwrite=overwrite,
        report=report,
    )


def _remove_all(jobs, output, *, psf, truth, picture, overwrite, report, **options):
    output = Path(output)
    if not jobs:
        msg = 'there is no map'
        raise ValueError(msg)
    names = [_stem(path) or path.name for path, _, _ in jobs]
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        msg = f'each map needs a name of its own, but {double} are not'
        raise ValueError(msg)
    ends = ('cleaned.fits', 'photometry.ecsv', 'before_after.png')
    planned = [output / name / end for name in names for end in ends[: 2 + picture]]
    table_path = output / 'photometry.ecsv'
    refuse_existing([*planned, table_path], overwrite=overwrite)
    removers = {}
    removals = []
    for name, (path, sources, setup) in zip(names, jobs, strict=True):
        if setup.name not in removers:
            own = options
            if truth:
                pixel_scale = setup.pixel_scale
                eef = measure_encircled_energy(
                    setup if psf is None else psf, pixel_scale
                )
                own = {**options, 'aperture_corrections': eef}
            removers[setup.name] = make_remover(setup, **own)
        result = removers[setup.name](path, sources)
        if truth:
            result.photometry = _with_truth(result.photometry, sources)
        paths = result.write(output / name, overwrite=overwrite)
        if picture:
            figure = plot_before_after(result, title=name)
            target = output / name / ends[2]
            write_atomically(target, lambda f, fig=figure: fig.savefig(f, dpi=120))
            paths = (*paths, target)
        removals.append(MapRemoval(name, result.photometry, result, paths))
        if report is not None:
            report(f'{name}: {len(result.photometry)} sources')
    table = photometry_table(removals)
    write_atomically(table_path, lambda f: table.write(f, format='ascii.ecsv'))
    return removals


def _with_truth(photometry, sources):
    """
    Add the injected fluxes, and measured over injected flux.
    """
    photometry = photometry.copy()
    injected = u.Quantity(sources['flux'], u.mJy, dtype=float)
    photometry['flux_injected'] = injected
    for name in photometry.colnames:
        found = re.fullmatch(r'flux(_[0-9]+)?', name)
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
    tables = []
    for removal in removals:
        table = removal.photometry.copy()
        table.add_column([removal.name] * len(table), name='map', index=0)
        table.add_column([table.meta['setup']] * len(table), name='setup', index=1)
        tables.append(table)
    joined = vstack(tables, metadata_conflicts='silent')
    first = removals[0].photometry.meta
    joined.meta = {
        key: value
        for key, value in json.loads(json.dumps(dict(first), default=str)).items()
        if key != 'setup'
    }
    return joined
