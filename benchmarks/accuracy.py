# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Accuracy of fluxes and of the reconstructed emission, against peers.

Sources of known flux are injected into maps of known emission; ours and
other methods remove and measure them::

    PCONV_REAL_DATA=... python benchmarks/accuracy.py --processes 2 --output FILE
    python benchmarks/accuracy.py --quick

With real data, sources have the in-flight PSFs of Vesta, and there are maps
of real emission, too. Everything follows from ``--seed``; none of the seeds
of the training is used. The tables are in Markdown.
"""

import argparse
import os
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from _maps import make_map
from _measure import measure_map
from _optimum import FIELD_KINDS, format_optimum, make_optimum_map, measure_optimum
from _real import BACKGROUNDS, load_vesta, make_real_map
from _report import format_setups, format_table
from _run import (
    add_run_arguments,
    describe_run,
    measure_maps,
    print_progress,
    write_text,
)
from _summary import summarise
from astropy.table import vstack

from photutils_pconv.setups import get_setup, list_setups

MODES = ('scanmap', 'parallel')


@dataclass(frozen=True, kw_only=True)
class AccuracyRun:
    """
    What all maps of a run have in common.

    Parameters
    ----------
    seed : int
        The benchmark's seed.

    folder : path-like, optional
        The folder of real data.

    model : str, optional
        The model of one pass (default: the bundled one).

    others : tuple of str, optional
        More models, by name or path.
    """

    seed: int
    folder: str | None = None
    model: str | None = None
    others: tuple = ()


def setup_names(modes):
    """
    List the setups of modes.

    Parameters
    ----------
    modes : sequence of str
        The modes.

    Returns
    -------
    names : list of str
        The names of their setups.
    """
    return [
        name
        for name in list_setups(instrument='PACS')
        if get_setup(setup=name).mode in modes
    ]


def make_job_map(job, *, seed, folder=None):
    """
    Make the map of a job.

    Parameters
    ----------
    job : tuple
        The part ('simulated', 'real', or one of `_optimum.FIELD_KINDS`), the
        setup's name, and the map's number.

    seed : int
        The benchmark's seed.

    folder : path-like, optional
        The folder of real data.

    Returns
    -------
    benchmark_map : `_maps.BenchmarkMap`
        The map.
    """
    part, name, k = job
    setup = get_setup(setup=name)
    if part in FIELD_KINDS:
        return make_optimum_map(part, name, k, seed=seed)
    # A number of the setup's own, whatever setups are chosen.
    number = list_setups(instrument='PACS').index(name)
    if part == 'real':
        background = BACKGROUNDS[k % len(BACKGROUNDS)]
        return make_real_map(folder, background, setup, seed=[seed, 100 + number, k])
    if folder is None:
        return make_map(setup, seed=[seed, number, k])
    return make_map(setup, seed=[seed, number, k], psf=load_vesta(Path(folder), setup))


def measure_job(job, run):
    """
    Make and measure the map of a job.

    Parameters
    ----------
    job : tuple
        See `make_job_map`.

    run : `AccuracyRun`
        What all maps have in common.

    Returns
    -------
    table : `~astropy.table.Table` or `None`
        A row a source; `None` if the map holds none.
    """
    benchmark_map = make_job_map(job, seed=run.seed, folder=run.folder)
    if not len(benchmark_map.x):
        return None
    if job[0] in FIELD_KINDS:
        return measure_optimum(benchmark_map, model=run.model)
    return measure_map(benchmark_map, model=run.model, others=run.others)


def main(arguments=None):
    """
    Run the benchmark from the command line.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments (default: those of the process).
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--mode', choices=MODES, help='one mode alone')
    parser.add_argument('--model', help="a model's name or path (default: the mode's)")
    parser.add_argument(
        '--others', nargs='*', default=['psf'], help='more models, by name or path'
    )
    parser.add_argument('--maps', type=int, help='simulated maps a setup')
    parser.add_argument(
        '--real-maps', type=int, help='maps a real background and setup'
    )
    parser.add_argument('--optimum-maps', type=int, help='maps a kind and setup')
    parser.add_argument('--quick', action='store_true', help='about five minutes')
    add_run_arguments(parser, seed=2026, rows='sources')
    args = parser.parse_args(arguments)

    def number(given, full, quick):
        if given is not None:
            return given
        return quick if args.quick else full

    start = time.time()
    folder = os.environ.get('PCONV_REAL_DATA')
    modes = MODES if args.mode is None else (args.mode,)
    names = setup_names(modes)
    run = AccuracyRun(
        seed=args.seed, folder=folder, model=args.model, others=tuple(args.others)
    )
    measure = partial(
        measure_maps,
        partial(measure_job, run=run),
        processes=args.processes,
        report=print_progress,
    )

    def jobs(part, n):
        return [(part, name, k) for k in range(n) for name in names]

    n_maps = number(args.maps, 36, 3)
    table = measure(jobs('simulated', n_maps))
    psf = 'the PSFs of the package' if folder is None else 'the PSFs of Vesta'
    parts = [f'# Accuracy: {", ".join(modes)}', describe_run(table.meta)]
    parts += _format(
        table, f'Simulated emission, {psf}: {len(names) * n_maps} maps', modes
    )
    n_real = number(args.real_maps, 3, 0) * len(BACKGROUNDS)
    if folder is None:
        print_progress('PCONV_REAL_DATA is not set: no real backgrounds')
        parts.append('Real backgrounds: skipped, PCONV_REAL_DATA is not set.')
    elif n_real:
        real = measure(jobs('real', n_real))
        title = f'Real emission, {psf}: {len(names) * n_real} maps'
        parts += _format(real, title, modes)
        table = vstack([table, real], metadata_conflicts='silent')
    n_optimum = number(args.optimum_maps, 4, 1)
    if n_optimum:
        # The bands of the scan map have all there is: three hole sizes and scales.
        best = [
            job
            for kind in FIELD_KINDS
            for job in jobs(kind, n_optimum)
            if get_setup(setup=job[1]).mode == modes[0]
        ]
        parts.append(format_optimum(measure(best)))
    parts.append(f'Run time: {time.time() - start:.0f} s.')
    write_text('\n\n'.join(parts) + '\n', args.output)
    if args.table:
        table.write(args.table, format='ascii.ecsv', overwrite=True)


def _format(table, title, modes):
    parts = [format_table(summarise(table), title=title)]
    if len(modes) > 1:
        for mode in modes:
            part = table[[name.startswith(mode) for name in table['setup']]]
            parts.append(format_table(summarise(part), title=f'{title}; {mode}'))
    return [*parts, format_setups(table)]


if __name__ == '__main__':
    main()
