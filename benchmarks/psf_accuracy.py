# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Removal and photometry with a known PSF, against peers.

Sources with the in-flight PSFs of Vesta are injected, turned by a random
angle a map; ours and the peers that fit a PSF are given the package's
own, which differs. Fluxes are compared within the setup's aperture: a
flux times the fraction in the aperture that it was corrected with (the
model PSF's, for fitted ones) over the true flux times the true PSF's
fraction. Neither PSF's normalisation is in that ratio. All
methods are given the same holes, those of the first pass. Times are those
of the processor, in one thread::

    PCONV_REAL_DATA=... python benchmarks/psf_accuracy.py --processes 2 \
        --table psf.ecsv --output psf_accuracy.md
    PCONV_REAL_DATA=... python benchmarks/psf_accuracy.py --quick
    python benchmarks/psf_accuracy.py --from-table psf.ecsv
    python benchmarks/psf_accuracy.py --from-table new.ecsv --over old.ecsv

The last compares two runs, with ``--psf-model`` or without, of the same maps.

Everything follows from ``--seed``. Without PCONV_REAL_DATA there are no
real backgrounds, and the sources have the PSF of `lobed_psf
<photutils_pconv.psf.lobed_psf>`. The tables are in Markdown.
"""

import os

# Before numpy comes: a thread for each process.
os.environ.setdefault('OMP_NUM_THREADS', '1')

import argparse
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from _psf_change import format_change
from _psf_maps import PAIR_DISTANCES, PAIR_SHARES, make_benchmark_map
from _psf_measure import FEW_PEERS, METHODS, make_remover, measure_map
from _psf_report import REAL_PULL_BAR, format_pairs, format_part, format_times
from _psf_summary import summarise
from _real import BACKGROUNDS
from _run import (
    add_run_arguments,
    describe_run,
    measure_maps,
    print_progress,
    write_text,
)
from astropy.table import Table

from photutils_pconv.setups import get_setup

PARTS = ('simulated', 'real', 'pairs', 'gaussian')
_SETUPS = ('scanmap/blue', 'scanmap/green', 'scanmap/red')
# Maps a setup (and, for real ones, a background): 40 of 30 sources, in
# three bands, give 600 sources a bin.
_MAPS = {'simulated': 42, 'real': 4, 'pairs': 6, 'gaussian': 6}
_QUICK = {'simulated': 3, 'real': 0, 'pairs': 1, 'gaussian': 1}


def list_tasks(setups, counts, parts, *, folder):
    """
    List the maps of a run.

    Parameters
    ----------
    setups : sequence of str
        The setups.

    counts : dict of int
        The number of maps a setup, by part.

    parts : sequence of str
        The parts to run.

    folder : str or `None`
        The folder of real data.

    Returns
    -------
    tasks : list of tuple
        Part, setup and number of each map.
    """
    tasks = []
    for part in parts:
        n_maps = counts[part] * (len(BACKGROUNDS) if part == 'real' else 1)
        if part == 'real' and folder is None:
            continue
        tasks += [(part, setup, k) for k in range(n_maps) for setup in setups]
    return tasks


@dataclass(frozen=True, kw_only=True)
class PSFRun:
    """
    What all maps of a run have in common.

    Parameters
    ----------
    seed : int
        The benchmark's seed.

    folder : str or `None`
        The folder of real data.

    models : tuple of str or `None`
        The models for both methods, that for ``'inpaint'`` first; a single
        one leaves the PSF method out.

    few_peers : bool, optional
        Whether the slow peers are left out.
    """

    seed: int
    folder: str | None = None
    models: tuple = (None, None)
    few_peers: bool = False


def measure_task(task, run):
    """
    Make and measure one map.

    Parameters
    ----------
    task : tuple
        What `list_tasks` gives.

    run : `PSFRun`
        What all maps have in common.

    Returns
    -------
    table : `~astropy.table.Table` or `None`
        The measured sources; `None` where a map holds none.
    """
    part, setup, k = task
    _warm_up(setup, run.models)
    truth = make_benchmark_map(part, setup, k, seed=run.seed, folder=run.folder)
    if len(truth.x) == 0:
        return None
    few = run.few_peers or part in ('pairs', 'gaussian')
    peers = FEW_PEERS if few else None
    table = measure_map(truth, models=run.models, peers=peers)
    table['part'] = part
    table['map_id'] = f'{part} {truth.name} {setup} {k}'
    if part == 'pairs':
        fwhm = (truth.setup.psf_fwhm / truth.setup.pixel_scale).to_value('')
        first = np.arange(0, len(truth.x), 2)
        distance = np.hypot(
            truth.x[first + 1] - truth.x[first], truth.y[first + 1] - truth.y[first]
        )
        table['distance'] = np.repeat(_snap(distance / fwhm, PAIR_DISTANCES), 2)
        share = truth.flux[first + 1] / truth.flux[first]
        table['share'] = np.repeat(_snap(share, PAIR_SHARES), 2)
        # A number that can be missing, for the other parts' sources.
        table['member'] = np.arange(len(truth.x)) % 2.0
    return table


def _snap(values, choices):
    choices = np.asarray(choices)
    return choices[np.argmin(np.abs(values[:, None] - choices), axis=1)]


_WARM = set()


def _warm_up(setup, models):
    """
    Run ours once unmeasured: first calls load and compile.
    """
    if setup in _WARM:
        return
    _WARM.add(setup)
    truth = make_benchmark_map('simulated', setup, 0, seed=0, n_sources=2, size=160)
    for method, model in zip(METHODS, models, strict=False):
        remover = make_remover(get_setup(setup=setup), method, model)
        remover(truth.data, np.stack([truth.x, truth.y], axis=1))


def make_report(table):
    """
    Write the report of a table of sources.

    Parameters
    ----------
    table : `~astropy.table.Table`
        The measured sources of all maps.

    Returns
    -------
    text : str
        The Markdown.
    """
    parts = ['# Removal with a known PSF', describe_run(table.meta)]
    if 'ratio_ours psf' not in table.colnames:
        parts.append('Removal with a PSF was not available.')
    part = np.asarray(table['part'])
    names = np.asarray(table['map'])
    simulated = table[part == 'simulated']
    if len(simulated):
        parts.append(format_part(summarise(simulated), title='Simulated fields'))
    real = table[part == 'real']
    if len(real):
        title = 'Real backgrounds, all together'
        parts.append(format_part(summarise(real), title=title, pull_bar=REAL_PULL_BAR))
        for name in BACKGROUNDS:
            one = table[(part == 'real') & (names == name)]
            if len(one):
                title = f'Real background {name}'
                parts.append(
                    format_part(summarise(one), title=title, pull_bar=REAL_PULL_BAR)
                )
    pairs = table[part == 'pairs']
    if len(pairs):
        parts.append(format_pairs(pairs))
    gaussian = table[part == 'gaussian']
    if len(gaussian):
        title = 'Gaussian fields of known covariance, PSF known'
        parts.append(format_part(summarise(gaussian), title=title))
    parts.append(format_times(simulated if len(simulated) else table))
    return '\n\n'.join(parts) + '\n'


def main(arguments=None):
    """
    Run the benchmark from the command line.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments (default: those of the process).
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--setups', nargs='+', default=_SETUPS)
    parser.add_argument('--parts', nargs='+', default=PARTS, choices=PARTS)
    parser.add_argument('--quick', action='store_true', help='under two minutes')
    parser.add_argument('--maps', type=int, help='simulated maps a setup')
    parser.add_argument('--real-maps', type=int, help='maps a setup and background')
    parser.add_argument('--pair-maps', type=int, help='maps of pairs a setup')
    parser.add_argument('--gaussian-maps', type=int, help='Gaussian fields a setup')
    parser.add_argument('--model', help="the model for 'inpaint'")
    parser.add_argument('--psf-model', help="the model for 'psf'")
    parser.add_argument(
        '--inpaint-only', action='store_true', help='leave the PSF method out'
    )
    parser.add_argument(
        '--few-peers', action='store_true', help='leave the slow peers out'
    )
    add_run_arguments(parser, seed=2026, rows='sources')
    parser.add_argument('--from-table', type=Path, help='report on such a file')
    parser.add_argument(
        '--over', type=Path, help='only compare with the table of another run'
    )
    args = parser.parse_args(arguments)
    if args.over and not args.from_table:
        parser.error('--over compares the table given by --from-table with another')

    if args.from_table:
        table = Table.read(args.from_table, format='ascii.ecsv')
        if args.over:
            before = Table.read(args.over, format='ascii.ecsv')
            text = format_change(table, before) + '\n'
        else:
            text = make_report(table)
    else:
        start = time.time()
        counts = dict(_QUICK if args.quick else _MAPS)
        for part, given in (
            ('simulated', args.maps),
            ('real', args.real_maps),
            ('pairs', args.pair_maps),
            ('gaussian', args.gaussian_maps),
        ):
            counts[part] = counts[part] if given is None else given
        folder = os.environ.get('PCONV_REAL_DATA') or None
        if folder is None:
            print_progress('PCONV_REAL_DATA is not set: no real backgrounds nor PSFs')
        tasks = list_tasks(args.setups, counts, args.parts, folder=folder)
        models = (args.model, args.psf_model)[: 1 if args.inpaint_only else 2]
        run = PSFRun(
            seed=args.seed,
            folder=folder,
            models=models,
            few_peers=args.few_peers,
        )
        measure = partial(measure_task, run=run)
        table = measure_maps(
            measure, tasks, processes=args.processes, report=print_progress
        )
        table = table.filled(np.nan) if table.has_masked_columns else table
        table.meta['psf'] = 'Vesta' if folder else 'lobed_psf'
        text = make_report(table) + f'\nRun time: {time.time() - start:.0f} s.\n'
        if args.table:
            table.write(args.table, format='ascii.ecsv', overwrite=True)
    write_text(text, args.output)


if __name__ == '__main__':
    main()
