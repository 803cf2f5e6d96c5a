# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The maps of the paper's standard stars, from the archive.
"""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from photutils_pconv._utils.checks import check_choice, check_count, to_bool
from photutils_pconv._utils.checksums import file_checksum
from photutils_pconv._utils.versions import package_versions
from photutils_pconv._utils.writing import (
    check_output,
    remove_stale,
    write_atomically,
    write_bytes_atomically,
)
from photutils_pconv.archive.errors import ArchiveConnectionError, ArchiveError
from photutils_pconv.archive.maps import fetch_map
from photutils_pconv.archive.observations import find_observations
from photutils_pconv.archive.patience import Patience
from photutils_pconv.evaluation.published import load_standard_stars
from photutils_pconv.evaluation.standard_stars import STAR_APERTURES, _find_star
from photutils_pconv.inputs.maps import parse_map

__all__ = ['fetch_standard_stars']

_MANIFEST = 'manifest.json'
# An observation whose centre is not farther from a star was made of it: fast stars
# move by half of an arcminute in the years since 2000, and mini scan maps are some
# arcminutes wide (by choice).
_POINTED = 3 * u.arcmin
# So many observations of a star are tried in a band before it is given up (by choice).
_MOST_TRIES = 4
# The paper left out what was not processed up to level 2.5 (section 5.1).
_LEVEL = '2.5'


@dataclass(frozen=True)
class _Request:
    """How to fetch the maps, and where to put them."""

    folder: Path
    patience: Patience
    progress_bar: bool


def fetch_standard_stars(
    folder,
    *,
    bands=None,
    max_stars=None,
    patience=None,
    progress_bar=False,
    tell=None,
):
    """
    Fetch the maps of the paper's standard stars (Table 5) from the archive.

    Each star has, in each band, the map of an observation that was pointed at it: a
    scan map of level 2.5 by JScanam, which combines scan and cross-scan. Of
    several the latest is taken, which was made as most calibration observations
    were. ``manifest.json`` records what became of each star and band, with checksums.
    Maps that are there are not fetched again.

    Parameters
    ----------
    folder : path-like
        The folder, which is made if need be.

    bands : sequence of {'blue', 'green', 'red'}, optional
        The bands; by default all.

    max_stars : int, optional
        The number of stars, the brightest first; by default all.

    patience : `~photutils_pconv.archive.Patience`, optional
        How long to wait for the archive, and how often to ask.

    progress_bar : bool, optional
        Whether to show the bytes of downloads.

    tell : callable, optional
        What is given a line about each star and band.

    Returns
    -------
    manifest : dict
        What became of each: ``maps`` has a dictionary for each star and band,
        whose ``state`` is ``'done'``, with the ``file``, the ``obsid``, and
        where it came from, or ``'missing'`` with a ``reason``.

    Raises
    ------
    ArchiveConnectionError
        If the archive does not answer. What is done is kept: run it again.

    TypeError, ValueError
        If an argument is not accepted.
    """
    progress_bar = to_bool(progress_bar, 'progress_bar')
    bands = _parse_bands(bands)
    if max_stars is not None:
        check_count(max_stars, 'max_stars')
    request = _Request(
        folder=Path(folder).expanduser(),
        patience=Patience() if patience is None else patience,
        progress_bar=progress_bar,
    )
    tell = (lambda line: None) if tell is None else tell
    stars = load_standard_stars()
    check_output([request.folder / _MANIFEST], overwrite=True)
    request.folder.mkdir(parents=True, exist_ok=True)
    remove_stale(request.folder)
    known = _read_known(request.folder)
    for star in stars[:max_stars]:
        observations = None
        for band in bands:
            key = str(star['name']), band
            entry = known.get(key)
            if entry is None or not _is_whole(request.folder, entry):
                if observations is None:
                    observations = _find_pointed(star, request)
                entry = _fetch_star(star, band, observations, request)
            known[key] = entry
            _write_manifest(request.folder, known)
            about = entry['reason' if entry['state'] == 'missing' else 'obsid']
            tell(f'{key[0]}, {band}: {entry["state"]}, {about}')
    wanted = {(str(star['name']), band) for star in stars[:max_stars] for band in bands}
    return {'maps': [entry for key, entry in known.items() if key in wanted]}


def _parse_bands(bands):
    if bands is None:
        return tuple(STAR_APERTURES)
    bands = (bands,) if isinstance(bands, str) else tuple(bands)
    for band in bands:
        check_choice(band, 'bands', tuple(STAR_APERTURES))
    return bands


def _read_known(folder):
    """What earlier runs have done, by star and band."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding='utf-8'))
        return {(one['star'], one['band']): one for one in manifest['maps']}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}


def _write_manifest(folder, known):
    manifest = {
        'versions': package_versions('astropy', 'astroquery'),
        'maps': list(known.values()),
    }
    text = json.dumps(manifest, indent=1) + '\n'
    write_bytes_atomically(folder / _MANIFEST, text.encode())


def _is_whole(folder, entry):
    if entry.get('state') != 'done':
        return False
    path = folder / Path(entry['file']).name
    return path.is_file() and file_checksum(path) == entry['sha256']


def _find_pointed(star, request):
    """Find the observations that were pointed at a star, the latest first."""
    position = SkyCoord(star['ra'], star['dec'])
    table = find_observations(position, mode='scanmap', patience=request.patience)
    if not len(table):
        return table
    near = table['position'].separation(position) < _POINTED
    table = table[near & table['public']]
    # Those whose level the archive's table does not say come last.
    has_level = np.ma.filled(table['level'], '') == _LEVEL
    order = np.lexsort((table['obsid'], has_level))
    return table[order[::-1]]


def _fetch_star(star, band, observations, request):
    """Fetch the map of a star in a band, out of the first observation that has one."""
    entry = {'star': str(star['name']), 'band': band}
    lacks = []
    for obsid in _choose_obsids(observations, band):
        try:
            fetched = fetch_map(
                obsid,
                band=band,
                level=_LEVEL,
                patience=request.patience,
                progress_bar=request.progress_bar,
            )
        except ArchiveConnectionError:
            # The next observations would fare no better.
            raise
        except ArchiveError as exc:
            lacks.append(str(exc))
            continue
        if _find_star(parse_map(fetched), QTable(star)) is None:
            lacks.append(f'the star is on no observed pixel of {fetched.product}')
            continue
        return entry | {'state': 'done', **_keep(fetched, star, band, request.folder)}
    reason = ' '.join(lacks) or 'no public scan map is pointed at it'
    return entry | {'state': 'missing', 'reason': reason}


def _choose_obsids(observations, band):
    """Those that have a band, then those of which nobody knows whether they do."""
    if not len(observations):
        return []
    unknown = np.ma.getmaskarray(observations['bands'])
    texts = np.ma.filled(observations['bands'], '')
    has = np.array([band in str(text).split(',') for text in texts], dtype=bool)
    obsids = [*observations['obsid'][has], *observations['obsid'][unknown]]
    return [str(obsid) for obsid in obsids[:_MOST_TRIES]]


def _keep(fetched, star, band, folder):
    """Copy a map out of the cache, under a name that says what it is."""
    suffix = ''.join(part for part in ('.fits', '.gz') if part in fetched.product)
    stem = re.sub(r'\W+', '_', str(star['name']))
    path = folder / f'{stem}_{band}_{fetched.obsid}{suffix}'
    write_atomically(path, lambda target: shutil.copyfile(fetched.path, target))
    keys = ('obsid', 'level', 'map_maker', 'product', 'source', 'url', 'date')
    about = {key: getattr(fetched, key) for key in keys}
    return {'file': path.name, 'sha256': fetched.sha256, **about}
