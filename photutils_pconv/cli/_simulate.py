# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv simulate``.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.nddata import CCDData

from photutils_pconv.cli._common import add_output, prepare_folder

__all__ = ['add_parser', 'run']

# The largest side of a simulated field, in pixels (by choice: 0.5 GB a plane).
_LARGEST_SIDE = 8192
# The smallest one: a hole and its surroundings fit in (by choice).
_SMALLEST_SIDE = 32


def add_parser(subparsers):
    """Add the parser of the command, and return it."""
    parser = subparsers.add_parser(
        'simulate', help='inject sources of known flux into a map'
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        'map',
        metavar='MAP',
        nargs='?',
        help='a FITS file (default: simulated emission and noise)',
    )
    parser.add_argument('--mode', help="'scanmap', 'parallel'")
    parser.add_argument('--band', help="'blue', 'green', 'red'")
    parser.add_argument(
        '--setup', help='the name of a setup, or its file, instead of mode and band'
    )
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
        '--n-sources',
        type=int,
        metavar='N',
        help='default: 0.5 per arcmin2 for PACS; it goes with the beam',
    )
    parser.add_argument(
        '--separation',
        type=float,
        metavar='ARCSEC',
        help='the smallest distance of two sources (default: 30 for PACS; it goes with '
        'the beam)',
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
    add_output(parser)
    return parser


def run(options):
    """Inject sources into a map and write the simulations."""
    from photutils_pconv.psf.library import get_psf
    from photutils_pconv.setups.registry import get_setup
    from photutils_pconv.simulation.files import simulation_paths, write_simulation
    from photutils_pconv.simulation.levels import flux_levels

    prepare_folder(options)
    if options.seed < 0:
        msg = f'--seed must not be negative, got {options.seed}'
        raise ValueError(msg)
    size = options.size
    if size is not None and not _SMALLEST_SIDE <= size <= _LARGEST_SIDE:
        limits = f'from {_SMALLEST_SIDE} to {_LARGEST_SIDE} pixels'
        msg = f'--size must be {limits}, got {size}'
        raise ValueError(msg)
    setup = get_setup(options.mode, options.band, setup=options.setup)
    psf = get_psf(setup if options.psf is None else options.psf)
    number = 1
    if not options.random_flux:
        number = len(flux_levels(options.min_flux, options.max_flux))
    rng = np.random.default_rng(options.seed)
    field = _find_field(options, setup, rng)
    obsid = options.obsid or field.name
    prepare_folder(
        options,
        [
            path
            for index in range(number)
            for path in simulation_paths(options.output, obsid, index + 1)
        ],
    )

    simulations = _inject(options, field.image, psf, rng)
    for index, (ccd, sources) in enumerate(simulations):
        written = write_simulation(
            ccd,
            sources,
            options.output,
            number=index + 1,
            obsid=obsid,
            coverage=field.coverage,
            emission=field.emission,
            overwrite=options.overwrite,
        )
        if not options.quiet:
            print(f'{written[0]}: {len(sources)} sources', flush=True)


def _inject(options, image, psf, rng):
    """
    Return the maps with sources, each with the list of them.
    """
    from photutils_pconv.simulation.levels import simulate_levels
    from photutils_pconv.simulation.observations import simulate_sources

    if options.random_flux:
        simulation = simulate_sources(
            image,
            psf,
            (options.min_flux, options.max_flux),
            rng=rng,
            n_sources=options.n_sources,
            separation=options.separation,
            rotation=options.rotation,
        )
        return [simulation]
    return simulate_levels(
        image,
        psf,
        options.min_flux,
        options.max_flux,
        rng=rng,
        n_sources=options.n_sources,
        separation=options.separation,
        rotation=options.rotation,
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Field:
    """
    A map for sources to be injected into, and what is known of it.
    """

    image: CCDData
    name: str
    coverage: np.ndarray | None = None
    emission: np.ndarray | None = None


def _find_field(options, setup, rng):
    """
    Return the map that was given, or a simulated one.
    """
    from photutils_pconv.inputs.fits import read_fits_map, read_fits_plane
    from photutils_pconv.simulation.fields import simulate_field

    if options.map is None:
        side = 512 if options.size is None else options.size
        field = simulate_field(
            setup, rng=rng, shape=(side, side), faintest=options.min_flux
        )
        return _Field(
            image=field.image,
            name=f'field{options.seed}',
            coverage=field.coverage,
            emission=field.emission,
        )

    if options.size is not None:
        msg = '--size is for a simulated field: leave it out, or MAP'
        raise ValueError(msg)
    image = read_fits_map(options.map)
    try:
        coverage = np.asarray(read_fits_plane(options.map, 'coverage'))
    except ValueError:
        # There is none, or it is in a unit of its own making.
        coverage = None
    if coverage is not None and coverage.shape != image.shape:
        coverage = None
    name = Path(options.map).name.split('.')[0]
    return _Field(image=image, name=image.meta.get('OBSID001', name), coverage=coverage)
