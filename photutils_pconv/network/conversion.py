# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Conversion of the checkpoints that the paper's authors distribute.

Their ``scanmap.pth`` and ``parallel.pth`` are state dicts with the names
``e1`` ... ``e11`` and ``d1`` ... ``d11``. Their partial convolution divides
by the number of valid inputs, where ours rescales to a full window: the
converted kernels are theirs divided by the window's size.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from photutils_pconv._utils.writing import check_output, remove_stale
from photutils_pconv.network._card_checks import check_architecture
from photutils_pconv.network.card import ModelCard
from photutils_pconv.network.initialisation import list_shapes
from photutils_pconv.network.unet import PConvUNet
from photutils_pconv.network.weights import (
    build_loaded,
    refuse_if,
    save_model,
)

__all__ = ['convert_reference_checkpoint', 'write_converted_checkpoint']

_MODES = ('scanmap', 'parallel')
_BANDS = ('blue', 'green', 'red')
_WRAPPERS = ('state_dict', 'model_state_dict', 'model')
_PREFIX = 'module.'
_FIRST = 'e1.conv.input_conv.weight'
_COUNTER = '.num_batches_tracked'
_MASK = '.conv.mask_conv.'


def convert_reference_checkpoint(path_or_state_dict):
    """
    Convert a checkpoint of the paper's authors to a `PConvUNet`.

    Parameters
    ----------
    path_or_state_dict : str, path-like or dict
        The path of their ``scanmap.pth`` or ``parallel.pth``, or a state
        dict (name to tensor or array). A dict around it (with the key
        ``'state_dict'``, ``'model_state_dict'`` or ``'model'``) and the
        prefix ``'module.'`` are stripped. The file is read with
        ``torch.load(weights_only=True)``, which runs no code of it.

    Returns
    -------
    network : `~photutils_pconv.network.PConvUNet`
        The network in evaluation mode, with the decoder's activation
        (ReLU) of their program. The width and the number of input
        channels follow from the tensors.

    Raises
    ------
    FileNotFoundError
        If there is no such file.

    TypeError
        If the input is neither a path nor a dict.

    ValueError
        If the file holds more than tensors, or the tensors are not those
        of the authors' network.

    Examples
    --------
    >>> from photutils_pconv.network import convert_reference_checkpoint
    >>> network = convert_reference_checkpoint('scanmap.pth')  # doctest: +SKIP
    """
    if isinstance(path_or_state_dict, Mapping):
        label = 'the state dict'
        content = path_or_state_dict
    elif isinstance(path_or_state_dict, str | os.PathLike):
        label = os.fspath(path_or_state_dict)
        content = _read(Path(path_or_state_dict).expanduser())
    else:
        msg = (
            'a checkpoint must be given as a path or a state dict, got '
            f'{type(path_or_state_dict).__name__}'
        )
        raise TypeError(msg)

    theirs = _to_tensors(_unwrap(content, label), label)
    config = _infer_config(theirs, label)
    check_architecture({'class': 'PConvUNet', **config})
    names = {
        _their_name(name): name
        for name in list_shapes({'class': 'PConvUNet', **config})
    }
    _check(theirs, names, config, label)

    # The modules know their windows; on the meta device they cost nothing.
    with torch.device('meta'):
        modules = dict(PConvUNet(**config).named_modules())
    state = {}
    for their_name, our_name in names.items():
        tensor = theirs.get(their_name)
        if tensor is None:  # only the counter may be left out
            tensor = torch.zeros((), dtype=torch.int64)
        elif their_name.endswith('.conv.input_conv.weight'):
            window = modules[our_name.removesuffix('.weight')].window
            tensor = (tensor.double() / window).float()
        state[our_name] = tensor
    return build_loaded({'class': 'PConvUNet', **config}, state, label=label)


def write_converted_checkpoint(
    path, destination, *, name, mode, dtype='float32', overwrite=False
):
    """
    Convert a checkpoint of the paper's authors into a weights file.

    Parameters
    ----------
    path : str or path-like
        Their ``scanmap.pth`` or ``parallel.pth``.

    destination : str or path-like
        The safetensors file to write.

    name : str
        The name in the model card.

    mode : {'scanmap', 'parallel'}
        The observing mode that the checkpoint was trained for.

    dtype : {'float32', 'float16'}, optional
        As in `~photutils_pconv.network.save_model`.

    overwrite : bool, optional
        Whether to replace an existing file.

    Returns
    -------
    card : `~photutils_pconv.network.ModelCard`
        The card as written. Its normalisation is the paper's min-max.

    Raises
    ------
    FileExistsError
        If ``destination`` exists and ``overwrite`` is False.

    FileNotFoundError
        If there is no such checkpoint.

    ValueError
        If the checkpoint is not the authors' or ``mode`` is unknown.
    """
    destination = Path(destination).expanduser()
    remove_stale(destination.parent)
    check_output([destination], overwrite=overwrite)
    if mode not in _MODES:
        msg = f'mode must be one of {list(_MODES)}, got {mode!r}'
        raise ValueError(msg)
    path = Path(path).expanduser()
    network = convert_reference_checkpoint(path)
    with open(path, 'rb') as handle:
        source_checksum = hashlib.file_digest(handle, 'sha256').hexdigest()
    card = ModelCard(
        name=name,
        description=(
            f'The network of Madarász et al. for {mode} maps, converted from the '
            "authors' checkpoint."
        ),
        architecture={'class': 'PConvUNet', **network.config},
        normalisation={'name': 'minmax'},
        setups=tuple(f'{mode}/{band}' for band in _BANDS),
        recipe={'converted_from': path.name, 'checkpoint_sha256': source_checksum},
        licence="that of the authors' checkpoint",
    )
    return save_model(destination, network, card, dtype=dtype, overwrite=overwrite)


def _read(path):
    if not path.is_file():
        msg = f'no checkpoint {str(path)!r}'
        raise FileNotFoundError(msg)
    try:
        return torch.load(path, map_location='cpu', weights_only=True)
    except OSError:
        raise
    except Exception as exc:
        # A damaged pickle fails in many ways (KeyError, IndexError...).
        msg = (
            f'{str(path)!r} could not be read as a checkpoint that holds nothing but '
            'tensors, and nothing else is opened, since a pickle can run any code. '
            'Where it was made, save the state dict alone: '
            'torch.save(network.state_dict(), path)'
        )
        raise ValueError(msg) from exc


def _unwrap(content, label):
    if not isinstance(content, Mapping):
        msg = f'{label} must hold a state dict, got {type(content).__name__}'
        raise ValueError(msg)
    for key in _WRAPPERS:
        if isinstance(content.get(key), Mapping):
            content = content[key]
            break
    if content and all(str(name).startswith(_PREFIX) for name in content):
        content = {name.removeprefix(_PREFIX): v for name, v in content.items()}
    return content


def _to_tensors(content, label):
    tensors = {}
    for name, value in content.items():
        if not isinstance(value, torch.Tensor | np.ndarray):
            msg = (
                f'{label} must hold tensors only, but {name!r} is a '
                f'{type(value).__name__}'
            )
            raise ValueError(msg)
        tensor = torch.as_tensor(value).detach()
        if tensor.is_floating_point():
            tensor = tensor.float()
        if not torch.isfinite(tensor).all():
            msg = f'the tensor {name!r} of {label} holds NaN or infinity'
            raise ValueError(msg)
        tensors[str(name)] = tensor
    return tensors


def _infer_config(theirs, label):
    if _FIRST not in theirs:
        shown = ', '.join(sorted(theirs)[:3]) or 'nothing'
        msg = (
            f"{label} is not a checkpoint of the authors' network: it has no tensor "
            f'{_FIRST!r} (it has {shown} ...)'
        )
        raise ValueError(msg)
    shape = tuple(theirs[_FIRST].shape)
    if len(shape) != 4 or 0 in shape:
        msg = f'{_FIRST!r} of {label} must have four axes, got the shape {shape}'
        raise ValueError(msg)
    return {
        'width': shape[0],
        'in_channels': shape[1],
        'decoder_activation': 'relu',
    }


def _their_name(our_name):
    side, index, rest = our_name.split('.', 2)
    if rest.startswith('conv.'):
        rest = rest.replace('conv.', 'conv.input_conv.', 1)
    return f'{side[0]}{int(index) + 1}.{rest}'


def _check(theirs, names, config, label):
    ours = list_shapes({'class': 'PConvUNet', **config})
    expected = {their_name: ours[our_name] for their_name, our_name in names.items()}
    # Kernels of ones for counting valid pixels, which ours does itself.
    masks = {
        name.replace('.conv.input_conv.', _MASK): shape
        for name, shape in expected.items()
        if name.endswith('.conv.input_conv.weight')
    }
    needed = {name for name in expected if not name.endswith(_COUNTER)}
    refuse_if(sorted(needed - set(theirs)), label, 'missing tensors')
    accepted = expected | masks
    refuse_if(sorted(set(theirs) - set(accepted)), label, 'unexpected tensors')
    wrong = {
        name: f'{tuple(tensor.shape)}, expected {accepted[name]}'
        for name, tensor in theirs.items()
        if tuple(tensor.shape) != accepted[name]
    }
    refuse_if(wrong, label, 'tensors of a wrong shape')
    other = [name for name in masks if name in theirs and not (theirs[name] == 1).all()]
    refuse_if(other, label, 'mask kernels that are not all ones')
