# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Structure of cleaned maps: power spectra and pixel statistics (section 5.3).

Sources are injected into simulated fields from plain to complex and removed,
by both methods, each without and with a random draw; the cleaned map is
compared with the source-free one::

    python benchmarks/structure.py --processes 2 --output structure.md
    python benchmarks/structure.py --quick

Two more "removers" tell what could be reached: ``exact`` puts the true
emission, without noise, into the holes, and ``exact+noise`` the emission with
noise of the same scatter (the map's own, with its sign reversed).
"""

import argparse
import time
from functools import partial

import numpy as np
from _run import add_run_arguments, describe_command, run_jobs, write_text
from _tables import format_lines
from astropy.table import vstack

from photutils_pconv.evaluation import (
    POWER_LIMIT,
    SCATTER_LIMIT,
    SHIFT_LIMIT,
    RemoverChoice,
    evaluate_structure,
    join_comparisons,
    list_removers,
    make_evaluation_fields,
)
from photutils_pconv.network import package_versions
from photutils_pconv.setups import list_setups

# A source for so many pixels, so that holes cover some 5 percent (by choice).
_PIXELS_A_SOURCE = 6000


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
        A model instead of the bundled ones, for the method of its kind.

    Returns
    -------
    spectra, statistics : `~astropy.table.QTable`
        As `~photutils_pconv.evaluation.join_comparisons` gives them.
    """
    fields = make_evaluation_fields(
        name, n_fields=n_fields, shape=(size, size), seed=seed
    )
    # What the paper leaves in the map.
    kept = RemoverChoice(name='inpaint, wings kept', model=model, method='inpaint')
    found = evaluate_structure(
        fields,
        n_sources=size**2 // _PIXELS_A_SOURCE,
        removers=(kept, *list_removers(model=model)),
        truth=True,
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
            near = np.sum(np.abs(values - 1.0) <= SCATTER_LIMIT)
            row.append(f'{near} ({far:.2f})')
        shift = np.asarray(rows_of['skewness_shift'])
        share = np.abs(shift / np.asarray(rows_of['skewness_original']))
        far = shift[np.argmax(np.abs(shift))]
        row.append(f'{np.sum(share <= SCATTER_LIMIT)} ({far:+.2f})')
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
    parser.add_argument(
        '--setups', nargs='*', default=list(list_setups(instrument='PACS'))
    )
    parser.add_argument('--fields', type=int, default=6, help='fields a setup')
    parser.add_argument('--size', type=int, default=512, help='pixels')
    parser.add_argument('--model', help='a model')
    parser.add_argument('--quick', action='store_true', help='one setup, three fields')
    add_run_arguments(parser, seed=2025, rows='spectra')
    args = parser.parse_args(arguments)
    names, n_fields, size = args.setups, args.fields, args.size
    if args.quick:
        names, n_fields, size = names[:1], 3, 256
    measure = partial(
        measure_setup, model=args.model, n_fields=n_fields, size=size, seed=args.seed
    )
    start = time.time()
    found = run_jobs(measure, names, processes=args.processes)
    spectra, statistics = (
        vstack([pair[k] for pair in found], metadata_conflicts='silent')
        for k in range(2)
    )
    versions = ', '.join(f'{k} {v}' for k, v in package_versions('photutils').items())
    text = '\n\n'.join(
        [
            '# Structure of cleaned maps',
            f'{describe_command()}\n- versions: {versions}',
            f'{len(names)} setups, {n_fields} fields each, from plain to '
            'complex; power spectra against those of the source-free maps, pixels in '
            'the holes in units of their standard deviation.',
            summarise(spectra, statistics),
            f'Run time: {time.time() - start:.0f} s.',
        ]
    )
    write_text(text, args.output)
    if args.table:
        spectra.write(args.table, format='ascii.ecsv', overwrite=True)


if __name__ == '__main__':
    main()
