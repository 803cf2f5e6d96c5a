# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The model card: what must be known about a network to use its weights.

The card travels as JSON inside the weights file (see
`photutils_pconv.network.weights`), so that neither the normalisation nor
the provenance can be separated from the tensors. This module does not
import torch.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime

from photutils_pconv._utils.repr import format_html
from photutils_pconv._utils.versions import package_versions
from photutils_pconv.network._card_checks import (
    check_architecture,
    check_cutout_size,
    check_images,
    check_length,
    check_text,
    check_texts,
    to_plain,
)
from photutils_pconv.network._card_formats import FORMAT_VERSION, upgrade_card
from photutils_pconv.network.kinds import check_normalisation

__all__ = ['ModelCard']

_REQUIRED = ('name', 'architecture', 'normalisation', 'kind', 'images')


def _today():
    return datetime.now(tz=UTC).date().isoformat()


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

    kind : {'masked', 'residual'}, optional
        What the network sees: the map alone, whose holes it fills in one
        pass, or the map minus its sources, in the second of two passes.

    images : tuple of str, optional
        The names of the images that the network sees of a cutout, in
        their order: ``'map'``, and ``'wings'`` and ``'kriging'`` where the
        normalisation has them, or ``'residual'``, ``'shapes'`` and
        ``'mismatch'``. By default they follow from the other arguments.

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
        The version of the card's layout, 2. Cards of version 1, which had
        neither ``kind`` nor ``images``, are converted when they are read.

    Raises
    ------
    TypeError
        If a value has the wrong type, or cannot be written as JSON.

    ValueError
        If a value is not among the accepted ones or beyond the limits of
        ``network/limits.py``, or kind, images, normalisation and
        architecture do not fit together.
    """

    name: str
    architecture: dict
    normalisation: dict
    kind: str = 'masked'
    images: tuple = None  # type: ignore[assignment]
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
        if self.format_version != FORMAT_VERSION:
            msg = (
                f'a new model card has the format version {FORMAT_VERSION}, got '
                f'{self.format_version!r}: leave format_version out, or read an old '
                'card with ModelCard.from_dict'
            )
            raise ValueError(msg)
        check_text(self)
        for key in ('architecture', 'normalisation', 'recipe', 'accuracy', 'versions'):
            value = getattr(self, key)
            if not isinstance(value, Mapping):
                msg = f'{key} must be a dict, got {type(value).__name__}'
                raise TypeError(msg)
            object.__setattr__(self, key, to_plain(value, key))
        setups = check_texts(self.setups, 'setups', 'setup names')
        object.__setattr__(self, 'setups', setups)
        check_architecture(self.architecture)
        check_normalisation(self.normalisation)
        images = check_images(
            self.kind, self.images, self.normalisation, self.architecture
        )
        object.__setattr__(self, 'images', images)
        check_cutout_size(self.cutout_size, self.architecture)
        check_length(self.to_json())

    def _repr_html_(self):
        architecture = dict(self.architecture)
        rows = {
            'description': self.description,
            'kind': self.kind,
            'architecture': architecture.pop('class', ''),
            'its arguments': ', '.join(f'{k}={v!r}' for k, v in architecture.items()),
            'images': ', '.join(self.images),
            'setups': ', '.join(self.setups),
            'cutouts': f'{self.cutout_size} x {self.cutout_size} pixels',
            'created': self.created,
            'licence': self.licence,
            'checksum': self.checksum,
            'notes': self.notes,
        }
        return format_html(f'Model {self.name}', rows)

    def to_dict(self):
        """
        Give the card as a dictionary that JSON can hold.

        Returns
        -------
        card : dict
            A copy of every value.
        """
        names = [item.name for item in fields(self)]
        return {name: to_plain(getattr(self, name), name) for name in names}

    @classmethod
    def from_dict(cls, values):
        """
        Make a card from a dictionary.

        Parameters
        ----------
        values : dict
            What `to_dict` gives, or gave in an earlier version; of the
            keys, ``name``, ``architecture``, ``normalisation``, ``kind`` and
            ``images`` must be there.

        Returns
        -------
        card : `ModelCard`
            The card.

        Raises
        ------
        TypeError
            If ``values`` is not a dict or a value has the wrong type.

        ValueError
            If a key is unknown or missing, a value is not accepted, or the
            card is newer than this package.
        """
        if not isinstance(values, Mapping):
            msg = f'a model card must be a dict, got {type(values).__name__}'
            raise TypeError(msg)
        # First, since another layout may well have other keys.
        values = upgrade_card(values)
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
        if not isinstance(text, str):
            msg = f'a model card must be given as JSON (str), got {type(text).__name__}'
            raise TypeError(msg)
        check_length(text)
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as exc:
            msg = f'the model card is not valid JSON: {exc}'
            raise ValueError(msg) from exc
        return cls.from_dict(values)
