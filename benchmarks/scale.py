# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a removal costs: by the map's size, by threads, and by processes.

::

    python benchmarks/scale.py
    python benchmarks/scale.py --parts sizes threads workers archive
    python benchmarks/scale.py --parts archive --maps 10000 --sources 500000

``sizes`` cleans maps of more and more pixels with the same number of sources;
``threads`` one map with more and more threads of the network; ``workers`` several maps
with one and with two processes; and ``archive`` tells from ``sizes`` what so many maps
and sources take. Each measurement is in a process of its own, after a small map that
loads everything. Processor time depends little on what else the machine does, time on
the clock does: the load stands above the tables, which are in Markdown.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import astropy.units as u
import numpy as np
from _memory import peak_memory
from _run import describe_command, print_progress, write_text
from _tables import format_lines
from astropy.io import fits
from astropy.table import Table

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.psf import get_psf
from photutils_pconv.scale import read_jobs, remove_many
from photutils_pconv.simulation import inject_sources

__all__ = ['clean_once', 'estimate_archive', 'format_rows', 'main', 'make_map']

_PARTS = ('sizes', 'threads', 'workers', 'archive')
_SETUP = {'mode': 'scanmap', 'band': 'green'}
_PIXEL = 1.6  # arcsec
_SIDES = (1000, 2000, 4000)
_N_SOURCES = 100
# The side, and the sources, of each map of the comparison of processes.
_WORKER_SIDE, _WORKER_SOURCES = 500, 20
_EDGE = 60  # pixels without a source
# What is kept of a map: cleaned map, sources (float32), holes, and missing pixels.
_BYTES_OUT = 4 + 4 + 1 + 1
# Image, coverage and scatter of a product of the archive (float64), before packing.
_BYTES_IN = 3 * 8


def make_map(side, n_sources, *, seed=1):
    """
    Make a map of white noise with sources at random places.

    Parameters
    ----------
    side : int
        Its side, in pixels.

    n_sources : int
        The number of sources.

    seed : int, optional
        The seed.

    Returns
    -------
    data, xy : `~numpy.ndarray`
        The map, float32, in Jy/pixel, and the positions (N, 2).
    """
    rng = np.random.default_rng(seed)
    xy = rng.uniform(_EDGE, side - _EDGE, (n_sources, 2))
    flux = 10 ** rng.uniform(-2.8, -0.3, n_sources)
    data = 2e-3 + 1e-4 * rng.standard_normal((side, side))
    psf = get_psf('scanmap/green')
    data = inject_sources(data, *xy.T, flux, psf=psf, pixel_scale=_PIXEL)
    return data.astype(np.float32), xy


def clean_once(side, n_sources, *, threads=1, **options):
    """
    Clean a map, and take its figures.

    Parameters
    ----------
    side, n_sources : int
        As for `make_map`.

    threads : int, optional
        The threads of the network.

    **options
        Further keywords of a remover.

    Returns
    -------
    figures : dict
        ``cpu`` and ``wall`` (s); ``memory``, the peak over that before the map
        was cleaned, and ``map``, the size of the map itself (MB).
    """
    remover = NeuralSourceRemover(**_SETUP, threads=threads, **options)
    small, xy = make_map(300, 3)
    remover(small << u.Jy / u.pix, xy)
    data, xy = make_map(side, n_sources)
    before = peak_memory()
    cpu, wall = time.process_time(), time.perf_counter()
    remover(data << u.Jy / u.pix, xy)
    return {
        'cpu': time.process_time() - cpu,
        'wall': time.perf_counter() - wall,
        'memory': peak_memory() - before,
        'map': data.nbytes / 2**20,
    }


def estimate_archive(first, last, *, n_maps, n_sources, n_pixels):
    """
    Estimate what many maps take, from a small and a large one.

    Parameters
    ----------
    first, last : dict
        What `clean_once` gives, with ``side`` and ``n``, the number of sources.

    n_maps, n_sources : int
        The numbers of maps and of sources, all maps together.

    n_pixels : float
        The pixels of a map.

    Returns
    -------
    figures : dict
        ``per_pixel`` (s per megapixel), ``per_source`` (s), ``core_hours``, and
        ``input`` and ``output`` (GB).
    """
    areas = [one['side'] ** 2 / 1e6 for one in (first, last)]
    per_pixel = max((last['cpu'] - first['cpu']) / (areas[1] - areas[0]), 0.0)
    per_source = (first['cpu'] - per_pixel * areas[0]) / first['n']
    seconds = per_pixel * n_maps * n_pixels / 1e6 + per_source * n_sources
    return {
        'per_pixel': per_pixel,
        'per_source': per_source,
        'core_hours': seconds / 3600,
        'input': _BYTES_IN * n_maps * n_pixels / 1e9,
        'output': _BYTES_OUT * n_maps * n_pixels / 1e9,
    }


def _measure_apart(**arguments):
    """Measure in a process of its own, whose memory is that of one map."""
    done = subprocess.run(
        [sys.executable, __file__, '--measure', json.dumps(arguments)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    figures = json.loads(done.stdout.splitlines()[-1])
    print_progress(f'{arguments}: {figures}')
    return figures


def _measure_workers(folder, n_maps, side, n_sources):
    """Clean maps with one process and with two; return the seconds of each map."""
    for number in range(n_maps):
        data, xy = make_map(side, n_sources, seed=number)
        header = fits.Header({'BUNIT': 'Jy/pixel'})
        fits.writeto(folder / f'{number}.fits', data, header)
        Table(xy, names=['x', 'y']).write(folder / f'{number}.csv')
    jobs = read_jobs(folder, options=_SETUP)
    rows = []
    for n_workers in (1, 2):
        start = time.perf_counter()
        output = folder / f'out{n_workers}'
        summary = remove_many(jobs, output, n_workers=n_workers)
        wall = time.perf_counter() - start
        failed = np.count_nonzero(summary['status'] != 'done')
        rows.append({'processes': n_workers, 'maps': n_maps, 'wall': wall})
        rows[-1] |= {'times as fast': rows[0]['wall'] / wall, 'failed': failed}
    return rows


def format_rows(rows):
    """
    Write rows as a Markdown table.

    Parameters
    ----------
    rows : list of dict
        The rows, all with the same keys.

    Returns
    -------
    text : str
        The table.
    """
    cells = [[_format(one) for one in row.values()] for row in rows]
    return format_lines(list(rows[0]), cells)


def _format(value):
    return f'{value:.3g}' if isinstance(value, float) else str(value)


def _compare_sizes(sides, n_sources):
    rows = []
    for side in sides:
        row = {'side': side, 'n': n_sources}
        row |= _measure_apart(side=side, n_sources=n_sources)
        rows.append(row)
        row['cpu over that of the first'] = row['cpu'] / rows[0]['cpu']
        row['memory over the map'] = row['memory'] / row['map']
    return rows


def main(arguments=None):
    """
    Run the benchmark from the command line.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments (default: those of the process).
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--parts', nargs='+', choices=_PARTS, default=_PARTS)
    parser.add_argument('--sides', nargs='+', type=int, default=_SIDES)
    parser.add_argument('--n-sources', type=int, default=_N_SOURCES)
    parser.add_argument('--maps', type=int, default=1000, help='of the archive')
    parser.add_argument('--sources', type=int, default=50000, help='of the archive')
    parser.add_argument('--pixels', type=float, default=4e6, help='of each of its maps')
    parser.add_argument(
        '--worker-maps', type=int, default=8, help='of the comparison of processes'
    )
    parser.add_argument('--output', type=Path, help='a Markdown file to write')
    parser.add_argument('--measure', help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.measure:
        print(json.dumps(clean_once(**json.loads(args.measure))))
        return
    load = os.getloadavg()[0]
    parts = [
        '# What a removal costs',
        describe_command(),
        f'{os.cpu_count()} cores, load {load:.1f} at the start; {args.n_sources} '
        'sources; times in s, memory in MB.',
    ]
    if {'sizes', 'archive'} & set(args.parts):
        sizes = _compare_sizes(args.sides, args.n_sources)
        parts += ['## By size', format_rows(sizes)]
    if 'archive' in args.parts:
        found = estimate_archive(
            sizes[0],
            sizes[-1],
            n_maps=args.maps,
            n_sources=args.sources,
            n_pixels=args.pixels,
        )
        what = f'{args.maps} maps of {args.pixels:.3g} pixels, {args.sources} sources'
        parts += ['## An archive', what, format_rows([found])]
    if 'threads' in args.parts:
        rows = []
        for threads in (1, 2):
            figures = _measure_apart(
                side=args.sides[0], n_sources=args.n_sources, threads=threads
            )
            rows.append({'threads': threads, **figures})
        parts += ['## By threads', format_rows(rows)]
    if 'workers' in args.parts:
        with tempfile.TemporaryDirectory() as name:
            rows = _measure_workers(
                Path(name), args.worker_maps, _WORKER_SIDE, _WORKER_SOURCES
            )
        what = (
            f'Maps of {_WORKER_SIDE} by {_WORKER_SIDE} pixels, {_WORKER_SOURCES} '
            'sources each; the start of the processes counts.'
        )
        parts += ['## By processes', what, format_rows(rows)]
    write_text('\n\n'.join(parts), args.output)


if __name__ == '__main__':
    main()
