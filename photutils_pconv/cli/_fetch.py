# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv fetch``.
"""

from photutils_pconv._utils.writing import check_output, write_atomically
from photutils_pconv.cli._archive import (
    BANDS,
    CATALOGUES,
    add_map_options,
    copy_map,
    fetch_from_options,
    fetch_sources,
    write_log,
)
from photutils_pconv.cli._common import add_overwrite, parse_folder, prepare_folder

__all__ = ['add_parser', 'run']

_SOURCES = 'sources.ecsv'
_LOG = 'fetched.json'


def add_parser(subparsers):
    """Add the parser of the command, and return it."""
    parser = subparsers.add_parser(
        'fetch',
        help='fetch the map of an observation',
        description='Fetch the map of an observation, with the sources of a catalogue '
        'on it if asked for. It stays in the cache of astropy, where it is found '
        'the next time.',
    )
    parser.set_defaults(run=run)
    parser.add_argument('obsid', metavar='OBSID', help='ten digits')
    parser.add_argument('--band', required=True, choices=BANDS, help='the band')
    add_map_options(parser)
    parser.add_argument(
        '--catalogue',
        choices=CATALOGUES,
        help=f'write the sources of this catalogue on the map, too ({_SOURCES})',
    )
    parser.add_argument(
        '-o',
        '--output',
        type=parse_folder,
        metavar='DIR',
        help='copy the map into this folder',
    )
    add_overwrite(parser)
    parser.add_argument('--quiet', action='store_true', help='print the path alone')
    return parser


def run(options):
    """Fetch a map, and print where it is."""
    folder = options.output
    if options.catalogue and folder is None:
        msg = '--catalogue needs a folder to write the sources into: give -o DIR'
        raise ValueError(msg)
    if folder is not None:
        names = [_LOG, *([_SOURCES] if options.catalogue else [])]
        prepare_folder(options, [folder / name for name in names])
    fetched = fetch_from_options(
        options, band=options.band, progress_bar=not options.quiet
    )
    path, sources, outputs = fetched.path, None, []
    if options.catalogue:
        sources = fetch_sources(
            fetched, options, band=options.band, name=options.catalogue
        )
    if folder is not None:
        check_output([folder / fetched.product], overwrite=options.overwrite)
        path = copy_map(fetched, folder)
        outputs.append(path)
    if sources is not None:
        outputs.append(folder / _SOURCES)
        write_atomically(
            outputs[-1], lambda path: sources.write(path, format='ascii.ecsv')
        )
    if folder is not None:
        write_log(folder / _LOG, fetched=fetched, sources=sources, outputs=outputs)
    print(path)
    if not options.quiet:
        number = '' if sources is None else f', {len(sources)} sources'
        print(
            f'{fetched.target}, {fetched.mode or "mode unknown"}/{fetched.band}, level '
            f'{fetched.level} by {fetched.map_maker}, from {fetched.source}{number}'
        )
