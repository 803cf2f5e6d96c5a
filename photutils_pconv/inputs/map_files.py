# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Names of maps, and the source lists beside them.
"""

from pathlib import Path

__all__ = ['find_list', 'find_pairs', 'map_name']

_MAP_ENDS = ('.fits', '.fits.gz', '.fit', '.fits.fz')
_LIST_ENDS = ('.csv', '.ecsv')


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


def find_list(path):
    """
    Find the source list of the same name beside a map.

    Parameters
    ----------
    path : `pathlib.Path`
        The map's file.

    Returns
    -------
    path : `pathlib.Path`
        The list's file.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    stem = _stem(path) or path.stem
    for end in _LIST_ENDS:
        if path.with_name(f'{stem}{end}').is_file():
            return path.with_name(f'{stem}{end}')
    msg = f'{str(path)!r} has no source list {stem}.csv beside it: give sources'
    raise FileNotFoundError(msg)
