# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Weights files: safetensors with the model card inside.

Nothing is ever unpickled. The card holds a checksum of the tensors, and is
itself under a checksum: a file in which any of the two was changed is
refused. The checksums guard against damage and mistakes; they are no
signature.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save as serialise

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.locks import make_lock
from photutils_pconv._utils.writing import check_output, write_bytes_atomically
from photutils_pconv.network.architectures import describe_network
from photutils_pconv.network.card import ModelCard
from photutils_pconv.network.initialisation import build_blank, list_shapes
from photutils_pconv.network.registry import (
    _card_from_metadata,
    _card_to_metadata,
    _open_weights,
    list_models,
    model_path,
)
from photutils_pconv.network.threads import use_threads

__all__ = [
    'LoadedModel',
    'load_model',
    'save_model',
]

_DTYPES = ('float16', 'float32')
_STORED_DTYPES = ('F16', 'F32', 'I64')
# Kernels are stored as float16 where that changes no channel by more than this
# relative to its norm: twice float16's rounding, by choice.
_HALF_TOLERANCE = 1e-3
# Channels weaker than this, against the strongest, count as switched off; by
# choice.
_CHANNEL_FLOOR = 1e-5
_LOCK = make_lock()


@dataclass(frozen=True, eq=False, repr=False)
class LoadedModel:
    """
    A network with its card, as read from a file.

    Parameters
    ----------
    network : `torch.nn.Module`
        The network, in evaluation mode, float32, on the CPU.

    card : `~photutils_pconv.network.ModelCard`
        Its card.

    path : `pathlib.Path`
        The file that it comes from.
    """

    network: torch.nn.Module
    card: ModelCard
    path: Path

    @property
    def name(self):
        """The model's name (`str`)."""
        return self.card.name

    @property
    def checksum(self):
        """The SHA-256 of the tensors (`str`)."""
        return self.card.checksum

    def __reduce__(self):
        """Pickle a bundled model by its name: it can be loaded anew."""
        if self.name in list_models() and load_model(self.name) is self:
            return load_model, (self.name,)
        return type(self), (self.network, self.card, self.path)

    def __repr__(self):
        architecture = self.card.architecture
        return (
            f'<{type(self).__name__}({self.name!r}: {self.card.kind}, '
            f'{architecture["class"]}, '
            f'width {architecture["width"]}, '
            f'{self.card.normalisation["name"]} normalisation, '
            f'checksum {self.checksum[:12]})>'
        )


def save_model(path, network, card, *, dtype='float16', overwrite=False):
    """
    Write a network and its card into one safetensors file.

    The file is complete or not there: it is written under a temporary
    name in the same folder, then renamed.

    Parameters
    ----------
    path : str or path-like
        The file to write, usually with the suffix ``.safetensors``.

    network : `~photutils_pconv.network.PConvUNet` or \
            `~photutils_pconv.network.FilledUNet`
        The network. It is not changed.

    card : `~photutils_pconv.network.ModelCard`
        Its card. The checksum is filled in.

    dtype : {'float16', 'float32'}, optional
        The type in which convolution kernels are stored. Biases and the
        batch norms' tensors always stay float32, and so does a kernel
        that float16 cannot hold: one that overflows, or has a channel
        that would change by more than 1e-3 of its norm.

    overwrite : bool, optional
        Whether to replace an existing file.

    Returns
    -------
    card : `~photutils_pconv.network.ModelCard`
        The card as written, with the checksum.

    Raises
    ------
    FileExistsError
        If the file exists and ``overwrite`` is False.

    TypeError
        If ``network`` or ``card`` is of another class.

    ValueError
        If ``dtype`` is unknown, the card describes another architecture,
        or a tensor holds NaN or infinity.
    """
    path = Path(path).expanduser()
    check_output([path], overwrite=overwrite)
    architecture = describe_network(network)
    if not isinstance(card, ModelCard):
        msg = f'card must be a ModelCard, got {type(card).__name__}'
        raise TypeError(msg)
    if dtype not in _DTYPES:
        msg = f'dtype must be one of {list(_DTYPES)}, got {dtype!r}'
        raise ValueError(msg)
    if card.architecture != architecture:
        msg = (
            f'the card describes the architecture {card.architecture}, but the '
            f'network is {architecture}'
        )
        raise ValueError(msg)

    arrays = {
        name: _stored(name, tensor, dtype)
        for name, tensor in network.state_dict().items()
    }
    card = replace(card, checksum=_checksum(arrays))
    write_bytes_atomically(path, serialise(arrays, metadata=_card_to_metadata(card)))
    return card


def load_model(name_or_path, *, cache=True):
    """
    Load a bundled model by name, or any weights file by path.

    Parameters
    ----------
    name_or_path : str or path-like
        The name of a bundled model (see
        `~photutils_pconv.network.list_models`) or the path of a file
        that `save_model` wrote.

    cache : bool, optional
        Whether to share the model with other callers (the last few are
        kept, as long as their files do not change). A shared network
        must not be changed: do not train it, nor move it to another
        device; take ``cache=False`` or a copy for that.

    Returns
    -------
    model : `LoadedModel`
        The network in evaluation mode (float32, on the CPU), its card
        and path.

    Raises
    ------
    FileNotFoundError
        If there is no such model; the message names the bundled ones.

    ValueError
        If the file is not a weights file of this package, is truncated,
        or was changed, or if its tensors are not those of the architecture
        in its card, or not usable.
    """
    cache = to_bool(cache, 'cache')
    path = model_path(name_or_path)
    if not cache:
        return _load_file(path)
    status = path.stat()
    # The lock lets two threads that ask at once share one network too.
    with _LOCK:
        return _load_cached(path, status.st_mtime_ns, status.st_size, status.st_ino)


@lru_cache(maxsize=4)
def _load_cached(path, *_state):
    return _load_file(path)


def _load_file(path):
    # As little work as it is, it would start torch's other threads.
    with use_threads(1):
        return _read_model(path)


def _read_model(path):
    with _open_weights(path) as handle:
        card = _card_from_metadata(handle.metadata(), path)
        slices = {name: handle.get_slice(name) for name in handle.keys()}
        dtypes = {name: part.get_dtype() for name, part in slices.items()}
        other = {name: t for name, t in dtypes.items() if t not in _STORED_DTYPES}
        label = repr(str(path))
        refuse_if(other, label, f'tensors of other types than {list(_STORED_DTYPES)}')
        # Before any memory is taken for them.
        shapes = {name: tuple(part.get_shape()) for name, part in slices.items()}
        _check_shapes(shapes, list_shapes(card.architecture), label)
        arrays = {name: handle.get_tensor(name) for name in slices}
    if _checksum(arrays) != card.checksum:
        msg = (
            f'the tensors of {label} do not match the checksum in its card: the '
            'file is damaged or was changed'
        )
        raise ValueError(msg)
    state = {name: torch.tensor(array) for name, array in arrays.items()}
    network = build_loaded(card.architecture, state, label=label)
    return LoadedModel(network=network, card=card, path=path)


def refuse_if(problems, label, what):
    """
    Refuse tensors if there is a problem with some of them.

    Parameters
    ----------
    problems : list of str or dict of str
        The names of the tensors, if need be with what is wrong.

    label : str
        Where the tensors are from.

    what : str
        What is wrong.

    Raises
    ------
    ValueError
        If there are problems; the message says the first ones.
    """
    if problems:
        if isinstance(problems, dict):
            problems = [f'{name}: {problem}' for name, problem in problems.items()]
        shown = '; '.join(problems[:4]) + ('; ...' if len(problems) > 4 else '')
        msg = f'{label} has {what} ({len(problems)}): {shown}'
        raise ValueError(msg)


def _check_shapes(found, expected, label):
    refuse_if(sorted(set(expected) - set(found)), label, 'missing tensors')
    refuse_if(sorted(set(found) - set(expected)), label, 'unexpected tensors')
    wrong = {
        name: f'{found[name]}, expected {shape}'
        for name, shape in expected.items()
        if found[name] != shape
    }
    refuse_if(wrong, label, 'tensors of a wrong shape')


def build_loaded(architecture, state, *, label):
    """
    Make a network in evaluation mode from its tensors.

    Parameters
    ----------
    architecture : dict
        As of a model card.

    state : dict of `torch.Tensor`
        The tensors by name.

    label : str
        Where the tensors are from, for messages.

    Returns
    -------
    network : `torch.nn.Module`
        The network, in evaluation mode, float32, on the CPU.

    Raises
    ------
    ValueError
        If the tensors are not those of the architecture, hold NaN or
        infinity, or have variances that are negative.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    _check_shapes(shapes, list_shapes(architecture), label)
    _check_finite(state, label)
    # Batch norm takes their root.
    bad = [
        name
        for name, tensor in state.items()
        if name.endswith('.running_var') and (tensor < 0).any()
    ]
    refuse_if(bad, label, 'variances that are negative')
    network = build_blank(architecture).to(torch.float32)
    network.load_state_dict(state)
    return network.eval()


def check_loaded(model):
    """
    Refuse a model in memory whose weights are not finite.

    Parameters
    ----------
    model : `LoadedModel`
        The model, whose network anybody may have changed since it was read.

    Raises
    ------
    ValueError
        If weights are NaN or infinite.
    """
    label = f'the network of {model.name!r}, whose weights must be finite,'
    _check_finite(model.network.state_dict(), label)


def _check_finite(state, label):
    bad = [name for name, tensor in state.items() if not torch.isfinite(tensor).all()]
    refuse_if(bad, label, 'tensors that hold NaN or infinity')


def _stored(name, tensor, dtype):
    """Give a tensor as the array to be stored."""
    array = tensor.detach().cpu().numpy()
    if not np.issubdtype(array.dtype, np.floating):
        return array.astype(np.int64, order='C')
    array = array.astype(np.float32, order='C')
    if not np.isfinite(array).all():
        msg = f'the tensor {name!r} holds NaN or infinity: the network is not usable'
        raise ValueError(msg)
    # Batch norm divides by small variances, which float16 would flush.
    if dtype == 'float16' and array.ndim > 1 and _half_is_enough(array):
        return array.astype(np.float16)
    return array


def _half_is_enough(array):
    with np.errstate(over='ignore'):
        half = array.astype(np.float16)
    if not np.isfinite(half).all():
        return False
    array = array.astype(np.float64)
    change = array - half
    # By channel, since the batch norm behind a kernel scales each one up,
    # however weak; kernels have their channels on the first two axes.
    for axis in (0, 1):
        others = tuple(i for i in range(array.ndim) if i != axis)
        norm = np.sqrt(np.sum(array**2, axis=others))
        norm = np.maximum(norm, _CHANNEL_FLOOR * norm.max())
        if np.any(np.sqrt(np.sum(change**2, axis=others)) > _HALF_TOLERANCE * norm):
            return False
    return True


def _checksum(arrays):
    """Hash the names, types, shapes and bytes of arrays, in the names' order."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        little = array.astype(array.dtype.newbyteorder('<'), copy=False)
        digest.update(f'{name}|{array.dtype.name}|{array.shape}|'.encode())
        digest.update(little.tobytes())
    return digest.hexdigest()
