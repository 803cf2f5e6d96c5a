# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Checks of what stands in a model card, each with an error that gives the fix.
"""

import math
import re
from collections.abc import Mapping
from datetime import date

import numpy as np

from photutils_pconv.network.kinds import KINDS, list_images
from photutils_pconv.network.limits import (
    MAXIMUM_BLOCKS,
    MAXIMUM_CARD,
    MAXIMUM_CHANNELS,
    MAXIMUM_CUTOUT,
    MAXIMUM_DEPTH,
    MAXIMUM_NAME,
    MAXIMUM_SETUPS,
    MAXIMUM_TURNS,
    MAXIMUM_WIDTH,
)

__all__ = [
    'check_architecture',
    'check_cutout_size',
    'check_images',
    'check_length',
    'check_text',
    'check_texts',
    'to_plain',
]

_FILLS = ('smooth', 'given')
_ACTIVATIONS = ('leaky_relu', 'relu')
# The arguments of each class, and the largest of those that are positive integers.
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
_COUNTS = {
    'width': MAXIMUM_WIDTH,
    'blocks': MAXIMUM_BLOCKS,
    'in_channels': MAXIMUM_CHANNELS,
    'turns': MAXIMUM_TURNS,
}
# What fits into 64 bits, with or without a sign, as seeds do.
_LARGEST_INTEGER = 2**64
# What each class can take: PConvUNet halves its input five times, then needs
# a 3 x 3 window. Multiple and minimum, in pixels.
_CUTOUTS = {'PConvUNet': (32, 96), 'FilledUNet': (16, 32)}


def to_plain(value, where, *, depth=MAXIMUM_DEPTH):
    """Reduce a value to what JSON keeps: a card equals its own round trip."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        # Not shown: thousands of digits cannot be.
        if abs(value) > _LARGEST_INTEGER:
            msg = f'{where} must be an integer of at most 64 bits, got a larger one'
            raise ValueError(msg)
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            msg = f'{where} must be finite, got {value}: use None for a missing number'
            raise ValueError(msg)
        return value
    if depth == 0:
        msg = (
            f'{where[:60]}... has lists and dicts inside each other: at most '
            f'{MAXIMUM_DEPTH} levels are accepted'
        )
        raise ValueError(msg)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                msg = f'the keys of {where} must be str, got {key!r}'
                raise TypeError(msg)
        return {
            key: to_plain(item, f'{where}[{key!r}]', depth=depth - 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [
            to_plain(item, f'{where}[{i}]', depth=depth - 1)
            for i, item in enumerate(value)
        ]
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
    _check_name(card.name, 'name')
    try:
        date.fromisoformat(card.created)
    except ValueError as exc:
        msg = f"created must be a date as '2025-12-31', got {card.created[:20]!r}"
        raise ValueError(msg) from exc
    if card.checksum and not re.fullmatch('[0-9a-f]{64}', card.checksum):
        msg = (
            'checksum must be a SHA-256 of 64 lower-case hexadecimal digits, '
            f'got {card.checksum[:80]!r}'
        )
        raise ValueError(msg)


def check_length(text):
    """Refuse a card whose JSON is longer than any card's."""
    if len(text) > MAXIMUM_CARD:
        msg = (
            f'a model card must have at most {MAXIMUM_CARD} characters as JSON, got '
            f'{len(text)}: leave out what is not needed to use the model'
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
    if len(values) > MAXIMUM_SETUPS:
        msg = f'{name} must be at most {MAXIMUM_SETUPS} {what}, got {len(values)}'
        raise ValueError(msg)
    for i, value in enumerate(values):
        _check_name(value, f'{name}[{i}]')
    return tuple(values)


def check_architecture(given):
    """Check that a class and its arguments are those of a network."""
    name = given.get('class', 'PConvUNet')
    _check_one_of(name, "architecture['class']", tuple(_ARCHITECTURES))
    keys = ('class', *_ARCHITECTURES[name])
    if set(given) != set(keys):
        msg = f'architecture must have the keys {list(keys)}, got {sorted(given)}'
        raise ValueError(msg)
    for key, maximum in _COUNTS.items():
        if key in keys:
            _check_count(given[key], f'architecture[{key!r}]', maximum)
    _check_one_of(
        given['decoder_activation'],
        "architecture['decoder_activation']",
        _ACTIVATIONS,
    )
    if 'fill' in keys:
        _check_one_of(given['fill'], "architecture['fill']", _FILLS)


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
        _tell_missing(images, expected, normalisation)
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


def _tell_missing(images, expected, normalisation):
    """Refuse images that the normalisation would make if it had a key more."""
    missing = [
        key for key in ('wings', 'kriging') if key in set(images) - set(expected)
    ]
    if missing and set(images) == {*expected, *missing}:
        more = ' and '.join(f'normalisation[{key!r}]' for key in missing)
        msg = (
            f'images are {images}, but the normalisation {normalisation} makes '
            f'{expected} only: set {more} to True, as the model was trained'
        )
        raise ValueError(msg)


def check_cutout_size(size, architecture):
    """Check that a network can take cutouts of a size."""
    _check_count(size, 'cutout_size', MAXIMUM_CUTOUT)
    divisor, minimum = _CUTOUTS[architecture['class']]
    if size < minimum or size % divisor:
        msg = (
            f'cutout_size must be a multiple of {divisor} and at least {minimum} '
            f'pixels for a {architecture["class"]}, got {size}'
        )
        raise ValueError(msg)


def _check_count(value, where, maximum):
    right = isinstance(value, int) and not isinstance(value, bool)
    if not right or not 1 <= value <= maximum:
        msg = f'{where} must be a positive integer of at most {maximum}, got {value!r}'
        raise ValueError(msg)


def _check_name(value, where):
    if len(value) > MAXIMUM_NAME:
        msg = (
            f'{where} must have at most {MAXIMUM_NAME} characters, got {len(value)}: '
            f'{value[:20]!r}...'
        )
        raise ValueError(msg)


def _check_one_of(value, where, accepted):
    if value not in accepted:
        msg = f'{where} must be one of {list(accepted)}, got {value!r}'
        raise ValueError(msg)
