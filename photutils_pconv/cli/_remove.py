# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv remove``.
"""

from photutils_pconv.cli import _many
from photutils_pconv.cli._archive import (
    CATALOGUES,
    add_map_options,
    fetch_from_options,
    fetch_sources,
    write_log,
)
from photutils_pconv.cli._common import add_output
from photutils_pconv.cli._removal import (
    add_removal_options,
    add_result_options,
    make_remover,
    prepare_output,
    write_result,
)

__all__ = ['add_map_planes', 'add_parser', 'add_planes', 'run']

# Where a map and a catalogue came from that were fetched.
_LOG = 'provenance.json'


def add_parser(subparsers):
    """Add the parser of the command, and return it."""
    parser = subparsers.add_parser(
        'remove',
        help='clean a map and measure its sources',
        description='Clean a map and measure its sources. The options have the '
        'names and the defaults of the keywords of NeuralSourceRemover.',
    )
    parser.set_defaults(
        run=run, usage_error=parser.error, default_of=parser.get_default
    )
    parser.add_argument(
        'map', metavar='MAP', nargs='?', help='a FITS file (with --obsid: none)'
    )
    parser.add_argument(
        'catalogue',
        metavar='CATALOGUE',
        nargs='?',
        help='CSV, ECSV, VOTable or FITS table, or DS9 regions (or --catalogue)',
    )
    groups = add_removal_options(parser)
    add_planes(groups['map and setup'])
    _add_archive(parser.add_argument_group('archive'))
    _many.add_options(parser.add_argument_group('many maps'))
    group = add_output(parser)
    add_result_options(group)
    group.add_argument('--plot', action='store_true', help='write removal.png too')
    group.add_argument(
        '--block',
        action='store_true',
        help='read and write the map block by block: for one that is larger than the '
        'memory (a FITS file, neither packed nor scaled)',
    )
    return parser


def run(options):
    """Clean a map, or many, and write what came of it."""
    if options.many is not None:
        _many.run(options)
        return
    from photutils_pconv.inputs.plane_files import read_plane_file
    from photutils_pconv.inputs.sources import read_sources

    map_file, catalogue_file = _sort_files(options)
    is_fetched = options.obsid is not None or catalogue_file is None
    log = options.output / _LOG
    plot = options.plot or options.obsid is not None
    prepare_output(
        options,
        plot=plot,
        others=[log] if is_fetched else (),
    )
    if options.block:
        options.output.mkdir(parents=True, exist_ok=True)
    # An extension of the map's own file goes by its name.
    mask = options.mask_hdu or read_plane_file(options.mask)
    coverage_mask = read_plane_file(options.coverage_mask)
    error = options.error_hdu or read_plane_file(options.error)
    fetched = None
    if options.obsid is not None:
        fetched = map_file = _fetch(options)
    if catalogue_file is None:
        sources = fetch_sources(
            map_file,
            options,
            band=_find_band(options, None if fetched else map_file),
            name=options.catalogue_name or CATALOGUES[0],
        )
    else:
        sources = read_sources(
            catalogue_file, hdu=options.catalogue_hdu, table_id=options.table_id
        )
    remover = make_remover(options)
    result = remover(
        map_file,
        sources,
        hdu=options.map_hdu,
        mask=mask,
        coverage_mask=coverage_mask,
        error=error,
        beam=options.beam,
        scratch=options.output if options.block else None,
    )
    if is_fetched:
        # Never an old one beside new results.
        log.unlink(missing_ok=True)
    paths = write_result(result, options, plot=plot)
    if is_fetched:
        write_log(
            log, fetched=fetched, sources=catalogue_file or sources, outputs=paths
        )
        if not options.quiet:
            print(log)
    if not options.quiet:
        print(result.summary())


def _add_archive(group):
    """Add what stands for a map or a catalogue that is not there yet."""
    group.add_argument(
        '--obsid', help='fetch the map of this observation; writes removal.png, too'
    )
    group.add_argument(
        '--catalogue',
        dest='catalogue_name',
        choices=CATALOGUES,
        help='fetch the sources from this catalogue (with --obsid and without a file '
        f'of sources: {CATALOGUES[0]})',
    )
    add_map_options(group)


def _sort_files(options):
    """Find out which file is the map and which the sources; complain at once."""
    files = [one for one in (options.map, options.catalogue) if one is not None]
    map_file = None
    if options.obsid is None:
        if not files:
            options.usage_error('MAP is missing (or give --obsid)')
        map_file = files.pop(0)
        if not files and options.catalogue_name is None:
            options.usage_error('CATALOGUE is missing (or give --catalogue)')
    if len(files) > (options.catalogue_name is None):
        options.usage_error(
            'the map comes from --obsid, the sources from --catalogue or one file'
        )
    return map_file, files[0] if files else None


def _find_band(options, map_file=None):
    """The band: by itself, of the setup, or in the header of a file."""
    from photutils_pconv.inputs.fits import read_fits_map
    from photutils_pconv.setups.headers import find_setup
    from photutils_pconv.setups.registry import get_setup

    band = options.band
    if band is None and options.setup is not None:
        band = get_setup(setup=options.setup).band
    elif band is None and map_file is not None:
        header = read_fits_map(map_file, hdu=options.map_hdu).meta
        band = find_setup(header, mode=options.mode).setup.band
    if not band:
        msg = 'the archive needs the band: give --band'
        raise ValueError(msg)
    return band


def _fetch(options):
    """Fetch a map, and take its mode if none is given."""
    fetched = fetch_from_options(
        options,
        band=_find_band(options),
        progress_bar=options.progress_bar and not options.quiet,
    )
    if options.mode is None and options.setup is None:
        if fetched.mode is None:
            msg = f'the mode of {fetched.product} is not known: give --mode'
            raise ValueError(msg)
        options.mode = fetched.mode
    return fetched


def add_planes(group):
    """
    Add what goes with map and sources: a remover takes it when it is called.

    Parameters
    ----------
    group : argument group
        To which to add it.
    """
    add_map_planes(group)
    group.add_argument(
        '--catalogue-hdu', metavar='HDU', help='the table of a FITS catalogue'
    )
    group.add_argument('--table-id', metavar='ID', help='the table of a VOTable')
    error = group.add_mutually_exclusive_group()
    error.add_argument(
        '--error',
        metavar='FILE[EXT]',
        help="an image of the map's standard deviation",
    )
    error.add_argument(
        '--error-hdu', metavar='HDU', help="the same, as an extension of the map's file"
    )


def add_map_planes(group):
    """
    Add what reading a map from its file needs: which image, which pixels, the beam.

    Parameters
    ----------
    group : argument group
        To which to add it.
    """
    group.add_argument(
        '--map-hdu', metavar='HDU', help='the map: number, NAME or NAME,VERSION'
    )
    mask = group.add_mutually_exclusive_group()
    mask.add_argument(
        '--mask',
        metavar='FILE[EXT]',
        help='an image that is not 0 in bad pixels, or DS9 regions (.reg)',
    )
    mask.add_argument(
        '--mask-hdu', metavar='HDU', help="the same, as an extension of the map's file"
    )
    group.add_argument(
        '--coverage-mask',
        metavar='FILE[EXT]',
        help='an image that is not 0 in pixels without data',
    )
    group.add_argument(
        '--beam',
        type=float,
        nargs='+',
        metavar='ARCSEC',
        help='FWHM of the beam, or of its two axes, for a map in Jy/beam (default: the '
        "header's)",
    )
