# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Structure of cleaned maps: power spectra and pixel statistics (section 5.3).

Sources are injected into simulated fields from plain to complex and removed,
in one pass and in two, each without and with a texture; the cleaned map is
compared with the source-free one::

    python benchmarks/structure.py --processes 2 --output structure.md
    python benchmarks/structure.py --quick

Two more "removers" tell what could be reached: ``exact`` puts the true
emission, without noise, into the holes, and ``exact+noise`` the emission with
noise of the same scatter (the map's own, with its sign reversed).
"""

import argparse
import shlex
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from _report import format_lines
from astropy.table import vstack

from photutils_pconv.evaluation import (
    POWER_LIMIT,
    SHIFT_LIMIT,
    TEXTURE_LIMIT,
    evaluate_structure,
    join_comparisons,
    list_removers,
    make_evaluation_fields,
)
from photutils_pconv.network import package_versions
from photutils_pconv.setups import list_setups


def measure_setup(name, *, n_fields=6, size=512, seed=2025, model=None):
    """
    Measure the fields of one setup.

    Parameters
    ----------
    name : str
        The setup's name.

    n_fields, size, seed : int, optional
        The number of fields, their side in pixels, and their seed.

    model : str, optional
        A model of one pass instead of the bundled one.

    Returns
    -------
    spectra, statistics : `~astropy.table.QTable`
        As `~photutils_pconv.evaluation.structure.join_comparisons` gives them.
    """
    fields = make_evaluation_fields(
        name, n_fields=n_fields, shape=(size, size), seed=seed
    )
    removers = list_removers(model=model) if model else list_removers()
    # What the paper leaves in the map.
    removers = {'network, wings kept': {'n_passes': 1}, **removers}
    found = evaluate_structure(
        fields, n_sources=size**2 // 6000, removers=removers, model=model, truth=True
    )
    spectra, _, statistics = join_comparisons(found)
    return spectra, statistics


def summarise(spectra, statistics):
    """
    Count the fields within the limits, and find the worst.

    Parameters
    ----------
    spectra, statistics : `~astropy.table.Table`
        What `measure_setup` gives.

    Returns
    -------
    text : str
        A Markdown table with a row a remover: how many fields are within the
        limit, and in brackets the worst.
    """
    rows = []
    for method in dict.fromkeys(statistics['method']):
        part = spectra[spectra['method'] == method]
        rows_of = statistics[statistics['method'] == method]
        worst = np.array(
            [
                np.abs(np.asarray(part['relative_cleaned'])[part['map'] == name]).max()
                for name in dict.fromkeys(part['map'])
            ]
        )
        every = np.abs(np.asarray(part['relative_cleaned']))
        n = len(worst)
        row = [
            str(method),
            f'{np.sum(worst <= POWER_LIMIT)} of {n} ({100 * worst.max():.0f} %)',
            f'{100 * np.mean(every <= POWER_LIMIT):.0f} %',
        ]
        for key in ('mean', 'median'):
            values = np.abs(np.asarray(rows_of[f'{key}_shift']))
            row.append(f'{np.sum(values <= SHIFT_LIMIT)} ({values.max():.3f})')
        for key in ('std', 'iqr'):
            values = np.asarray(rows_of[f'{key}_ratio'])
            far = values[np.argmax(np.abs(values - 1.0))]
            near = np.sum(np.abs(values - 1.0) <= TEXTURE_LIMIT)
            row.append(f'{near} ({far:.2f})')
        shift = np.asarray(rows_of['skewness_shift'])
        share = np.abs(shift / np.asarray(rows_of['skewness_original']))
        far = shift[np.argmax(np.abs(shift))]
        row.append(f'{np.sum(share <= TEXTURE_LIMIT)} ({far:+.2f})')
        rows.append(row)
    header = [
        'remover',
        'power spectrum within 5 % in every bin (worst)',
        'bins within 5 %',
        'mean within 0.02 (worst)',
        'median within 0.02',
        'std within 3 % (worst ratio)',
        'IQR within 3 %',
        'skewness within 3 % (worst shift)',
    ]
    return format_lines(header, rows)


def main(arguments=None):
    """
    Run the benchmark from the command line.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments (default: those of the process).
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--setups', nargs='*', default=list(list_setups()))
    parser.add_argument('--fields', type=int, default=6, help='fields a setup')
    parser.add_argument('--size', type=int, default=512, help='pixels')
    parser.add_argument('--seed', type=int, default=2025)
    parser.add_argument('--model', help='a model of one pass')
    parser.add_argument('--processes', type=int, default=1)
    parser.add_argument('--quick', action='store_true', help='one setup, three fields')
    parser.add_argument('--output', type=Path, help='a Markdown file to write')
    parser.add_argument('--table', type=Path, help='an ECSV file of all spectra')
    args = parser.parse_args(arguments)
    names = args.setups
    options = {'n_fields': args.fields, 'size': args.size, 'seed': args.seed}
    if args.quick:
        names = names[:1]
        options |= {'n_fields': 3, 'size': 256}
    run = partial(measure_setup, model=args.model, **options)
    start = time.time()
    if args.processes == 1:
        found = [run(name) for name in names]
    else:
        with ProcessPoolExecutor(args.processes, initializer=_one_thread) as pool:
            found = list(pool.map(run, names))
    spectra, statistics = (
        vstack([pair[k] for pair in found], metadata_conflicts='silent')
        for k in range(2)
    )
    versions = ', '.join(f'{k} {v}' for k, v in package_versions('photutils').items())
    text = '\n\n'.join(
        [
            '# Structure of cleaned maps',
            f'- command: `{shlex.join(["python", *sys.argv])}`\n- versions: {versions}',
            f'{len(names)} setups, {options["n_fields"]} fields each, from plain to '
            'complex; power spectra against those of the source-free maps, pixels in '
            'the holes in units of their standard deviation.',
            summarise(spectra, statistics),
            f'Run time: {time.time() - start:.0f} s.',
        ]
    )
    print(text)
    if args.output:
        args.output.write_text(text + '\n', encoding='utf-8')
    if args.table:
        spectra.write(args.table, format='ascii.ecsv', overwrite=True)


def _one_thread():
    import torch

    torch.set_num_threads(1)


if __name__ == '__main__':
    main()
