# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the conversion module.
"""

import hashlib
import json
import pickle
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from photutils_pconv.network.conversion import (
    convert_reference_checkpoint,
    write_converted_checkpoint,
)
from photutils_pconv.network.weights import load_model

ENCODER = (1, 2, 2, 4, 4, 8, 8, 16, 16, 16, 16)
DECODER = (16, 16, 16, 8, 8, 4, 4, 2, 2, 1)
KERNELS = (3, 4, 3, 4, 3, 4, 3, 4, 3, 4, 3)
PADDINGS = (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0)


def reference_shapes(width, in_channels=1):
    """Give the names and shapes of a checkpoint in the authors' form."""
    shapes = {}

    def block(prefix, kernel_shape, out, final=False):
        shapes[f'{prefix}.conv.input_conv.weight'] = kernel_shape
        if final:
            shapes[f'{prefix}.conv.input_conv.bias'] = (out,)
        shapes[f'{prefix}.conv.mask_conv.weight'] = kernel_shape
        if not final:
            for name in ('weight', 'bias', 'running_mean', 'running_var'):
                shapes[f'{prefix}.bn.{name}'] = (out,)
            shapes[f'{prefix}.bn.num_batches_tracked'] = ()

    channels = in_channels
    for i, (factor, k) in enumerate(zip(ENCODER, KERNELS, strict=True)):
        block(f'e{i + 1}', (factor * width, channels, k, k), factor * width)
        channels = factor * width
    outs = [factor * width for factor in DECODER] + [1]
    skips = [0] + [factor * width for factor in ENCODER[-2::-1]]
    for i, (out, skip, k) in enumerate(zip(outs, skips, KERNELS, strict=True)):
        block(f'd{i + 1}', (channels + skip, out, k, k), out, final=i == 10)
        channels = out
    return shapes


def reference_state(shapes, seed):
    """Make the weights by the rule of the reference data's README."""
    state = {}
    for name, shape in shapes.items():
        r = np.random.default_rng([seed, zlib.crc32(name.encode())])
        if 'num_batches_tracked' in name:
            state[name] = torch.tensor(0)
            continue
        if 'mask_conv' in name:
            values = np.ones(shape)
        elif name.endswith(('running_mean', 'bias')):
            values = r.normal(0, 0.05, shape)
        elif name.endswith('running_var') or '.bn.weight' in name:
            values = r.uniform(0.5, 1.5, shape)
        else:
            values = r.normal(0, 1, shape).astype(np.float32)
            values = values * np.sqrt(2 / np.prod(shape[1:]))
            if 'input_conv' in name:
                values = values * shape[-1] ** 2 * shape[1]
        state[name] = torch.from_numpy(np.asarray(values, dtype=np.float32))
    return state


def reference_forward(state, image, mask):
    """
    Compute the authors' network as the README describes it.

    Their layers divide by the sum of the mask over window and channels,
    with one mask channel a feature.
    """

    def run(prefix, x, mask, stride, padding, function):
        weight = state[f'{prefix}.conv.input_conv.weight']
        ones = state[f'{prefix}.conv.mask_conv.weight']
        total = function(mask, ones, stride=stride, padding=padding)
        out = function(x * mask, weight, stride=stride, padding=padding)
        valid = total > 0
        out = out / torch.where(valid, total, 1.0)
        bias = state.get(f'{prefix}.conv.input_conv.bias')
        if bias is not None:
            out = out + bias[:, None, None]
        out = torch.where(valid, out, 0.0)
        if f'{prefix}.bn.weight' in state:
            names = ('running_mean', 'running_var', 'weight', 'bias')
            out = F.batch_norm(out, *(state[f'{prefix}.bn.{name}'] for name in names))
            out = torch.relu(out)
        return out, valid.float()

    geometry = [(1 if k == 3 else 2, p) for k, p in zip(KERNELS, PADDINGS, strict=True)]
    x, mask = image, mask.expand_as(image)
    skips = []
    for i, (stride, padding) in enumerate(geometry):
        x, mask = run(f'e{i + 1}', x, mask, stride, padding, F.conv2d)
        skips.append((x, mask))
    skips.pop()
    # The decoder's first layer undoes the encoder's last: no padding either.
    for i, k in enumerate(KERNELS):
        stride, padding = 1 if k == 3 else 2, 0 if i == 0 else 1
        if i:
            skip, skip_mask = skips.pop()
            x = torch.cat([x, skip], dim=1)
            mask = torch.cat([mask, skip_mask], dim=1)
        x, mask = run(f'd{i + 1}', x, mask, stride, padding, F.conv_transpose2d)
    return x


@pytest.fixture(scope='module')
def state():
    return reference_state(reference_shapes(2), 7)


@pytest.fixture(scope='module')
def cutouts():
    rng = np.random.default_rng(3)
    image = rng.normal(size=(2, 1, 96, 96)).astype(np.float32)
    mask = (rng.random((2, 1, 96, 96)) > 0.1).astype(np.float32)
    mask[:, :, 40:56, 40:56] = 0
    return torch.from_numpy(image), torch.from_numpy(mask)


def relative_error(out, expected):
    return ((out - expected).abs().max() / expected.abs().max()).item()


def outputs(network, cutouts):
    with torch.no_grad():
        return network(*cutouts)


def same_state(first, second):
    first, second = first.state_dict(), second.state_dict()
    return list(first) == list(second) and all(
        torch.equal(first[name], second[name]) for name in first
    )


def test_equals_the_authors_program(reference_data):
    path = reference_data / 'reference' / 'network_and_losses.npz'
    with np.load(path) as stored:
        keys = json.loads(str(stored['keys']))
        seed = int(stored['seed'])
        image, mask, expected = (
            torch.from_numpy(stored[name]) for name in ('x', 'mask', 'y')
        )
    shapes = {name: tuple(shape) for name, shape in keys.items()}
    assert shapes == reference_shapes(32)
    network = convert_reference_checkpoint(reference_state(shapes, seed))
    assert network.config == {
        'width': 32,
        'decoder_activation': 'relu',
        'in_channels': 1,
    }
    out = outputs(network, (image, mask))
    # The stated limit is 1e-4; what is left is float32's rounding.
    assert relative_error(out, expected) < 1e-5


@pytest.mark.parametrize('width', [1, 3])
def test_small_widths(width, cutouts):
    state = reference_state(reference_shapes(width), 11)
    network = convert_reference_checkpoint(state)
    assert network.width == width
    assert not network.training
    expected = reference_forward(state, *cutouts)
    assert relative_error(outputs(network, cutouts), expected) < 1e-5


def test_input_channels_are_inferred():
    network = convert_reference_checkpoint(reference_state(reference_shapes(1, 2), 0))
    assert network.config['in_channels'] == 2


@pytest.mark.parametrize('zipped', [True, False])
def test_from_a_file(tmp_path, state, zipped):
    path = tmp_path / 'scanmap.pth'
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    expected = convert_reference_checkpoint(state)
    for given in (path, str(path)):
        assert same_state(convert_reference_checkpoint(given), expected)


@pytest.mark.parametrize('key', ['state_dict', 'model_state_dict', 'model', None])
@pytest.mark.parametrize('prefix', ['module.', ''])
def test_wrapped(state, key, prefix):
    wrapped = {prefix + name: tensor for name, tensor in state.items()}
    if key:
        wrapped = {key: wrapped, 'epoch': 3}
    expected = convert_reference_checkpoint(state)
    assert same_state(convert_reference_checkpoint(wrapped), expected)


def test_arrays_and_other_precisions(state):
    expected = convert_reference_checkpoint(state)
    arrays = {name: tensor.numpy() for name, tensor in state.items()}
    assert same_state(convert_reference_checkpoint(arrays), expected)
    double = {n: t.double() if t.ndim else t for n, t in state.items()}
    converted = convert_reference_checkpoint(double)
    assert same_state(converted, expected)
    assert {p.dtype for p in converted.parameters()} == {torch.float32}


def test_masks_and_counters_may_be_left_out(state):
    short = {n: t for n, t in state.items() if 'mask_conv' not in n and t.ndim}
    assert len(short) < len(state) - 22
    expected = convert_reference_checkpoint(state)
    assert same_state(convert_reference_checkpoint(short), expected)


def test_input_and_random_state_are_left_alone(state):
    before = {name: tensor.clone() for name, tensor in state.items()}
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    network = convert_reference_checkpoint(state)
    assert torch.equal(torch.rand(3), expected)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1)
    assert all(torch.equal(before[name], state[name]) for name in state)


@pytest.mark.parametrize(
    ('change', 'match'),
    [
        ({'e3.bn.bias': None}, r'missing tensors \(1\): e3\.bn\.bias'),
        ({'d12.bn.bias': torch.ones(2)}, r'unexpected tensors \(1\): d12\.bn\.bias'),
        (
            {'d4.bn.weight': torch.ones(3)},
            r'wrong shape \(1\): d4\.bn\.weight: \(3,\), expected \(16,\)',
        ),
        (
            {'d11.conv.mask_conv.weight': torch.zeros(4, 1, 3, 3)},
            r'mask kernels that are not all ones \(1\): d11',
        ),
        ({'e1.conv.input_conv.weight': None}, 'has no tensor'),
        ({'e1.conv.input_conv.weight': torch.ones(4)}, 'must have four axes'),
        # Another width in the first layer makes all the others wrong.
        ({'e1.conv.input_conv.weight': torch.ones(99, 1, 3, 3)}, 'wrong shape'),
        ({'e1.conv.input_conv.weight': torch.ones(9999, 1, 3, 3)}, 'at most 256'),
        ({'e1.bn.bias': torch.tensor([0.0, np.nan])}, 'e1.bn.bias.* NaN or infinity'),
        ({'e1.bn.bias': 'text'}, "tensors only, but 'e1.bn.bias' is a str"),
    ],
)
def test_refused_state_dicts(state, change, match):
    changed = {**state, **change}
    changed = {name: tensor for name, tensor in changed.items() if tensor is not None}
    with pytest.raises(ValueError, match=match):
        convert_reference_checkpoint(changed)


def test_refused_inputs(tmp_path):
    with pytest.raises(TypeError, match='path or a state dict, got int'):
        convert_reference_checkpoint(3)
    with pytest.raises(ValueError, match='it has nothing'):
        convert_reference_checkpoint({})
    with pytest.raises(FileNotFoundError, match=r"no checkpoint '.*nowhere\.pth'"):
        convert_reference_checkpoint(tmp_path / 'nowhere.pth')
    path = tmp_path / 'list.pth'
    torch.save([torch.ones(3)], path)
    with pytest.raises(ValueError, match='must hold a state dict, got list'):
        convert_reference_checkpoint(path)


def test_damaged_file(tmp_path, state):
    path = tmp_path / 'scanmap.pth'
    torch.save(state, path)
    content = path.read_bytes()
    for damaged in (
        b'',
        b'no checkpoint',
        content[:2000],
        content[: len(content) // 2],
    ):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match='could not be read as a checkpoint'):
            convert_reference_checkpoint(path)


class Payload:
    """Something that creates a file when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def test_nothing_is_unpickled(tmp_path, state):
    marker = tmp_path / 'marker'
    payload = Payload(marker)
    pickle.loads(pickle.dumps(payload))
    assert marker.exists()  # the payload works
    marker.unlink()

    path = tmp_path / 'scanmap.pth'
    for content in (payload, {**state, 'e1.bn.bias': payload}, {'model': payload}):
        path.write_bytes(pickle.dumps(content))
        with pytest.raises(ValueError, match='a pickle can run any code'):
            convert_reference_checkpoint(path)
        for zipped in (True, False):
            torch.save(content, path, _use_new_zipfile_serialization=zipped)
            with pytest.raises(ValueError, match='a pickle can run any code'):
                convert_reference_checkpoint(path)
    assert not marker.exists()


@pytest.mark.parametrize('mode', ['scanmap', 'parallel'])
def test_write(tmp_path, state, cutouts, mode):
    source = tmp_path / f'{mode}.pth'
    destination = tmp_path / 'converted.safetensors'
    torch.save(state, source)
    card = write_converted_checkpoint(source, destination, name='ours', mode=mode)
    model = load_model(destination)
    assert model.card == card
    assert card.name == 'ours'
    assert card.normalisation == {'name': 'minmax'}
    assert card.setups == (f'{mode}/blue', f'{mode}/green', f'{mode}/red')
    assert card.architecture['decoder_activation'] == 'relu'
    assert card.recipe == {
        'converted_from': f'{mode}.pth',
        'checkpoint_sha256': hashlib.sha256(source.read_bytes()).hexdigest(),
    }
    # Nothing is lost: the file is in float32 unless asked otherwise.
    assert same_state(model.network, convert_reference_checkpoint(state))
    expected = reference_forward(state, *cutouts)
    assert relative_error(outputs(model.network, cutouts), expected) < 1e-5


def test_write_refuses(tmp_path, state):
    source = tmp_path / 'scanmap.pth'
    destination = tmp_path / 'converted.safetensors'
    torch.save(state, source)
    with pytest.raises(ValueError, match=r"\['scanmap', 'parallel'\], got 'fast'"):
        write_converted_checkpoint(source, destination, name='x', mode='fast')
    assert not destination.exists()
    write_converted_checkpoint(source, destination, name='x', mode='scanmap')
    with pytest.raises(FileExistsError, match='overwrite=True'):
        write_converted_checkpoint(source, destination, name='y', mode='scanmap')
    assert load_model(destination).name == 'x'
    write_converted_checkpoint(
        source, destination, name='y', mode='scanmap', dtype='float16', overwrite=True
    )
    assert load_model(destination).name == 'y'
