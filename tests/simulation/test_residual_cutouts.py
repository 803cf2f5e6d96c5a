# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the training cutouts of PSF-subtracted maps.
"""

import numpy as np
import pytest

from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation.cutout_configs import ResidualConfig
from photutils_pconv.simulation.residual_cutouts import ResidualSampler

SMALL = {
    'n_fields': 4,
    'n_noise': 2,
    'n_stamps': 12,
    'n_angles': 2,
    'field_size': 128,
}


@pytest.fixture(scope='module')
def sampler():
    """Return a small sampler of two setups."""
    setups = [get_setup(setup=name) for name in ('scanmap/green', 'parallel/blue')]
    return ResidualSampler(setups, config=ResidualConfig(**SMALL), seed=3)


@pytest.fixture(scope='module')
def batch(sampler):
    """Return a batch."""
    return sampler.batch(24, 5)


def test_shapes_and_kinds(batch):
    assert batch.image.shape == (24, 3, 96, 96)
    assert batch.image.dtype == batch.target.dtype == np.float32
    for name in ('target', 'validity', 'missing', 'hole', 'weight', 'raw', 'data'):
        assert getattr(batch, name).shape == (24, 96, 96)
    assert np.isfinite(batch.image).all()
    assert set(np.unique(batch.setup)) == {0, 1}


def test_smaller_cutouts():
    config = ResidualConfig(**SMALL, size=64)
    sampler = ResidualSampler([get_setup('scanmap', 'red')], config=config, seed=3)
    batch = sampler.batch(8, 5)
    assert batch.image.shape == (8, 3, 64, 64)
    assert batch.hole.shape == batch.weight.shape == (8, 64, 64)
    # The source is where a cutout of any size has it.
    middle = np.argmax(batch.weight.reshape(8, -1), axis=1)
    rows, columns = np.unravel_index(middle, (64, 64))
    assert np.all(np.isin(rows, (31, 32)))
    assert np.all(np.isin(columns, (31, 32)))
    assert np.all(batch.hole[:, 32, 32])


def test_a_batch_follows_from_its_seed(sampler, batch):
    again = sampler.batch(24, 5)
    np.testing.assert_array_equal(again.image, batch.image)
    np.testing.assert_array_equal(again.validity, batch.validity)
    assert not np.array_equal(sampler.batch(24, 6).image, batch.image)


def test_target_is_the_scaled_emission(batch):
    back = batch.scaling.invert(batch.target.astype(float))
    error = np.abs(back - batch.emission) / batch.scaling.scale
    assert np.median(error) < 1e-5


def test_what_is_missing_is_not_seen(batch):
    assert batch.missing.any()
    assert not (batch.validity & batch.missing).any()
    for channel in range(3):
        assert np.all(batch.image[:, channel][batch.missing] == 0)


def test_sources_are_nearly_gone_from_the_residual(batch):
    # Within the expected mismatch, which is smaller than the source.
    middle = np.s_[:, 46:51, 46:51]
    alone = batch.snr > 50
    left = np.abs(batch.raw - batch.emission)[middle].max(axis=(1, 2))
    before = np.abs(batch.data - batch.emission)[middle].max(axis=(1, 2))
    assert alone.sum() > 3
    assert np.median((left / before)[alone]) < 0.15


def test_brighter_sources_have_larger_small_holes(sampler):
    batch = sampler.batch(64, 8)
    seen = batch.validity[:, 44:52, 44:52].mean(axis=(1, 2))
    whole = ~batch.missing[:, 44:52, 44:52].any(axis=(1, 2))
    assert seen[whole & (batch.snr < 10)].mean() > 0.95
    assert seen[whole & (batch.snr > 800)].mean() < 0.6


def test_weights_sum_a_source_to_its_peak(sampler, batch):
    # On the PSF they were made of; on the true one within the mismatch.
    i = int(np.flatnonzero(~batch.missing.any(axis=(1, 2)))[0])
    psf = sampler._stamps[batch.setup[i]].psf(0)
    y, x = np.unravel_index(np.argmax(batch.weight[i]), (96, 96))
    assert abs(x - 48) <= 2
    assert abs(y - 48) <= 2
    assert (batch.weight[i] ** 2).sum() == pytest.approx(
        psf.peak**2
        / sum(psf.evaluate(*np.meshgrid(*2 * [np.arange(-9.0, 10.0)])).ravel() ** 2),
        rel=0.25,
    )
