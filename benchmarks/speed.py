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
import subprocess
import sys
import time
from pathlib import Path

from _run import describe_run, print_progress, write_text
from _speed_accuracy import compare_accuracy, compare_empty_holes
from _speed_children import run_child
from _speed_maps import make_speed_map
from _speed_networks import format_networks
from _speed_stages import KERNELS, STAGES, format_stages
from _speed_ways import BACKGROUNDS, BASELINE, PEER, WAYS, time_way
from _tables import format_lines

__all__ = ['main', 'time_ways']

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
    return format_lines(header, rows)


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
        found = run_child({'n_sources': n_sources, 'size': size, 'block': block})
        rows.append(_describe_removal(name, n_sources, size, found))
    header = [name for name in rows[0] if name != 'ms a source']
    return format_lines(header, [[row[name] for name in header] for row in rows])


def _describe_removal(name, n_sources, size, found):
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
        what = {'way': way, 'n_sources': n_sources, 'size': size}
        found = run_child({**what, 'repeats': repeats})
        row = _describe_removal(way, n_sources, size, found)
        rows.append({**row, 'a copy of the map, s': f'{found["copy"]:.2f}'})
    return format_lines(list(rows[0]), [list(row.values()) for row in rows])


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
    what = {'way': _DEFAULT, 'n_sources': n_sources, 'size': size}
    rows = []
    for threads in sorted({1, 2, os.cpu_count() or 1}):
        found = run_child(what, threads=threads)
        rows.append(
            [str(threads), f'{found["seconds"]:.2f}', f'{found["elapsed"]:.2f}']
        )
    return format_lines(['threads', 's of the processor', 's elapsed'], rows)


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
    return format_lines(['', 's'], rows)


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


def _describe_machine(start, load):
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
    about = _describe_machine(start, load)
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
    parser.add_argument(
        '--ways', action='store_true', help='only ways, stages, and networks'
    )
    parser.add_argument('--output', type=Path, help='a Markdown file to write')
    args = parser.parse_args(arguments)
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
    for title, stages in (('Stages', STAGES), ('What the sums alone take', KERNELS)):
        options = {'repeats': 2 * repeats - 1, 'stages': stages}
        parts += [f'## {title}', format_stages(_DEFAULT, many, size, **options)]
    if args.ways:
        parts.insert(1, _describe_machine(start, load))
        parts += ['## Networks, one thread', format_networks()]
        write_text('\n\n'.join(parts), args.output)
        return
    parts += [format_backgrounds(few, size), format_import()]
    parts += ['## Networks, one thread', format_networks()]
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
    parts.insert(1, _describe_machine(start, load))
    write_text('\n\n'.join(parts), args.output)


if __name__ == '__main__':
    main()
