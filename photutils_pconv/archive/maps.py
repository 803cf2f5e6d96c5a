# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The map of an observation, from the archive that has it.
"""

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from photutils_pconv._utils.checks import check_choice, to_bool
from photutils_pconv._utils.checksums import file_checksum
from photutils_pconv._utils.versions import VERSION
from photutils_pconv._utils.warnings import warn_user
from photutils_pconv._utils.writing import remove_stale
from photutils_pconv.archive.bands import BANDS
from photutils_pconv.archive.cache import (
    cache_error,
    find_cached,
    lock,
    map_folder,
    read_note,
    write_note,
)
from photutils_pconv.archive.downloads import DISK_FULL
from photutils_pconv.archive.errors import (
    ArchiveError,
)
from photutils_pconv.archive.patience import Patience
from photutils_pconv.archive.products import MAP_MAKERS, MapWanted
from photutils_pconv.archive.retrieval import LEVELS, MapOrder, retrieve

__all__ = ['FetchedMap', 'fetch_map']

#: Where maps come from.
SOURCES = ('auto', 'esasky', 'hsa')


@dataclass(frozen=True)
class FetchedMap:
    """
    A map from an archive, and where it came from.

    It can be given wherever the path of a map can.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file, in astropy's cache.

    obsid : str
        The observation that was asked for.

    band : {'blue', 'green', 'red'}
        The band.

    level : {'3', '2.5', '2'}
        The level of processing.

    map_maker : str
        The map maker.

    mode : {'scanmap', 'parallel'} or `None`
        The mode, as far as it is known.

    target : str
        The name of the target.

    source : {'esasky', 'hsa'}
        The archive.

    url : str
        The address that it came from.

    date : str
        When it was fetched (UTC, ISO 8601).

    sha256 : str
        The checksum of the file.
    """

    path: Path
    obsid: str
    band: str
    level: str
    map_maker: str
    mode: str | None
    target: str
    source: str
    url: str
    date: str
    sha256: str

    def __fspath__(self):
        return str(self.path)

    @property
    def product(self):
        """
        The name of the file, which is that of the archive's product.
        """
        return self.path.name


# What a note has for it.
_FACTS = FetchedMap.__dataclass_fields__.keys() - {'path'}


@dataclass(frozen=True)
class _Asked:
    """Which level was asked for, and of whom."""

    level: str
    source: str

    @property
    def text(self):
        return f'{self.level} from {self.source}'

    def is_met_by(self, note, order):
        wanted = order.wanted
        # A note of another version may lack something.
        if not _FACTS <= note.keys():
            return False
        same = [note.get(key) for key in ('obsid', 'band', 'map_maker')]
        if same != [wanted.obsid, wanted.band, wanted.map_maker]:
            return False
        # What is the best was found out by whoever asked for it before.
        return self.text in note.get('asked', ()) or (
            self.level == note.get('level')
            and self.source in ('auto', note.get('source'))
        )


def fetch_map(
    obsid,
    *,
    band,
    level='best',
    map_maker='JScanam',
    source='auto',
    cache=True,
    progress_bar=False,
    patience=None,
):
    """
    Fetch the map of an observation.

    Level 3 combines observations, level 2.5 the scan and the cross-scan of one
    place; the best is level 3, then 2.5, then 2. A single map comes from ESASky
    where it has one of the level and map maker, and else out of the archive's tar
    file, from which nothing else is unpacked. Where the archive does not answer,
    what ESASky has is taken, with a warning. It is kept in astropy's cache, with
    its checksum. A download that broke off goes on at the next call.

    Parameters
    ----------
    obsid : int or str
        The observation: ten digits, such as 1342217404.

    band : {'blue', 'green', 'red'}
        The band.

    level : {'best', '3', '2.5', '2'}, optional
        The level of processing.

    map_maker : {'JScanam', 'Unimap', 'high-pass', 'naive'}, optional
        The map maker.

    source : {'auto', 'esasky', 'hsa'}, optional
        Where to look: ESASky, then the Herschel Science Archive, or one of them.

    cache : bool, optional
        Whether a map that was fetched before will do. Otherwise it is fetched
        anew, and takes the old one's place.

    progress_bar : bool, optional
        Whether to show the bytes of a download.

    patience : `Patience`, optional
        How long to wait for an archive, and how often to ask.

    Returns
    -------
    fetched : `FetchedMap`
        The map's file, and where it came from.

    Raises
    ------
    ArchiveError
        If it cannot be had. The subclasses say what is to blame:
        `ArchiveConnectionError`, `NotInArchiveError`, `ProprietaryDataError`, or
        `ArchiveFormatError`.

    ImportError
        If astroquery is missing.

    TypeError, ValueError
        If an argument is not accepted.
    """
    cache = to_bool(cache, 'cache')
    progress_bar = to_bool(progress_bar, 'progress_bar')
    obsid = _parse_obsid(obsid)
    check_choice(band, 'band', tuple(BANDS))
    level = str(level)
    check_choice(level, 'level', ('best', *LEVELS))
    check_choice(map_maker, 'map_maker', tuple(MAP_MAKERS))
    check_choice(source, 'source', SOURCES)
    patience = Patience() if patience is None else patience
    order = MapOrder(
        wanted=MapWanted(obsid, band, map_maker),
        levels=tuple(LEVELS) if level == 'best' else (level,),
        folder=map_folder(obsid),
        patience=patience,
        progress_bar=progress_bar,
    )
    asked = _Asked(level, source)
    if cache and (known := _from_cache(order, asked)) is not None:
        return known
    # The other process may have begun its last attempt after all others failed.
    waits = (patience.attempts + 1) * patience.timeout
    with lock(order.folder, timeout=waits):
        # Another process may have fetched it meanwhile.
        if cache and (known := _from_cache(order, asked)) is not None:
            return known
        remove_stale(order.folder)
        if not cache:
            _remove_archives(order)
        try:
            return _keep(retrieve(order, source), order, asked)
        except OSError as exc:
            raise _in_words(exc, order) from exc
        finally:
            shutil.rmtree(order.unchecked, ignore_errors=True)


def _parse_obsid(obsid):
    """An obsid as text; refuse what is none."""
    text = str(obsid).strip()
    if isinstance(obsid, bool) or not re.fullmatch('[0-9]{10}', text):
        msg = f'obsid must have ten digits, such as 1342217404, got {obsid!r}.'
        raise ValueError(msg)
    return text


def _remove_archives(order):
    """Remove tar files that were to be unpacked by a process that was killed."""
    for path in order.folder.glob(f'{order.wanted.obsid}-*.tar'):
        path.unlink(missing_ok=True)


def _in_words(error, order):
    """What the system says of the cache is an error of this package, too."""
    if isinstance(error, ArchiveError):
        return error
    if error.errno in DISK_FULL:
        return ArchiveError(
            f'The disk is full: the map has no room in {order.folder}. Make room, or '
            'set XDG_CACHE_HOME to a larger disk.'
        )
    return cache_error(order.folder, 'used', error)


def _from_cache(order, asked):
    """A map that was fetched before, if it will do."""
    path, note = find_cached(order.folder, lambda note: asked.is_met_by(note, order))
    return None if path is None else _make_fetched(path, note)


def _keep(found, order, asked):
    """Put a map that was checked into its place, with a note."""
    path = order.folder / found.path.name
    note = {
        'obsid': order.wanted.obsid,
        'band': order.wanted.band,
        'map_maker': order.wanted.map_maker,
        'asked': [asked.text] if found.is_best else [],
        'level': found.level,
        'mode': found.facts.mode,
        'target': found.facts.target,
        'source': found.source,
        'url': found.url,
        'moving': found.is_moving,
        'date': datetime.now(UTC).isoformat(timespec='seconds'),
        'sha256': file_checksum(found.path),
        'photutils_pconv': VERSION,
    }
    older = read_note(path)
    if older is not None and older.get('sha256') == note['sha256']:
        note['asked'] = sorted({*note['asked'], *older.get('asked', ())})
    found.path.replace(path)
    write_note(path, note)
    return _make_fetched(path, note)


def _make_fetched(path, note):
    if note.get('moving'):
        warn_user(
            f'The target of {note["obsid"]}, {note["target"]}, moves: its map follows '
            'it, and the positions of catalogues do not fit.'
        )
    return FetchedMap(path=path, **{name: note[name] for name in _FACTS})
