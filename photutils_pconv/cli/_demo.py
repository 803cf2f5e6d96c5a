# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv demo``.
"""

from itertools import pairwise

import numpy as np

from photutils_pconv.cli._common import add_output
from photutils_pconv.cli._removal import (
    add_removal_options,
    make_remover,
    prepare_output,
    write_result,
)

__all__ = ['add_parser', 'run']

# The demo map is one of these, and its sources have a PSF of their own.
_SETUP = {'mode': 'scanmap', 'band': 'green'}
_FIXED = (*_SETUP, 'setup', 'resample', 'aperture_corrections')

# The demo's table has a row for the sources between each two of these SNRs.
_SNR_EDGES = (0.0, 12.0, 40.0, 130.0, np.inf)


def add_parser(subparsers):
    """Add the parser of the command, and return it."""
    parser = subparsers.add_parser(
        'demo',
        help='clean the bundled demo map',
        description='Clean the bundled demo map and compare what is measured with '
        'what was injected.',
    )
    parser.set_defaults(run=run, **_SETUP)
    add_removal_options(parser, fixed=_FIXED)
    add_output(parser)
    return parser


def run(options):
    """Clean the demo map, and print what was measured."""
    from photutils_pconv.datasets import (
        demo_aperture_corrections,
        load_demo,
        load_demo_emission,
    )

    prepare_output(options, plot=True)
    ccd, truth = load_demo()
    # The table of the PSF with which the demo's sources were made.
    remover = make_remover(options, aperture_corrections=demo_aperture_corrections())
    result = remover(ccd, truth)
    write_result(result, options, plot=True)
    if not options.quiet:
        print()
        print(_format_table(result, truth, load_demo_emission()))


def _format_table(result, truth, emission):
    """
    Format what was measured against what was injected.
    """
    ratios = _find_ratios(result.photometry, truth['flux'].to_value('Jy'))
    snr = np.asarray(result.photometry['snr'])
    names = ''.join(f'     {name:14s}' for name in ratios)
    lines = [
        f'measured / injected flux{names}'.rstrip(),
        f'SNR           sources  {"   median   IQR (%)" * len(ratios)}',
    ]
    for low, high in pairwise(_SNR_EDGES):
        part = (snr >= low) & (snr < high)
        if not part.any():
            continue
        row = f'{low:5.0f} - {high:5.0f} {part.sum():8d}  '
        for ratio in ratios.values():
            lower, median, upper = np.nanpercentile(ratio[part], [25, 50, 75])
            row += f'{median:9.3f} {100 * (upper - lower):9.2f}'
        lines.append(row)
    hole = result.holes
    error = result.cleaned.data[hole] - emission.data[hole]
    scatter = np.std(emission.data[hole])
    lines.append(
        f'reconstructed emission: off by {np.sqrt(np.mean(error**2)):.2e} Jy/pixel '
        f'(RMS) where it scatters by {scatter:.2e}'
    )
    return '\n'.join(lines)


def _find_ratios(table, injected):
    """
    Return measured over injected fluxes, in the first aperture, by method.
    """
    suffix = '' if 'flux_annulus' in table.colnames else '_0'
    columns = {
        'flux': 'flux',
        'aperture': f'flux_aperture{suffix}',
        'annulus': f'flux_annulus{suffix}',
    }
    return {
        name: table[column].to_value('Jy') / injected
        for name, column in columns.items()
        if column in table.colnames
    }
