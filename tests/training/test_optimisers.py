# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the optimiser, the learning rate and the averaged weights.
"""

import numpy as np
import pytest
import torch

from photutils_pconv.training import OptimiserConfig
from photutils_pconv.training.optimisers import (
    WeightAverage,
    make_optimiser,
    make_schedule,
    rate_factor,
)


@pytest.fixture
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))


def test_paper(network):
    config = OptimiserConfig()
    optimiser = make_optimiser(network, config)
    assert type(optimiser) is torch.optim.Adam
    group = optimiser.param_groups[0]
    assert (group['lr'], group['betas'], group['weight_decay']) == (
        0.005,
        (0.9, 0.999),
        0,
    )
    schedule = make_schedule(optimiser, config, 100)
    rates = []
    for loss in [3, 2, *[2.5] * 14]:
        schedule.step(loss)
        rates.append(group['lr'])
    # Halved after more than five epochs without a better loss.
    assert rates == [0.005] * 7 + [0.0025] * 6 + [0.00125] * 3


def test_adamw(network):
    config = OptimiserConfig(name='adamw', weight_decay=0.1, betas=(0.8, 0.9))
    optimiser = make_optimiser(network, config)
    assert type(optimiser) is torch.optim.AdamW
    assert optimiser.param_groups[0]['weight_decay'] == 0.1
    assert optimiser.param_groups[0]['betas'] == (0.8, 0.9)


def test_cosine(network):
    config = OptimiserConfig(
        schedule='cosine', learning_rate=0.1, minimum_rate=0.01, warm_up=0.2
    )
    optimiser = make_optimiser(network, config)
    schedule = make_schedule(optimiser, config, 50)
    rates = []
    for _ in range(51):
        rates.append(optimiser.param_groups[0]['lr'])
        optimiser.step()
        schedule.step()
    np.testing.assert_allclose(rates[:10], 0.1 * np.arange(1, 11) / 10)
    cosine = 0.01 + 0.09 * 0.5 * (1 + np.cos(np.pi * np.arange(41) / 40))
    np.testing.assert_allclose(rates[10:], cosine)


def test_constant():
    config = OptimiserConfig(schedule='constant', warm_up=0.1)
    factors = [rate_factor(step, 20, config) for step in range(30)]
    assert factors == [0.5] + [1.0] * 29


def test_linear():
    config = OptimiserConfig(
        schedule='linear',
        learning_rate=0.1,
        minimum_rate=0.02,
        warm_up=0.2,
        decay_start=0.5,
    )
    factors = [rate_factor(step, 10, config) for step in range(12)]
    expected = [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.84, 0.68, 0.52, 0.36, 0.2, 0.2]
    np.testing.assert_allclose(factors, expected)


def test_average(network):
    average = WeightAverage(network, 0.9)
    expected = network[0].weight.detach().clone()
    for k in range(100):
        with torch.no_grad():
            network[0].weight.fill_(float(k))
        network[1].num_batches_tracked.fill_(k)
        average.update(network)
        decay = min(0.9, (1 + k) / (10 + k))
        expected = decay * expected + (1 - decay) * k
    torch.testing.assert_close(average.weights['0.weight'], expected)
    # After long, a mean over the last ten or so.
    assert float(expected[0, 0]) == pytest.approx(99 - 9, abs=0.2)
    assert int(average.weights['1.num_batches_tracked']) == 99

    other = WeightAverage(network, 0.9)
    other.load_state_dict(average.state_dict())
    for a in (average, other):
        a.update(network)
    assert other.n_updates == 101
    for name, tensor in average.weights.items():
        assert torch.equal(tensor, other.weights[name])
