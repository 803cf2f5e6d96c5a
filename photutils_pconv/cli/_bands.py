# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv bands``.
"""

import argparse
from copy import copy

import numpy as np

from photutils_pconv.cli._common import add_output, prepare_folder
from photutils_pconv.cli._removal import add_removal_options, make_remover

__all__ = ['add_parser', 'run']

# The names of the maps tell these.
_FIXED = ('band', 'setup')


def add_parser(subparsers):
    """Add the parser of the command, and return it."""
    parser = subparsers.add_parser(
        'bands',
        help='clean the maps of several bands, and give one table',
        description='Clean the maps of several bands and measure the sources of one '
        'catalogue on all of them: one row per source.',
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        'maps',
        metavar='BAND=MAP',
        nargs='+',
        type=_parse_map,
        help='the band and its FITS file, such as red=map.fits; without --mode the '
        "band is a setup's name (scanmap/red)",
    )
    parser.add_argument(
        'catalogue',
        metavar='CATALOGUE',
        help='CSV, ECSV, VOTable or FITS table, or DS9 regions',
    )
    _add_bands(parser.add_argument_group('bands'))
    groups = add_removal_options(parser, fixed=_FIXED)
    _add_planes(groups['map and setup'])
    add_output(parser)
    return parser


def run(options):
    """Clean the maps and write what came of it."""
    from photutils_pconv.bands.removing import remove_bands
    from photutils_pconv.bands.results import name_files
    from photutils_pconv.inputs.sources import read_sources

    maps = _gather(options.maps)
    matched = options.match_resolution
    files = name_files(maps, matched=matched is not None)
    prepare_folder(options, [options.output / name for name in files])
    if matched and matched not in maps:
        msg = f'--match-resolution must be one of {", ".join(maps)}, got {matched}'
        raise ValueError(msg)
    sources = read_sources(
        options.catalogue, hdu=options.catalogue_hdu, table_id=options.table_id
    )
    planes = {
        'hdu': options.map_hdu,
        'mask': options.mask_hdu,
        'error': options.error_hdu,
        'beam': options.beam,
    }
    result = remove_bands(
        maps,
        sources,
        removers={band: _make_remover(options, band) for band in maps},
        position_band=options.position_band,
        n_workers=options.n_workers,
        progress_bar=options.progress_bar and not options.quiet,
        **{
            name: None if value is None else dict.fromkeys(maps, value)
            for name, value in planes.items()
        },
    )
    images = None
    if matched is not None:
        images = result.match_resolution(target=matched or None)
    paths = result.write(options.output, overwrite=options.overwrite, matched=images)
    if not options.quiet:
        for path in paths:
            print(path)
        for line in _summarise(result):
            print(line)


def _add_bands(group):
    """Add what is for all bands together."""
    group.add_argument(
        '--position-band',
        metavar='BAND',
        help='the band whose fitted positions are those of all bands (default: each '
        'fits its own)',
    )
    group.add_argument(
        '--match-resolution',
        metavar='BAND',
        nargs='?',
        const='',
        help='write the cleaned maps at the resolution and on the grid of this band, '
        'too (without BAND: of the coarsest)',
    )
    group.add_argument(
        '--n-workers',
        type=int,
        metavar='N',
        help='bands that are done at once (default: all, up to the number of '
        'processors)',
    )


def _add_planes(group):
    """Add what the maps of all bands have in common."""
    for name, text in (
        ('map', 'the map'),
        ('mask', 'bad pixels (not 0)'),
        ('error', "the map's standard deviation"),
    ):
        group.add_argument(
            f'--{name}-hdu',
            metavar='HDU',
            help=f'{text}: number, NAME or NAME,VERSION, the same in every file',
        )
    group.add_argument(
        '--catalogue-hdu', metavar='HDU', help='the table of a FITS catalogue'
    )
    group.add_argument('--table-id', metavar='ID', help='the table of a VOTable')
    group.add_argument(
        '--beam',
        type=float,
        nargs='+',
        metavar='ARCSEC',
        help='FWHM of the beam of maps in Jy/beam',
    )


def _parse_map(text):
    """Split a band from its file."""
    band, sign, path = text.partition('=')
    if not (sign and band.strip() and path.strip()):
        msg = f'{text!r} is not BAND=MAP, such as red=map.fits'
        raise argparse.ArgumentTypeError(msg)
    return band.strip(), path.strip()


def _gather(pairs):
    """Give the file of each band."""
    maps = {}
    for band, path in pairs:
        if band in maps:
            msg = f'the band {band} is given twice: {maps[band]} and {path}'
            raise ValueError(msg)
        maps[band] = path
    return maps


def _make_remover(options, band):
    """Make the remover of a band."""
    options = copy(options)
    if options.mode is None:
        options.setup = band
    else:
        options.band = band
    try:
        return make_remover(options)
    except (TypeError, ValueError) as exc:
        msg = f'{band}: {exc}'
        raise type(exc)(msg) from exc


def _summarise(result):
    """Say in a few lines what was found."""
    table = result.photometry
    for band in result.bands:
        measured = np.count_nonzero(np.isfinite(table[f'flux_{band}']))
        flagged = np.count_nonzero(table[f'flags_{band}'])
        yield f'{band}: {measured} of {len(table)} sources measured, {flagged} flagged'
