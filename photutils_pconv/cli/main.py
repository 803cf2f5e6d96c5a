# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command line: ``photutils-pconv COMMAND``.
"""

import argparse
import json
import sys
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv.cli._evaluate import add_evaluate
from photutils_pconv.cli._simulate import add_simulate

__all__ = ['main']


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


def _output_paths(options, *, plot):
    names = ['cleaned.fits', 'photometry.ecsv', *(['removal.png'] if plot else [])]
    return [options.output / name for name in names]


def _prepare(options, *, plot):
    """
    Find out what would prevent the output before the work, not after it.

    Return the axes of the plot, or `None` without one.
    """
    from photutils_pconv._utils.writing import refuse_existing
    from photutils_pconv.removal.plots import make_axes

    if options.output.exists() and not options.output.is_dir():
        msg = f'{options.output} is a file: choose another name for the folder'
        raise NotADirectoryError(msg)
    refuse_existing(_output_paths(options, plot=plot), overwrite=options.overwrite)
    return make_axes(3) if plot else None


def _write(result, options, *, axes):
    """
    Write a result and say where it went.
    """
    from photutils_pconv._utils.writing import write_atomically

    paths = list(result.write(options.output, overwrite=options.overwrite))
    if axes is not None:
        figure = result.plot(axes=axes)
        path = options.output / 'removal.png'
        write_atomically(path, lambda name: figure.savefig(name, dpi=120))
        paths.append(path)
    if not options.quiet:
        for path in paths:
            print(path)


def _remove(options):
    from photutils_pconv.removal.remover import NeuralSourceRemover

    axes = _prepare(options, plot=options.plot)
    remover = NeuralSourceRemover(
        options.mode,
        options.band,
        setup=options.setup,
        model=options.model,
        aperture_radii=options.aperture,
        aperture_corrections=options.aperture_corrections,
        recenter=options.recenter,
        resample=options.resample,
        batch_size=options.batch_size,
        device=options.device,
        progress_bar=not options.quiet,
    )
    result = remover(options.map, options.catalogue)
    _write(result, options, axes=axes)
    if not options.quiet:
        flagged = np.count_nonzero(result.photometry['flags'])
        print(f'{len(result.photometry)} sources, {flagged} of them flagged')


def _demo(options):
    from photutils_pconv.datasets import (
        demo_aperture_corrections,
        load_demo,
        load_demo_emission,
    )
    from photutils_pconv.removal.remover import NeuralSourceRemover

    axes = _prepare(options, plot=True)
    ccd, truth = load_demo()
    remover = NeuralSourceRemover(
        mode='scanmap',
        band='green',
        model=options.model,
        # The table of the PSF with which the demo's sources were made.
        aperture_corrections=demo_aperture_corrections(),
        progress_bar=not options.quiet,
    )
    result = remover(ccd, truth)
    _write(result, options, axes=axes)
    if not options.quiet:
        print()
        print(_demo_table(result, truth, load_demo_emission()))


def _demo_table(result, truth, emission):
    """
    Format what was measured against what was injected.
    """
    table = result.photometry
    injected = truth['flux'].to_value('Jy')
    ratios = {
        'network': table['flux'].to_value('Jy') / injected,
        'annulus': table['flux_annulus'].to_value('Jy') / injected,
    }
    snr = np.asarray(table['snr'])
    lines = [
        'measured / injected flux     network            annulus',
        'SNR           sources     median   IQR (%)   median   IQR (%)',
    ]
    edges = (0.0, 12.0, 40.0, 130.0, np.inf)
    for low, high in pairwise(edges):
        part = (snr >= low) & (snr < high)
        if not part.any():
            continue
        row = f'{low:5.0f} - {high:5.0f} {part.sum():8d}  '
        for ratio in ratios.values():
            lower, median, upper = np.nanpercentile(ratio[part], [25, 50, 75])
            row += f'{median:9.3f} {100 * (upper - lower):9.2f}'
        lines.append(row)
    hole = result.holes
    error = result.cleaned.data[hole] - emission.data[hole]
    scatter = np.std(emission.data[hole])
    lines.append(
        f'reconstructed emission: off by {np.sqrt(np.mean(error**2)):.2e} Jy/pixel '
        f'(RMS) where it scatters by {scatter:.2e}'
    )
    return '\n'.join(lines)


def _train(options):
    from photutils_pconv.training import DivergenceError, run_training

    try:
        path = run_training(
            options.config, resume=options.resume, overwrite=options.overwrite
        )
    except DivergenceError as exc:
        raise ValueError(str(exc)) from exc
    print(path)


def _models(options):
    from photutils_pconv.network import (
        list_models,
        read_card,
        write_converted_checkpoint,
    )

    if options.convert:
        checkpoint, destination = options.convert
        if options.mode is None:
            msg = "--convert needs --mode, 'scanmap' or 'parallel'"
            raise ValueError(msg)
        destination = Path(destination)
        write_converted_checkpoint(
            checkpoint,
            destination,
            name=destination.stem,
            mode=options.mode,
            overwrite=options.overwrite,
        )
        print(destination)
        return
    if options.card:
        print(json.dumps(read_card(options.card).to_dict(), indent=2))
        return
    for name in list_models():
        card = read_card(name)
        print(
            f'{name}: {card.description} Width {card.architecture["width"]}, '
            f'{card.normalisation["name"]} normalisation, made {card.created}, '
            f'for {", ".join(card.setups)}{_figures(card)}'
        )


def _figures(card):
    """
    Give the main figures of a model's card, if it has them.
    """
    parts = []
    for key, where in (('simulated', 'simulated'), ('real', 'real')):
        figures = card.accuracy.get(key, {})
        if 'mean' not in figures:
            continue
        bias = max(abs(one['bias_percent']) for one in figures['snr'].values())
        parts.append(
            f'on {where} emission, flux scatter '
            f"{figures['mean']['iqr_over_annulus']:.2f} of an annulus', bias within "
            f'{bias:.1f} %, hole RMS {figures["mean"]["hole_rms_over_best_peer"]:.2f} '
            'of the best simple fill'
        )
    return f'; {"; ".join(parts)}' if parts else ''
