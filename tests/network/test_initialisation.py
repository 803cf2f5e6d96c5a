# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of new networks that leave the global random numbers alone.
"""

import numpy as np
import pytest
import torch

from photutils_pconv.network.architectures import build_network
from photutils_pconv.network.initialisation import (
    build_blank,
    build_seeded,
    list_shapes,
)

ARCHITECTURES = [
    {
        'class': 'PConvUNet',
        'width': 2,
        'decoder_activation': 'relu',
        'in_channels': 2,
    },
    {
        'class': 'FilledUNet',
        'width': 3,
        'blocks': 2,
        'fill': 'given',
        'decoder_activation': 'leaky_relu',
        'in_channels': 3,
        'turns': 4,
    },
]


@pytest.fixture(params=ARCHITECTURES, ids=lambda one: one['class'])
def architecture(request):
    return request.param


def state_of(network):
    buffers = {f'buffer {name}': tensor for name, tensor in network.named_buffers()}
    return {**network.state_dict(), **buffers}


@pytest.mark.parametrize('seed', [0, 5, 2**63 - 1])
def test_the_weights_are_those_of_the_seed(architecture, seed):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        expected = build_network(architecture)
    state = torch.get_rng_state()
    network = build_seeded(architecture, seed)
    assert torch.equal(torch.get_rng_state(), state)
    found = state_of(network)
    assert list(found) == list(state_of(expected))
    for name, tensor in state_of(expected).items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)
    learnt = [one.requires_grad for one in network.parameters()]
    assert learnt == [True] * len(list(expected.parameters()))


def test_the_default_type_is_kept(architecture):
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            expected = build_network(architecture)
        network = build_seeded(architecture, 3)
    finally:
        torch.set_default_dtype(before)
    for name, tensor in state_of(expected).items():
        assert state_of(network)[name].dtype == tensor.dtype
        assert torch.equal(state_of(network)[name], tensor)


def test_a_blank_network_becomes_what_is_loaded(architecture):
    expected = build_seeded(architecture, 1)
    state = torch.get_rng_state()
    network = build_blank(architecture)
    network.load_state_dict(expected.state_dict())
    assert torch.equal(torch.get_rng_state(), state)
    rng = np.random.default_rng(2)
    shape = (2, architecture['in_channels'], 96, 96)
    image = torch.from_numpy(rng.normal(size=shape).astype(np.float32))
    validity = torch.ones((2, 1, 96, 96))
    validity[..., 30:50, 40:56] = 0
    with torch.no_grad():
        outputs = [one.eval()(image, validity) for one in (network, expected)]
    assert torch.equal(*outputs)


def test_shapes(architecture):
    state = build_seeded(architecture, 0).state_dict()
    expected = {name: tuple(tensor.shape) for name, tensor in state.items()}
    assert list_shapes(architecture) == expected
