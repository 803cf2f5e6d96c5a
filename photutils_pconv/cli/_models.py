# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The command ``models``.
"""

import json
from pathlib import Path

__all__ = []


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
