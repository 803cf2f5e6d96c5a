# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv completeness``.
"""

import argparse
from functools import partial

import numpy as np

from photutils_pconv.cli._common import add_output, prepare_folder
from photutils_pconv.cli._removal import add_removal_options, make_remover
from photutils_pconv.cli._remove import add_planes

__all__ = ['add_parser', 'run']

# What the cleaned map holds does not matter.
_FIXED = ('fill', 'draw_seed', 'subtract_wings')
# The options of the injection that are numbers, as `measure_completeness` has them.
_NUMBERS = (
    ('n_per_flux', int, 'N', 'sources of each flux (default: 50, or one a place)'),
    (
        'n_per_round',
        int,
        'N',
        'sources that are injected at once (default: 10, or a tenth of the real ones)',
    ),
    (
        'position_tolerance',
        float,
        'ARCSEC',
        'how far the measured position of a recovered source may be off (default: any '
        'distance)',
    ),
    (
        'position_error',
        float,
        'ARCSEC',
        'standard deviation of the positions at which sources are looked for (default: '
        'they are exact)',
    ),
    (
        'separation',
        float,
        'ARCSEC',
        'smallest distance of sources that are injected at once (default: by the '
        "setup's annulus)",
    ),
    (
        'clearance',
        float,
        'ARCSEC',
        'smallest distance of random places from holes, missing pixels and the edge '
        "(default: the radius of the setup's smallest hole)",
    ),
)
_RESOLUTION = 120  # dots per inch, by choice


def add_parser(subparsers):
    """Add the parser of the command, and return it."""
    parser = subparsers.add_parser(
        'completeness',
        help='inject sources into a map, and say how well they are measured',
        description='Inject synthetic sources into a map, a few at a time, and remove '
        'and measure them with the real ones: completeness, bias and true errors by '
        'flux.',
    )
    parser.set_defaults(run=run)
    parser.add_argument('map', metavar='MAP', help='a FITS file')
    parser.add_argument(
        'catalogue',
        metavar='CATALOGUE',
        help='the real sources: CSV, ECSV, VOTable or FITS table, or DS9 regions',
    )
    _add_injection(parser.add_argument_group('injected sources'))
    groups = add_removal_options(parser, fixed=_FIXED)
    add_planes(groups['map and setup'])
    group = add_output(parser)
    group.add_argument(
        '--plot',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='write completeness.png (default: on)',
    )
    group.add_argument(
        '--correct-errors',
        action='store_true',
        help='write photometry.ecsv too: the real sources, with flux_err scaled to the '
        'true errors of injected ones',
    )
    return parser


def run(options):
    """Inject, recover, and write what came of it."""
    from photutils_pconv.completeness.measuring import measure_completeness
    from photutils_pconv.inputs.plane_files import read_plane_file
    from photutils_pconv.inputs.sources import read_sources

    axes = _prepare(options)
    planes = {
        'hdu': options.map_hdu,
        'mask': options.mask_hdu or read_plane_file(options.mask),
        'coverage_mask': read_plane_file(options.coverage_mask),
        'error': options.error_hdu or read_plane_file(options.error),
        'beam': options.beam,
    }
    sources = read_sources(
        options.catalogue, hdu=options.catalogue_hdu, table_id=options.table_id
    )
    remover = make_remover(options)
    found = measure_completeness(
        options.map,
        sources,
        remover=remover,
        fluxes=options.fluxes,
        n_per_flux=options.n_per_flux,
        places=options.places,
        psf=options.injected_psf,
        n_per_round=options.n_per_round,
        position_tolerance=options.position_tolerance,
        position_error=options.position_error,
        separation=options.separation,
        clearance=options.clearance,
        seed=options.seed,
        progress_bar=options.progress_bar and not options.quiet,
        **planes,
    )
    photometry = None
    if options.correct_errors:
        from photutils_pconv.completeness.corrections import correct_errors

        photometry = remover(options.map, sources, **planes).photometry
        photometry = correct_errors(photometry, found)
    _write(found, photometry, options, axes)
    if not options.quiet:
        for line in _summarise(found):
            print(line)


def _add_injection(group):
    """Add what is injected, and when it counts as recovered."""
    group.add_argument(
        '--fluxes',
        type=float,
        nargs='+',
        metavar='JY',
        help="fluxes in Jy, or the map's values times pixel for a map without unit "
        '(default: eight, from 1 to 30 times the error of a flux)',
    )
    group.add_argument(
        '--places',
        metavar='TABLE',
        help='a table of places to inject them at (default: random ones)',
    )
    group.add_argument(
        '--injected-psf',
        metavar='PSF',
        help="their PSF: 'setup', another setup's name, or a FITS file (default: that "
        'which the remover finds on the map)',
    )
    for name, kind, metavar, text in _NUMBERS:
        group.add_argument(
            f'--{name.replace("_", "-")}', type=kind, metavar=metavar, help=text
        )
    group.add_argument(
        '--seed', type=int, default=0, help='seed of their places (default: 0)'
    )


def _name_files(options):
    """Give the files that are going to be written."""
    names = ['completeness.ecsv', 'injected.ecsv']
    names += ['photometry.ecsv'] if options.correct_errors else []
    names += ['completeness.png'] if options.plot else []
    return [options.output / name for name in names]


def _prepare(options):
    """Find out what would prevent the output; return the axes of the plot."""
    prepare_folder(options, _name_files(options))
    if not options.plot:
        return None
    from photutils_pconv.completeness.plots import make_row

    return make_row(2, interactive=False)


def _write(found, photometry, options, axes):
    """Write all files, or none."""
    from photutils_pconv._utils.writing import check_output, write_together

    tables = [found.to_table(), found.sources]
    tables += [] if photometry is None else [photometry]
    writers = [partial(table.write, format='ascii.ecsv') for table in tables]
    if axes is not None:
        found.plot(axes[0])
        found.plot_fluxes(axes[1])
        writers.append(partial(axes[0].figure.savefig, dpi=_RESOLUTION))
    paths = _name_files(options)
    # Somebody else may have been faster.
    check_output(paths, overwrite=options.overwrite)
    options.output.mkdir(parents=True, exist_ok=True)
    write_together(dict(zip(paths, writers, strict=True)))
    if not options.quiet:
        for path in paths:
            print(path)


def _summarise(found):
    """Say in a few lines what was found."""
    from photutils_pconv.completeness.statistics import FRACTIONS

    n_rounds = len(np.unique(found.sources['round']))
    yield (
        f'{len(found.sources)} sources injected in {n_rounds} rounds, '
        f'{found.n_recovered.sum()} recovered'
    )
    for share in FRACTIONS:
        flux = found.flux_at(share)
        text = f'at {flux:.4g}' if np.isfinite(flux) else 'not among the fluxes given'
        yield f'{100 * share:.0f} percent complete: {text}'
    pull = found.pull[np.isfinite(found.pull)]
    if pull.size:
        yield (
            f'true over claimed error: {np.median(pull):.2f} '
            f'({pull.min():.2f} to {pull.max():.2f} by flux)'
        )
