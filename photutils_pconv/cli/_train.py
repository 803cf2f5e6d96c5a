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
    add_overwrite(parser)
    return parser


def run(options):
    """Train a model and print where it is."""
    from photutils_pconv.training import DivergenceError, run_training

    try:
        path = run_training(
            options.config, resume=options.resume, overwrite=options.overwrite
        )
    except DivergenceError as exc:
        raise ValueError(str(exc)) from exc
    print(path)
