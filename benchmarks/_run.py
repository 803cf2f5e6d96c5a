# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What all benchmarks do with their command line, processes and output.
"""

import multiprocessing
import platform
import shlex
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from importlib import metadata
from pathlib import Path

from _constants import add_constants_argument, changed_constants, set_constant
from astropy.table import vstack

from photutils_pconv.network import package_versions

__all__ = [
    'add_run_arguments',
    'describe_command',
    'describe_run',
    'measure_maps',
    'print_progress',
    'run_jobs',
    'write_text',
]


def add_run_arguments(parser, *, seed, rows):
    """
    Add the arguments that all benchmarks have.

    Parameters
    ----------
    parser : `argparse.ArgumentParser`
        The parser.

    seed : int
        The default seed.

    rows : str
        What the rows of the table are.
    """
    parser.add_argument('--seed', type=int, default=seed)
    parser.add_argument('--processes', type=int, default=1)
    parser.add_argument('--output', type=Path, help='a Markdown file to write')
    parser.add_argument('--table', type=Path, help=f'an ECSV file of all {rows}')
    add_constants_argument(parser)


def run_jobs(measure, jobs, *, processes=1, report=None):
    """
    Do many jobs, in one process or several.

    Parameters
    ----------
    measure : callable
        Does a job. With several processes it must be one that can be
        pickled.

    jobs : list
        The jobs.

    processes : int, optional
        The number of processes, each of one thread.

    report : callable, optional
        Called with a line of text after each job.

    Returns
    -------
    results : list
        What ``measure`` gives, in the order of the jobs.
    """
    if processes == 1:
        return list(_follow(jobs, map(measure, jobs), report))
    # torch's threads do not survive a fork.
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(
        processes,
        mp_context=context,
        initializer=_prepare,
        initargs=(changed_constants(),),
    ) as pool:
        return list(_follow(jobs, pool.map(measure, jobs), report))


def measure_maps(measure, jobs, *, processes=1, report=None):
    """
    Measure many maps into one table.

    Parameters
    ----------
    measure : callable
        Gives the table of a job, or `None` for a map without sources.

    jobs, processes, report : optional
        See `run_jobs`.

    Returns
    -------
    table : `~astropy.table.Table`
        The rows of all maps.
    """
    tables = run_jobs(measure, jobs, processes=processes, report=report)
    # Names of models may differ between setups.
    return vstack(
        [table for table in tables if table is not None], metadata_conflicts='silent'
    )


def _follow(jobs, results, report):
    """
    Pass results on, with a line of text for each.
    """
    start = time.time()
    for job, result in zip(jobs, results, strict=True):
        if report is not None:
            n = 0 if result is None else len(result)
            spent = f'{time.time() - start:.0f} s'
            report(f'{" ".join(map(str, job))}: {n} sources, {spent}')
        yield result


def _prepare(constants):
    import torch

    torch.set_num_threads(1)
    for text in constants:
        set_constant(text)


def print_progress(line):
    """
    Print a line beside the output.

    Parameters
    ----------
    line : str
        The line.
    """
    print(line, file=sys.stderr, flush=True)


def write_text(text, path):
    """
    Print a text, and write it to a file.

    Parameters
    ----------
    text : str
        The text.

    path : `pathlib.Path` or `None`
        The file, if any.
    """
    print(text)
    if path:
        path.write_text(f'{text.rstrip()}\n', encoding='utf-8')


def describe_command():
    """
    Describe the command.

    Returns
    -------
    text : str
        An item of a Markdown list.
    """
    return f'- command: `{shlex.join(["python", *sys.argv])}`'


def describe_run(meta):
    """
    Describe machine, versions, command and model.

    Parameters
    ----------
    meta : dict
        The metadata of a table of measured sources.

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
            *(
                f'- {key}: {meta[key]}, sha256 {meta[f"model_checksum{key[5:]}"]}'
                for key in sorted(meta)
                if key.startswith('model') and not key.startswith('model_checksum')
            ),
            describe_command(),
        ]
    )
