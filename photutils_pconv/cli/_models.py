# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``photutils-pconv models``.
"""

import json
from pathlib import Path

from photutils_pconv.cli._common import add_overwrite

__all__ = ['add_parser', 'run']


def add_parser(subparsers):
    """Add the parser of the command, and return it."""
    parser = subparsers.add_parser('models', help='list, show or convert models')
    parser.set_defaults(run=run)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument('--card', metavar='NAME', help="print a model's card (JSON)")
    choice.add_argument(
        '--check',
        metavar='FILE',
        help='check a weights file: its card, its weights, and that it predicts',
    )
    choice.add_argument(
        '--convert',
        nargs=2,
        metavar=('CHECKPOINT', 'FILE'),
        help="convert a checkpoint of the paper's authors into a weights file",
    )
    parser.add_argument(
        '--mode', choices=('scanmap', 'parallel'), help='the mode of the checkpoint'
    )
    add_overwrite(parser)
    return parser


def run(options):
    """Convert a checkpoint, print a card, or list the bundled models."""
    from photutils_pconv.network.registry import read_card

    if options.convert:
        _convert(options)
    elif options.check:
        _check(options.check)
    elif options.card:
        print(json.dumps(read_card(options.card).to_dict(), indent=2))
    else:
        _list()


def _convert(options):
    from photutils_pconv.network.conversion import write_converted_checkpoint

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


def _check(path):
    """Load a model, let it predict, and say what it is for."""
    import numpy as np

    from photutils_pconv.network.kinds import list_images
    from photutils_pconv.network.running import RunOptions, make_predictor
    from photutils_pconv.network.weights import load_model

    model = load_model(path, cache=False)
    card = model.card
    side = card.cutout_size
    shape = (1, len(list_images(card.kind, card.normalisation)), side, side)
    images = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    validity = np.hypot(*(np.indices((side, side)) - side // 2)) > side // 10
    output = make_predictor(model.network, RunOptions())(images, validity[None])
    if not np.all(np.isfinite(output)):
        msg = f'{path} predicts values that are not finite: train it again'
        raise ValueError(msg)
    figures = card.accuracy.get('validation', {})
    shown = ', '.join(
        f'{name} {figures[name]:.3g}'
        for name in ('valid_loss', 'hole_rms', 'weighted_error')
        if name in figures
    )
    method = {'masked': 'inpaint', 'residual': 'psf'}[card.kind]
    print(
        f'{path}: whole, kind {card.kind!r} (method {method!r}), for '
        f'{", ".join(card.setups)}{f"; at validation {shown}" if shown else ""}'
    )


def _list():
    from photutils_pconv.network.registry import list_models, read_card

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
            f'{figures["mean"]["iqr_over_annulus"]:.2f} of that of an annulus, bias '
            f'within {bias:.1f} %, hole RMS '
            f'{figures["mean"]["hole_rms_over_best_peer"]:.2f} of that of the best '
            'simple fill'
        )
    return f'; {"; ".join(parts)}' if parts else ''
