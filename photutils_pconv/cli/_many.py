# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What ``remove --many`` does: a list of maps, by the processes of a cluster.
"""

import os

import numpy as np

from photutils_pconv.cli._common import prepare_folder

__all__ = ['add_options', 'run']

# How many of the maps that failed are named; by choice.
_NAMED = 5
# Options of one map alone.
_SINGLE = ('map', 'catalogue', 'obsid', 'catalogue_name', 'plot', 'block')
# Those that are files, as workers are to find them.
_FILES = ('mask', 'coverage_mask', 'error')
_FILES_OR_NAMES = ('model', 'psf', 'aperture_corrections')


def add_options(group):
    """
    Add the options of many maps.

    Parameters
    ----------
    group : argument group
        To which to add them.
    """
    group.add_argument(
        '--many',
        metavar='LIST',
        help='instead of a map: a table with the columns map and catalogue, and any '
        'options of this command, or a folder of maps with catalogues of the same '
        'name. Other options are those of all maps',
    )
    group.add_argument(
        '--scheduler',
        metavar='ADDRESS',
        help='the scheduler of a running cluster of dask (default: processes on this '
        'machine)',
    )
    group.add_argument(
        '--workers',
        type=int,
        metavar='N',
        help='the number of processes on this machine (default: one a core)',
    )


def run(options):
    """Clean the maps of a list, and say what became of them."""
    from photutils_pconv.scale.job_lists import read_jobs
    from photutils_pconv.scale.many import SUMMARY, remove_many

    for name in _SINGLE:
        if getattr(options, name):
            options.usage_error('--many has its own maps and catalogues, and no plots')
    if options.scheduler is not None and options.workers is not None:
        options.usage_error('--workers are those of this machine, not of --scheduler')
    prepare_folder(options)
    summary = remove_many(
        read_jobs(options.many, options=_find_given(options)),
        options.output,
        client=options.scheduler,
        n_workers=options.workers,
        overwrite=options.overwrite,
        progress_bar=options.progress_bar and not options.quiet,
    )
    status = np.asarray(summary['status'])
    if not options.quiet:
        print(options.output / SUMMARY)
        counts = {name: np.count_nonzero(status == name) for name in np.unique(status)}
        parts = ', '.join(f'{number} {name}' for name, number in counts.items())
        print(f'{len(summary)} maps: {parts}')
    failed = summary[status == 'failed']
    if len(failed):
        named = ', '.join(failed['name'][:_NAMED])
        msg = (
            f'{len(failed)} of {len(summary)} maps failed ({named}'
            f'{", ..." if len(failed) > _NAMED else ""}): '
            f'{options.output / SUMMARY} says why'
        )
        raise OSError(msg)


def _find_given(options):
    """Give the options that are not the defaults, for all maps."""
    from photutils_pconv.scale.jobs import PLANE_OPTIONS, remover_options

    given = {
        name: getattr(options, name)
        for name in (*remover_options(), *PLANE_OPTIONS)
        if getattr(options, name) != options.default_of(name)
    }
    for name, value in given.items():
        is_file = name in _FILES_OR_NAMES and os.path.isfile(value)
        if name in _FILES or is_file:
            given[name] = os.path.abspath(value)
    return given
