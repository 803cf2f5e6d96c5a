# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command line: ``photutils-pconv COMMAND``.
"""

import argparse
import sys
import warnings
from pathlib import Path

from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv.cli._evaluate import add_evaluate
from photutils_pconv.cli._models import _models
from photutils_pconv.cli._remove import _demo, _remove
from photutils_pconv.cli._simulate import add_simulate
from photutils_pconv.cli._train import _train

__all__ = [
    'main',
]


def main(arguments=None):
    """
    Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        The arguments; by default those of the process.

    Returns
    -------
    status : int
        0 if all went well, 1 after an error, whose message went to the
        standard error.
    """
    parser = _make_parser()
    options = parser.parse_args(arguments)
    if options.debug:
        options.run(options)
        return 0
    with warnings.catch_warnings():
        warnings.simplefilter('always', AstropyUserWarning)
        warnings.showwarning = _show_warning
        try:
            options.run(options)
        except (
            ImportError,
            NotImplementedError,
            OSError,
            TypeError,
            ValueError,
        ) as exc:
            _print_line('error', exc)
            return 1
    return 0


def _show_warning(message, *_):
    # Neither file nor line of the package helps on the command line.
    _print_line('warning', message)


def _print_line(kind, message):
    # A message that other packages had a part in may have many lines.
    text = ' '.join(str(message).split())
    print(f'photutils-pconv: {kind}: {text}', file=sys.stderr)


def _make_parser():
    parser = argparse.ArgumentParser(
        prog='photutils-pconv',
        description='Remove compact sources from maps and measure them.',
    )
    parser.add_argument(
        '--debug', action='store_true', help='show the traceback of an error'
    )
    commands = parser.add_subparsers(required=True, metavar='COMMAND')

    remove = commands.add_parser('remove', help='clean a map and measure its sources')
    remove.set_defaults(run=_remove)
    remove.add_argument('map', metavar='MAP', help='a FITS file')
    remove.add_argument(
        'catalogue', metavar='CATALOGUE', help='CSV, ECSV, VOTable or FITS table'
    )
    remove.add_argument(
        '--map-hdu', metavar='HDU', help='the map: number, NAME or NAME,VERSION'
    )
    remove.add_argument(
        '--mask-hdu', metavar='HDU', help='an extension that is not 0 in bad pixels'
    )
    remove.add_argument(
        '--error-hdu', metavar='HDU', help='the standard deviation of the map'
    )
    remove.add_argument(
        '--catalogue-hdu', metavar='HDU', help='the table of a FITS catalogue'
    )
    remove.add_argument('--table-id', metavar='ID', help='the table of a VOTable')
    remove.add_argument('--mode', help="'scanmap', 'parallel'")
    remove.add_argument('--band', help="'blue', 'green', 'red'")
    remove.add_argument('--setup', help='the name of a setup, instead of mode and band')
    remove.add_argument('--model', help='a bundled model or a weights file')
    remove.add_argument(
        '--aperture',
        type=float,
        nargs='+',
        metavar='ARCSEC',
        help="the aperture radii (default: the setup's)",
    )
    remove.add_argument(
        '--aperture-corrections',
        choices=('real', 'simulation'),
        default='real',
        help='the table of encircled energies (default: real)',
    )
    remove.add_argument(
        '--recenter', action='store_true', help='move positions to the centroids first'
    )
    remove.add_argument(
        '--no-resample',
        dest='resample',
        action='store_false',
        help="refuse a map that is off the setup's pixel scale",
    )
    remove.add_argument('--batch-size', type=int, default=64)
    remove.add_argument('--device', default='auto', help='a torch device')
    remove.add_argument('--plot', action='store_true', help='write removal.png too')
    _add_output(remove)

    demo = commands.add_parser('demo', help='clean the bundled demo map')
    demo.set_defaults(run=_demo)
    demo.add_argument('--model', help='a bundled model or a weights file')
    _add_output(demo)

    _add_output(add_simulate(commands))

    train = commands.add_parser('train', help='train a model')
    train.set_defaults(run=_train)
    train.add_argument('config', metavar='CONFIG', help='a TOML file')
    train.add_argument(
        '--resume', action='store_true', help='continue from the last checkpoint'
    )
    train.add_argument(
        '--overwrite', action='store_true', help='replace an existing model'
    )

    _add_output(add_evaluate(commands))

    models = commands.add_parser('models', help='list, show or convert models')
    models.set_defaults(run=_models)
    choice = models.add_mutually_exclusive_group()
    choice.add_argument('--card', metavar='NAME', help="print a model's card (JSON)")
    choice.add_argument(
        '--convert',
        nargs=2,
        metavar=('CHECKPOINT', 'FILE'),
        help="convert a checkpoint of the paper's authors into a weights file",
    )
    models.add_argument(
        '--mode', choices=('scanmap', 'parallel'), help='the mode of the checkpoint'
    )
    models.add_argument('--overwrite', action='store_true')
    return parser


def _add_output(parser):
    parser.add_argument(
        '-o', '--output', type=Path, required=True, metavar='DIR', help='the folder'
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace existing files'
    )
    parser.add_argument(
        '--quiet', action='store_true', help='no progress bar and no summary'
    )
