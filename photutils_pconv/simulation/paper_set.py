# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The paper's own training set: its fields, its injections, its split.
"""

from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from astropy.table import QTable, vstack

from photutils_pconv._utils.checks import (
    check_choice,
    check_count,
    check_switches,
)
from photutils_pconv._utils.versions import package_versions
from photutils_pconv._utils.writing import check_output, remove_stale, write_atomically
from photutils_pconv.archive.errors import ArchiveConnectionError, ArchiveError
from photutils_pconv.archive.maps import fetch_map
from photutils_pconv.archive.patience import Patience
from photutils_pconv.inputs.fits import read_fits_map
from photutils_pconv.psf.library import get_psf
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation._pieces import (
    SPLITS,
    assemble,
    is_whole,
    read_manifest,
    spread,
    write_manifest,
    write_piece,
)
from photutils_pconv.simulation.cutout_extraction import extract_training_cutouts
from photutils_pconv.simulation.cutout_sets import merge_cutouts
from photutils_pconv.simulation.levels import simulate_levels

__all__ = ['PaperSetOptions', 'load_paper_fields', 'make_paper_set']

_BANDS = ('blue', 'green', 'red')
# The paper's PSFs are injected as they are, and turned by the augmentation
# (sections 2.2 and 2.4).
_ROTATION = 0.0
# The smallest distance of two sources (arcsec). The paper has none, but avoids
# "excessive clustering" (section 2.3.1); that of `simulate_sources`, and less where
# a field does not hold so many.
_SEPARATIONS = (30.0, 20.0, 10.0)


@dataclass(frozen=True, kw_only=True)
class PaperSetOptions:
    """
    How much of the paper's set to make, and how.

    Parameters
    ----------
    bands : tuple of str, optional
        The bands; by default all.

    max_fields : int, optional
        The number of fields, training, validation and test in turn; by
        default all.

    max_simulations : int, optional
        The number of flux levels a field, spread evenly; by default all.

    seed : int, optional
        The seed of the positions.

    patience : `~photutils_pconv.archive.Patience`, optional
        How long to wait for the archive, and how often to ask.

    progress_bar : bool, optional
        Whether to show the bytes of downloads.

    Raises
    ------
    ValueError
        If a value is not accepted.
    """

    bands: tuple[str, ...] = _BANDS
    max_fields: int | None = None
    max_simulations: int | None = None
    seed: int = 0
    patience: Patience = field(default_factory=Patience)
    progress_bar: bool = False

    def __post_init__(self):
        check_switches(self)
        for band in self.bands:
            check_choice(band, 'bands', _BANDS)
        for name in ('max_fields', 'max_simulations'):
            if getattr(self, name) is not None:
                check_count(getattr(self, name), name)
        check_count(self.seed, 'seed', minimum=0)


def load_paper_fields(*, mode=None, band=None, split=None):
    """
    Load the fields that the paper's simulations are made of.

    Parameters
    ----------
    mode : {'scanmap', 'parallel'}, optional
        The fields of this mode alone.

    band : {'blue', 'green', 'red'}, optional
        The fields of this band alone.

    split : {'train', 'valid', 'test'}, optional
        The fields of this part alone.

    Returns
    -------
    fields : `~astropy.table.QTable`
        Tables A.1 to A.4 of Madarász et al. (2025, A&A 696, A37): ``mode``,
        ``band``, ``obsid`` (empty for one field, of which the paper does not say
        it), ``level``, ``n_sources`` (of each simulation), ``min_flux`` and
        ``max_flux`` (mJy, inclusive), ``split``, ``n_simulations``. Four
        observations of one mode are in different parts in different bands.

    Raises
    ------
    ValueError
        If an argument is not accepted.
    """
    fields = _read_fields().copy()
    for name, value, accepted in (
        ('mode', mode, ('scanmap', 'parallel')),
        ('band', band, _BANDS),
        ('split', split, SPLITS),
    ):
        if value is not None:
            check_choice(value, name, accepted)
            fields = fields[fields[name] == value]
    return fields


@cache
def _read_fields():
    path = resources.files('photutils_pconv') / 'data/simulation/paper_fields.ecsv'
    with resources.as_file(path) as file:
        fields = QTable.read(file, format='ascii.ecsv')
    for name in ('obsid', 'level'):
        fields[name] = np.ma.filled(fields[name], '')
    return fields


def make_paper_set(folder, mode, *, options=None, tell=None):
    """
    Make the paper's training set of a mode out of maps from the archive.

    Each field's map is fetched; for each flux level sources are injected at random
    positions, and cutouts made of them (section 2.3.1). The PSFs are those of
    `~photutils_pconv.psf.get_psf`, whose whole flux is 1; the paper's have it within
    their stamps. The bands are merged, and
    the fields divided as the paper does. What a field gave is kept in
    ``pieces``, so that an interrupted run goes on; ``manifest.json`` records
    what became of each field, with checksums; ``cutouts`` is what a training reads.
    ``sources`` lists the injected sources of each field: ``ra`` and ``dec`` (deg) and
    ``flux`` (mJy), one simulation after the other.

    Parameters
    ----------
    folder : path-like
        The folder, which is made if need be.

    mode : {'scanmap', 'parallel'}
        The mode.

    options : `PaperSetOptions`, optional
        How much to make, and how.

    tell : callable, optional
        What is given a line about each field.

    Returns
    -------
    manifest : dict
        What became of each field: ``fields`` has a dictionary for each, whose
        ``state`` is ``'done'``, or ``'missing'`` with a ``reason``.

    Raises
    ------
    ArchiveConnectionError
        If the archive does not answer. What is done is kept: run it again.

    ValueError
        If an argument is not accepted, or no field gave anything.
    """
    options = PaperSetOptions() if options is None else options
    tell = (lambda line: None) if tell is None else tell
    folder = Path(folder).expanduser()
    fields = _choose_fields(load_paper_fields(mode=mode), options)
    check_output([folder / 'manifest.json'], overwrite=True)
    for name in ('pieces', 'sources'):
        (folder / name).mkdir(parents=True, exist_ok=True)
    remove_stale(folder)
    # What was asked for; another seed makes other pieces.
    recipe = {'seed': options.seed, 'max_simulations': options.max_simulations}
    known = read_manifest(folder, recipe)
    manifest = {
        'mode': mode,
        **recipe,
        'versions': package_versions('astropy', 'astroquery'),
        'fields': [],
    }
    for row in fields:
        name = f'{row["mode"]}_{row["band"]}_{row["obsid"] or "unknown"}'
        entry = known.get(name)
        if entry is None or not is_whole(folder, entry):
            entry = _make_piece(folder, name, row, options)
        manifest['fields'].append(entry)
        write_manifest(folder, manifest, known)
        about = entry['reason'] if entry['state'] == 'missing' else entry['cutouts']
        tell(f'{name}: {entry["state"]}, {about}')
    manifest['cutouts'] = assemble(folder, manifest['fields'])
    write_manifest(folder, manifest, known)
    return manifest


def _choose_fields(fields, options):
    """The fields of some bands, the parts in turn, so that few make a set, too."""
    rows = [row for row in fields if row['band'] in options.bands]
    queues = [[row for row in rows if row['split'] == split] for split in SPLITS]
    ordered = []
    while any(queues):
        ordered += [queue.pop(0) for queue in queues if queue]
    return ordered[: options.max_fields]


def _make_piece(folder, name, row, options):
    """Fetch a field, simulate it, and write its cutouts."""
    entry = {'name': name, 'split': str(row['split'])}
    entry |= {key: str(row[key]) for key in ('mode', 'band', 'obsid', 'level')}
    if not row['obsid']:
        return {**entry, 'state': 'missing', 'reason': 'the paper does not give it'}
    try:
        fetched = fetch_map(
            row['obsid'],
            band=str(row['band']),
            level=str(row['level']),
            patience=options.patience,
            progress_bar=options.progress_bar,
        )
    except ArchiveConnectionError:
        # The next fields would fare no better.
        raise
    except ArchiveError as exc:
        return {**entry, 'state': 'missing', 'reason': str(exc)}
    entry['map'] = {'product': fetched.product, 'url': fetched.url}
    entry['map']['sha256'] = fetched.sha256
    try:
        cutouts, sources = _simulate(fetched, row, options)
    except ValueError as exc:
        return {**entry, 'state': 'missing', 'reason': str(exc)}
    entry['sources'] = f'sources/{name}.csv'
    write_atomically(
        folder / entry['sources'],
        lambda path: sources.write(path, format='ascii.csv'),
    )
    return {**entry, **write_piece(folder, name, cutouts)}


def _simulate(fetched, row, options):
    """The cutouts of one field and its sources: a simulation for each flux level."""
    setup = get_setup(mode=str(row['mode']), band=str(row['band']))
    image = read_fits_map(fetched)
    for separation in _SEPARATIONS:
        seeds = [options.seed, int(row['obsid']), _BANDS.index(row['band'])]
        simulations = simulate_levels(
            image,
            get_psf(setup),
            row['min_flux'],
            row['max_flux'],
            rng=np.random.default_rng(seeds),
            n_sources=int(row['n_sources']),
            separation=separation,
            rotation=_ROTATION,
        )
        wanted = spread(int(row['n_simulations']), options.max_simulations)
        sets, lists = [], []
        try:
            for number, (ccd, sources) in enumerate(simulations):
                if number not in wanted:
                    continue
                sets.append(
                    extract_training_cutouts(
                        ccd, image, sources, setup=setup, field=str(row['obsid'])
                    )
                )
                lists.append(sources)
            return merge_cutouts(sets), vstack(lists, metadata_conflicts='silent')
        except ValueError:
            # So many sources do not fit so far from each other.
            if separation == _SEPARATIONS[-1]:
                raise
    return None
