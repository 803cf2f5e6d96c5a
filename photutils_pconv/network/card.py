# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The model card: what must be known about a network to use its weights.

The card travels as JSON inside the weights file (see
`photutils_pconv.network.weights`), so that neither the normalisation nor
the provenance can be separated from the tensors. This module does not
import torch.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime

import numpy as np

from photutils_pconv._utils.versions import package_versions

__all__ = [
    'FORMAT_VERSION',
    'ModelCard',
    'n_images',
]

FORMAT_VERSION = 1
"""
The version of the card's layout that this package writes and reads.
"""

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
_REQUIRED = ('name', 'architecture', 'normalisation')
# What each class can take: PConvUNet halves its input five times, then needs
# a 3 x 3 window. Multiple and minimum, in pixels.
_CUTOUTS = {'PConvUNet': (32, 96), 'FilledUNet': (16, 32)}


def _today():
    return datetime.now(tz=UTC).date().isoformat()


def _plain(value, where):
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
        return {key: _plain(item, f'{where}[{key!r}]') for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f'{where}[{i}]') for i, item in enumerate(value)]
    msg = (
        f'{where} must be made of str, numbers, bool, None, lists and dicts, got '
        f'{type(value).__name__}'
    )
    raise TypeError(msg)


def _check_version(version):
    if version != FORMAT_VERSION:
        msg = (
            f'the model card has the format version {version!r}, this package reads '
            f'{FORMAT_VERSION}: install a newer photutils-pconv, or write the model '
            'again'
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


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """
    The description of a trained network.

    The values are reduced to what JSON can hold (arrays become lists,
    numpy numbers become Python's), so that a card is equal to the one
    read back from its file.

    Parameters
    ----------
    name : str
        The model's name, made of letters, digits and ``.``, ``_``, ``-``.

    architecture : dict
        ``class`` (``'PConvUNet'`` or ``'FilledUNet'``) and the class's
        arguments: ``width``, ``decoder_activation`` and ``in_channels``, and
        ``blocks``, ``fill`` and ``turns`` of a
        `~photutils_pconv.network.FilledUNet`.

    normalisation : dict
        ``name``, either ``'minmax'`` (the paper's, section 2.4.2) or
        ``'robust'``, the parameters of that normalisation, and ``wings``:
        whether expected wings are taken off, and ``kriging``: whether the
        holes are filled by kriging first (see
        `~photutils_pconv.inpainting`).

    description : str, optional
        One or two sentences for the user.

    setups : tuple of str, optional
        The names of the observing setups that the model was trained for.

    cutout_size : int, optional
        The side of the cutouts that it was trained on, in pixels.

    recipe : dict, optional
        How the model was trained: data, losses, optimiser, steps, seed.

    accuracy : dict, optional
        What was measured with it, and on what.

    versions : dict of str, optional
        The packages that made it; by default those installed now.

    created : str, optional
        The ISO date on which it was made (UTC); by default today.

    checksum : str, optional
        The SHA-256 of the tensors, in hexadecimal. It is filled in when
        the model is written.

    licence : str, optional
        The licence of the weights.

    notes : str, optional
        Anything else.

    format_version : int, optional
        The version of the card's layout.

    Raises
    ------
    TypeError
        If a value has the wrong type, or cannot be written as JSON.

    ValueError
        If a value is not among the accepted ones.
    """

    name: str
    architecture: dict
    normalisation: dict
    description: str = ''
    setups: tuple = ()
    cutout_size: int = 96
    recipe: dict = field(default_factory=dict)
    accuracy: dict = field(default_factory=dict)
    versions: dict = field(default_factory=package_versions)
    created: str = field(default_factory=_today)
    checksum: str = ''
    licence: str = 'BSD-3-Clause'
    notes: str = ''
    format_version: int = FORMAT_VERSION

    def __post_init__(self):
        _check_version(self.format_version)
        self._check_text()
        for key in ('architecture', 'normalisation', 'recipe', 'accuracy', 'versions'):
            value = getattr(self, key)
            if not isinstance(value, Mapping):
                msg = f'{key} must be a dict, got {type(value).__name__}'
                raise TypeError(msg)
            object.__setattr__(self, key, _plain(value, key))
        self._check_setups()
        self._check_architecture()
        self._check_normalisation()
        self._check_cutout_size()

    def _check_text(self):
        for key in ('name', 'description', 'created', 'checksum', 'licence', 'notes'):
            value = getattr(self, key)
            if not isinstance(value, str):
                msg = f'{key} must be a str, got {type(value).__name__}'
                raise TypeError(msg)
        if not re.fullmatch(r'[A-Za-z0-9][A-Za-z0-9._-]*', self.name):
            msg = (
                "name must be made of letters, digits and '.', '_', '-', got "
                f'{self.name!r}'
            )
            raise ValueError(msg)
        try:
            date.fromisoformat(self.created)
        except ValueError as exc:
            msg = f"created must be a date as '2025-12-31', got {self.created!r}"
            raise ValueError(msg) from exc
        if self.checksum and not re.fullmatch('[0-9a-f]{64}', self.checksum):
            msg = (
                'checksum must be a SHA-256 of 64 lower-case hexadecimal digits, '
                f'got {self.checksum!r}'
            )
            raise ValueError(msg)

    def _check_setups(self):
        setups = self.setups
        # A bare str would pass as a sequence of one-letter names.
        if isinstance(setups, str) or not isinstance(setups, list | tuple):
            msg = f'setups must be a tuple of setup names, got {setups!r}'
            raise TypeError(msg)
        if not all(isinstance(name, str) for name in setups):
            msg = f'setups must hold names (str), got {setups!r}'
            raise TypeError(msg)
        object.__setattr__(self, 'setups', tuple(setups))

    def _check_architecture(self):
        given = self.architecture
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

    def _check_normalisation(self):
        _check_one_of(
            self.normalisation.get('name'), "normalisation['name']", _NORMALISATIONS
        )
        for key, value in self.normalisation.items():
            if isinstance(value, list | dict):
                msg = f'normalisation[{key!r}] must be a single value, got {value!r}'
                raise TypeError(msg)

    def _check_cutout_size(self):
        size = self.cutout_size
        _check_positive_integer(size, 'cutout_size')
        divisor, minimum = _CUTOUTS[self.architecture['class']]
        if size < minimum or size % divisor:
            msg = (
                f'cutout_size must be a multiple of {divisor} and at least {minimum} '
                f'pixels for a {self.architecture["class"]}, got {size}'
            )
            raise ValueError(msg)

    def to_dict(self):
        """
        Give the card as a dictionary that JSON can hold.

        Returns
        -------
        card : dict
            A copy of every value.
        """
        names = [item.name for item in fields(self)]
        return {name: _plain(getattr(self, name), name) for name in names}

    @classmethod
    def from_dict(cls, values):
        """
        Make a card from a dictionary.

        Parameters
        ----------
        values : dict
            What `to_dict` gives; keys with a default may be left out.

        Returns
        -------
        card : `ModelCard`
            The card.

        Raises
        ------
        TypeError
            If ``values`` is not a dict or a value has the wrong type.

        ValueError
            If a key is unknown or missing, or a value is not accepted.
        """
        if not isinstance(values, Mapping):
            msg = f'a model card must be a dict, got {type(values).__name__}'
            raise TypeError(msg)
        # First, since a newer layout may well have other keys.
        _check_version(values.get('format_version', FORMAT_VERSION))
        known = [item.name for item in fields(cls)]
        unknown = sorted(str(key) for key in set(values) - set(known))
        if unknown:
            msg = f'unknown keys in the model card: {unknown}; accepted are {known}'
            raise ValueError(msg)
        missing = [key for key in _REQUIRED if key not in values]
        if missing:
            msg = f'keys missing in the model card: {missing}'
            raise ValueError(msg)
        return cls(**{key: values[key] for key in known if key in values})

    def to_json(self):
        """
        Write the card as JSON, always in the same form.

        Returns
        -------
        text : str
            The JSON, with sorted keys.
        """
        return json.dumps(self.to_dict(), sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text):
        """
        Make a card from JSON.

        Parameters
        ----------
        text : str
            What `to_json` gives.

        Returns
        -------
        card : `ModelCard`
            The card.

        Raises
        ------
        TypeError
            If a value has the wrong type.

        ValueError
            If the text is not JSON, or not a valid card.
        """
        try:
            values = json.loads(text)
        except json.JSONDecodeError as exc:
            msg = f'the model card is not valid JSON: {exc}'
            raise ValueError(msg) from exc
        return cls.from_dict(values)


def n_images(normalisation):
    """
    Tell how many images a cutout has.

    Parameters
    ----------
    normalisation : dict
        The model's normalisation.

    Returns
    -------
    n : int
        1, and one more for wings and for kriging.
    """
    return 1 + bool(normalisation.get('wings')) + bool(normalisation.get('kriging'))
