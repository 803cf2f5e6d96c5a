# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command line of benchmarks that run on real backgrounds alone.
"""

import argparse
import os
import time
from functools import partial

from _real import BACKGROUNDS
from _run import (
    add_run_arguments,
    describe_command,
    measure_maps,
    print_progress,
    write_text,
)

__all__ = ['SETUPS', 'run_on_real_maps']

#: The setups whose maps are made.
SETUPS = ('scanmap/blue', 'scanmap/green', 'scanmap/red')
_SEED = 2026


def run_on_real_maps(
    measure_task, make_report, arguments=None, *, title, description, maps
):
    """
    Measure sources on real backgrounds, and report.

    Parameters
    ----------
    measure_task : callable
        Measures the sources of one map: called with a setup's name and the map's
        number, and with the keywords ``folder`` and ``seed``.

    make_report : callable
        Writes the figures of a table as Markdown.

    arguments : list of str, optional
        The arguments of the command line (default: those of the process).

    title : str
        The report's title.

    description : str
        What the benchmark does.

    maps : int
        The maps a background, by default.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('--maps', type=int, default=maps, help='maps a background')
    parser.add_argument('--quick', action='store_true', help='two maps')
    add_run_arguments(parser, seed=_SEED, rows='sources')
    args = parser.parse_args(arguments)
    folder = os.environ.get('PCONV_REAL_DATA')
    if not folder:
        parser.error('PCONV_REAL_DATA must name the folder of real data')
    start = time.time()
    numbers = range(args.maps * len(BACKGROUNDS))
    tasks = [(name, k) for k in numbers for name in SETUPS]
    tasks = tasks[:2] if args.quick else tasks
    measure = partial(measure_task, folder=folder, seed=args.seed)
    table = measure_maps(
        measure, tasks, processes=args.processes, report=print_progress
    )
    if args.table:
        table.write(args.table, format='ascii.ecsv', overwrite=True)
    text = f'# {title}\n\n{describe_command()}\n\n'
    text += f'{make_report(table)}\n\nRun time: {time.time() - start:.0f} s.\n'
    write_text(text, args.output)
