# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The maps that an evaluation is given: files, folders, and their setups.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photutils_pconv.inputs.fits import read_fits_map
from photutils_pconv.setups.headers import find_setup as find_setup_of_header
from photutils_pconv.setups.headers import read_statements

__all__ = [
    'ListedMap',
    'find_pairs',
    'find_setup',
    'list_fits',
    'list_maps',
    'map_name',
    'setup_of_file',
]

_MAP_ENDS = ('.fits', '.fits.gz', '.fit', '.fits.fz')
_LIST_ENDS = ('.csv', '.ecsv')


@dataclass(frozen=True, eq=False)
class ListedMap:
    """
    A map of a configuration, and how to clean it.

    Parameters
    ----------
    path : `pathlib.Path`
        The map's file.

    sources : `pathlib.Path`
        The file of its source list.

    setup : `~photutils_pconv.ObservingSetup` or str
        The setup.

    simulated : bool
        Whether the fluxes in the list were injected.
    """

    path: Path
    sources: Path
    setup: Any
    simulated: bool


def map_name(path):
    """
    Give the name of a map: that of its file without endings.

    Parameters
    ----------
    path : `pathlib.Path`
        The file.

    Returns
    -------
    name : str
        The name.
    """
    return _stem(path) or path.name


def _stem(path):
    """
    Return the name of a file of a map, or `None` for another file.
    """
    for end in _MAP_ENDS:
        if path.name.lower().endswith(end):
            return path.name[: -len(end)]
    return None


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
    maps : list of `ListedMap`
        The maps. The setup is by default that of the header (see
        `find_setup`); the fluxes in the list were injected by default
        where the map's name ends as that of a simulation does, in
        ``_simN``.

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
            named_so = bool(re.search(r'_sim[0-9]+$', map_name(name)))
            maps.append(
                ListedMap(
                    path=name,
                    sources=table,
                    setup=entry.get('setup') or setup_of_file(name),
                    simulated=entry.get('simulated', named_so),
                )
            )
    return maps


def _list_beside(path):
    stem = _stem(path) or path.stem
    for end in _LIST_ENDS:
        if path.with_name(f'{stem}{end}').is_file():
            return path.with_name(f'{stem}{end}')
    msg = f'{str(path)!r} has no source list {stem}.csv beside it: give sources'
    raise FileNotFoundError(msg)


def list_fits(path):
    """
    List the FITS files of a folder.

    Parameters
    ----------
    path : path-like
        The folder, or a file.

    Returns
    -------
    paths : list of `pathlib.Path`
        The folder's FITS files, sorted by name, or the file itself.

    Raises
    ------
    FileNotFoundError
        If the folder holds no FITS file.
    """
    path = Path(path).expanduser()
    if not path.is_dir():
        return [path]
    found = [one for one in sorted(path.iterdir()) if '.fit' in one.name.lower()]
    if not found:
        msg = f'{str(path)!r} holds no FITS file'
        raise FileNotFoundError(msg)
    return found


def find_setup(data, *, mode=None, band=None):
    """
    Find the setup of a PACS map from its header.

    Parameters
    ----------
    data : map or path
        The map; see `photutils_pconv.setups.find_setup` for what its header
        must have. ``SETUP``, as simulations have it, will do.

    mode : str, optional
        The observing mode. By default that in the header, or else
        ``'scanmap'``.

    band : str, optional
        The band, where the header does not tell it.

    Returns
    -------
    setup : `~photutils_pconv.ObservingSetup`
        The setup.

    Raises
    ------
    ValueError
        If the header does not tell the band.
    """
    meta = read_fits_map(data).meta if isinstance(data, str | Path) else data.meta
    statements = read_statements(meta)
    if mode is None and not any(one.mode or one.setup for one in statements):
        mode = 'scanmap'
    if any(one.wavelengths or one.setup for one in statements):
        band = None
    elif band is None:
        given = meta.get('WAVELNTH')
        told = 'no WAVELNTH' if given is None else f'WAVELNTH = {given!r}'
        msg = (
            f'the header has {told}, which tells no band: say which it is, blue '
            '(70 micron), green (100) or red (160), with band= or, on the command '
            'line, --band, or give the setup with the map'
        )
        raise ValueError(msg)
    return find_setup_of_header(meta, mode=mode, band=band).setup


def setup_of_file(path, *, mode=None, band=None):
    """
    Find the setup of a file from its header, or name the file.

    Parameters
    ----------
    path : `pathlib.Path`
        The file.

    mode, band : str, optional
        As for `find_setup`.

    Returns
    -------
    setup : `~photutils_pconv.ObservingSetup`
        The setup (see `find_setup`).

    Raises
    ------
    ValueError
        If the header does not tell the band; the message names the file.
    """
    try:
        return find_setup(path, mode=mode, band=band)
    except ValueError as exc:
        msg = f'{path.name}: {exc}'
        raise ValueError(msg) from exc
