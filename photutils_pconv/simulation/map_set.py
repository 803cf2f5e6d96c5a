# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
A training set out of your own maps.
"""

from dataclasses import dataclass
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.nddata import CCDData
from astropy.table import QTable
from scipy.ndimage import maximum_filter

from photutils_pconv._utils.checks import check_choice, check_count, check_switches
from photutils_pconv._utils.checksums import file_checksum
from photutils_pconv._utils.versions import package_versions
from photutils_pconv._utils.writing import (
    check_output,
    remove_stale,
    write_bytes_atomically,
)
from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.geometry.holes import draw_holes
from photutils_pconv.inputs.fits import read_fits_map
from photutils_pconv.inputs.fits_files import open_fits
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.sources import parse_sources
from photutils_pconv.inputs.tables import read_source_table
from photutils_pconv.inputs.unit_texts import parse_map_unit
from photutils_pconv.photometry.signal_to_noise import snr
from photutils_pconv.psf.library import get_psf
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation._checks import as_number, as_pair
from photutils_pconv.simulation._pieces import (
    assemble,
    is_whole,
    read_manifest,
    write_manifest,
    write_piece,
)
from photutils_pconv.simulation.backgrounds import SOURCE_SNR
from photutils_pconv.simulation.cutout_sets import (
    extract_training_cutouts,
    merge_cutouts,
)
from photutils_pconv.simulation.injection import inject_sources, random_positions
from photutils_pconv.simulation.partition import complexity, split_fields

__all__ = ['MapField', 'MapSetOptions', 'make_map_set', 'read_map_fields']

# The peaks over the local scatter between which fluxes lie where none are given:
# from what is hardly seen to what fills the largest hole of Table 3 (by choice).
_PEAK_RANGE = (3.0, 600.0)
# Places at which a map's scatter is measured for that (by choice).
_PLACES = 200
# The least distance of sources, and from real ones and the edge, in FWHMs of the beam;
# what does not fit is tried with less (by choice).
_SEPARATIONS = (6.0, 4.0, 2.5)
_MARGIN = 5.0
# Sources a map where no number is given: one in so many squared FWHMs (by choice).
_AREA = 200.0
# With fewer maps than this, each is cut into two parts.
_FEWEST_MAPS = 3
_PARTS = {'train': (0.0, 0.75), 'valid': (0.75, 1.0)}
_COLUMNS = ('map', 'field', 'sources', 'unit', 'min_flux', 'max_flux', 'n_sources')
_COLUMNS += ('split',)


@dataclass(frozen=True, kw_only=True)
class MapField:
    """
    A map of a training set, and what is known of it.

    Parameters
    ----------
    path : path-like
        The FITS file.

    name : str, optional
        The field's name; by default that of the file. Maps of one piece of
        sky must have one name.

    sources : path-like, optional
        The list of the sources that are on the map. They are masked.
        Without it, places that look like sources are avoided.

    unit : str, optional
        The unit, instead of the header's.

    flux_range : pair of float, optional
        The lowest and the highest flux, in mJy; by default those whose peaks
        are 3 and 600 times the scatter on a typical place of the map.

    n_sources : int, optional
        The number of sources a simulation.

    split : {'train', 'valid', 'test'}, optional
        Where the field belongs; by default its complexity decides.
    """

    path: Path
    name: str = ''
    sources: Path | None = None
    unit: str | None = None
    flux_range: tuple | None = None
    n_sources: int | None = None
    split: str | None = None

    def __post_init__(self):
        object.__setattr__(self, 'path', Path(self.path).expanduser())
        if not self.name:
            object.__setattr__(self, 'name', self.path.name.split('.')[0])
        if self.flux_range is not None:
            pair = as_pair(self.flux_range, 'flux_range', low=0)
            object.__setattr__(self, 'flux_range', pair)
        if self.n_sources is not None:
            check_count(self.n_sources, 'n_sources')
        if self.split is not None:
            check_choice(self.split, 'split', ('train', 'valid', 'test'))


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


def read_map_fields(path):
    """
    Read a list of maps.

    Parameters
    ----------
    path : path-like
        A table (CSV, ECSV and so on) with the column ``map``, the file,
        relative to the list, and as far as they are known ``field``,
        ``sources`` (a file), ``unit``, ``min_flux`` and ``max_flux`` (mJy),
        ``n_sources`` and ``split``, as in the paper's Tables A.1 to A.4.

    Returns
    -------
    fields : list of `MapField`
        The fields.

    Raises
    ------
    ValueError
        If there is no column ``map``, or a value is not accepted.
    """
    path = Path(path).expanduser()
    table = read_source_table(path)
    if 'map' not in table.colnames:
        msg = (
            f"{path} must have the column 'map'; known are {', '.join(_COLUMNS)}, got "
            f'{", ".join(table.colnames)}'
        )
        raise ValueError(msg)

    def get(row, name):
        if name not in table.colnames:
            return None
        value = row[name]
        value = getattr(value, 'value', value)
        text = str(value).strip()
        return None if value is np.ma.masked or text in ('', 'nan', '--') else value

    fields = []
    for row in table:
        fluxes = [get(row, f'{end}_flux') for end in ('min', 'max')]
        if fluxes.count(None) == 1:
            msg = f'{path} must have both min_flux and max_flux of {row["map"]}'
            raise ValueError(msg)
        listed, number = get(row, 'sources'), get(row, 'n_sources')
        fields.append(
            MapField(
                path=path.parent / str(row['map']),
                name=str(get(row, 'field') or ''),
                sources=None if listed is None else path.parent / str(listed),
                unit=get(row, 'unit') and str(get(row, 'unit')),
                flux_range=None if None in fluxes else tuple(map(float, fluxes)),
                n_sources=None if number is None else int(number),
                split=get(row, 'split') and str(get(row, 'split')),
            )
        )
    return fields


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
        image = _read(one)
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
            for part in _PARTS
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


def _read(one):
    """Read a map, with its own unit or the one that is given."""
    image = read_fits_map(one.path)
    if one.unit is None:
        return image
    wcs = getattr(image, 'wcs', None)
    mask = getattr(image, 'mask', None)
    data = getattr(image, 'data', image)
    return CCDData(np.asarray(data), unit=u.Unit(one.unit), wcs=wcs, mask=mask)


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
    try:
        cutouts = _simulate(plan, one, setup, options)
    except ValueError as exc:
        return {**plan, 'state': 'missing', 'reason': str(exc)}
    return {**plan, **write_piece(folder, plan['name'], cutouts)}


def _cut_part(image, part):
    """Cut a part of a map off, along its longer side."""
    axis = int(np.argmax(image.shape))
    n = image.shape[axis]
    start, stop = (round(share * n) for share in _PARTS[part])
    region = [slice(None), slice(None)]
    region[axis] = slice(start, stop)
    return image[tuple(region)]


def _simulate(plan, one, setup, options):
    """Make the cutouts of a map: a simulation for each flux level."""
    image = _read(one)
    if plan['name'].endswith(f'_{plan["split"]}'):
        image = _cut_part(image, plan['split'])
    given = parse_map(image, pixel_scale=setup.pixel_scale)
    # The network works on the setup's own pixels.
    grid = MapGrid.from_input(given, setup).in_double()
    native = grid.native
    data = np.where(native.missing, np.nan, native.data * native.jy_per_pixel)
    forbidden, data = _find_forbidden(data, one, grid, given.wcs, setup)
    scale = setup.pixel_scale.to_value('arcsec')
    beam = (setup.psf_fwhm / setup.pixel_scale).to_value('')
    psf = get_psf(setup)
    rng = np.random.default_rng([options.seed, plan['number'], len(plan['split'])])
    low, high = one.flux_range or _choose_fluxes(data, forbidden, psf, setup, rng)
    n_sources = one.n_sources
    if n_sources is None:
        n_sources = max(1, int(np.count_nonzero(~forbidden) / (_AREA * beam**2)))
    sets = []
    for flux in np.geomspace(low, high, options.n_simulations):
        x, y = _draw_positions(data.shape, n_sources, beam, forbidden, rng)
        simulated = inject_sources(
            np.where(np.isfinite(data), data, 0.0),
            x,
            y,
            np.full(len(x), flux * 1.0e-3),
            psf=psf,
            pixel_scale=scale,
            angle=rng.uniform(0.0, 2.0 * np.pi),
        )
        unit = u.Jy / u.pix
        injected = QTable({'x': x, 'y': y, 'flux': np.full(len(x), flux) * u.mJy})
        sets.append(
            extract_training_cutouts(
                CCDData(np.where(np.isfinite(data), simulated, np.nan), unit=unit),
                CCDData(data, unit=unit),
                injected,
                setup=setup,
                field=one.name,
            )
        )
    return merge_cutouts(sets)


def _find_forbidden(data, one, grid, wcs, setup):
    """Find where no source may be put; listed sources are taken off the map."""
    beam = (setup.psf_fwhm / setup.pixel_scale).to_value('')
    if one.sources is not None:
        parsed = parse_sources(read_source_table(one.sources), wcs=wcs)
        x, y = grid.to_native(parsed.x, parsed.y)
    else:
        # Peaks that would pass for sources by Eq. 1.
        filled = np.where(np.isfinite(data), data, -np.inf)
        size = 2 * int(np.ceil(beam)) + 1
        peaks = (filled == maximum_filter(filled, size)) & np.isfinite(data)
        y, x = np.nonzero(peaks)
        ratio = snr(data, x, y, setup=setup)
        found = np.isfinite(ratio) & (ratio > SOURCE_SNR)
        x, y = x[found].astype(float), y[found].astype(float)
    inside = np.isfinite(x) & np.isfinite(y)
    x, y = x[inside], y[inside]
    ratio = snr(data, x, y, setup=setup) if len(x) else np.empty(0)
    radius = setup.hole_radius(np.where(np.isfinite(ratio), ratio, 0.0))
    if one.sources is not None:
        # Nobody knows the emission under them.
        data = np.where(draw_holes(data.shape, x, y, radius), np.nan, data)
    around = draw_holes(data.shape, x, y, radius + max(setup.hole_radii))
    return around | ~np.isfinite(data), data


def _choose_fluxes(data, forbidden, psf, setup, rng):
    """Choose fluxes (mJy) whose peaks are a range of multiples of the scatter."""
    places = np.flatnonzero(~forbidden)
    if places.size == 0:
        msg = 'no place is free of sources and missing pixels'
        raise ValueError(msg)
    y, x = np.unravel_index(rng.choice(places, _PLACES), data.shape)
    scatter = []
    for column, row in zip(x, y, strict=True):
        reach = int(setup.snr_outer_radius)
        part = data[
            max(row - reach, 0) : row + reach + 1,
            max(column - reach, 0) : column + reach + 1,
        ]
        part = part[np.isfinite(part)]
        if part.size > 1:
            scatter.append(part.std())
    stamp = psf.render(
        (3, 3), 1, 1, pixel_scale=setup.pixel_scale.to_value('arcsec'), oversampling=5
    )
    level = np.median(scatter) / stamp.max() if scatter else 0.0
    as_number(float(level), "the map's scatter", above=0)
    return tuple(1.0e3 * ratio * level for ratio in _PEAK_RANGE)


def _draw_positions(shape, n, beam, forbidden, rng):
    """Draw as many positions as asked for, or as fit."""
    for separation in _SEPARATIONS:
        try:
            return random_positions(
                shape,
                n,
                rng=rng,
                separation=separation * beam,
                margin=_MARGIN * beam,
                mask=forbidden,
            )
        except ValueError:
            if separation == _SEPARATIONS[-1]:
                raise
    return None


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
