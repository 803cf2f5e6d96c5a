# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The optimiser, the schedule of its learning rate, and averaged weights.
"""

import math
from contextlib import contextmanager

import torch

__all__ = ['WeightAverage', 'make_optimiser', 'make_schedule', 'rate_factor']


def make_optimiser(network, config):
    """
    Make the optimiser of a network.

    Parameters
    ----------
    network : `torch.nn.Module`
        The network; what is frozen is left out.

    config : `~photutils_pconv.training.OptimiserConfig`
        The configuration.

    Returns
    -------
    optimiser : `torch.optim.Optimizer`
        Adam or AdamW.
    """
    kinds = {'adam': torch.optim.Adam, 'adamw': torch.optim.AdamW}
    return kinds[config.name](
        [one for one in network.parameters() if one.requires_grad],
        lr=config.learning_rate,
        betas=config.betas,
        weight_decay=config.weight_decay,
    )


def rate_factor(step, n_steps, config):
    """
    Compute the learning rate of a step over the configured one.

    Parameters
    ----------
    step : int
        The step, from 0.

    n_steps : int
        The number of steps of the whole run.

    config : `~photutils_pconv.training.OptimiserConfig`
        The configuration, with any schedule but 'plateau'.

    Returns
    -------
    factor : float
        Rising linearly over the warm-up, then falling as half a cosine,
        or constant, for 'linear' until the decay begins.
    """
    warm_up = round(config.warm_up * n_steps)
    if step < warm_up:
        return (step + 1) / warm_up
    if config.schedule == 'constant':
        return 1.0
    floor = config.minimum_rate / config.learning_rate
    if config.schedule == 'linear':
        start = int(config.decay_start * n_steps)
        left = (n_steps - step) / max(n_steps - start, 1)
        return floor + (1.0 - floor) * min(max(left, 0.0), 1.0)
    phase = (step - warm_up) / max(n_steps - warm_up, 1)
    return floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * min(phase, 1.0)))


def make_schedule(optimiser, config, n_steps):
    """
    Make the schedule of the learning rate.

    Parameters
    ----------
    optimiser : `torch.optim.Optimizer`
        The optimiser.

    config : `~photutils_pconv.training.OptimiserConfig`
        The configuration.

    n_steps : int
        The number of steps of the whole run.

    Returns
    -------
    schedule : `torch.optim.lr_scheduler.LRScheduler`
        To be stepped with the validation loss after each epoch
        ('plateau'), or after each step.
    """
    if config.schedule == 'plateau':
        return torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimiser,
            patience=config.patience,
            factor=config.factor,
            min_lr=config.minimum_rate,
        )
    return torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: rate_factor(step, n_steps, config)
    )


class WeightAverage:
    """
    An exponential moving average of a network's weights.

    Early on the decay is (1 + n) / (10 + n) after n updates, so that the
    random weights of the start are soon forgotten.

    Parameters
    ----------
    network : `torch.nn.Module`
        The network.

    decay : float
        The decay an update.
    """

    def __init__(self, network, decay):
        self.decay = decay
        self.n_updates = 0
        self.weights = {
            name: tensor.detach().clone()
            for name, tensor in network.state_dict().items()
        }

    @torch.no_grad()
    def update(self, network):
        """
        Take the network's present weights into the average.

        Parameters
        ----------
        network : `torch.nn.Module`
            The network.
        """
        decay = min(self.decay, (1 + self.n_updates) / (10 + self.n_updates))
        self.n_updates += 1
        for name, tensor in network.state_dict().items():
            average = self.weights[name]
            if average.is_floating_point():
                average.lerp_(tensor, 1.0 - decay)
            else:
                average.copy_(tensor)

    @contextmanager
    def put_into(self, network):
        """
        Put the averaged weights into the network for a while.

        Parameters
        ----------
        network : `torch.nn.Module`
            The network.
        """
        live = {name: t.clone() for name, t in network.state_dict().items()}
        network.load_state_dict(self.weights)
        try:
            yield
        finally:
            network.load_state_dict(live)

    def state_dict(self):
        """
        Give the state for a checkpoint.

        Returns
        -------
        state : dict
            The number of updates and the averaged weights.
        """
        return {'n_updates': self.n_updates, 'weights': self.weights}

    def load_state_dict(self, state):
        """
        Take up the state of a checkpoint.

        Parameters
        ----------
        state : dict
            What `state_dict` gave.
        """
        self.n_updates = state['n_updates']
        for name, tensor in self.weights.items():
            tensor.copy_(state['weights'][name])
