# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the unet module.
"""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from photutils_pconv.network.unet import PConvUNet

# Table 4 of the paper.
ENCODER_CHANNELS = (32, 64, 64, 128, 128, 256, 256, 512, 512, 512, 512)
DECODER_CHANNELS = (512, 512, 512, 256, 256, 128, 128, 64, 64, 32, 1)
KERNELS = (3, 4, 3, 4, 3, 4, 3, 4, 3, 4, 3)


def make_network(*, seed=0, **kwargs):
    """Make a small network whose batch norms are not the identity."""
    network = PConvUNet(**{'width': 3, **kwargs})
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith(('bn.weight', 'running_var')):
                tensor.uniform_(0.5, 1.5, generator=generator)
            elif name.endswith(('bias', 'running_mean')):
                tensor.normal_(0, 0.1, generator=generator)
            elif tensor.ndim == 4:
                std = tensor.std().item()
                tensor.normal_(0, std, generator=generator)
    return network.eval()


def make_input(*, n_images=3, shape=(96, 96), channels=1, seed=0):
    """Make images with a hole in the middle and scattered missing pixels."""
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(n_images, channels, *shape)).astype(np.float32)
    validity = (rng.random((n_images, 1, *shape)) > 0.05).astype(np.float32)
    y, x = np.indices(shape) - (np.array(shape) / 2)[:, None, None]
    for i in range(n_images):
        validity[i, 0, np.hypot(y, x) <= 6 + 5 * i] = 0
    return torch.from_numpy(image), torch.from_numpy(validity)


def apply(network, image, validity):
    with torch.no_grad():
        return network(image, validity)


def full_mask_forward(network, image, validity):
    """
    Compute the network with one validity channel a feature.

    This is the textbook form: masks have the shape of the features, and
    pass through a convolution with ones.
    """

    def partial(conv, x, mask, transpose):
        function = F.conv_transpose2d if transpose else F.conv2d
        options = {'stride': conv.stride, 'padding': conv.padding}
        ones = torch.ones_like(conv.weight)
        count = function(mask, ones, **options)
        everything = mask.shape[1] * conv.kernel_size**2
        if transpose:
            everything /= conv.stride**2
        out = function(x * mask, conv.weight, **options)
        out = torch.where(count > 0, out * everything / count.clamp(min=1), 0.0)
        new_mask = (count > 0).to(x.dtype)
        if conv.bias is not None:
            out = out + conv.bias[:, None, None] * new_mask
        return out, new_mask

    def run(block, x, mask, transpose):
        x, mask = partial(block.conv, x, mask, transpose)
        return block.activation(block.bn(x)), mask

    x, mask = image, validity.expand_as(image)
    skips = []
    for block in network.encoder:
        x, mask = run(block, x, mask, False)
        skips.append((x, mask))
    x, mask = run(network.decoder[0], x, mask, True)
    for block, (skip, skip_mask) in zip(
        network.decoder[1:], skips[-2::-1], strict=True
    ):
        x = torch.cat([x, skip], dim=1)
        mask = torch.cat([mask, skip_mask], dim=1)
        x, mask = run(block, x, mask, True)
    return x


def test_architecture_is_table_4():
    with torch.device('meta'):
        network = PConvUNet()
    assert network.width == 32
    found = tuple(block.conv.out_channels for block in network.encoder)
    assert found == ENCODER_CHANNELS
    found = tuple(block.conv.out_channels for block in network.decoder)
    assert found == DECODER_CHANNELS
    for side in (network.encoder, network.decoder):
        assert tuple(block.conv.kernel_size for block in side) == KERNELS
        # Kernels of four have the stride two, in both halves.
        strides = tuple(1 if k == 3 else 2 for k in KERNELS)
        assert tuple(block.conv.stride for block in side) == strides
    # A skip connection brings the encoder's features to each but the first.
    inputs = [block.conv.in_channels for block in network.decoder]
    below = (512, *DECODER_CHANNELS[:-1])
    skipped = (0, *ENCODER_CHANNELS[-2::-1])
    assert inputs == [a + b for a, b in zip(below, skipped, strict=True)]


@pytest.mark.parametrize('width', [1, 3])
def test_width_scales_the_channels(width):
    network = PConvUNet(width=width)
    found = [block.conv.out_channels for block in network.encoder]
    assert found == [c * width // 32 for c in ENCODER_CHANNELS]
    assert network.decoder[-1].conv.out_channels == 1


@pytest.mark.parametrize('activation', ['relu', 'leaky_relu'])
def test_one_validity_channel_a_branch_is_enough(activation):
    network = make_network(decoder_activation=activation)
    image, validity = make_input()
    out = apply(network, image, validity)
    with torch.no_grad():
        expected = full_mask_forward(network, image, validity)
    assert out.std() > 1e-3
    assert (out - expected).abs().max() < 1e-5 * expected.abs().max()


def test_activations_differ():
    image, validity = make_input()
    outputs = []
    for activation, slope in (('relu', 0.0), ('leaky_relu', 0.2)):
        network = make_network(decoder_activation=activation)
        outputs.append(apply(network, image, validity))
        minus_one = network.decoder[0].activation(torch.tensor([-1.0]))
        assert minus_one.item() == pytest.approx(-slope)
        minus_one = network.encoder[0].activation(torch.tensor([-1.0]))
        assert minus_one.item() == 0
    assert not torch.allclose(*outputs)


def test_values_under_holes_have_no_influence():
    network = make_network()
    image, validity = make_input()
    other = torch.where(validity > 0, image, 1e5 * torch.ones_like(image))
    expected = apply(network, image, validity)
    assert torch.equal(apply(network, other, validity), expected)
    # The valid pixels do have one.
    other = torch.where(validity > 0, image + 0.1, image)
    assert not torch.allclose(apply(network, other, validity), expected)


def test_cutouts_of_a_batch_are_independent():
    network = make_network()
    image, validity = make_input(n_images=4)
    expected = apply(network, image, validity)
    scale = expected.abs().max()
    order = torch.tensor([2, 0, 3, 1])
    shuffled = apply(network, image[order], validity[order])
    assert (shuffled - expected[order]).abs().max() < 1e-5 * scale
    for i in range(4):
        single = apply(network, image[i : i + 1], validity[i : i + 1])
        assert (single - expected[i]).abs().max() < 1e-5 * scale


@pytest.mark.parametrize('dtype', [torch.bool, torch.uint8, torch.float64])
def test_validity_of_any_type(dtype):
    network = make_network()
    image, validity = make_input()
    expected = apply(network, image, validity)
    assert torch.equal(apply(network, image, validity.to(dtype)), expected)


def test_nothing_valid():
    network = make_network()
    image, validity = make_input()
    out = apply(network, image, torch.zeros_like(validity))
    assert torch.isfinite(out).all()


def test_gradients_reach_every_parameter():
    network = make_network().train()
    image, validity = make_input()
    network(image, validity).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize('shape', [(96, 96), (128, 128), (160, 96), (96, 192)])
def test_accepted_sizes(shape):
    image, validity = make_input(shape=shape, n_images=2)
    out = apply(make_network(width=2), image, validity)
    assert out.shape == (2, 1, *shape)
    assert torch.isfinite(out).all()


@pytest.mark.parametrize('shape', [(100, 100), (96, 100), (64, 64), (32, 96)])
def test_refused_sizes(shape):
    image, validity = make_input(shape=shape, n_images=1)
    match = r'multiples of 32 and at least 96.*pad the image.*validity 0'
    with pytest.raises(ValueError, match=match):
        apply(make_network(width=1), image, validity)


def test_several_input_channels():
    network = make_network(width=2, in_channels=2)
    image, validity = make_input(channels=2)
    assert apply(network, image, validity).shape == (3, 1, 96, 96)
    with pytest.raises(ValueError, match=r'shape \(N, 2, H, W\), got'):
        apply(network, image[:, :1], validity)


@pytest.mark.parametrize('shape', [(96, 96), (1, 96, 96), (1, 2, 96, 96)])
def test_wrong_image_shape(shape):
    with pytest.raises(ValueError, match=r'shape \(N, 1, H, W\), got'):
        apply(make_network(width=1), torch.zeros(shape), torch.ones(1, 1, 96, 96))


@pytest.mark.parametrize('shape', [(96, 96), (2, 1, 96, 96), (1, 1, 96, 128)])
def test_wrong_validity_shape(shape):
    with pytest.raises(ValueError, match=r'validity must .* \(1, 1, 96, 96\)'):
        apply(make_network(width=1), torch.zeros(1, 1, 96, 96), torch.ones(shape))


@pytest.mark.parametrize('name', ['width', 'in_channels'])
@pytest.mark.parametrize('value', [0, -2, 1.5, '8', None])
def test_wrong_arguments(name, value):
    with pytest.raises(ValueError, match=f'{name} must be a positive integer'):
        PConvUNet(**{name: value})


def test_unknown_activation():
    with pytest.raises(ValueError, match='activation must be one of'):
        PConvUNet(width=1, decoder_activation='gelu')


def test_config_rebuilds_the_network():
    network = make_network(width=2, decoder_activation='relu', in_channels=2)
    twin = PConvUNet(**network.config).eval()
    twin.load_state_dict(network.state_dict())
    image, validity = make_input(channels=2)
    assert torch.equal(apply(twin, image, validity), apply(network, image, validity))


@pytest.mark.parametrize('size', [96, 128])
@pytest.mark.parametrize('reach', [3, 14, 21, 60])
def test_middle_alone(size, reach):
    rng = torch.Generator().manual_seed(4)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        network = PConvUNet(width=2).eval()
    image = torch.rand(2, 1, size, size, generator=rng)
    validity = (torch.rand(2, 1, size, size, generator=rng) > 0.2).float()
    validity[:, :, 40:52, 40:56] = 0.0
    with torch.inference_mode():
        whole = network(image, validity)
        middle = network(image, validity, reach=reach)
    assert middle.shape == whole.shape
    near = slice(max(size // 2 - reach, 0), size // 2 + reach)
    torch.testing.assert_close(
        middle[:, :, near, near], whole[:, :, near, near], rtol=1e-5, atol=1e-6
    )
    if reach < size // 2:
        assert not middle[:, :, 0].any()
