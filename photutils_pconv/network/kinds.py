# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The two kinds of model, the images that a network of each kind sees, and the
normalisation that makes them.

A ``'masked'`` model fills holes from the map around them alone. A
``'residual'`` model sees the map minus its sources, too. This module does not
import torch.
"""

import math
from collections.abc import Mapping
from numbers import Real
from types import MappingProxyType

from photutils_pconv.network.limits import MAXIMUM_CUTOUT, SOFTENING_RANGE

__all__ = [
    'BESIDE_PSF',
    'BUNDLED',
    'KINDS',
    'check_kind',
    'check_normalisation',
    'list_images',
]

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

BESIDE_PSF = 'pacs_narrow'
"""
The bundled masked model that removals with a known PSF have beside the other: half as
wide as ``'pacs'``. PSF fluxes are measured by filters, not by it.
"""

# What a remover is given to use each kind.
_ARGUMENTS = {'masked': "method='inpaint'", 'residual': "method='psf'"}
_RESIDUAL_IMAGES = ('residual', 'shapes', 'mismatch')
_NORMALISATIONS = ('minmax', 'robust')
_SWITCHES = ('wings', 'kriging')


def list_images(kind, normalisation):
    """
    List the images that a network sees of a cutout, in their order.

    Parameters
    ----------
    kind : {'masked', 'residual'}
        The kind of model.

    normalisation : dict
        The model's normalisation, whose ``wings`` and ``kriging`` say
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
    if not isinstance(kind, str) or kind not in KINDS:
        msg = f'kind must be one of {list(KINDS)}, got {kind!r}'
        raise ValueError(msg)
    more = tuple(key for key in _SWITCHES if normalisation.get(key))
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
        If the model is of the other kind; the message says what to do.
    """
    if card.kind != kind:
        msg = (
            f'the model {card.name!r} is of kind {card.kind!r} ({KINDS[card.kind]}), '
            f'but one of kind {kind!r} is needed here ({KINDS[kind]}), such as the '
            f'bundled {BUNDLED[kind]!r}: give that, or leave out model, or use '
            f'{card.name!r} with {_ARGUMENTS[card.kind]}'
        )
        raise ValueError(msg)


def check_normalisation(values, where='normalisation'):
    """
    Refuse a normalisation by which no cutout could be scaled.

    Parameters
    ----------
    values : dict
        The normalisation, as in a model card: ``name`` (``'minmax'`` or
        ``'robust'``), and, each optional, ``radius`` (pixels), ``softening``
        (scales, or `None`), ``wings`` and ``kriging``.

    where : str, optional
        What error messages call it.

    Raises
    ------
    TypeError
        If it is no dict.

    ValueError
        If a key is unknown or a value is not accepted; the message names it.
    """
    if not isinstance(values, Mapping):
        msg = f'{where} must be a dict, got {type(values).__name__}'
        raise TypeError(msg)
    accepted = ('name', 'radius', 'softening', *_SWITCHES)
    unknown = [key for key in values if key not in accepted]
    if unknown:
        msg = f'unknown keys in {where}: {unknown}; accepted are {list(accepted)}'
        raise ValueError(msg)
    name = values.get('name')
    if name not in _NORMALISATIONS:
        msg = f"{where}['name'] must be one of {list(_NORMALISATIONS)}, got {name!r}"
        raise ValueError(msg)
    if 'radius' in values:
        rule = f'a number above 0, to {MAXIMUM_CUTOUT} (pixels)'
        _check_range(values['radius'], f"{where}['radius']", 0, MAXIMUM_CUTOUT, rule)
    if values.get('softening') is not None:
        low, high = SOFTENING_RANGE
        rule = f'a number from {low:g} to {high:g} (scales), or None'
        _check_range(values['softening'], f"{where}['softening']", low, high, rule)
    for key in _SWITCHES:
        value = values.get(key, False)
        if not isinstance(value, bool):
            msg = f'{where}[{key!r}] must be True or False, got {value!r}'
            raise ValueError(msg)


def _check_range(value, where, low, high, rule):
    right = isinstance(value, Real) and not isinstance(value, bool)
    inside = right and math.isfinite(value) and low <= value <= high
    if not inside or value == 0:
        msg = f'{where} must be {rule}, got {value!r}'
        raise ValueError(msg)
