# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv find-sources``.
"""

import argparse
from pathlib import Path

from photutils_pconv._utils.writing import check_output, write_atomically
from photutils_pconv.cli._common import add_overwrite
from photutils_pconv.cli._remove import add_map_planes

__all__ = ['add_parser', 'run']


def add_parser(subparsers):
    """Add the parser of the command, and return it."""
    parser = subparsers.add_parser(
        'find-sources',
        help='find the compact sources of a map',
        description='Find the compact sources of a map with structured emission, and '
        'write a catalogue that remove takes.',
    )
    parser.set_defaults(run=run)
    parser.add_argument('map', metavar='MAP', help='a FITS file')
    group = parser.add_argument_group('map and setup')
    group.add_argument(
        '--mode', help="'scanmap' or 'parallel' (default: as the header says)"
    )
    group.add_argument(
        '--band', help="'blue', 'green' or 'red' (default: as the header says)"
    )
    group.add_argument(
        '--setup', help="a setup's name or file, instead of mode and band"
    )
    group.add_argument(
        '--resample',
        action=argparse.BooleanOptionalAction,
        default=True,
        help="resample a map that is off the setup's pixel scale (default: on)",
    )
    add_map_planes(group)
    _add_sources(parser.add_argument_group('sources'))
    group = parser.add_argument_group('output')
    group.add_argument(
        '-o',
        '--output',
        type=Path,
        required=True,
        metavar='FILE',
        help='the catalogue (ECSV)',
    )
    add_overwrite(group)
    group.add_argument(
        '--progress-bar',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='show progress bars (default: on)',
    )
    group.add_argument(
        '--quiet', action='store_true', help='no progress bar and no summary'
    )
    return parser


def run(options):
    """Find sources and write the catalogue."""
    from photutils_pconv.finding.finder import find_sources
    from photutils_pconv.inputs.plane_files import read_plane_file

    check_output([options.output], overwrite=options.overwrite)
    table = find_sources(
        options.map,
        options.mode,
        options.band,
        setup=options.setup,
        psf=options.psf,
        threshold=options.threshold,
        shape_tolerance=options.shape_tolerance,
        n_rounds=options.n_rounds,
        resample=options.resample,
        hdu=options.map_hdu,
        mask=options.mask_hdu or read_plane_file(options.mask),
        coverage_mask=read_plane_file(options.coverage_mask),
        beam=options.beam,
        progress_bar=options.progress_bar and not options.quiet,
    )
    # Somebody else may have been faster.
    check_output([options.output], overwrite=options.overwrite)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(
        options.output, lambda path: table.write(path, format='ascii.ecsv')
    )
    if not options.quiet:
        print(options.output)
        print(f'{len(table)} sources')


def _add_sources(group):
    """Add what counts as a source."""
    from photutils_pconv.finding.settings import N_ROUNDS, SHAPE_TOLERANCE, THRESHOLD

    group.add_argument(
        '--psf',
        default='setup',
        help="the PSF: 'setup', another setup's name, or a FITS file (default: setup)",
    )
    group.add_argument(
        '--threshold',
        type=float,
        default=THRESHOLD,
        metavar='SNR',
        help=f'signal-to-noise ratio of a source (default: {THRESHOLD:g})',
    )
    group.add_argument(
        '--shape-tolerance',
        type=float,
        default=SHAPE_TOLERANCE,
        metavar='SHARE',
        help='how far width and ellipticity may be off the PSF, beyond their errors '
        f'(default: {SHAPE_TOLERANCE:g}; inf: any shape)',
    )
    group.add_argument(
        '--n-rounds',
        type=int,
        default=N_ROUNDS,
        metavar='N',
        help=f'rounds of searching (default: {N_ROUNDS})',
    )
