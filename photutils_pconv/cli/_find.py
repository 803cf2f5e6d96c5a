# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv find``.
"""

import re
from pathlib import Path

from photutils_pconv._utils.writing import check_output, write_atomically
from photutils_pconv.cli._archive import BANDS, add_timeout, make_patience
from photutils_pconv.cli._common import add_overwrite

__all__ = ['add_parser', 'run']


def add_parser(subparsers):
    """Add the parser of the command, and return it."""
    parser = subparsers.add_parser(
        'find',
        help='list the PACS observations that cover a position',
        description='List the PACS maps of the Herschel Science Archive whose '
        'footprints cover a position.',
    )
    parser.set_defaults(run=run)
    # Southern declinations such as -30d10m are no options, as from Python 3.14 on.
    parser._negative_number_matcher = re.compile(r'-\.?[0-9]')
    parser.add_argument(
        'target',
        metavar='TARGET',
        nargs='+',
        help="an object's name, or a position: '17h56m36s +51d29m20s', 269.15 51.49",
    )
    parser.add_argument(
        '--radius',
        type=float,
        metavar='ARCMIN',
        help='list those, too, that touch this circle',
    )
    parser.add_argument(
        '--bands', nargs='+', choices=BANDS, help='those that have one of these bands'
    )
    parser.add_argument('--mode', choices=('scanmap', 'parallel'), help='the mode')
    add_timeout(parser)
    parser.add_argument(
        '-o', '--output', type=Path, metavar='FILE', help='write the table, too (ECSV)'
    )
    add_overwrite(parser)
    return parser


def run(options):
    """List observations."""
    import astropy.units as u

    from photutils_pconv.archive.observations import find_observations

    if options.output is not None:
        check_output([options.output], overwrite=options.overwrite)
    table = find_observations(
        ' '.join(options.target),
        radius=None if options.radius is None else options.radius * u.arcmin,
        bands=options.bands,
        mode=options.mode,
        patience=make_patience(options),
    )
    if options.output is not None:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(
            options.output, lambda path: table.write(path, format='ascii.ecsv')
        )
    for line in _make_lines(table):
        print(line)


def _make_lines(table):
    """A line for each observation, under a heading."""
    yield f'{len(table)} observation{"" if len(table) == 1 else "s"}'
    if not len(table):
        return
    shown = table.copy()
    shown['position'] = table['position'].to_string('hmsdms', precision=0)
    shown['size'].info.format = '.0f'
    shown['date'] = [str(date.isot)[:10] for date in table['date']]
    if table['public'].all():
        shown.remove_column('public')
    yield from shown.pformat(max_lines=-1, max_width=-1, align='<')
