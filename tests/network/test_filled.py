# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the filled module.
"""

import numpy as np
import pytest
import torch

from photutils_pconv.network import FilledUNet, ModelCard, load_model, save_model
from photutils_pconv.network.architectures import build_network
from photutils_pconv.network.filled import smooth_fill


def make_network(*, seed=0, **options):
    """Make a small network that does more than the smooth fill."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = FilledUNet(**{'width': 4, **options}).eval()
        with torch.no_grad():
            for parameter in network.parameters():
                if not parameter.any():
                    parameter.normal_(0, 0.05)
    return network


def make_input(*, n=3, size=64, channels=1, seed=0):
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(n, channels, size, size)).astype(np.float32)
    validity = np.ones((n, 1, size, size), dtype=np.float32)
    yy, xx = np.indices((size, size)) - size / 2
    for i in range(n):
        validity[i, 0, np.hypot(yy, xx) <= 4 + 5 * i] = 0
    return torch.from_numpy(image), torch.from_numpy(validity)


def apply(network, image, validity):
    with torch.no_grad():
        return network(image, validity)


class TestSmoothFill:
    def test_usable_pixels_stay_and_holes_lie_between_their_neighbours(self):
        image, validity = make_input()
        filled = smooth_fill(image, validity)
        assert torch.equal(filled[validity == 1], image[validity == 1])
        assert filled[validity == 0].abs().max() < image.abs().max()

    @pytest.mark.parametrize('value', [0.0, 1.0, -250.0])
    def test_a_flat_image_stays_flat(self, value):
        _, validity = make_input()
        image = torch.full_like(validity, value)
        filled = smooth_fill(image, validity)
        assert torch.allclose(filled, image, rtol=1e-5)

    def test_a_plane_comes_back_where_the_hole_is_symmetric(self):
        size = 64
        yy, xx = np.indices((size, size)) - (size - 1) / 2
        image = torch.from_numpy((0.1 * xx - 0.05 * yy).astype(np.float32))[None, None]
        validity = torch.from_numpy((np.hypot(xx, yy) > 8).astype(np.float32))
        validity = validity[None, None]
        filled = smooth_fill(image, validity)
        error = (filled - image)[validity == 0]
        # An annulus would be off by up to 0.8 at the rim.
        assert error.abs().max() < 0.3
        assert abs(float(error.mean())) < 1e-3

    def test_values_in_holes_have_no_influence(self):
        image, validity = make_input()
        other = torch.where(validity > 0, image, 1.0e6)
        assert torch.equal(smooth_fill(image, validity), smooth_fill(other, validity))

    def test_nothing_usable(self):
        image, validity = make_input()
        assert not smooth_fill(image, 0 * validity).any()


@pytest.mark.parametrize('shape', [(48, 64), (80, 32)])
def test_smooth_fill_is_a_pyramid_of_convolutions(shape):
    """The same with torch's own convolutions and interpolation."""
    generator = torch.Generator().manual_seed(5)
    image = torch.randn(3, 1, *shape, generator=generator)
    validity = (torch.rand(3, 1, *shape, generator=generator) > 0.2).float()
    validity[:, :, 8:24, 10:26] = 0.0
    line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8.0
    kernel = torch.outer(line, line)[None, None]

    def fill(image, validity):
        if min(image.shape[2:]) <= 4:
            return image
        share, total = (
            torch.nn.functional.conv2d(one, kernel, stride=2, padding=1)
            for one in (validity, image * validity)
        )
        coarse = fill(total / share.clamp(min=1e-6), share.clamp(max=0.5) * 2.0)
        coarse = torch.nn.functional.interpolate(
            coarse, size=image.shape[2:], mode='bilinear', align_corners=False
        )
        return validity * image + (1.0 - validity) * coarse

    found = smooth_fill(image, validity)
    torch.testing.assert_close(found, fill(image * validity, validity))


class TestNetwork:
    def test_a_new_network_is_the_smooth_fill(self):
        image, validity = make_input()
        network = FilledUNet(width=4).eval()
        assert torch.equal(
            apply(network, image, validity), smooth_fill(image, validity)
        )

    @pytest.mark.parametrize('channels', [1, 2])
    def test_values_in_holes_have_no_influence(self, channels):
        network = make_network(in_channels=channels)
        image, validity = make_input(channels=channels)
        other = torch.where(validity > 0, image, 1.0e3)
        expected = apply(network, image, validity)
        assert torch.allclose(apply(network, other, validity), expected, atol=1e-5)
        # What can be seen does matter.
        changed = apply(network, image + validity, validity)
        assert (changed - expected)[validity == 0].abs().max() > 1e-2

    @pytest.mark.parametrize('size', [32, 64, 96, 112])
    def test_any_size(self, size):
        image, validity = make_input(size=size)
        assert apply(make_network(), image, validity).shape == (3, 1, size, size)

    def test_batch_size_does_not_matter(self):
        network = make_network()
        image, validity = make_input()
        together = apply(network, image, validity)
        alone = torch.cat(
            [
                apply(network, image[i : i + 1], validity[i : i + 1])
                for i in range(len(image))
            ]
        )
        assert torch.allclose(together, alone, atol=1e-5)

    def test_config_rebuilds_it(self):
        network = FilledUNet(width=5, blocks=2, in_channels=2, turns=2)
        again = build_network({'class': 'FilledUNet', **network.config})
        assert again.turns == 2
        shapes = {k: v.shape for k, v in network.state_dict().items()}
        assert {k: v.shape for k, v in again.state_dict().items()} == shapes

    @pytest.mark.parametrize('size', [16, 40, 100])
    def test_sizes_that_do_not_fit(self, size):
        image, validity = make_input(size=size)
        with pytest.raises(ValueError, match='multiples of 16 and at least 32'):
            make_network()(image, validity)

    def test_other_input_that_does_not_fit(self):
        image, validity = make_input(channels=2)
        with pytest.raises(ValueError, match=r'\(N, 1, H, W\), got \(3, 2, 64, 64\)'):
            make_network()(image, validity)
        with pytest.raises(ValueError, match='validity must have the shape'):
            make_network(in_channels=2)(image, image)

    @pytest.mark.parametrize('name', ['width', 'blocks', 'in_channels', 'turns'])
    @pytest.mark.parametrize('value', [0, 1.5, '4'])
    def test_bad_arguments(self, name, value):
        with pytest.raises(ValueError, match=f'{name} must be a positive integer'):
            FilledUNet(**{name: value})

    def test_too_many_turns(self):
        with pytest.raises(ValueError, match='turns must be at most 4, got 5'):
            FilledUNet(turns=5)

    def test_unknown_class(self):
        with pytest.raises(ValueError, match='must be one of'):
            build_network({'class': 'UNet', 'width': 3})


def test_weights_file(tmp_path):
    network = make_network(in_channels=2)
    card = ModelCard(
        name='filled',
        architecture={'class': 'FilledUNet', **network.config},
        normalisation={'name': 'robust', 'wings': True},
        cutout_size=64,
    )
    path = tmp_path / 'filled.safetensors'
    save_model(path, network, card, dtype='float32')
    loaded = load_model(path)
    assert loaded.card.architecture == card.architecture
    image, validity = make_input(channels=2)
    assert torch.equal(
        apply(loaded.network, image, validity), apply(network, image, validity)
    )
    with pytest.raises(ValueError, match='multiple of 16 and at least 32'):
        ModelCard(
            name='filled',
            architecture=card.architecture,
            normalisation=card.normalisation,
            cutout_size=40,
        )


@pytest.mark.parametrize('size', [64, 96])
@pytest.mark.parametrize('reach', [3, 14, 21, 60])
@pytest.mark.parametrize('blocks', [1, 2])
def test_middle_alone(size, reach, blocks):
    network = make_network(width=4, blocks=blocks)
    image, validity = make_input(size=size)
    whole = apply(network, image, validity)
    with torch.inference_mode():
        middle = network(image, validity, reach=reach)
        fill = smooth_fill(image, validity)
    near = slice(max(size // 2 - reach, 0), size // 2 + reach)
    torch.testing.assert_close(
        middle[:, :, near, near], whole[:, :, near, near], rtol=1e-5, atol=1e-6
    )
    # The network does more than to fill.
    assert (whole - fill)[:, :, near, near].std() > 0.01
    if reach < size // 2 - 1:
        torch.testing.assert_close(middle[:, :, 0], fill[:, :, 0])
