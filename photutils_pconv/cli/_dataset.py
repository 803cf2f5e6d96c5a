# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv dataset``.
"""

from photutils_pconv.cli._archive import BANDS, add_timeout, make_patience
from photutils_pconv.cli._common import parse_folder

__all__ = ['add_parser', 'run']


def add_parser(subparsers):
    """Add the parser of the command, and return it."""
    parser = subparsers.add_parser(
        'dataset',
        help="make the paper's training set out of maps from the archive",
        description="Fetch the paper's fields, inject sources as the paper does, and "
        'write the cutouts that a training reads. An interrupted run goes on where '
        'it was.',
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        '--paper',
        action='store_true',
        required=True,
        help='the fields of Tables A.1 to A.4 (there are no others)',
    )
    parser.add_argument(
        '--mode', required=True, choices=('scanmap', 'parallel'), help='the mode'
    )
    parser.add_argument('--bands', nargs='+', choices=BANDS, default=BANDS)
    parser.add_argument(
        '--max-fields', type=int, metavar='N', help='so many fields (default: all)'
    )
    parser.add_argument(
        '--max-simulations',
        type=int,
        metavar='N',
        help='so many flux levels of each field (default: all)',
    )
    parser.add_argument('--seed', type=int, default=0)
    add_timeout(parser)
    parser.add_argument(
        '-o',
        '--output',
        type=parse_folder,
        required=True,
        metavar='DIR',
        help='the folder',
    )
    parser.add_argument(
        '--quiet', action='store_true', help='no progress bar and no lines'
    )
    return parser


def run(options):
    """Make the set, and tell what the archive lacks."""
    from photutils_pconv.simulation.paper_set import PaperSetOptions, make_paper_set

    chosen = PaperSetOptions(
        bands=tuple(options.bands),
        max_fields=options.max_fields,
        max_simulations=options.max_simulations,
        seed=options.seed,
        patience=make_patience(options),
        progress_bar=not options.quiet,
    )
    manifest = make_paper_set(
        options.output,
        options.mode,
        options=chosen,
        tell=None if options.quiet else lambda line: print(line, flush=True),
    )
    if not options.quiet:
        done = [one for one in manifest['fields'] if one['state'] == 'done']
        print(
            f'{len(done)} of {len(manifest["fields"])} fields, '
            f'{sum(one["cutouts"] for one in done)} cutouts: '
            f'{options.output / "cutouts"}'
        )
