# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The map of an observation, from the archive that has it.
"""

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from astropy.io import fits

from photutils_pconv._utils.checks import check_choice, to_bool
from photutils_pconv._utils.checksums import file_checksum
from photutils_pconv._utils.versions import VERSION
from photutils_pconv._utils.warnings import warn_user
from photutils_pconv._utils.writing import remove_stale
from photutils_pconv.archive.cache import (
    find_cached,
    lock,
    map_folder,
    read_note,
    write_note,
)
from photutils_pconv.archive.downloads import DownloadJob, download
from photutils_pconv.archive.errors import (
    ArchiveConnectionError,
    ArchiveFormatError,
    NotInArchiveError,
    ProprietaryDataError,
)
from photutils_pconv.archive.map_checks import check_map
from photutils_pconv.archive.observations import BANDS, is_public, look_up, parse_mode
from photutils_pconv.archive.patience import Patience
from photutils_pconv.archive.products import (
    MAP_MAKERS,
    MapWanted,
    parse_product,
    unpack_product,
)
from photutils_pconv.archive.services import ESASKY, HSA, data_url, find_esasky_maps

__all__ = ['FetchedMap', 'fetch_map']

#: The levels, the best first, and what the archive calls them.
LEVELS = {'3': 'LEVEL3', '2.5': 'LEVEL2_5', '2': 'LEVEL2'}
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
        same = [note.get(key) for key in ('obsid', 'band', 'map_maker')]
        if same != [wanted.obsid, wanted.band, wanted.map_maker]:
            return False
        # What is the best was found out by whoever asked for it before.
        return self.text in note.get('asked', ()) or (
            self.level == note.get('level')
            and self.source in ('auto', note.get('source'))
        )


@dataclass(frozen=True)
class _Order:
    """What was asked for, and how to get it."""

    wanted: MapWanted
    levels: tuple[str, ...]
    folder: Path
    patience: Patience
    progress_bar: bool

    @property
    def unchecked(self):
        """The folder of maps that nobody has looked at yet."""
        return self.folder / '.unchecked'


@dataclass(frozen=True)
class _Found:
    """A map that has come, and was checked."""

    path: Path
    level: str
    source: str
    url: str
    facts: object


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
    file, from which nothing else is unpacked. It is kept in astropy's cache, with
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
    order = _Order(
        wanted=MapWanted(obsid, band, map_maker),
        levels=tuple(LEVELS) if level == 'best' else (level,),
        folder=map_folder(obsid),
        patience=patience,
        progress_bar=progress_bar,
    )
    asked = _Asked(level, source)
    if cache and (known := _from_cache(order, asked)) is not None:
        return known
    # Twice the time-out: the other process may have begun its last attempt.
    with lock(order.folder, timeout=2 * patience.timeout):
        # Another process may have fetched it meanwhile.
        if cache and (known := _from_cache(order, asked)) is not None:
            return known
        remove_stale(order.folder)
        try:
            return _keep(_fetch(order, source), order, asked)
        finally:
            shutil.rmtree(order.unchecked, ignore_errors=True)


def _parse_obsid(obsid):
    """An obsid as text; refuse what is none."""
    text = str(obsid).strip()
    if isinstance(obsid, bool) or not re.fullmatch(r'\d{10}', text):
        msg = f'obsid must have ten digits, such as 1342217404, got {obsid!r}.'
        raise ValueError(msg)
    return text


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
        'asked': [asked.text],
        'level': found.level,
        'mode': found.facts.mode,
        'target': found.facts.target,
        'source': found.source,
        'url': found.url,
        'date': datetime.now(UTC).isoformat(timespec='seconds'),
        'sha256': file_checksum(found.path),
        'photutils_pconv': VERSION,
    }
    older = read_note(path)
    if older is not None and older.get('sha256') == note['sha256']:
        note['asked'] = sorted({asked.text, *older.get('asked', ())})
    found.path.replace(path)
    write_note(path, note)
    return _make_fetched(path, note)


def _make_fetched(path, note):
    names = FetchedMap.__dataclass_fields__.keys() - {'path'}
    return FetchedMap(path=path, **{name: note[name] for name in names})


def _fetch(order, source):
    """Go through levels and archives until one has the map."""
    import requests

    row = None
    if source != 'esasky':
        row = look_up(order.wanted.obsid, patience=order.patience)
        if not is_public(row):
            until = row.get('until')
            msg = (
                f'The observation {order.wanted.obsid} is proprietary'
                f'{f" until {until}" if until else ""}: the Herschel Science Archive '
                'gives it to its owners only.'
            )
            raise ProprietaryDataError(msg)
    single = None
    lacks = []
    if source != 'hsa':
        single, lack = _try_esasky(order, is_only=source == 'esasky')
        lacks += [lack] if lack else []
    for level in order.levels:
        if single is not None and single.level == level:
            return _with_mode(single, row)
        if source == 'esasky':
            continue
        try:
            return _with_mode(_fetch_from_hsa(order, level), row)
        except NotInArchiveError as exc:
            lacks.append(f'level {level}: {exc}')
        except ArchiveConnectionError as exc:
            # The archive may answer with an error where it lacks a level.
            is_last = level == order.levels[-1]
            if is_last or not isinstance(exc.__cause__, requests.HTTPError):
                raise
            warn_user(f'Level {level} of {order.wanted.obsid} is passed by: {exc}')
    if single is not None:
        lacks.append(f'{ESASKY} has level {single.level}')
    wanted = order.wanted
    msg = (
        f'No {wanted.band} map of {wanted.obsid} by {wanted.map_maker} at level '
        f'{" or ".join(order.levels)} is to be had. {" ".join(lacks)}'
    )
    raise NotInArchiveError(msg)


def _with_mode(found, row):
    """Take the mode from the archive's table where the headers have none."""
    if found.facts.mode is not None or row is None:
        return found
    facts = type(found.facts)(found.facts.band, parse_mode(row), found.facts.target)
    return _Found(found.path, found.level, found.source, found.url, facts)


def _try_esasky(order, *, is_only):
    """Fetch ESASky's map, or say why there is none."""
    try:
        return _fetch_from_esasky(order), None
    except NotInArchiveError as exc:
        return None, str(exc)
    except (ArchiveConnectionError, ArchiveFormatError) as exc:
        if is_only:
            raise
        warn_user(f'ESASky is passed by: {exc}')
        return None, str(exc)


def _fetch_from_esasky(order):
    wanted = order.wanted
    table = find_esasky_maps([wanted.obsid], patience=order.patience)
    if table is None:
        msg = f'{ESASKY} has no map of {wanted.obsid}.'
        raise NotInArchiveError(msg)
    names = [n for n in ('product_url', 'access_url') if n in table.colnames]
    if not names:
        msg = (
            f'{ESASKY} has changed: its table of Herschel maps has no column '
            f"'product_url' any more. It has: {', '.join(sorted(table.colnames))}."
        )
        raise ArchiveFormatError(msg)
    urls = {
        str(row[names[0]]): None
        for row in table
        if 'instrument' not in table.colnames
        or 'PACS' in str(row['instrument']).upper()
    }
    # What is empty or masked is no address.
    urls = [url for url in urls if re.match('https?://', url)]
    lacks = []
    for url in urls:
        try:
            path, product = _download_product(order, url, ESASKY, 'esasky')
        except NotInArchiveError as exc:
            lacks.append(str(exc))
            continue
        return _check(path, product, order, source='esasky', url=url)
    msg = ' '.join(lacks) or f'{ESASKY} has no PACS map of {wanted.obsid}.'
    raise NotInArchiveError(msg)


def _fetch_from_hsa(order, level):
    url = data_url(order.wanted.obsid, LEVELS[level])
    path, product = _download_product(order, url, HSA, LEVELS[level].lower())
    if product.level != level:
        msg = f'{HSA} sent level {product.level}.'
        raise NotInArchiveError(msg)
    return _check(path, product, order, source='hsa', url=url)


def _download_product(order, url, service, name):
    """Download a tar file, take the map out of it, and remove it."""
    obsid = order.wanted.obsid
    archive = order.folder / f'{obsid}-{name}.tar'
    job = DownloadJob(
        url=url,
        what=f'{obsid} ({name})',
        service=service,
        patience=order.patience,
        progress_bar=order.progress_bar,
    )
    download(job, archive)
    try:
        if archive.stat().st_size == 0:
            msg = f'{service} sent an empty file for {job.what}.'
            raise NotInArchiveError(msg)
        bare = _find_bare_map(archive, order)
        if bare is not None:
            return bare
        order.unchecked.mkdir(exist_ok=True)
        return unpack_product(archive, order.unchecked, order.wanted)
    finally:
        archive.unlink(missing_ok=True)


def _find_bare_map(archive, order):
    """A service may send a map without a tar file around it one day."""
    with open(archive, 'rb') as handle:
        start = handle.read(6)
    if start != b'SIMPLE':
        return None
    product = parse_product(fits.getheader(archive).get('FILENAME', ''))
    if product is None or not order.wanted.is_met_by(product):
        return None
    order.unchecked.mkdir(exist_ok=True)
    path = order.unchecked / product.name.removesuffix('.gz')
    archive.replace(path)
    return path, product


def _check(path, product, order, *, source, url):
    """Look whether a file is the map that was asked for."""
    facts = check_map(path, band=order.wanted.band)
    return _Found(path, product.level, source, url, facts)
