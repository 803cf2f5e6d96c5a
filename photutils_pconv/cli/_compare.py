# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv compare``.
"""

from pathlib import Path

from photutils_pconv.cli._common import add_output, prepare_folder

__all__ = ['add_parser', 'run']

# The fields that are drawn, and the maps that are made of them: enough for
# percentiles, in a minute or two (by choice).
_N_FIELDS = 60
_N_MAPS = 150
_FILES = ('comparison.ecsv', 'comparison.png')


def add_parser(subparsers):
    """Add the parser of the command, and return it."""
    parser = subparsers.add_parser(
        'compare',
        help='see whether a training set covers your maps',
        description='Compare the simulated fields of a training with maps: the slope '
        'of their power spectra, the correlation of their noise, skewness and dynamic '
        'range, as a table and a figure.',
    )
    parser.set_defaults(run=run)
    parser.add_argument('config', metavar='CONFIG', help='the TOML file of a training')
    parser.add_argument(
        'maps', metavar='MAP', nargs='+', help='a FITS file, or a folder of them'
    )
    parser.add_argument(
        '--setup', help="the maps' setup (default: the first of the training)"
    )
    parser.add_argument(
        '--side',
        type=int,
        default=256,
        metavar='PIXELS',
        help='the side of the squares that are compared (default: 256)',
    )
    add_output(parser)
    return parser


def run(options):
    """Compare, write table and figure, and say what is not covered."""
    from photutils_pconv._utils.writing import write_together
    from photutils_pconv.evaluation.training_sets import compare_training_set
    from photutils_pconv.training.config import TrainingConfig
    from photutils_pconv.training.samplers import make_sampler, make_setups

    table_path, plot_path = (options.output / name for name in _FILES)
    prepare_folder(options, (table_path, plot_path))
    config = TrainingConfig.from_toml(options.config)
    if config.data.source != 'simulated':
        msg = (
            f'{options.config} has data.source = {config.data.source!r}: only what is '
        )
        msg += 'simulated can be compared'
        raise ValueError(msg)
    setups = make_setups(config.data)
    maps = {
        path.name.split('.')[0]: (path, options.setup or setups[0])
        for path in find_maps(options.maps)
    }
    if not options.quiet:
        print(f'drawing {_N_FIELDS} fields, for {len(maps)} maps', flush=True)
    sampler = make_sampler(config, setups, max_fields=_N_FIELDS)
    training = (sampler.draw_map([config.seed, i]) for i in range(_N_MAPS))
    comparison = compare_training_set(training, maps, side=options.side)
    figure = comparison.plot()[0].figure
    options.output.mkdir(parents=True, exist_ok=True)
    write_together(
        {
            table_path: lambda name: comparison.table.write(name, format='ascii.ecsv'),
            plot_path: lambda name: figure.savefig(name, format='png', dpi=100),
        }
    )
    _forget(figure)
    if not options.quiet:
        for row in comparison.table:
            print(
                f'{row["figure"]:14s} training set {row["set_low"]:6.2f} to '
                f'{row["set_high"]:6.2f}, maps {row["map_low"]:6.2f} to '
                f'{row["map_high"]:6.2f}: {row["covered"]:4.0%} covered'
            )
        print('\n'.join(comparison.outside()) or 'every map is covered')


def _forget(figure):
    """Close a figure: nobody is there to look at it."""
    from matplotlib import pyplot

    pyplot.close(figure)


def find_maps(paths):
    """
    List the FITS files that are named, and those in folders that are.

    Parameters
    ----------
    paths : sequence of str
        Files and folders.

    Returns
    -------
    maps : list of `~pathlib.Path`
        The files.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or none in a folder.
    """
    found = []
    for path in (Path(text).expanduser() for text in paths):
        if path.is_dir():
            inside = sorted(
                one
                for one in path.iterdir()
                if one.name.endswith(('.fits', '.fits.gz'))
            )
            if not inside:
                msg = f'no FITS file (.fits, .fits.gz) in the folder {path}'
                raise FileNotFoundError(msg)
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            msg = f'no such file or folder: {path}'
            raise FileNotFoundError(msg)
    return found
