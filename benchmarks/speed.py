# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Speed and memory of a removal, as ratios to other ways of one and the same run.

Against what the program of the paper did (source by source, its network), against
photutils' PSFPhotometry with LocalBackground, and Background2D; by the number of
sources, the size of the map, method, precision, and threads; the share of what the
processor can do; and what faster settings do to the accuracy::

    python benchmarks/speed.py --output benchmarks/results/speed.md
    python benchmarks/speed.py --quick

Times are those of the processor, in one thread. They depend on what else a machine
does, which the report tells; ratios hardly do. The tables are in Markdown.
"""

import os

# Before numpy comes: processor time is that of one thread.
os.environ.setdefault('OMP_NUM_THREADS', '1')

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import astropy.units as u
import numpy as np
from _memory import peak_memory, watch_memory
from _run import describe_run, print_progress, write_text
from _speed_accuracy import compare_accuracy, compare_empty_holes
from _speed_maps import SETUP, make_speed_map
from _speed_ways import BACKGROUNDS, BASELINE, PEER, PRECISIONS, WAYS, time_way
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv import NeuralSourceRemover

__all__ = ['main', 'measure_child', 'time_ways']

_DEFAULT = 'method "psf" (default), default errors'
_LOCAL = 'method "psf" (default), errors "local"'
_ONE_PASS = 'method "inpaint", errors "local"'
# Sources that the slowest ways are given: their time goes by the source.
_FEW = 20
# The last ways are fast enough for many sources.
_FASTER = 7


def time_ways(n_sources, size, *, names=tuple(WAYS), repeats=1):
    """
    Take the time of several ways on one map.

    Parameters
    ----------
    n_sources, size : int
        See `_speed_maps.make_speed_map`.

    names : sequence of str, optional
        The ways, of `_speed_ways.WAYS` (default: all).

    repeats : int, optional
        How often each; the least time counts.

    Returns
    -------
    times : dict of float
        The milliseconds a source of each way.
    """
    data, positions = make_speed_map(n_sources, size)
    small = make_speed_map(4, 160)
    times = {}
    for name in names:
        # First calls load and compile.
        time_way(WAYS[name], *small)
        few = positions[:_FEW] if name == BASELINE else positions
        seconds = time_way(WAYS[name], data, few, repeats=repeats)
        times[name] = 1.0e3 * seconds / len(few)
    return times


def format_ways(columns):
    """
    Write times of ways as Markdown.

    Parameters
    ----------
    columns : dict of dict
        For each number of sources what `time_ways` gives.

    Returns
    -------
    text : str
        The table: ms a source, times the baseline, and over the peer.
    """
    rows = []
    for name in WAYS:
        row = [name]
        for times in columns.values():
            one = times.get(name)
            if one is None:
                row += ['', '', '']
                continue
            row.append(f'{one:.1f}')
            row.append(f'{times[BASELINE] / one:.1f}' if BASELINE in times else '')
            row.append(f'{one / times[PEER]:.2f}' if PEER in times else '')
        rows.append(row)
    header = ['']
    for n_sources in columns:
        header += [f'ms a source, {n_sources}', 'times as fast', 'over the peer']
    return _format(header, rows)


def measure_child(what):
    """
    Take time and memory of a removal, in a process of its own.

    Parameters
    ----------
    what : dict
        ``way``, ``n_sources`` and ``size``, and how often, ``repeats``.

    Returns
    -------
    figures : dict
        ``seconds`` (of the processor), ``elapsed`` (s), and ``memory``, the peak
        over what there was before, in MB.
    """
    data, positions = make_speed_map(what['n_sources'], what['size'])
    way = WAYS[what['way']]
    time_way(way, *make_speed_map(4, 160))
    before = peak_memory()
    start = time.perf_counter()
    seconds = time_way(way, data, positions)
    found = {
        'elapsed': time.perf_counter() - start,
        # A remover keeps its last result, which is none of the memory of one removal.
        'memory': peak_memory() - before,
        'map': data.nbytes / 2**20,
    }
    if what.get('repeats', 1) > 1:
        again = time_way(way, data, positions, repeats=what['repeats'] - 1)
        seconds = min(seconds, again)
    return {'seconds': seconds, **found}


def measure_file(what):
    """
    Take time and memory of a removal from a file to files, in a process of its own.

    Parameters
    ----------
    what : dict
        ``n_sources`` and ``size``, and whether to go block by block, ``block``.

    Returns
    -------
    figures : dict
        ``seconds`` (of the processor), and ``memory``, the peak over what there was
        before, in MB, without pages of files.
    """
    data, positions = make_speed_map(what['n_sources'], what['size'])
    size = data.nbytes / 2**20
    remover = NeuralSourceRemover(setup=SETUP)
    small, places = make_speed_map(4, 160)
    remover(u.Quantity(small, u.Jy / u.pix), places)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'map.fits'
        header = fits.Header({'BUNIT': 'Jy/pixel'})
        fits.PrimaryHDU(data, header).writeto(path)
        del data
        start = time.process_time()
        with warnings.catch_warnings(), watch_memory() as found:
            warnings.simplefilter('ignore', AstropyUserWarning)
            scratch = folder if what['block'] else None
            remover(path, positions, scratch=scratch).write(Path(folder) / 'cleaned')
        seconds = time.process_time() - start
    return {'seconds': seconds, 'map': size, **found}


def format_files(n_sources, size):
    """
    Compare a removal in memory with one that goes block by block.

    Parameters
    ----------
    n_sources, size : int
        The map.

    Returns
    -------
    text : str
        The table.
    """
    rows = []
    for block, name in ((False, 'in memory'), (True, 'block by block')):
        found = _run_child(_DEFAULT, n_sources, size, block=block)
        rows.append(_describe(name, n_sources, size, found))
    header = [name for name in rows[0] if name != 'ms a source']
    return _format(header, [[row[name] for name in header] for row in rows])


def _describe(name, n_sources, size, found):
    """Give the cells of a removal, by the heads of their columns."""
    return {
        '': name,
        'sources': str(n_sources),
        'megapixels': f'{size**2 / 1.0e6:.2f}',
        's': f'{found["seconds"]:.2f}',
        'ms a source': f'{1e3 * found["seconds"] / n_sources:.1f}',
        'MB': f'{found["memory"]:.0f}',
        'times the map': f'{found["memory"] / found["map"]:.1f}',
    }


def _run_child(way, n_sources, size, *, threads=1, **more):
    print_progress(f'{way}: {n_sources} sources, {size} pixels, {threads} thread(s)')
    what = json.dumps({'way': way, 'n_sources': n_sources, 'size': size, **more})
    names = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')
    done = subprocess.run(
        [sys.executable, __file__, '--measure', what],
        env={**os.environ, **dict.fromkeys(names, str(threads))},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _format(header, rows):
    lines = ['| ' + ' | '.join(header) + ' |', '| --- ' * len(header) + '|']
    lines += ['| ' + ' | '.join(row) + ' |' for row in rows]
    return '\n'.join(lines)


def format_sizes(cases, *, repeats=1):
    """
    Measure removals by number of sources and size of the map.

    Parameters
    ----------
    cases : sequence of (str, int, int)
        Way, number of sources, and side of the map.

    repeats : int, optional
        How often each; the least time counts.

    Returns
    -------
    text : str
        The table.
    """
    rows = []
    for way, n_sources, size in cases:
        found = _run_child(way, n_sources, size, repeats=repeats)
        rows.append(_describe(way, n_sources, size, found))
    return _format(list(rows[0]), [list(row.values()) for row in rows])


def format_threads(n_sources, size):
    """
    Measure a removal by the number of threads.

    Parameters
    ----------
    n_sources, size : int
        The map.

    Returns
    -------
    text : str
        The table.
    """
    rows = []
    for threads in sorted({1, 2, os.cpu_count() or 1}):
        found = _run_child(_DEFAULT, n_sources, size, threads=threads)
        rows.append(
            [str(threads), f'{found["seconds"]:.2f}', f'{found["elapsed"]:.2f}']
        )
    return _format(['threads', 's of the processor', 's elapsed'], rows)


def format_network(*, n_cutouts=64, batch_size=16):
    """
    Compare the networks with the products of matrices that a processor can do.

    Parameters
    ----------
    n_cutouts : int, optional
        The number of cutouts.

    batch_size : int, optional
        The cutouts at once.

    Returns
    -------
    text : str
        The table.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from photutils_pconv.network import RunOptions, load_model, make_predictor

    rng = np.random.default_rng(1)
    rows = []
    for name in ('psf', 'pacs'):
        network = load_model(name).network
        images = rng.normal(size=(n_cutouts, network.in_channels, 64, 64))
        validity = np.ones((n_cutouts, 64, 64), bool)
        one = [torch.from_numpy(part[:1]).float() for part in (images, validity)]
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            network(one[0], one[1][:, None])
        flops = counter.get_total_flops()
        for precision in PRECISIONS:
            run = RunOptions(batch_size=batch_size, precision=precision)
            predict = make_predictor(network, run)
            seconds = min(
                _time_batches(predict, images, validity, batch_size) for _ in range(3)
            )
            rate = flops * n_cutouts / seconds / 1.0e9
            peak = _find_peak(getattr(torch, precision))
            rows.append(
                [
                    name,
                    precision,
                    f'{1e3 * seconds / n_cutouts:.2f}',
                    f'{rate:.0f}',
                    f'{peak:.0f}',
                    f'{rate / peak:.0%}',
                ]
            )
    header = ['model', 'precision', 'ms a cutout', 'GFLOP/s', 'of matmul', 'share']
    return _format(header, rows)


def _time_batches(predict, images, validity, batch_size):
    start = time.process_time()
    for first in range(0, len(images), batch_size):
        part = slice(first, first + batch_size)
        predict(images[part], validity[part])
    return time.process_time() - start


def _find_peak(dtype, *, side=2048, repeats=3):
    import torch

    matrix = torch.ones(side, side, dtype=dtype)
    taken = []
    for _ in range(repeats + 1):
        start = time.process_time()
        matrix @ matrix
        taken.append(time.process_time() - start)
    return 2.0 * side**3 / min(taken) / 1.0e9


def format_import(*, repeats=5):
    """
    Take the time of an import, over that of astropy.

    Parameters
    ----------
    repeats : int, optional
        How often; the least time counts.

    Returns
    -------
    text : str
        A sentence.
    """
    taken = {}
    for names in ('astropy.units', 'astropy.units, photutils_pconv'):
        code = f'import time; t = time.process_time(); import {names}'
        code += '; print(time.process_time() - t)'
        taken[names] = min(
            float(
                subprocess.run(
                    [sys.executable, '-c', code],
                    check=True,
                    stdout=subprocess.PIPE,
                    text=True,
                ).stdout
            )
            for _ in range(repeats)
        )
    first, second = taken.values()
    return f'`import photutils_pconv`: {second - first:.2f} s over astropy.units.'


def format_backgrounds(n_sources, size):
    """
    Compare backgrounds of a whole map.

    Parameters
    ----------
    n_sources, size : int
        The map.

    Returns
    -------
    text : str
        The table.
    """
    data, positions = make_speed_map(n_sources, size)
    rows = []
    for name, way in BACKGROUNDS.items():
        time_way(way, *make_speed_map(4, 160))
        rows.append([name, f'{time_way(way, data, positions, repeats=2):.2f}'])
    return _format(['', 's'], rows)


def measure_ways(few, many, size, *, repeats=1):
    """
    Take the time of the ways with few sources, and of the faster ones with many.

    Parameters
    ----------
    few, many : int
        The numbers of sources.

    size : int
        The side of the map, in pixels.

    repeats : int, optional
        How often each; the least time counts.

    Returns
    -------
    text : str
        The table, and what it is of.
    """
    columns = {}
    for n_sources, names in ((few, tuple(WAYS)), (many, tuple(WAYS)[-_FASTER:])):
        print_progress(f'{len(names)} ways, {n_sources} sources')
        columns[n_sources] = time_ways(n_sources, size, names=names, repeats=repeats)
    about = f'{few} and {many} sources on {size} x {size} pixels.'
    return f'{about}\n\n{format_ways(columns)}'


def _describe(start, load):
    """Describe the run and the load of the machine."""
    return (
        f'{describe_run({})}\n- load of the machine: {load:.1f} at the start, '
        f'{os.getloadavg()[0]:.1f} at the end, {os.cpu_count()} cores; '
        f'run time: {time.time() - start:.0f} s'
    )


def measure_large_maps(largest, *, n_sources=100):
    """
    Measure how time and memory of a removal go with the size of the map.

    Parameters
    ----------
    largest : int
        The side of the largest map; others are 4 and 16 times smaller in pixels.

    n_sources : int, optional
        The number of sources.

    Returns
    -------
    text : str
        The report.
    """
    start, load = time.time(), os.getloadavg()[0]
    sizes = [largest // 8, largest // 4, largest // 2, largest]
    cases = [(_DEFAULT, n_sources, size) for size in sizes]
    # And with the number of sources, for comparison.
    cases += [(_DEFAULT, n, size) for n, size in ((10, sizes[1]), (50, sizes[1]))]
    cases += [(_DEFAULT, 5 * n_sources, 1500)]
    tables = [format_sizes(cases, repeats=2), format_files(n_sources, largest)]
    about = _describe(start, load)
    titles = ['# Large maps', about, '## By size', '## From a file to files']
    return '\n\n'.join([*titles[:3], tables[0], titles[3], tables[1]])


def main(arguments=None):
    """
    Run the benchmark from the command line.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments (default: those of the process).
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--quick', action='store_true', help='under two minutes')
    parser.add_argument(
        '--largest', type=int, default=8192, help='the side of the largest map'
    )
    parser.add_argument(
        '--large-maps', action='store_true', help='only what goes with the size'
    )
    parser.add_argument('--ways', action='store_true', help='only the first table')
    parser.add_argument('--output', type=Path, help='a Markdown file to write')
    parser.add_argument('--measure', help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.measure:
        what = json.loads(args.measure)
        measure = measure_file if 'block' in what else measure_child
        print(json.dumps(measure(what)))
        return

    if args.large_maps:
        write_text(measure_large_maps(args.largest), args.output)
        return
    quick = args.quick
    start, load = time.time(), os.getloadavg()[0]
    size = 512 if quick else 1500
    few, many = (20, 60) if quick else (100, 500)
    repeats = 1 if quick else 2
    parts = ['# Speed of a removal']
    parts += ['## Ways', measure_ways(few, many, size, repeats=repeats)]
    if args.ways:
        parts.insert(1, _describe(start, load))
        write_text('\n\n'.join(parts), args.output)
        return
    parts += [format_backgrounds(few, size), format_import()]
    parts += ['## Networks, one thread', format_network()]
    parts += ['## Threads', format_threads(few, size)]
    cases = [(_DEFAULT, n, size) for n in (10, few, many)]
    if not quick:
        cases += [(_DEFAULT, n, 4096) for n in (2000, 5000)]
    cases += [(_ONE_PASS, few, size), (_LOCAL, few, size)]
    sizes = (256,) if quick else (512, 4096, args.largest)
    cases += [(_DEFAULT, few if one > 256 else 5, one) for one in sizes]
    parts += ['## Number of sources, size of the map', format_sizes(cases)]
    parts += [
        '## From a file to files',
        format_files(few, 512 if quick else args.largest),
    ]
    few_settings = {
        'setups': ('scanmap/green',),
        'settings': ('four turns, float32', 'one turn, float32'),
    }
    accuracy = compare_accuracy(1 if quick else 4, **(few_settings if quick else {}))
    parts += ['## Accuracy of faster settings', accuracy]
    if not quick:
        parts += ['## Empty holes', compare_empty_holes(4)]
    parts.insert(1, _describe(start, load))
    write_text('\n\n'.join(parts), args.output)


if __name__ == '__main__':
    main()
