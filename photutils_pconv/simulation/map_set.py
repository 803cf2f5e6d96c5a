# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A training set out of your own maps.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from photutils_pconv._utils.checks import check_choice, check_count, check_switches
from photutils_pconv._utils.checksums import file_checksum
from photutils_pconv._utils.versions import package_versions
from photutils_pconv._utils.writing import (
    check_output,
    remove_stale,
    write_bytes_atomically,
)
from photutils_pconv.inputs.fits_files import open_fits
from photutils_pconv.inputs.tables import read_source_table
from photutils_pconv.inputs.unit_texts import parse_map_unit
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation._pieces import (
    assemble,
    is_whole,
    read_manifest,
    write_manifest,
    write_piece,
)
from photutils_pconv.simulation.map_cutouts import PARTS, make_map_cutouts
from photutils_pconv.simulation.map_fields import read_field
from photutils_pconv.simulation.partition import complexity, split_fields

__all__ = ['MapSetOptions', 'make_map_set']

# With fewer maps than this, each is cut into two parts.
_FEWEST_MAPS = 3


@dataclass(frozen=True, kw_only=True)
class MapSetOptions:
    """
    How much to make of each map.

    Parameters
    ----------
    kind : {'masked', 'residual'}, optional
        The kind of the cutouts. Those with holes are written; those of a
        removal with a PSF are drawn from the maps in the training itself.

    n_simulations : int, optional
        The flux levels of each map, spread evenly in the logarithm.

    seed : int, optional
        The seed of positions and angles, and of the partition.
    """

    kind: str = 'masked'
    n_simulations: int = 12
    seed: int = 0

    def __post_init__(self):
        check_switches(self)
        check_choice(self.kind, 'kind', ('masked', 'residual'))
        check_count(self.n_simulations, 'n_simulations')
        check_count(self.seed, 'seed', minimum=0)


def make_map_set(folder, fields, setup, *, options=None, tell=None):
    """
    Make a training set out of your own maps.

    The complexity of each map is measured, by which the fields are divided
    into training, validation and test; of fewer than three maps each is cut
    into two parts. For cutouts with holes, sources are injected into each
    map, away from those that it has, at so many flux levels, and the cutouts
    written. What a field gave is kept in ``pieces``, so that an interrupted
    run goes on; ``manifest.json`` records what became of each; ``cutouts`` is
    what a training reads, by the configuration ``train.toml``.

    Parameters
    ----------
    folder : path-like
        The folder, which is made if need be.

    fields : sequence of `MapField`
        The maps.

    setup : `~photutils_pconv.setups.ObservingSetup` or str
        The setup of all of them, whose pixels they must have.

    options : `MapSetOptions`, optional
        How much to make.

    tell : callable, optional
        What is given a line about each field.

    Returns
    -------
    manifest : dict
        What became of each field: ``fields`` has a dictionary for each, whose
        ``state`` is ``'done'``, or ``'missing'`` with a ``reason``.

    Raises
    ------
    FileNotFoundError
        If a file does not exist.

    ValueError
        If an argument is not accepted, no field gave anything, or the folder
        holds a set with other options.
    """
    options = MapSetOptions() if options is None else options
    tell = (lambda line: None) if tell is None else tell
    setup = get_setup(setup=setup)
    folder = Path(folder).expanduser()
    fields = list(fields)
    if not fields:
        msg = 'fields must have at least one map.'
        raise ValueError(msg)
    for one in fields:
        for path in (one.path, one.sources):
            if path is not None and not Path(path).is_file():
                msg = f'no such file: {path}'
                raise FileNotFoundError(msg)
        # Before hours of work on the others.
        open_fits(one.path).close()
        if one.unit is not None:
            parse_map_unit(one.unit)
        if one.sources is not None:
            read_source_table(one.sources)
    check_output([folder / 'manifest.json'], overwrite=True)
    (folder / 'pieces').mkdir(parents=True, exist_ok=True)
    remove_stale(folder)
    recipe = {
        'setup': setup.name,
        'kind': options.kind,
        'n_simulations': options.n_simulations,
        'seed': options.seed,
    }
    known = read_manifest(folder, recipe)
    tell(f'{len(fields)} maps of {setup.name}: measuring their complexity')
    planned = _plan(fields, setup, options)
    manifest = {**recipe, 'versions': package_versions('astropy'), 'fields': []}
    for plan in planned:
        entry = known.get(plan['name'])
        same = entry is not None and all(entry.get(k) == v for k, v in plan.items())
        if not (same and (options.kind == 'residual' or is_whole(folder, entry))):
            entry = _make_piece(folder, plan, fields, setup, options)
        manifest['fields'].append(entry)
        write_manifest(folder, manifest, known)
        about = entry.get('reason') or f'complexity {entry["complexity"]:.2f}'
        about += f', {entry["cutouts"]} cutouts' if 'cutouts' in entry else ''
        tell(f'{entry["name"]}: {entry["split"]}, {entry["state"]}, {about}')
    if options.kind == 'masked':
        manifest['cutouts'] = assemble(folder, manifest['fields'])
    write_manifest(folder, manifest, {})
    _write_config(folder, manifest, fields, setup)
    return manifest


def _plan(fields, setup, options):
    """Decide which part of which map goes where."""
    plans, measures = [], {}
    for number, one in enumerate(fields):
        image = read_field(one)
        measure = complexity(_as_bare(image), setup=setup)
        measures.setdefault(one.name, []).append(measure)
        plans.append(
            {
                'number': number,
                'map': str(one.path),
                'map_sha256': file_checksum(one.path),
                'options': repr(one),
                'complexity': float(measure),
            }
        )
    names = list(measures)
    given = {one.name: one.split for one in fields if one.split is not None}
    open_names = [name for name in names if name not in given]
    if given and not open_names:
        parts = given
    elif len(open_names) < _FEWEST_MAPS:
        return [
            {
                **plan,
                'name': f'{plan["number"]}_{fields[plan["number"]].name}_{part}',
                'split': part,
            }
            for plan in plans
            for part in PARTS
        ]
    else:
        mean = {name: float(np.mean(measures[name])) for name in open_names}
        found = split_fields(open_names, complexity=mean, seed=options.seed)
        parts = given | {name: part for part, some in found.items() for name in some}
    return [
        {
            **plan,
            'name': f'{plan["number"]}_{fields[plan["number"]].name}',
            'split': parts[fields[plan['number']].name],
        }
        for plan in plans
    ]


def _as_bare(image):
    """Leave the unit of a map out, which need not be one of surface brightness."""
    values = np.array(getattr(image, 'data', image), dtype=float)
    mask = getattr(image, 'mask', None)
    if mask is not None:
        values[np.asarray(mask)] = np.nan
    return values


def _make_piece(folder, plan, fields, setup, options):
    """Inject sources into a map, and write the cutouts."""
    one = fields[plan['number']]
    if options.kind == 'residual':
        return {**plan, 'state': 'done'}
    split = plan['split']
    seed = [options.seed, plan['number'], len(split)]
    part = split if plan['name'].endswith(f'_{split}') else None
    try:
        cutouts = make_map_cutouts(
            one,
            setup,
            n_simulations=options.n_simulations,
            rng=np.random.default_rng(seed),
            part=part,
        )
    except ValueError as exc:
        return {**plan, 'state': 'missing', 'reason': str(exc)}
    return {**plan, **write_piece(folder, plan['name'], cutouts)}


def _write_config(folder, manifest, fields, setup):
    """Write the configuration of a training on the set."""
    start = {'masked': 'pacs', 'residual': 'psf'}[manifest['kind']]
    lines = [
        f'# Fine-tunes the model {start!r} on the maps in {folder}. From a shell:',
        '#',
        f'#     photutils-pconv train {folder / "train.toml"}',
        "name = 'mine'",
        "output = 'training'",
        'epochs = 4',
        'batch_size = 16',
        '[network]',
        f"start = '{start}'",
        '[optimiser]',
        "name = 'adamw'",
        "schedule = 'cosine'",
        'warm_up = 0.05',
        'clip_norm = 2.0',
        'ema_decay = 0.995',
        '[data]',
        f"setups = ['{setup.name}']",
    ]
    if manifest['kind'] == 'masked':
        lines += [
            "source = 'arrays'",
            "folder = 'cutouts'",
            "nan_targets = 'missing'",
        ]
    else:
        entries = {}
        for entry in manifest['fields']:
            entries.setdefault(entry['number'], entry)
        whole = [one for one in entries.values() if '_train' not in one['name'][-6:]]
        for prefix, chosen in (
            ('', [one for one in entries.values() if one['split'] == 'train']),
            ('validation_', [one for one in whole if one['split'] == 'valid']),
        ):
            if chosen:
                paths = [str(Path(one['map']).resolve()) for one in chosen]
                lines.append(f'{prefix}backgrounds = {paths!r}')
                listed = [fields[one['number']].sources for one in chosen]
                if any(listed):
                    listed = [str(Path(x).resolve()) if x else '' for x in listed]
                    lines.append(f'{prefix}background_sources = {listed!r}')
        lines += ['epoch_size = 4096', 'validation_size = 512']
    text = '\n'.join(lines) + '\n'
    write_bytes_atomically(folder / 'train.toml', text.encode())
