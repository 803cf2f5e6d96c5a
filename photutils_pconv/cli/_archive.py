# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What ``find``, ``fetch`` and ``remove`` share: options of the archives, and the log
of where everything came from.
"""

import json
import shutil
from dataclasses import asdict
from datetime import UTC, datetime

from photutils_pconv._utils.versions import package_versions
from photutils_pconv._utils.writing import write_atomically, write_bytes_atomically

__all__ = [
    'BANDS',
    'CATALOGUES',
    'add_map_options',
    'add_timeout',
    'copy_map',
    'fetch_from_options',
    'fetch_sources',
    'make_patience',
    'write_log',
]

BANDS = ('blue', 'green', 'red')
CATALOGUES = ('marton2024', 'hppsc')


def add_timeout(group):
    """
    Add the option ``--timeout``.

    Parameters
    ----------
    group : argument group
        To which to add it.
    """
    group.add_argument(
        '--timeout',
        type=float,
        metavar='S',
        help='how long to wait for an answer of an archive (default: 60)',
    )


def add_map_options(group):
    """
    Add the options that choose one map of an observation.

    They have the names and the defaults of the keywords of
    `~photutils_pconv.archive.fetch_map`.

    Parameters
    ----------
    group : argument group
        To which to add them.
    """
    group.add_argument(
        '--level',
        default='best',
        choices=('best', '3', '2.5', '2'),
        help='the level of processing (default: the best that there is)',
    )
    group.add_argument(
        '--map-maker',
        default='JScanam',
        choices=('JScanam', 'Unimap', 'high-pass', 'naive'),
        help='the map maker (default: JScanam)',
    )
    group.add_argument(
        '--source',
        default='auto',
        choices=('auto', 'esasky', 'hsa'),
        help='ask ESASky, the Herschel Science Archive, or one after the other '
        '(default: auto)',
    )
    group.add_argument(
        '--no-cache',
        action='store_true',
        help='fetch it, although it was fetched before',
    )
    add_timeout(group)


def make_patience(options):
    """
    Give the patience that the parsed options ask for.

    Parameters
    ----------
    options : `~argparse.Namespace`
        The parsed options.

    Returns
    -------
    patience : `~photutils_pconv.archive.Patience`
        The patience.
    """
    from photutils_pconv.archive.patience import Patience

    return Patience() if options.timeout is None else Patience(timeout=options.timeout)


def fetch_from_options(options, *, band, progress_bar):
    """
    Fetch the map that the parsed options describe.

    Parameters
    ----------
    options : `~argparse.Namespace`
        The parsed options.

    band : str
        The band.

    progress_bar : bool
        Whether to show the bytes of the download.

    Returns
    -------
    fetched : `~photutils_pconv.archive.FetchedMap`
        The map.
    """
    from photutils_pconv.archive.maps import fetch_map

    return fetch_map(
        options.obsid,
        band=band,
        level=options.level,
        map_maker=options.map_maker,
        source=options.source,
        cache=not options.no_cache,
        progress_bar=progress_bar,
        patience=make_patience(options),
    )


def fetch_sources(path, options, *, band, name):
    """
    Fetch a catalogue's sources on a map.

    Parameters
    ----------
    path : path-like
        The map.

    options : `~argparse.Namespace`
        The parsed options.

    band : str
        The band.

    name : str
        The catalogue.

    Returns
    -------
    sources : `~astropy.table.QTable`
        The sources.
    """
    from photutils_pconv.archive.catalogues import fetch_catalogue

    return fetch_catalogue(
        path, band=band, catalogue=name, patience=make_patience(options)
    )


def copy_map(fetched, folder):
    """
    Copy a fetched map into a folder.

    Parameters
    ----------
    fetched : `~photutils_pconv.archive.FetchedMap`
        The map.

    folder : `~pathlib.Path`
        The folder; it is made if need be.

    Returns
    -------
    path : `~pathlib.Path`
        The copy.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / fetched.product
    write_atomically(path, lambda target: shutil.copyfile(fetched.path, target))
    return path


def write_log(path, *, fetched=None, sources=None, outputs=()):
    """
    Write down where a map and its sources came from.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file (JSON).

    fetched : `~photutils_pconv.archive.FetchedMap`, optional
        The map.

    sources : `~astropy.table.Table` or str, optional
        The sources, or the name of their file.

    outputs : iterable of `~pathlib.Path`, optional
        What was made of them.
    """
    log = {
        'date': datetime.now(UTC).isoformat(timespec='seconds'),
        'versions': package_versions('astropy', 'photutils', 'astroquery'),
    }
    if fetched is not None:
        log['map'] = {**asdict(fetched), 'path': str(fetched.path)}
    if isinstance(sources, str):
        log['sources'] = {'file': sources}
    elif sources is not None:
        log['sources'] = {**sources.meta, 'number': len(sources)}
    if outputs:
        from photutils_pconv._utils.checksums import file_checksum

        log['sha256'] = {one.name: file_checksum(one) for one in outputs}
    text = json.dumps(log, indent=2) + '\n'
    write_bytes_atomically(path, text.encode())
