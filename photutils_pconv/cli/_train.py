# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv train``.
"""

from photutils_pconv.cli._common import add_overwrite

__all__ = ['add_parser', 'run']


def add_parser(subparsers):
    """Add the parser of the command, and return it."""
    parser = subparsers.add_parser('train', help='train a model')
    parser.set_defaults(run=run)
    parser.add_argument('config', metavar='CONFIG', help='a TOML file')
    parser.add_argument(
        '--resume', action='store_true', help='continue from the last checkpoint'
    )
    trial = parser.add_mutually_exclusive_group()
    trial.add_argument(
        '--dry-run',
        action='store_true',
        help='take a few steps, and say what the whole would take',
    )
    trial.add_argument(
        '--find-rate',
        action='store_true',
        help='look for a learning rate, by steps at rising ones',
    )
    add_overwrite(parser)
    return parser


def run(options):
    """Train a model and print where it is."""
    from photutils_pconv.training import DivergenceError, run_training

    try:
        path = run_training(
            options.config,
            resume=options.resume,
            overwrite=options.overwrite,
            dry_run=options.dry_run,
            find_rate=options.find_rate,
        )
    except DivergenceError as exc:
        raise ValueError(str(exc)) from exc
    if path is not None:
        print(path)
