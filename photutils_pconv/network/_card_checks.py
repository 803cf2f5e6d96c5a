# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Checks of what stands in a model card, each with an error that tells the fix.
"""

import math
import re
from collections.abc import Mapping
from datetime import date

import numpy as np

from photutils_pconv.network.kinds import KINDS, list_images

__all__ = [
    'check_architecture',
    'check_cutout_size',
    'check_images',
    'check_normalisation',
    'check_text',
    'check_texts',
    'to_plain',
]

_FILLS = ('smooth', 'given')
_ACTIVATIONS = ('leaky_relu', 'relu')
_NORMALISATIONS = ('minmax', 'robust')
# The arguments of each class, and which of them are positive integers.
_ARCHITECTURES = {
    'PConvUNet': ('width', 'decoder_activation', 'in_channels'),
    'FilledUNet': (
        'width',
        'blocks',
        'fill',
        'decoder_activation',
        'in_channels',
        'turns',
    ),
}
_COUNTS = ('width', 'blocks', 'in_channels', 'turns')
# What each class can take: PConvUNet halves its input five times, then needs
# a 3 x 3 window. Multiple and minimum, in pixels.
_CUTOUTS = {'PConvUNet': (32, 96), 'FilledUNet': (16, 32)}


def to_plain(value, where):
    """Reduce a value to what JSON keeps: a card equals its own round trip."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            msg = f'{where} must be finite, got {value}: use None for a missing number'
            raise ValueError(msg)
        return value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                msg = f'the keys of {where} must be str, got {key!r}'
                raise TypeError(msg)
        return {key: to_plain(item, f'{where}[{key!r}]') for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item, f'{where}[{i}]') for i, item in enumerate(value)]
    msg = (
        f'{where} must be made of str, numbers, bool, None, lists and dicts, got '
        f'{type(value).__name__}'
    )
    raise TypeError(msg)


def check_text(card):
    """Check the fields that are texts."""
    for key in ('name', 'description', 'created', 'checksum', 'licence', 'notes'):
        value = getattr(card, key)
        if not isinstance(value, str):
            msg = f'{key} must be a str, got {type(value).__name__}'
            raise TypeError(msg)
    if not re.fullmatch(r'[A-Za-z0-9][A-Za-z0-9._-]*', card.name):
        msg = (
            f"name must be made of letters, digits and '.', '_', '-', got {card.name!r}"
        )
        raise ValueError(msg)
    try:
        date.fromisoformat(card.created)
    except ValueError as exc:
        msg = f"created must be a date as '2025-12-31', got {card.created!r}"
        raise ValueError(msg) from exc
    if card.checksum and not re.fullmatch('[0-9a-f]{64}', card.checksum):
        msg = (
            'checksum must be a SHA-256 of 64 lower-case hexadecimal digits, '
            f'got {card.checksum!r}'
        )
        raise ValueError(msg)


def check_texts(values, name, what):
    """Return names as a tuple."""
    # A bare str would pass as a sequence of one-letter names.
    if isinstance(values, str) or not isinstance(values, list | tuple):
        msg = f'{name} must be a tuple of {what}, got {values!r}'
        raise TypeError(msg)
    if not all(isinstance(one, str) for one in values):
        msg = f'{name} must hold names (str), got {values!r}'
        raise TypeError(msg)
    return tuple(values)


def check_architecture(given):
    """Check that a class and its arguments are those of a network."""
    name = given.get('class', 'PConvUNet')
    _check_one_of(name, "architecture['class']", tuple(_ARCHITECTURES))
    keys = ('class', *_ARCHITECTURES[name])
    if set(given) != set(keys):
        msg = f'architecture must have the keys {list(keys)}, got {sorted(given)}'
        raise ValueError(msg)
    for key in _COUNTS:
        if key in keys:
            _check_positive_integer(given[key], f'architecture[{key!r}]')
    _check_one_of(
        given['decoder_activation'],
        "architecture['decoder_activation']",
        _ACTIVATIONS,
    )
    if 'fill' in keys:
        _check_one_of(given['fill'], "architecture['fill']", _FILLS)


def check_normalisation(given):
    """Check the name of a normalisation, and that its values are plain."""
    _check_one_of(given.get('name'), "normalisation['name']", _NORMALISATIONS)
    for key, value in given.items():
        if isinstance(value, list | dict):
            msg = f'normalisation[{key!r}] must be a single value, got {value!r}'
            raise TypeError(msg)


def check_images(kind, images, normalisation, architecture):
    """
    Return the images of a card, which all four must agree on.

    Without images, they are those of the kind and the normalisation.
    """
    _check_one_of(kind, 'kind', tuple(KINDS))
    expected = list_images(kind, normalisation)
    if images is None:
        images = expected
    images = check_texts(images, 'images', 'names of images')
    if images != expected:
        msg = (
            f'images must be {expected} for a {kind!r} model with the normalisation '
            f'{normalisation}, got {images}: leave images out, or change kind or '
            "the normalisation's wings and kriging"
        )
        raise ValueError(msg)
    channels = architecture['in_channels']
    if channels != len(images):
        others = [other for other in KINDS if other != kind]
        msg = (
            f"architecture['in_channels'] is {channels}, but a {kind!r} model with the "
            f'normalisation {normalisation} sees {len(images)} image(s), {images}: '
            f'build the network with in_channels={len(images)}, or set '
            f'kind={others[0]!r} or the wings and kriging that it was trained with'
        )
        raise ValueError(msg)
    if architecture.get('fill') == 'given' and images[-1] != 'kriging':
        msg = (
            "architecture['fill'] is 'given', but the last image is "
            f"{images[-1]!r}: set the normalisation's kriging to True, or build the "
            "network with fill='smooth'"
        )
        raise ValueError(msg)
    return images


def check_cutout_size(size, architecture):
    """Check that a network can take cutouts of a size."""
    _check_positive_integer(size, 'cutout_size')
    divisor, minimum = _CUTOUTS[architecture['class']]
    if size < minimum or size % divisor:
        msg = (
            f'cutout_size must be a multiple of {divisor} and at least {minimum} '
            f'pixels for a {architecture["class"]}, got {size}'
        )
        raise ValueError(msg)


def _check_positive_integer(value, where):
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        msg = f'{where} must be a positive integer, got {value!r}'
        raise ValueError(msg)


def _check_one_of(value, where, accepted):
    if value not in accepted:
        msg = f'{where} must be one of {list(accepted)}, got {value!r}'
        raise ValueError(msg)
