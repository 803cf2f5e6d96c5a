# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Fixtures of the training tests: tiny data sets and configurations."""

import numpy as np
import pytest
import torch

# A run of six steps with everything on that has a state.
TINY = {
    'name': 'tiny',
    'epochs': 3,
    'batch_size': 8,
    'seed': 5,
    'workers': 0,
    'checkpoint_steps': 1,
    'examples': 0,
    'progress_bar': False,
    'network': {'width': 2},
    'optimiser': {'learning_rate': 0.005, 'clip_norm': 5.0},
}


def tiny_values(**changes):
    """Give a configuration's values; sections are updated, not replaced."""
    values = {**TINY}
    for key, value in changes.items():
        section = isinstance(value, dict)
        values[key] = {**values.get(key, {}), **value} if section else value
    return values


@pytest.fixture(autouse=True)
def _one_thread():
    """Sums depend on the number of threads; subprocesses have one too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_arrays(n, seed):
    """
    Make inputs, targets and validity of n cutouts with a Gaussian source.

    The emission is smooth enough for a network to learn it from a few.
    """
    rng = np.random.default_rng(seed)
    yy, xx = np.indices((96, 96)) / 96
    target = np.zeros((n, 96, 96))
    for cutout in target:
        for _ in range(4):
            ky, kx, phase = rng.uniform(-12, 12, size=3)
            cutout += rng.normal() * np.sin(ky * yy + kx * xx + phase)
    r = np.hypot(96 * xx - 47.5, 96 * yy - 47.5)
    peak = rng.uniform(3, 30, size=(n, 1, 1))
    image = target + peak * np.exp(-0.5 * (r / 2) ** 2)
    image += rng.normal(0, 0.05, size=image.shape)
    validity = np.broadcast_to(r > 9, image.shape)
    return image, target, validity


@pytest.fixture
def arrays():
    """Return the function that makes arrays of cutouts."""
    return make_arrays


@pytest.fixture(scope='session')
def array_folder(tmp_path_factory):
    """Return a folder with 16 training and 6 validation cutouts."""
    folder = tmp_path_factory.mktemp('arrays')
    for part, n, seed in (('train', 16, 1), ('valid', 6, 2)):
        for suffix, array in zip(
            ('', '_target', '_mask'), make_arrays(n, seed), strict=True
        ):
            np.save(folder / f'{part}{suffix}.npy', array.astype(np.float32))
    return folder


@pytest.fixture
def make_trainer(array_folder, tmp_path):
    """Return a function that makes a trainer with a tiny network."""
    from photutils_pconv.training import Trainer, TrainingConfig, open_arrays

    def make(*, output=None, train_data=None, **changes):
        config = TrainingConfig.from_dict(tiny_values(**changes))
        options = {'normalisation': {'name': 'robust'}}
        return Trainer(
            config,
            train_data=train_data or open_arrays(array_folder, **options),
            validation_data=open_arrays(array_folder, 'valid', **options),
            setups=['scanmap/green'],
            output=output or tmp_path / 'run',
        )

    return make


@pytest.fixture(scope='session')
def tiny_config_values():
    """Return the function that gives the values of a tiny configuration."""
    return tiny_values
