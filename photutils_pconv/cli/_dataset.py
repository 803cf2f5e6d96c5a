# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv dataset``.
"""

from photutils_pconv.cli._archive import BANDS, add_timeout, make_patience
from photutils_pconv.cli._common import parse_folder
from photutils_pconv.cli._compare import find_maps

__all__ = ['add_parser', 'run']


def add_parser(subparsers):
    """Add the parser of the command, and return it."""
    parser = subparsers.add_parser(
        'dataset',
        help="make a training set out of your maps, or the paper's out of its own",
        description='Inject sources into maps and write the cutouts that a training '
        "reads, with its configuration; or fetch the paper's fields and do as it "
        'does. An interrupted run goes on where it was.',
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        'maps',
        metavar='MAP',
        nargs='*',
        help='a FITS file, a folder of them, or a list of maps (CSV, ECSV) with the '
        'columns map, sources, unit, min_flux, max_flux, n_sources, split',
    )
    parser.add_argument(
        '--paper',
        action='store_true',
        help='the fields of Tables A.1 to A.4, from the archive',
    )
    parser.add_argument('--setup', help='the setup of the maps')
    parser.add_argument('--mode', choices=('scanmap', 'parallel'), help='the mode')
    parser.add_argument('--band', choices=BANDS, help='the band of the maps')
    parser.add_argument(
        '--kind',
        choices=('masked', 'residual'),
        help='cutouts with holes (default), or maps for those of a removal with a PSF',
    )
    parser.add_argument('--unit', help="the maps' unit, instead of the headers'")
    parser.add_argument(
        '--sources', metavar='FILE', help='the sources that the maps have'
    )
    parser.add_argument(
        '--simulations',
        type=int,
        metavar='N',
        help='the flux levels of each map (default: 12)',
    )
    parser.add_argument(
        '--bands', nargs='+', choices=BANDS, help="the paper's bands (default: all)"
    )
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
    """Make the set, and say what became of the maps."""
    if options.paper == bool(options.maps):
        msg = 'give maps, or --paper for those of the paper'
        raise ValueError(msg)
    tell = None if options.quiet else lambda line: print(line, flush=True)
    _check_use(options)
    if not options.paper:
        _run_maps(options, tell)
        return
    if options.mode is None:
        msg = '--paper needs --mode, scanmap or parallel'
        raise ValueError(msg)
    from photutils_pconv.simulation.paper_set import PaperSetOptions, make_paper_set

    chosen = PaperSetOptions(
        bands=tuple(options.bands or BANDS),
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
        tell=tell,
    )
    if not options.quiet:
        done = [one for one in manifest['fields'] if one['state'] == 'done']
        print(
            f'{len(done)} of {len(manifest["fields"])} fields, '
            f'{sum(one["cutouts"] for one in done)} cutouts: '
            f'{options.output / "cutouts"}'
        )


# What only one of the two ways takes.
_OF_PAPER = ('bands', 'max_fields', 'max_simulations', 'timeout')
_OF_MAPS = ('setup', 'band', 'kind', 'unit', 'sources', 'simulations')


def _check_use(options):
    """Refuse options that would have no effect."""
    for name in _OF_MAPS if options.paper else _OF_PAPER:
        if getattr(options, name) is not None:
            flag = f'--{name.replace("_", "-")}'
            msg = f'{flag} goes with maps, not with --paper'
            if not options.paper:
                msg = f'{flag} goes with --paper, not with maps of your own'
            raise ValueError(msg)


def _run_maps(options, tell):
    """Make a set out of maps."""
    from dataclasses import replace

    from photutils_pconv.setups.registry import get_setup
    from photutils_pconv.simulation.map_fields import MapField, read_map_fields
    from photutils_pconv.simulation.map_set import MapSetOptions, make_map_set

    setup = get_setup(options.mode, options.band, setup=options.setup)
    fields = []
    for path in options.maps:
        if path.endswith(('.csv', '.ecsv')):
            fields += read_map_fields(path)
        else:
            fields += [MapField(path=one) for one in find_maps([path])]
    changes = {'unit': options.unit, 'sources': options.sources}
    changes = {name: value for name, value in changes.items() if value is not None}
    chosen = {'kind': options.kind, 'n_simulations': options.simulations}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    manifest = make_map_set(
        options.output,
        [replace(one, **changes) for one in fields],
        setup,
        options=MapSetOptions(**chosen, seed=options.seed),
        tell=tell,
    )
    if tell is not None:
        done = [one for one in manifest['fields'] if one['state'] == 'done']
        number = sum(one.get('cutouts', 0) for one in done)
        tell(f'{len(done)} of {len(manifest["fields"])} fields, {number} cutouts')
        tell(f'next: photutils-pconv train {options.output / "train.toml"}')
