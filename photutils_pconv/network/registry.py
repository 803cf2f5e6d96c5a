# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The bundled models: their names, files and cards, without loading torch.

Every ``photutils_pconv/data/models/*.safetensors`` is a bundled model; its
name is the file's without the suffix.
"""

import hashlib
import json
import os
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError, safe_open

from photutils_pconv.network._card_checks import check_length
from photutils_pconv.network.card import ModelCard
from photutils_pconv.network.kinds import BESIDE_PSF, BUNDLED

__all__ = ['default_model', 'list_models', 'model_path', 'read_card']

_MODEL_FOLDER = Path(__file__).resolve().parents[1] / 'data' / 'models'
_SUFFIX = '.safetensors'
_CARD_KEY = 'model_card'
_CARD_CHECKSUM = 'card_checksum'
# First bytes of torch.save's files: a zip archive, or a bare pickle.
_PICKLE_STARTS = (b'PK\x03\x04', b'\x80')


def list_models():
    """
    List the bundled models.

    Returns
    -------
    names : tuple of str
        The names that `~photutils_pconv.network.load_model` accepts,
        sorted.
    """
    return tuple(sorted(path.stem for path in _MODEL_FOLDER.glob(f'*{_SUFFIX}')))


def default_model(setup, *, kind='masked', beside_psf=False):
    """
    Give the name of the bundled model that serves a setup.

    One model, ``'pacs'``, serves all bands of both modes of Herschel/PACS
    (the paper has one a mode, section 2.3), and setups of the user's own,
    unless a bundled model has the name of the setup's mode.

    Parameters
    ----------
    setup : `~photutils_pconv.setups.ObservingSetup`
        The setup; its ``mode`` decides.

    kind : {'masked', 'residual'}, optional
        The kind of model. That for residuals is ``'psf'``, which sees what a
        known PSF leaves: it is given the PSF and serves all setups.

    beside_psf : bool, optional
        Whether the model is to fill the holes of a removal with a known PSF in which
        that shows nothing. ``'pacs_narrow'`` then stands for ``'pacs'``.

    Returns
    -------
    name : str
        The model's name.
    """
    if kind == 'residual':
        return BUNDLED[kind]
    names = set(list_models()) - {BUNDLED['residual'], BESIDE_PSF}
    if setup.mode in names:
        return setup.mode
    return BESIDE_PSF if beside_psf else BUNDLED['masked']


def model_path(name):
    """
    Find a weights file by a bundled model's name or by its own path.

    Parameters
    ----------
    name : str or path-like
        The name of a bundled model, which comes first, or a path.

    Returns
    -------
    path : `pathlib.Path`
        The absolute path of an existing file.

    Raises
    ------
    FileNotFoundError
        If it is neither; the message names the bundled models.

    TypeError
        If ``name`` is neither str nor path-like.

    ValueError
        If the path is a folder.
    """
    if not isinstance(name, str | os.PathLike):
        msg = (
            'a model must be the name of a bundled model or the path of a weights '
            f'file, got {type(name).__name__}'
        )
        raise TypeError(msg)
    names = list_models()
    if isinstance(name, str) and name in names:
        return _MODEL_FOLDER / f'{name}{_SUFFIX}'
    path = Path(name).expanduser()
    if path.is_dir():
        msg = f'{str(path)!r} is a folder: give the path of a {_SUFFIX} file'
        raise ValueError(msg)
    if not path.exists():
        bundled = ', '.join(map(repr, names)) or 'none in this installation'
        msg = (
            f'no model {str(name)!r}: it is neither a bundled model ({bundled}) nor '
            'an existing file'
        )
        raise FileNotFoundError(msg)
    if not path.is_file():
        msg = f'{str(path)!r} is no file: give the path of a {_SUFFIX} file'
        raise ValueError(msg)
    return path.resolve()


def read_card(name_or_path):
    """
    Read a model's card without reading its tensors.

    Parameters
    ----------
    name_or_path : str or path-like
        The name of a bundled model or the path of a weights file.

    Returns
    -------
    card : `~photutils_pconv.network.ModelCard`
        The card.

    Raises
    ------
    FileNotFoundError
        If there is no such model.

    ValueError
        If the file is not a weights file of this package, or damaged.
    """
    path = model_path(name_or_path)
    with _open_weights(path) as handle:
        return _card_from_metadata(handle.metadata(), path)


@contextmanager
def _open_weights(path):
    """Open a safetensors file; what is wrong with it becomes a ValueError."""
    try:
        with safe_open(path, framework='numpy') as handle:
            yield handle
    except SafetensorError as exc:
        # Only now: a sound file may begin with the same bytes.
        with open(path, 'rb') as handle:
            start = handle.read(4)
        if start.startswith(_PICKLE_STARTS):
            msg = (
                f'{str(path)!r} looks like a PyTorch checkpoint, which is a pickle '
                'and could run any code: it is not opened. A checkpoint of the '
                "paper's authors can be converted, once, with photutils_pconv."
                'network.write_converted_checkpoint (or convert_reference_checkpoint '
                'for use in memory)'
            )
        else:
            msg = f'{str(path)!r} is not a safetensors file, or is truncated: {exc}'
        raise ValueError(msg) from exc


def _card_to_metadata(card):
    """
    Pack a card for a weights file, with a checksum of its own.

    One key only: safetensors writes several in a random order, and the
    same model would not give the same bytes.
    """
    values = card.to_dict()
    values[_CARD_CHECKSUM] = _card_checksum(values)
    return {_CARD_KEY: json.dumps(values, sort_keys=True, allow_nan=False)}


def _card_from_metadata(metadata, path):
    if not metadata or _CARD_KEY not in metadata:
        msg = (
            f'{str(path)!r} has no model card ({_CARD_KEY!r} in its metadata): it was '
            'not written by photutils_pconv.network.save_model'
        )
        raise ValueError(msg)
    try:
        check_length(metadata[_CARD_KEY])
        values = json.loads(metadata[_CARD_KEY])
        checksum = values.pop(_CARD_CHECKSUM, None)
        # Of what stands in the file: a card of an earlier format is converted.
        expected = _card_checksum(values)
        card = ModelCard.from_dict(values)
    except (ValueError, TypeError, AttributeError, RecursionError) as exc:
        msg = f'the model card of {str(path)!r} is not valid: {exc}'
        raise ValueError(msg) from exc
    if checksum != expected:
        msg = (
            f'the model card of {str(path)!r} does not match its checksum: the file '
            'is damaged or was changed'
        )
        raise ValueError(msg)
    return card


def _card_checksum(values):
    """Hash the values of a card, always in the same form."""
    text = json.dumps(values, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
