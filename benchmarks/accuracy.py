# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Accuracy of fluxes and of the reconstructed emission, against peers.

Sources of known flux are injected into maps of known emission; ours and
other methods remove and measure them::

    python benchmarks/accuracy.py --mode scanmap --output accuracy.md
    python benchmarks/accuracy.py --quick
    PCONV_REAL_DATA=... python benchmarks/accuracy.py --real

Everything follows from ``--seed``; none of the seeds of the training is
used. The tables are in Markdown.
"""

import argparse
import os
import platform
import shlex
import sys
import time
from importlib import metadata
from pathlib import Path

import astropy.units as u
import numpy as np
from _maps import make_map
from _peers import make_peers
from _real import BACKGROUNDS, make_real_map
from _report import LARGE_APERTURES, format_setups, format_table, summarise
from astropy.table import Table, vstack

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.masks import hole_stamp
from photutils_pconv.network.card import package_versions
from photutils_pconv.photometry import (
    encircled_energy_correction,
    local_background,
    removed_photometry,
)
from photutils_pconv.setups import get_setup, list_setups

# Half the side of the stamps that the peers see, in pixels.
_HALF = 32


def measure_map(benchmark_map, *, model=None):
    """
    Remove and measure the sources of one map with every method.

    Parameters
    ----------
    benchmark_map : `_maps.BenchmarkMap`
        The map.

    model : optional
        The model, as `~photutils_pconv.NeuralSourceRemover` takes it.

    Returns
    -------
    table : `~astropy.table.Table`
        A row a source: ``map``, ``setup``, ``snr``, ``hole_radius``,
        ``flux_true`` (Jy), ``ratio_METHOD`` (measured over true flux in
        the setup's aperture), ``ratio_METHOD_RADIUS`` for the large
        apertures of ours and annulus, ``rms_METHOD`` and
        ``offset_METHOD`` (root mean square and mean of fill minus
        noise-free emission in the hole, in units of ``scatter``, the
        standard deviation of the source-free map in the annulus of
        Eq. 1).
    """
    truth = benchmark_map
    setup, x, y = truth.setup, truth.x, truth.y
    default = setup.aperture_radius.to_value(u.arcsec)
    remover = NeuralSourceRemover(
        setup=setup,
        model=model,
        aperture_radii=(default, *LARGE_APERTURES),
        aperture_corrections=truth.eef,
    )
    positions = np.stack([x, y], axis=1)
    cleaned, photometry = remover(u.Quantity(truth.data, u.Jy / u.pix), positions)

    table = Table()
    table['map'] = [truth.name] * len(x)
    table['setup'] = [setup.name] * len(x)
    for name in ('snr', 'hole_radius'):
        table[name] = np.asarray(photometry[name])
    table['flux_true'] = truth.flux
    for k, suffix in enumerate(('', *(f'_{radius:g}' for radius in LARGE_APERTURES))):
        for method, column in (('ours', 'flux'), ('annulus', 'flux_annulus')):
            flux = photometry[f'{column}_{k}'].to_value(u.Jy)
            table[f'ratio_{method}{suffix}'] = flux / truth.flux

    ring = (setup.snr_inner_radius, setup.snr_outer_radius)
    scatter = local_background(truth.noisy, x, y, annulus_radii=ring)['local_bkg_std']
    table['scatter'] = scatter
    fills = _fill_holes(truth, table['hole_radius'], cleaned.value)
    for method, (removed, rms, offset) in fills.items():
        if f'ratio_{method}' not in table.colnames:
            table[f'ratio_{method}'] = (
                _removed_flux(truth, removed, table['hole_radius']) / truth.flux
            )
        table[f'rms_{method}'] = rms / scatter
        table[f'offset_{method}'] = offset / scatter
    for key in ('model', 'model_checksum'):
        table.meta[key] = photometry.meta[key]
    return table


def _fill_holes(truth, hole_radius, cleaned):
    """
    Fill the holes with every method; give what it removes, its RMS and mean.
    """
    scale = truth.setup.pixel_scale.to_value(u.arcsec)
    inner, outer = truth.setup.annulus_radii.to_value(u.arcsec) / scale
    peers = make_peers(inner=inner, outer=outer)
    names = ('ours', *peers, 'exact')
    removed = {name: np.zeros(truth.data.shape) for name in names}
    rms, offset = (
        {name: np.full(len(truth.x), np.nan) for name in names} for _ in range(2)
    )
    ny, nx = truth.data.shape
    for i, (x, y, radius) in enumerate(zip(truth.x, truth.y, hole_radius, strict=True)):
        rows = slice(max(int(y) - _HALF, 0), min(int(y) + _HALF + 1, ny))
        columns = slice(max(int(x) - _HALF, 0), min(int(x) + _HALF + 1, nx))
        image = truth.data[rows, columns]
        hole = hole_stamp(
            np.arange(rows.start, rows.stop),
            np.arange(columns.start, columns.stop),
            x,
            y,
            radius,
        )
        exact = truth.background(i, rows, columns)
        fills = {name: fill(image, hole) for name, fill in peers.items()}
        fills['ours'] = cleaned[rows, columns]
        fills['exact'] = exact
        for name, filled in fills.items():
            removed[name][rows, columns][hole] = (image - filled)[hole]
            error = (filled - exact)[hole]
            rms[name][i] = np.sqrt(np.mean(error**2))
            offset[name][i] = error.mean()
    return {name: (removed[name], rms[name], offset[name]) for name in names}


def _removed_flux(truth, removed, hole_radius):
    """
    Measure removed sources just as the remover does.
    """
    setup = truth.setup
    radius = setup.aperture_radius.to_value(u.arcsec)
    measured = removed_photometry(
        removed,
        truth.x,
        truth.y,
        radii=[radius / setup.pixel_scale.to_value(u.arcsec)],
        hole_radius=np.asarray(hole_radius),
        local_std=0.0,
    )
    correction = encircled_energy_correction(
        [radius],
        measured['hole_fraction'],
        lambda value: setup.eef(value, table=truth.eef),
    )
    return (measured['flux'] * correction)[:, 0]


def describe_run(meta):
    """
    Describe machine, versions, command and model.

    Parameters
    ----------
    meta : dict
        The metadata of a table of `measure_map`.

    Returns
    -------
    text : str
        A Markdown list.
    """
    import torch

    cpu = platform.processor() or platform.machine()
    cpuinfo = Path('/proc/cpuinfo')
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding='utf-8').splitlines()
        names = [line for line in lines if line.startswith('model name')]
        cpu = names[0].split(':')[1].strip() if names else cpu
    versions = package_versions()
    for name in ('photutils', 'astropy', 'scikit-image', 'maskfill'):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = 'not installed'
    return '\n'.join(
        [
            f'- machine: {cpu}, {torch.get_num_threads()} thread(s), '
            f'{platform.system()}, Python {platform.python_version()}',
            '- versions: ' + ', '.join(f'{k} {v}' for k, v in versions.items()),
            f'- model: {meta["model"]}, sha256 {meta["model_checksum"]}',
            f'- command: `{shlex.join(["python", *sys.argv])}`',
        ]
    )


def measure_maps(maps, *, model=None, report=None):
    """
    Measure several maps into one table.

    Parameters
    ----------
    maps : iterable of `_maps.BenchmarkMap`
        The maps.

    model : optional
        See `measure_map`.

    report : callable, optional
        Called with a line of text after each map.

    Returns
    -------
    table : `~astropy.table.Table`
        The rows of all maps.
    """
    tables = []
    start = time.time()
    for benchmark_map in maps:
        if len(benchmark_map.x):
            tables.append(measure_map(benchmark_map, model=model))
        if report is not None:
            report(
                f'{benchmark_map.name} {benchmark_map.setup.name}: '
                f'{len(benchmark_map.x)} sources, {time.time() - start:.0f} s'
            )
    return vstack(tables)


def simulated_maps(mode, n_maps, seed):
    """
    Generate the simulated maps of a mode.

    Parameters
    ----------
    mode : str
        The observing mode.

    n_maps : int
        The number of maps a band.

    seed : int
        The seed.

    Yields
    ------
    benchmark_map : `_maps.BenchmarkMap`
        The maps, band by band in turn.
    """
    names = [name for name in list_setups() if get_setup(setup=name).mode == mode]
    for k in range(n_maps):
        for band, name in enumerate(names):
            yield make_map(get_setup(setup=name), seed=[seed, band, k])


def real_maps(folder, mode, n_maps, seed):
    """
    Generate the maps of a mode with real backgrounds.

    Parameters
    ----------
    folder : path-like
        The folder of real data.

    mode, n_maps, seed
        As for `simulated_maps`; the maps are taken from all backgrounds
        in turn.

    Yields
    ------
    benchmark_map : `_maps.BenchmarkMap`
        The maps.
    """
    names = [name for name in list_setups() if get_setup(setup=name).mode == mode]
    for k in range(n_maps):
        for band, name in enumerate(names):
            yield make_real_map(
                folder,
                BACKGROUNDS[k % len(BACKGROUNDS)],
                get_setup(setup=name),
                seed=[seed, 100 + band, k],
            )


def main(arguments=None):
    """
    Run the benchmark from the command line.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments (default: those of the process).
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--mode', default='scanmap', choices=('scanmap', 'parallel'))
    parser.add_argument('--model', help="a model's name or path (default: the mode's)")
    parser.add_argument('--seed', type=int, default=2026)
    parser.add_argument('--maps', type=int, help='simulated maps a band')
    parser.add_argument('--quick', action='store_true', help='about two minutes')
    parser.add_argument('--real', action='store_true', help='real backgrounds, too')
    parser.add_argument('--output', type=Path, help='a Markdown file to write')
    parser.add_argument('--table', type=Path, help='an ECSV file of all sources')
    args = parser.parse_args(arguments)
    n_maps = args.maps or (12 if args.quick else 110)

    def report(line):
        print(line, file=sys.stderr, flush=True)

    start = time.time()
    table = measure_maps(
        simulated_maps(args.mode, n_maps, args.seed), model=args.model, report=report
    )
    parts = [f'# Accuracy, {args.mode} mode', describe_run(table.meta)]
    parts += _format(table, f'Simulated emission: {3 * n_maps} maps')
    if args.real:
        folder = os.environ.get('PCONV_REAL_DATA')
        if folder:
            maps = real_maps(folder, args.mode, n_maps, args.seed)
            real = measure_maps(maps, model=args.model, report=report)
            parts += _format(real, 'Real emission, PSFs of Vesta')
            table = vstack([table, real])
        else:
            report('PCONV_REAL_DATA is not set: no real backgrounds')
            parts.append('Real backgrounds: skipped, PCONV_REAL_DATA is not set.')
    parts.append(f'Run time: {time.time() - start:.0f} s.')
    text = '\n\n'.join(parts) + '\n'
    print(text)
    if args.output:
        args.output.write_text(text, encoding='utf-8')
    if args.table:
        table.write(args.table, format='ascii.ecsv', overwrite=True)


def _format(table, title):
    return [format_table(summarise(table), title=title), format_setups(table)]


if __name__ == '__main__':
    main()
