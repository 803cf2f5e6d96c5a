# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The maps that an evaluation is given: files, folders, and their setups.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photutils_pconv.inputs.map_files import find_list, find_pairs, map_name
from photutils_pconv.setups.from_header import setup_of_file

__all__ = ['ListedMap', 'list_fits', 'list_maps']


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
            pairs = [(path, find_list(path))]
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
