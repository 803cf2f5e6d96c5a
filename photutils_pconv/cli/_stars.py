# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv stars``.
"""

from functools import partial

from photutils_pconv.cli._archive import BANDS, add_timeout, make_patience
from photutils_pconv.cli._common import add_overwrite, parse_folder, prepare_folder

__all__ = ['add_parser', 'run']

_FILES = ('table_5.ecsv', 'standard_stars.ecsv')
_RESOLUTION = 120  # dots per inch, by choice


def add_parser(subparsers):
    """Add the parser of the command, and return it."""
    parser = subparsers.add_parser(
        'stars',
        help="measure standard stars, and print the paper's Table 5",
        description='Measure the maps of standard stars with every method, and print '
        "the paper's Table 5: reference flux, ours, their ratio, and the paper's.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        'maps', metavar='DIR', nargs='*', help='folders of FITS files, or such files'
    )
    parser.add_argument(
        '--band',
        choices=BANDS,
        help='the band of maps whose headers do not give it (WAVELNTH)',
    )
    parser.add_argument(
        '--mode',
        choices=('scanmap', 'parallel'),
        help="the mode of all maps (default: that of the header, or 'scanmap')",
    )
    parser.add_argument(
        '--colour-correction',
        metavar='SPECTRUM',
        default='star',
        help="the stars' spectrum, or 'none' (default: star, a black body of 5000 K)",
    )
    parser.add_argument(
        '--aperture-radius',
        type=float,
        metavar='ARCSEC',
        help='the aperture (default: 12, red 22, those of the references)',
    )
    parser.add_argument(
        '--methods',
        nargs='*',
        metavar='METHOD',
        help='the other methods, such as annulus or maskfill (default: all that are '
        'installed)',
    )
    parser.add_argument('--model', help='a bundled model or a weights file')
    group = parser.add_argument_group('archive')
    group.add_argument(
        '--fetch',
        type=parse_folder,
        metavar='DIR',
        help="fetch the stars' maps into this folder, those that are not there, and "
        'measure them',
    )
    group.add_argument(
        '--bands', nargs='+', choices=BANDS, help='fetch these bands (default: all)'
    )
    group.add_argument(
        '--max-stars',
        type=int,
        metavar='N',
        help='fetch so many stars, the brightest first (default: all)',
    )
    add_timeout(group)
    group = parser.add_argument_group('output')
    group.add_argument(
        '-o',
        '--output',
        type=parse_folder,
        metavar='DIR',
        help=f'write {" and ".join(_FILES)}, too',
    )
    group.add_argument(
        '--plot', action='store_true', help='write standard_stars.png as well'
    )
    add_overwrite(group)
    group.add_argument('--quiet', action='store_true', help='nothing but the table')
    parser.set_defaults(usage_error=parser.error)
    return parser


def run(options):
    """Measure, and print the table."""
    from photutils_pconv.evaluation.map_lists import list_fits
    from photutils_pconv.evaluation.removers import list_removers
    from photutils_pconv.evaluation.standard_stars import measure_standard_stars
    from photutils_pconv.evaluation.star_tables import (
        format_star_table,
        make_star_table,
    )

    _check_use(options)
    paths = _prepare(options)
    maps = [one for entry in options.maps for one in list_fits(entry)]
    if options.fetch is not None:
        maps += _fetch(options)
    colour = options.colour_correction
    removers = list_removers(model=options.model)
    measured = measure_standard_stars(
        maps,
        band=options.band,
        mode=options.mode,
        remover=removers[0],
        others=removers[1:],
        aperture_radius=options.aperture_radius,
        methods=options.methods,
        colour_correction=None if colour.strip().lower() == 'none' else colour,
        report=None if options.quiet else lambda line: print(line, flush=True),
    )
    table = make_star_table(measured)
    if not options.quiet:
        print()
    for line in format_star_table(table):
        print(line)
    if not options.quiet:
        print()
        for line in _list_ratios(measured):
            print(line)
    if options.output is not None:
        _write(measured, table, options, paths)


def _check_use(options):
    """Refuse what has no effect, or nothing to measure."""
    if options.output is None and (options.plot or options.overwrite):
        options.usage_error('--plot and --overwrite need --output')
    if options.fetch is None:
        for name in ('bands', 'max_stars', 'timeout'):
            if getattr(options, name) is not None:
                options.usage_error(f'--{name.replace("_", "-")} goes with --fetch')
        if not options.maps:
            options.usage_error('DIR is missing (or give --fetch DIR)')


def _fetch(options):
    """Fetch the maps of standard stars, and say what the archive lacks."""
    from photutils_pconv.evaluation.star_maps import fetch_standard_stars

    manifest = fetch_standard_stars(
        options.fetch,
        bands=options.bands,
        max_stars=options.max_stars,
        patience=make_patience(options),
        progress_bar=not options.quiet,
        tell=None if options.quiet else lambda line: print(line, flush=True),
    )
    done = [one['file'] for one in manifest['maps'] if one['state'] == 'done']
    if not options.quiet:
        print(f'{len(done)} of {len(manifest["maps"])} maps: {options.fetch}')
    if not done and not options.maps:
        msg = f'the archive has none of the maps: {manifest["maps"][0]["reason"]}'
        raise ValueError(msg)
    return [options.fetch / name for name in done]


def _prepare(options):
    """Find out what would prevent the output; give its files."""
    if options.output is None:
        return []
    paths = [options.output / name for name in _FILES]
    if options.plot:
        from photutils_pconv._utils.plotting import make_axes

        make_axes(1)
        paths.append(options.output / 'standard_stars.png')
    prepare_folder(options, paths)
    return paths


def _list_ratios(measured):
    """List the ratio of every method on every map."""
    names = [
        name
        for name in measured.colnames
        if name.startswith('ratio_') and name != 'ratio_paper'
    ]
    yield 'measured over reference flux, by method'
    for row in measured:
        yield f'{row["map"]}: {row["star"]}, {row["setup"]}, {row["aperture"]:g}'
        best = f'{row["ratio"]:.3f} +/- {float(row["flux_err"] / row["reference"]):.3f}'
        yield f'  flux {best}'
        for name in names:
            yield f'  {name.removeprefix("ratio_")} {row[name]:.3f}'


def _write(measured, table, options, paths):
    """Write all files, or none."""
    from photutils_pconv._utils.writing import check_output, write_together

    writers = [partial(one.write, format='ascii.ecsv') for one in (table, measured)]
    if options.plot:
        from photutils_pconv.evaluation.plots.fluxes import plot_standard_stars

        figure = plot_standard_stars(measured)
        writers.append(partial(figure.savefig, dpi=_RESOLUTION))
    # Somebody else may have been faster.
    check_output(paths, overwrite=options.overwrite)
    options.output.mkdir(parents=True, exist_ok=True)
    write_together(dict(zip(paths, writers, strict=True)))
    if not options.quiet:
        for path in paths:
            print(path)
