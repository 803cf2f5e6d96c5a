# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Steps of a training that leave no trace: a dry run, and the search of a rate.
"""

import copy
import math
import time
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from photutils_pconv._utils.checks import check_count
from photutils_pconv.training.loading import repeat_batches

__all__ = ['DryRun', 'RateSearch', 'find_rate', 'try_steps']

# The running mean of the losses of a search (by choice: that of some 10 steps), and
# the multiple of its lowest value at which the search ends.
_SMOOTHING = 0.1
_TOO_HIGH = 4.0
# What is suggested is this share of the rate with the lowest loss (Smith 2017,
# arXiv:1506.01186, takes what is well below where the loss rises again).
_SHARE = 0.1


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """
    What a training would take.

    Parameters
    ----------
    n_steps : int
        The steps of an epoch.

    epochs : int
        The epochs.

    first_batch : float
        The time until the first batch was there, in seconds.

    step : float
        The time a step, in seconds, waiting for data included.

    validation : float
        The time of a whole validation, in seconds.
    """

    n_steps: int
    epochs: int
    first_batch: float
    step: float
    validation: float

    @property
    def epoch(self):
        """The time an epoch, in seconds (`float`)."""
        return self.n_steps * self.step + self.validation

    @property
    def whole(self):
        """The time of the whole training, in seconds (`float`)."""
        return self.first_batch + self.epochs * self.epoch

    def __str__(self):
        return (
            f'{self.step:.3g} s a step, {_duration(self.epoch)} an epoch of '
            f'{self.n_steps} steps and a validation, {_duration(self.whole)} for '
            f'{self.epochs} epochs'
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class RateSearch:
    """
    The losses at rising learning rates.

    Parameters
    ----------
    rates, losses : 1D `~numpy.ndarray`
        The rates that were tried, and the running means of the losses.

    suggestion : float
        A tenth of the rate with the lowest loss.
    """

    rates: np.ndarray
    losses: np.ndarray
    suggestion: float


def _duration(seconds):
    if seconds < 120:
        return f'{seconds:.3g} s'
    if seconds < 7200:
        return f'{seconds / 60:.3g} min'
    return f'{seconds / 3600:.3g} h'


@contextmanager
def _without_trace(engine, batches):
    """Put everything back that steps change."""
    before = copy.deepcopy(engine.state_dict())
    place = batches.epoch, batches.first
    try:
        batches.epoch, batches.first = 0, 0
        engine.begin_epoch()
        yield
    finally:
        batches.epoch, batches.first = place
        engine.load_state_dict(before)


def try_steps(engine, loaders, *, n_steps, epochs):
    """
    Take a few steps, and see how long they take.

    Parameters
    ----------
    engine : `~photutils_pconv.training.engine.Engine`
        The engine; its state is put back.

    loaders : tuple
        What `~photutils_pconv.training.loading.make_loaders` gives.

    n_steps : int
        The number of steps; the first one, which is slower, does not count.

    epochs : int
        The number of epochs of the training.

    Returns
    -------
    result : `DryRun`
        What the training would take.
    """
    (loader, batches), (validation_loader, validation) = loaders
    times = []
    with _without_trace(engine, batches):
        start = time.perf_counter()
        for batch in repeat_batches(loader, batches):
            if not times:
                first_batch = time.perf_counter() - start
            engine.train_batch(batch)
            times.append(time.perf_counter() - start)
            if len(times) > n_steps:
                break
        start = time.perf_counter()
        engine.validate([next(iter(validation_loader))])
        one = time.perf_counter() - start
    n_validation = -(-validation.n_batches // validation.n_processes)
    steps = np.diff(times) if len(times) > 1 else np.array(times)
    return DryRun(
        n_steps=batches.n_batches,
        epochs=epochs,
        first_batch=first_batch,
        step=float(np.mean(steps)),
        validation=one * n_validation,
    )


def find_rate(engine, loader, batches, *, limits, n_steps):
    """
    Train with a rising learning rate, and see where the loss is lowest.

    Parameters
    ----------
    engine : `~photutils_pconv.training.engine.Engine`
        The engine; its state is put back.

    loader, batches : object
        The training's loader and its batches.

    limits : pair of float
        The lowest and the highest rate.

    n_steps : int
        The number of steps.

    Returns
    -------
    result : `RateSearch`
        The losses, and a suggestion.

    Raises
    ------
    ValueError
        If an argument is not accepted.
    """
    check_count(n_steps, 'n_steps', minimum=10)
    low, high = limits
    if not 0 < low < high <= 1:
        msg = f'limits must be two rates in ascending order, to 1, got {limits!r}'
        raise ValueError(msg)
    rates, losses, smoothed = [], [], 0.0
    with _without_trace(engine, batches):
        while len(rates) < n_steps:
            done = len(rates)
            for batch in repeat_batches(loader, batches):
                k = len(rates)
                rate = low * (high / low) ** (k / max(n_steps - 1, 1))
                engine.set_learning_rate(rate)
                values, norm = engine.train_batch(batch)
                loss = values['loss']
                if not (math.isfinite(loss) and math.isfinite(norm)):
                    loss = math.inf
                smoothed += _SMOOTHING * (loss - smoothed)
                # A mean that began at zero, corrected as Adam's are.
                value = smoothed / (1.0 - (1.0 - _SMOOTHING) ** (k + 1))
                rates.append(rate)
                losses.append(value)
                worst = not math.isfinite(value) or value > _TOO_HIGH * min(losses)
                if worst or len(rates) == n_steps:
                    break
            batches.epoch += 1
            if worst or len(rates) == done:
                break
    best = rates[int(np.nanargmin(losses))]
    return RateSearch(
        rates=np.array(rates), losses=np.array(losses), suggestion=_SHARE * best
    )
