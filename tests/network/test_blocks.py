# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the blocks module.
"""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from photutils_pconv.network.blocks import (
    PartialConv2d,
    PartialConvTranspose2d,
    PCDown,
    PCUp,
    make_activation,
)

GEOMETRIES = [(3, 1, 1), (4, 2, 1), (3, 1, 0)]
BRANCHES = [(1,), (3,), (2, 3)]


def make_branches(channels, shape, *, seed=0, fraction=0.6):
    rng = np.random.default_rng(seed)
    branches = []
    for count in channels:
        features = rng.normal(size=(2, count, *shape)).astype(np.float32)
        validity = (rng.random((2, 1, *shape)) < fraction).astype(np.float32)
        # A corner without any valid pixel, so that empty windows occur.
        validity[..., :4, :4] = 0.0
        branches.append((torch.from_numpy(features), torch.from_numpy(validity)))
    return branches


def make_layer(cls, channels, geometry, *, bias=True, seed=1):
    layer = cls(channels, 2, *geometry, bias=bias)
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for parameter in layer.parameters():
            values = rng.normal(size=tuple(parameter.shape)).astype(np.float32)
            parameter.copy_(torch.from_numpy(values))
    return layer


def expand(branches):
    """Give features and one validity channel a feature, in float64."""
    features = np.concatenate([f.numpy() for f, _ in branches], axis=1)
    validity = [np.repeat(v.numpy(), f.shape[1], axis=1) for f, v in branches]
    return features.astype(float), np.concatenate(validity, axis=1).astype(float)


def loop_conv(features, validity, weight, bias, stride, padding):
    """Compute a partial convolution pixel by pixel."""
    n_images, _, height, width = features.shape
    n_out, n_in, k, _ = weight.shape
    ny = (height + 2 * padding - k) // stride + 1
    nx = (width + 2 * padding - k) // stride + 1
    out = np.zeros((n_images, n_out, ny, nx))
    valid = np.zeros((n_images, 1, ny, nx))
    for n, i, j in np.ndindex(n_images, ny, nx):
        total = np.zeros(n_out)
        count = 0.0
        for a, b in np.ndindex(k, k):
            y, x = i * stride - padding + a, j * stride - padding + b
            if 0 <= y < height and 0 <= x < width:
                m = validity[n, :, y, x]
                total += weight[:, :, a, b] @ (features[n, :, y, x] * m)
                count += m.sum()
        if count:
            out[n, :, i, j] = total * n_in * k * k / count + bias
            valid[n, 0, i, j] = 1.0
    return out, valid


def loop_conv_transpose(features, validity, weight, bias, stride, padding):
    """Compute a transposed partial convolution by scattering each pixel."""
    n_images, n_in, height, width = features.shape
    _, n_out, k, _ = weight.shape
    ny = (height - 1) * stride + k
    nx = (width - 1) * stride + k
    total = np.zeros((n_images, n_out, ny, nx))
    count = np.zeros((n_images, ny, nx))
    everything = np.zeros((ny, nx))
    for n, y, x in np.ndindex(n_images, height, width):
        for a, b in np.ndindex(k, k):
            i, j = y * stride + a, x * stride + b
            m = validity[n, :, y, x]
            total[n, :, i, j] += weight[:, :, a, b].T @ (features[n, :, y, x] * m)
            count[n, i, j] += m.sum()
            everything[i, j] += n_in / n_images
    # What an interior output pixel sees when all is valid.
    window = everything.max()
    inside = slice(padding, -padding if padding else None)
    total, count = total[..., inside, inside], count[..., inside, inside]
    valid = (count > 0)[:, np.newaxis]
    scale = window / np.maximum(count, 1)[:, np.newaxis]
    return np.where(valid, total * scale + bias[:, None, None], 0.0), valid


@pytest.mark.parametrize('geometry', GEOMETRIES)
@pytest.mark.parametrize('channels', BRANCHES)
@pytest.mark.parametrize(
    ('cls', 'loop'),
    [(PartialConv2d, loop_conv), (PartialConvTranspose2d, loop_conv_transpose)],
)
def test_against_loops(cls, loop, channels, geometry):
    branches = make_branches(channels, (8, 10))
    layer = make_layer(cls, channels, geometry)
    with torch.no_grad():
        out, validity = layer(*branches)
    weight = layer.weight.detach().numpy().astype(float)
    bias = layer.bias.detach().numpy().astype(float)
    expected, valid = loop(*expand(branches), weight, bias, *geometry[1:])
    np.testing.assert_array_equal(validity.numpy(), valid)
    assert 0 < valid.mean() < 1
    np.testing.assert_allclose(out.numpy(), expected, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize('geometry', GEOMETRIES)
def test_all_valid_is_a_convolution(geometry):
    _, stride, padding = geometry
    ((features, _),) = make_branches((3,), (12, 12))
    layer = make_layer(PartialConv2d, (3,), geometry)
    with torch.no_grad():
        out, validity = layer((features, torch.ones(2, 1, 12, 12)))
        plain = F.conv2d(
            features, layer.weight, layer.bias, stride=stride, padding=padding
        )
    assert (validity == 1).all()
    torch.testing.assert_close(out[..., 1:-1, 1:-1], plain[..., 1:-1, 1:-1])
    if padding:
        # At the rim the padding counts as missing, unlike a convolution's.
        assert not torch.allclose(out[..., 0, :], plain[..., 0, :], rtol=1e-3)


@pytest.mark.parametrize('geometry', GEOMETRIES)
def test_all_valid_is_a_transposed_convolution(geometry):
    _, stride, padding = geometry
    ((features, _),) = make_branches((3,), (12, 12))
    layer = make_layer(PartialConvTranspose2d, (3,), geometry)
    with torch.no_grad():
        out, _ = layer((features, torch.ones(2, 1, 12, 12)))
        plain = F.conv_transpose2d(
            features, layer.weight, layer.bias, stride=stride, padding=padding
        )
    torch.testing.assert_close(out[..., 2:-2, 2:-2], plain[..., 2:-2, 2:-2])


@pytest.mark.parametrize('cls', [PartialConv2d, PartialConvTranspose2d])
def test_values_under_holes_have_no_influence(cls):
    branches = make_branches((2, 3), (8, 8))
    layer = make_layer(cls, (2, 3), (3, 1, 1))
    other = [(torch.where(v > 0, f, 1e6 - 7 * f), v) for f, v in branches]
    with torch.no_grad():
        assert torch.equal(layer(*branches)[0], layer(*other)[0])


@pytest.mark.parametrize('cls', [PartialConv2d, PartialConvTranspose2d])
def test_gradients_stop_at_holes(cls):
    ((features, validity),) = make_branches((2,), (8, 8))
    features.requires_grad_()
    layer = make_layer(cls, (2,), (4, 2, 1))
    layer((features, validity))[0].square().sum().backward()
    gradient = features.grad
    holes = (validity == 0).expand_as(gradient)
    assert torch.isfinite(gradient).all()
    assert (gradient[holes] == 0).all()
    assert (gradient[~holes] != 0).any()


@pytest.mark.parametrize('cls', [PartialConv2d, PartialConvTranspose2d])
def test_nothing_valid(cls):
    layer = make_layer(cls, (2,), (3, 1, 1))
    with torch.no_grad():
        out, validity = layer((torch.ones(1, 2, 6, 6), torch.zeros(1, 1, 6, 6)))
    assert (out == 0).all()
    assert (validity == 0).all()


def test_validity_grows_by_the_window():
    validity = torch.zeros(1, 1, 9, 9)
    validity[..., 4, 4] = 1
    layer = make_layer(PartialConv2d, (1,), (3, 1, 1))
    with torch.no_grad():
        _, validity = layer((torch.ones(1, 1, 9, 9), validity))
    expected = np.zeros((9, 9))
    expected[3:6, 3:6] = 1
    np.testing.assert_array_equal(validity[0, 0].numpy(), expected)


def test_counts_are_exact_in_reduced_precision():
    # 2 x 512 channels: a bfloat16 count would be off by up to 16.
    branches = make_branches((512, 512), (6, 6))
    layer = PartialConv2d((512, 512), 1, 3, 1, 1)
    with torch.no_grad():
        expected, validity = layer(*branches)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            out, reduced = layer(*branches)
    assert out.dtype is torch.bfloat16
    assert reduced.dtype is torch.float32
    assert torch.equal(reduced, validity)
    assert (out.float() - expected).abs().max() < 0.03 * expected.abs().max()


@pytest.mark.parametrize(
    ('cls', 'geometry', 'window'),
    [
        (PartialConv2d, (3, 1, 1), 45),
        (PartialConv2d, (4, 2, 1), 80),
        (PartialConvTranspose2d, (3, 1, 1), 45),
        (PartialConvTranspose2d, (4, 2, 1), 20),
    ],
)
def test_window(cls, geometry, window):
    layer = cls((2, 3), 4, *geometry)
    assert layer.window == window


def test_nothing_but_weights_is_stored():
    assert set(PartialConv2d((2,), 4, 3, 1, 1).state_dict()) == {'weight'}
    layer = PartialConvTranspose2d((2,), 4, 3, 1, 1, bias=True)
    assert set(layer.state_dict()) == {'weight', 'bias'}


def test_layer_repr():
    text = repr(PartialConv2d((2, 3), 4, 3, 1, 1))
    assert '(2, 3), 4, kernel_size=3, stride=1, padding=1, bias=False' in text


def test_blocks_are_conv_norm_activation():
    branch, other = make_branches((3, 3), (8, 8))
    for block, args in (
        (PCDown(3, 4, 3, 1, 1).eval(), (branch,)),
        (PCUp((3, 3), 4, 3, 1, 1).eval(), (branch, other)),
    ):
        rng = np.random.default_rng(5)
        mean, var, gain, shift = torch.from_numpy(
            rng.uniform(0.5, 1.5, (4, 4)).astype(np.float32)
        )
        with torch.no_grad():
            block.bn.running_mean.copy_(mean)
            block.bn.running_var.copy_(var)
            block.bn.weight.copy_(gain)
            block.bn.bias.copy_(shift)
            out, validity = block(*args)
            plain, expected_validity = block.conv(*args)
        plain = plain.numpy().transpose(0, 2, 3, 1).astype(float)
        plain = (plain - mean.numpy()) / np.sqrt(var.numpy() + 1e-5)
        plain = plain * gain.numpy() + shift.numpy()
        slope = 0.0 if isinstance(block, PCDown) else 0.2
        expected = np.where(plain > 0, plain, slope * plain).transpose(0, 3, 1, 2)
        np.testing.assert_allclose(out.numpy(), expected, rtol=1e-4, atol=1e-5)
        assert torch.equal(validity, expected_validity)


def test_final_block_is_linear():
    (branch,) = make_branches((3,), (8, 8))
    block = PCUp((3,), 1, 3, 1, 1, final=True)
    with torch.no_grad():
        out, _ = block(branch)
        expected, _ = block.conv(branch)
    assert torch.equal(out, expected)
    assert block.conv.bias is not None


@pytest.mark.parametrize(
    ('name', 'expected'),
    [('relu', 0.0), ('leaky_relu', -0.4), ('identity', -2.0)],
)
def test_activation(name, expected):
    value = make_activation(name)(torch.tensor([-2.0, 3.0]))
    np.testing.assert_allclose(value.numpy(), [expected, 3.0], rtol=1e-6)


def test_unknown_activation():
    with pytest.raises(ValueError, match=r"leaky_relu.*got 'gelu'"):
        make_activation('gelu')
