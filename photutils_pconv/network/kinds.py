# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The two kinds of model, and the images that a network of each kind sees.

A ``'masked'`` model fills holes from the map around them alone. A
``'residual'`` model sees the map minus its sources, too. This module does not
import torch.
"""

from types import MappingProxyType

__all__ = ['BUNDLED', 'KINDS', 'check_kind', 'list_images']

KINDS = MappingProxyType(
    {
        'masked': 'fills holes from the map around them alone',
        'residual': 'sees the map minus its sources',
    }
)
"""
The kinds, and what a model of each does.
"""

BUNDLED = MappingProxyType({'masked': 'pacs', 'residual': 'psf'})
"""
The bundled model of each kind.
"""

# What a remover is given to use each kind.
_ARGUMENTS = {'masked': "method='inpaint'", 'residual': "method='psf'"}
_RESIDUAL_IMAGES = ('residual', 'shapes', 'mismatch')


def list_images(kind, normalisation):
    """
    List the images that a network sees of a cutout, in their order.

    Parameters
    ----------
    kind : {'masked', 'residual'}
        The kind of model.

    normalisation : dict
        The model's normalisation, whose ``wings`` and ``kriging`` tell
        which images a masked model has beside the map.

    Returns
    -------
    images : tuple of str
        ``'map'``, then ``'wings'`` and ``'kriging'`` where the
        normalisation has them; or ``'residual'``, ``'shapes'`` and
        ``'mismatch'`` (see `~photutils_pconv.inpainting`).

    Raises
    ------
    ValueError
        If the kind is unknown, or a residual model's normalisation has
        wings or kriging.
    """
    if kind not in KINDS:
        msg = f'kind must be one of {list(KINDS)}, got {kind!r}'
        raise ValueError(msg)
    more = tuple(key for key in ('wings', 'kriging') if normalisation.get(key))
    if kind == 'masked':
        return ('map', *more)
    if more:
        msg = (
            f"a 'residual' model has no image of {' or '.join(more)}: take "
            f"{' and '.join(more)} out of its normalisation, or set kind = 'masked'"
        )
        raise ValueError(msg)
    return _RESIDUAL_IMAGES


def check_kind(card, kind):
    """
    Refuse a model of the other kind.

    Parameters
    ----------
    card : `~photutils_pconv.network.ModelCard`
        The model's card.

    kind : {'masked', 'residual'}
        The kind that is needed.

    Raises
    ------
    ValueError
        If the model is of the other kind; the message tells what to do.
    """
    if card.kind != kind:
        msg = (
            f'the model {card.name!r} is of kind {card.kind!r} ({KINDS[card.kind]}), '
            f'but one of kind {kind!r} is needed here ({KINDS[kind]}), such as the '
            f'bundled {BUNDLED[kind]!r}: give that, or leave out model, or use '
            f'{card.name!r} with {_ARGUMENTS[card.kind]}'
        )
        raise ValueError(msg)
