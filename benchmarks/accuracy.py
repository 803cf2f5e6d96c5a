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
import platform
import shlex
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import metadata
from pathlib import Path

from _maps import make_map
from _measure import measure_map
from _optimum import FIELD_KINDS, format_optimum, make_optimum_map, measure_optimum
from _real import BACKGROUNDS, load_vesta, make_real_map
from _report import format_setups, format_table, summarise
from astropy.table import vstack

from photutils_pconv.network import package_versions
from photutils_pconv.setups import get_setup, list_setups

MODES = ('scanmap', 'parallel')


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


def measure_maps(maps, *, model=None, others=(), report=None):
    """
    Measure several maps into one table.

    Parameters
    ----------
    maps : iterable of `_maps.BenchmarkMap`
        The maps.

    model, others : optional
        See `_measure.measure_map`.

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
            tables.append(measure_map(benchmark_map, model=model, others=others))
        if report is not None:
            report(
                f'{benchmark_map.name} {benchmark_map.setup.name}: '
                f'{len(benchmark_map.x)} sources, {time.time() - start:.0f} s'
            )
    return vstack(tables)


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
    return [name for name in list_setups() if get_setup(setup=name).mode in modes]


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
    number = list_setups().index(name)
    if part == 'real':
        background = BACKGROUNDS[k % len(BACKGROUNDS)]
        return make_real_map(folder, background, setup, seed=[seed, 100 + number, k])
    if folder is None:
        return make_map(setup, seed=[seed, number, k])
    return make_map(setup, seed=[seed, number, k], psf=load_vesta(Path(folder), setup))


def run_job(job, *, seed, folder=None, model=None, others=()):
    """
    Make and measure the map of a job.

    Parameters
    ----------
    job : tuple
        See `make_job_map`.

    seed, folder : optional
        See `make_job_map`.

    model, others : optional
        See `_measure.measure_map`.

    Returns
    -------
    table : `~astropy.table.Table` or `None`
        A row a source; `None` if the map holds none.
    """
    benchmark_map = make_job_map(job, seed=seed, folder=folder)
    if not len(benchmark_map.x):
        return None
    if job[0] in FIELD_KINDS:
        return measure_optimum(benchmark_map, model=model)
    return measure_map(benchmark_map, model=model, others=others)


def run_jobs(jobs, *, processes=1, report=None, **options):
    """
    Measure many maps.

    Parameters
    ----------
    jobs : list of tuple
        The jobs.

    processes : int, optional
        The number of processes.

    report : callable, optional
        Called with a line of text after each map.

    **options
        Those of `run_job`.

    Returns
    -------
    table : `~astropy.table.Table`
        The rows of all maps.
    """
    run = partial(run_job, **options)
    start = time.time()
    tables = []

    def collect(results):
        for job, table in zip(jobs, results, strict=True):
            if table is not None:
                tables.append(table)
            if report is not None:
                report(f'{" ".join(map(str, job))}: {time.time() - start:.0f} s')

    if processes == 1:
        collect(map(run, jobs))
    else:
        with ProcessPoolExecutor(processes, initializer=_one_thread) as pool:
            collect(pool.map(run, jobs))
    return vstack(tables, metadata_conflicts='silent')


def _one_thread():
    import torch

    torch.set_num_threads(1)


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
    parser.add_argument('--seed', type=int, default=2026)
    parser.add_argument('--maps', type=int, help='simulated maps a setup')
    parser.add_argument(
        '--real-maps', type=int, help='maps a real background and setup'
    )
    parser.add_argument('--optimum-maps', type=int, help='maps a kind and setup')
    parser.add_argument('--processes', type=int, default=1)
    parser.add_argument('--quick', action='store_true', help='about two minutes')
    parser.add_argument('--output', type=Path, help='a Markdown file to write')
    parser.add_argument('--table', type=Path, help='an ECSV file of all sources')
    args = parser.parse_args(arguments)

    def number(given, full, quick):
        if given is not None:
            return given
        return quick if args.quick else full

    def report(line):
        print(line, file=sys.stderr, flush=True)

    start = time.time()
    folder = os.environ.get('PCONV_REAL_DATA')
    modes = MODES if args.mode is None else (args.mode,)
    names = setup_names(modes)
    options = {
        'seed': args.seed,
        'folder': folder,
        'model': args.model,
        'processes': args.processes,
        'report': report,
    }

    def jobs(part, n):
        return [(part, name, k) for k in range(n) for name in names]

    n_maps = number(args.maps, 36, 3)
    table = run_jobs(jobs('simulated', n_maps), others=args.others, **options)
    psf = 'the PSFs of the package' if folder is None else 'the PSFs of Vesta'
    parts = [f'# Accuracy: {", ".join(modes)}', describe_run(table.meta)]
    parts += _format(
        table, f'Simulated emission, {psf}: {len(names) * n_maps} maps', modes
    )
    n_real = number(args.real_maps, 3, 0) * len(BACKGROUNDS)
    if folder is None:
        report('PCONV_REAL_DATA is not set: no real backgrounds')
        parts.append('Real backgrounds: skipped, PCONV_REAL_DATA is not set.')
    elif n_real:
        real = run_jobs(jobs('real', n_real), others=args.others, **options)
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
        parts.append(format_optimum(run_jobs(best, **options)))
    parts.append(f'Run time: {time.time() - start:.0f} s.')
    text = '\n\n'.join(parts) + '\n'
    print(text)
    if args.output:
        args.output.write_text(text, encoding='utf-8')
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
