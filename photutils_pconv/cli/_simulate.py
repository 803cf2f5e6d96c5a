# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv simulate``.
"""

from pathlib import Path

import numpy as np

__all__ = ['add_simulate']


def add_simulate(commands):
    """
    Add the command's parser, all but the options on output.

    Parameters
    ----------
    commands : object
        What ``ArgumentParser.add_subparsers`` returns.

    Returns
    -------
    parser : `~argparse.ArgumentParser`
        The parser.
    """
    parser = commands.add_parser(
        'simulate', help='inject sources of known flux into a map'
    )
    parser.set_defaults(run=_simulate)
    parser.add_argument(
        'map',
        metavar='MAP',
        nargs='?',
        help='a FITS file (default: simulated emission and noise)',
    )
    parser.add_argument('--mode', help="'scanmap', 'parallel'")
    parser.add_argument('--band', help="'blue', 'green', 'red'")
    parser.add_argument('--setup', help='the name of a setup, instead of mode and band')
    parser.add_argument(
        '--psf', metavar='FILE', help="a FITS file (default: the setup's)"
    )
    parser.add_argument(
        '--obsid', help="the name of the field (default: the map's OBSID)"
    )
    for end in ('min', 'max'):
        parser.add_argument(
            f'--{end}-flux',
            type=float,
            required=True,
            metavar='MJY',
            help=f'the {end}imum flux, inclusive',
        )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        '--levels',
        action='store_true',
        help="a simulation for each of the paper's flux levels (the default)",
    )
    kind.add_argument(
        '--random-flux',
        action='store_true',
        help='one simulation, with a random flux for each source',
    )
    parser.add_argument(
        '--n-sources', type=int, metavar='N', help='default: 0.5 per arcmin2'
    )
    parser.add_argument(
        '--separation',
        type=float,
        default=30.0,
        metavar='ARCSEC',
        help='the smallest distance of two sources (default: 30)',
    )
    parser.add_argument(
        '--rotation',
        choices=('map', 'source'),
        default='map',
        help='draw one orientation of the PSF for a map (default), or a source',
    )
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--size',
        type=int,
        metavar='PIXELS',
        help='the side of a simulated field (default: 512)',
    )
    return parser


def _simulate(options):
    from photutils_pconv._utils.writing import refuse_existing
    from photutils_pconv.psf.library import get_psf
    from photutils_pconv.setups.registry import get_setup
    from photutils_pconv.simulation import (
        flux_levels,
        simulate_levels,
        simulate_sources,
        write_simulation,
    )
    from photutils_pconv.simulation.files import simulation_paths

    if options.output.exists() and not options.output.is_dir():
        msg = f'{options.output} is a file: choose another name for the folder'
        raise NotADirectoryError(msg)
    if options.seed < 0:
        msg = f'--seed must not be negative, got {options.seed}'
        raise ValueError(msg)
    setup = get_setup(options.mode, options.band, setup=options.setup)
    psf = get_psf(setup if options.psf is None else options.psf)
    fluxes = (options.min_flux, options.max_flux)
    number = 1 if options.random_flux else len(flux_levels(*fluxes))
    rng = np.random.default_rng(options.seed)
    image, planes, name = _find_field(options, setup, rng)
    obsid = options.obsid or name
    paths = [
        path
        for index in range(number)
        for path in simulation_paths(options.output, obsid, index + 1)
    ]
    refuse_existing(paths, overwrite=options.overwrite)

    arguments = {
        'rng': rng,
        'n_sources': options.n_sources,
        'separation': options.separation,
        'rotation': options.rotation,
    }
    if options.random_flux:
        simulations = [simulate_sources(image, psf, fluxes, **arguments)]
    else:
        simulations = simulate_levels(image, psf, *fluxes, **arguments)
    for index, (ccd, sources) in enumerate(simulations):
        written = write_simulation(
            ccd,
            sources,
            options.output,
            number=index + 1,
            obsid=obsid,
            overwrite=options.overwrite,
            **planes,
        )
        if not options.quiet:
            print(f'{written[0]}: {len(sources)} sources', flush=True)


def _find_field(options, setup, rng):
    """
    Return the map, what is known of it, and its name.
    """
    from photutils_pconv.inputs.fits import read_fits_map, read_fits_plane
    from photutils_pconv.simulation import simulate_field

    if options.map is None:
        side = 512 if options.size is None else options.size
        field = simulate_field(
            setup, rng=rng, shape=(side, side), faintest=options.min_flux
        )
        planes = {'coverage': field.coverage, 'emission': field.emission}
        return field.image, planes, f'field{options.seed}'

    if options.size is not None:
        msg = '--size is for a simulated field: leave it out, or MAP'
        raise ValueError(msg)
    image = read_fits_map(options.map)
    planes = {}
    try:
        coverage = np.asarray(read_fits_plane(options.map, 'coverage'))
    except ValueError:
        # There is none, or it is in a unit of its own making.
        coverage = None
    if coverage is not None and coverage.shape == image.shape:
        planes['coverage'] = coverage
    name = Path(options.map).name.split('.')[0]
    return image, planes, image.meta.get('OBSID001', name)
