# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Levels and archives, one after the other, until one has the map.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from astropy.io import fits

from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.archive.downloads import DownloadJob, download
from photutils_pconv.archive.errors import (
    ArchiveConnectionError,
    ArchiveError,
    ArchiveFormatError,
    NotInArchiveError,
    ProprietaryDataError,
)
from photutils_pconv.archive.map_checks import check_map
from photutils_pconv.archive.observations import (
    is_moving,
    is_public,
    look_up,
    parse_mode,
)
from photutils_pconv.archive.patience import Patience
from photutils_pconv.archive.products import MapWanted, parse_product, unpack_product
from photutils_pconv.archive.services import ESASKY, HSA, data_url, find_esasky_maps

__all__ = ['LEVELS', 'FoundMap', 'MapOrder', 'retrieve']

#: The levels, the best first, and what the archive calls them.
LEVELS = {'3': 'LEVEL3', '2.5': 'LEVEL2_5', '2': 'LEVEL2'}


@dataclass(frozen=True)
class MapOrder:
    """
    What was asked for, and how to get it.

    Parameters
    ----------
    wanted : `~photutils_pconv.archive.products.MapWanted`
        The map.

    levels : tuple of str
        The levels that will do, the best first.

    folder : `~pathlib.Path`
        The observation's folder in the cache.

    patience : `~photutils_pconv.archive.Patience`
        How long to wait for an archive, and how often to ask.

    progress_bar : bool
        Whether to show the bytes of a download.
    """

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
class FoundMap:
    """
    A map that has come, and was checked.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file.

    level : str
        The level of processing.

    source : str
        The archive.

    url : str
        The address that it came from.

    facts : `~photutils_pconv.archive.map_checks.MapFacts`
        What its headers say.

    is_moving : bool, optional
        Whether its target is a body of the solar system.

    is_best : bool, optional
        Whether it is known that there is no better level.
    """

    path: Path
    level: str
    source: str
    url: str
    facts: object
    is_moving: bool = False
    is_best: bool = True


def retrieve(order, source):
    """
    Go through levels and archives until one has the map.

    Parameters
    ----------
    order : `MapOrder`
        What was asked for.

    source : {'auto', 'esasky', 'hsa'}
        Where to look.

    Returns
    -------
    found : `FoundMap`
        The map.

    Raises
    ------
    ArchiveConnectionError, ArchiveFormatError, NotInArchiveError, \
    ProprietaryDataError
        If it cannot be had.
    """
    import requests

    row = None
    if source != 'esasky':
        try:
            row = look_up(order.wanted.obsid, patience=order.patience)
        except ArchiveConnectionError as exc:
            if source == 'hsa':
                raise
            return _without_archive(order, exc)
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
            return _complete(single, row)
        if source == 'esasky':
            continue
        try:
            return _complete(_fetch_from_hsa(order, level), row)
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


def _without_archive(order, error):
    """Take what ESASky has, where the archive does not answer."""
    try:
        single = _fetch_from_esasky(order)
    except ArchiveError:
        single = None
    if single is None or single.level not in order.levels:
        # What is wrong with the archive is what counts.
        raise error
    is_best = len(order.levels) == 1 or single.level == order.levels[0]
    warn_user(
        f'{error} {ESASKY} has a map of level {single.level}, which is taken'
        f'{"" if is_best else "; nobody knows whether there is a better one"}.'
    )
    return replace(single, is_best=is_best)


def _complete(found, row):
    """Take what the headers do not say from the archive's table."""
    if row is None:
        return found
    facts = found.facts
    if facts.mode is None:
        facts = replace(facts, mode=parse_mode(row) or None)
    return replace(found, facts=facts, is_moving=is_moving(row))


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
    # A tar file is whole when it has its name: whoever was to unpack it was killed.
    if not archive.exists():
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
    if facts.band is None and product.band is None:
        msg = (
            f'{product.name} does not say whether it is blue or green, neither by its '
            'name nor by its header: it is not used.'
        )
        raise ArchiveFormatError(msg)
    return FoundMap(path, product.level, source, url, facts)
