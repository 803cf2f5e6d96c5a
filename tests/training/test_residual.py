# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the training of models for residuals, the second kind.
"""

import astropy.units as u
import numpy as np
import pytest
import torch

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.network import load_model
from photutils_pconv.psf import get_psf
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation import (
    ResidualConfig,
    ResidualSampler,
    inject_sources,
)
from photutils_pconv.training import (
    AugmentationConfig,
    SimulatedCutouts,
    Trainer,
    TrainingConfig,
    make_data,
)
from photutils_pconv.training.augmentation import augment, turn_cutouts
from photutils_pconv.training.checkpoint import load_checkpoint
from photutils_pconv.training.loading import EpochBatches, make_loader, repeat_batches
from photutils_pconv.training.validation import (
    residual_figures,
    softening_of,
    summarise_residual,
)
from photutils_pconv.training.weighted_loss import WeightedLoss

pytest.importorskip('accelerate')
pytest.importorskip('kornia')

FEW = {'n_fields': 2, 'n_noise': 1, 'n_stamps': 12, 'n_angles': 2}
SMALL = {**FEW, 'field_size': 128, 'size': 64}
NORMALISATION = {'name': 'robust', 'radius': 24.0, 'softening': 3.0}


@pytest.fixture(scope='module')
def sampler():
    return ResidualSampler(
        [get_setup(setup='scanmap/green')],
        config=ResidualConfig(**SMALL),
        normalisation=NORMALISATION,
        seed=1,
    )


@pytest.fixture(scope='module')
def data(sampler):
    return SimulatedCutouts(sampler, 12, seed=3)


@pytest.fixture(scope='module')
def batch(data):
    """Return a batch of all cutouts."""
    loader = make_loader(data, EpochBatches(12, 12, shuffle=False))
    return next(iter(loader))


@pytest.fixture(scope='module')
def output(batch):
    """Return what a network may have made of the batch, with a wild pixel."""
    noise = torch.randn(batch.target.shape, generator=torch.Generator().manual_seed(1))
    output = batch.target + 0.2 * noise
    output[2, 0, 30, 30] += 50.0
    return output


@pytest.fixture
def make_trainer(tiny_config_values, tmp_path):
    """Return a function that makes the trainer of a tiny model for residuals."""

    def make(output, **changes):
        values = tiny_config_values(
            epochs=2,
            batch_size=4,
            repeats=2,
            network={'architecture': 'FilledUNet', 'width': 2},
            optimiser={
                'name': 'adamw',
                'schedule': 'linear',
                'warm_up': 0.2,
                'ema_decay': 0.9,
            },
            loss={'preset': 'residual'},
            augmentation={'enabled': False},
            data={
                'kind': 'residual',
                'setups': ['scanmap/green'],
                'normalisation': NORMALISATION,
                'epoch_size': 8,
                'validation_size': 6,
                'sampler': SMALL,
                'validation_sampler': {},
            },
        )
        for key, section in changes.items():
            values[key] = {**values[key], **section}
        config = TrainingConfig.from_dict(values)
        setups, train_data, validation_data = make_data(config)
        return Trainer(
            config,
            train_data=train_data,
            validation_data=validation_data,
            setups=setups,
            output=tmp_path / output,
        )

    return make


def test_cutouts(sampler, data):
    cutouts = data[1, 5]
    batch = sampler.batch(1, [3, 2, 1, 5])
    assert data.kind == 'residual'
    assert data.describe()['kind'] == 'residual'
    assert cutouts.image.shape == (3, 64, 64)
    for name in ('target', 'validity', 'missing', 'hole', 'weight'):
        part = getattr(cutouts, name)
        assert part.shape == (1, 64, 64)
        assert part.dtype == torch.float32
    np.testing.assert_array_equal(cutouts.image, batch.image[0])
    np.testing.assert_array_equal(cutouts.weight, batch.weight)
    np.testing.assert_array_equal(cutouts.hole, batch.hole & ~batch.missing)
    assert cutouts.snr.item() == pytest.approx(batch.snr[0])
    scatter = batch.peak[0] / batch.snr[0]
    assert cutouts.scale.item() == pytest.approx(batch.scaling.scale.item() / scatter)


def test_loss(batch, output):
    """The loss as tools of before, and the paper's reader, would compute it."""
    total, terms = WeightedLoss('residual')(
        output,
        batch.target,
        batch.validity,
        batch.missing,
        hole=batch.hole,
        weight=batch.weight,
    )
    difference = np.clip((output - batch.target).numpy().astype(float), -20, 20)
    hole, missing, weight = (
        getattr(batch, name).numpy().astype(float)
        for name in ('hole', 'missing', 'weight')
    )
    assert missing.sum() > 0
    in_holes = np.abs(difference)[hole == 1].mean()
    beyond = np.abs(difference)[(hole == 0) & (missing == 0)].mean()
    flux = np.abs([np.sum(d * w) for d, w in zip(difference, weight, strict=True)])
    assert float(terms['hole']) == pytest.approx(in_holes, rel=1e-5)
    assert float(terms['valid']) == pytest.approx(beyond, rel=1e-5)
    assert float(terms['psf_flux']) == pytest.approx(flux.mean(), rel=1e-5)
    expected = 6 * in_holes + beyond + 2 * flux.mean()
    assert float(total) == pytest.approx(expected, rel=1e-5)


def test_figures(sampler, data, batch, output):
    parts = type(batch)(*(part[:, 0].numpy() for part in batch))
    found = residual_figures(
        output[:, 0].numpy(), parts, softening=softening_of(NORMALISATION)
    )
    expected = []
    for index in range(len(output)):
        own = sampler.batch(1, [3, 2, 0, index])
        error = own.scaling.invert(output[index].numpy().astype(float)) - own.emission
        hole = own.hole & ~own.missing
        scatter = own.peak[0] / own.snr[0]
        if hole.sum() >= 20:
            rms = np.sqrt(np.mean(error[hole] ** 2)) / scatter
            weighted = abs((own.weight * error).sum()) / scatter
            expected.append((own.snr[0], rms, weighted))
    assert len(expected) > 6
    np.testing.assert_allclose(found, expected, rtol=2e-4)


def test_figures_by_snr():
    figures = np.array([[2.0, 1.0, 4.0], [5.0, 2.0, 6.0], [6.0, 4.0, 2.0]])
    summary = summarise_residual(figures)
    assert summary == {
        'hole_rms': 2.0,
        'weighted_error': 4.0,
        'n_figures': 3,
        'hole_rms_snr_0_4': 1.0,
        'weighted_error_snr_0_4': 4.0,
        'hole_rms_snr_4_12': 3.0,
        'weighted_error_snr_4_12': 4.0,
    }
    assert summarise_residual(figures[:0]) == {}


@pytest.mark.parametrize(
    ('normalisation', 'softening'),
    [
        ({'name': 'minmax'}, None),
        ({'name': 'robust'}, 3.0),
        ({'name': 'robust', 'softening': 2.0, 'wings': True, 'kriging': True}, 2.0),
    ],
)
def test_softening(normalisation, softening):
    assert softening_of(normalisation) == softening


def test_turns_move_everything_alike(batch):
    for seed in range(6):
        turned = turn_cutouts(batch, np.random.default_rng(seed))
        assert not torch.equal(turned.image, batch.image)
        # Turned back, one of seven ways restores it.
        back = [
            type(batch)(
                *(torch.rot90(p.flip(-1) if f else p, k, (2, 3)) for p in turned)
            )
            for f in (False, True)
            for k in range(4)
        ]
        fits = [one for one in back if torch.equal(one.image, batch.image)]
        assert len(fits) == 1
        for part, other in zip(fits[0], batch, strict=True):
            assert torch.equal(part, other)


def test_augmentation_moves_holes_and_weights(batch):
    keys = [(0, index) for index in range(12)]
    moved = augment(batch, keys, seed=1)
    inside = moved.missing == 0
    assert not torch.equal(moved.hole, batch.hole)
    # Far from the edges, shifts keep every hole and weight.
    assert set(torch.unique(moved.hole).tolist()) == {0.0, 1.0}
    assert float(moved.weight[~inside].abs().max()) == 0.0
    for index in range(12):
        if batch.missing[index].sum() == 0:
            total, before = (one.weight[index].sum() for one in (moved, batch))
            assert float(total) == pytest.approx(float(before), rel=1e-5)
    assert torch.equal(moved.snr, batch.snr)
    assert torch.equal(moved.scale, batch.scale)


def test_batches_serve_twice(data):
    def draw(first):
        batches = EpochBatches(12, 4, seed=2, repeats=2)
        batches.epoch, batches.first = 1, first
        loader = make_loader(
            data, batches, augmentation=AugmentationConfig(enabled=False)
        )
        return batches, list(repeat_batches(loader, batches))

    batches, whole = draw(0)
    assert batches.n_batches == len(whole) == 6
    for one, again in zip(whole[::2], whole[1::2], strict=True):
        assert torch.equal(one.snr, again.snr)
        assert not torch.equal(one.image, again.image)
        sums = [part.image.sum(dim=(2, 3)) for part in (one, again)]
        torch.testing.assert_close(*sums, rtol=1e-4, atol=1e-2)
    assert batches.keys(2) == batches.keys(3) != batches.keys(4)
    # Whatever batch a resumed run begins with, it sees the same.
    for first in (1, 2, 3):
        for part, other in zip(draw(first)[1], whole[first:], strict=True):
            assert all(map(torch.equal, part, other))


def weights_of(trainer):
    state = load_checkpoint(trainer.output / 'last.pt')
    return {**state['network'], **state['average']['weights']}


def test_trains_resumes_exports_and_serves(make_trainer):
    whole = make_trainer('whole')
    history = whole.fit()
    assert [row['step'] for row in history] == [4, 8]
    assert history[-1]['learning_rate'] < history[0]['learning_rate']
    for row in history:
        for part in ('train', 'valid'):
            total = (
                6 * row[f'{part}_hole']
                + row[f'{part}_valid']
                + 2 * row[f'{part}_psf_flux']
            )
            assert row[f'{part}_loss'] == pytest.approx(total, rel=1e-5)
        assert row['hole_rms'] > 0
        assert row['weighted_error'] > 0
        assert any(name.startswith('weighted_error_snr_') for name in row)

    # Interrupted between the two times that a batch serves.
    make_trainer('broken').fit(max_steps=3)
    resumed = make_trainer('broken')
    resumed.fit(resume=True)
    expected, found = weights_of(whole), weights_of(resumed)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)

    path = whole.export()
    card = load_model(path, cache=False).card
    assert card.kind == 'residual'
    assert card.images == ('residual', 'shapes', 'mismatch')
    assert card.cutout_size == 64
    assert card.architecture['in_channels'] == 3
    assert card.recipe['training_data']['kind'] == 'residual'
    assert card.recipe['config']['repeats'] == 2

    rng = np.random.default_rng(2)
    x, y, flux = np.array([40.0, 90.0]), np.array([60.0, 30.0]), np.array([1.0, 3.0])
    image = inject_sources(
        0.3 + 0.001 * rng.normal(size=(128, 128)),
        x,
        y,
        flux,
        psf=get_psf('scanmap/green'),
        pixel_scale=1.6,
    )
    remover = NeuralSourceRemover(setup='scanmap/green', method='psf', model=path)
    cleaned, table = remover(image * u.Jy / u.pix, np.stack([x, y], axis=1))
    assert np.isfinite(cleaned.value).all()
    np.testing.assert_allclose(table['flux'].to_value('Jy'), flux, rtol=0.05)
    with pytest.raises(ValueError, match="is of kind 'residual'.*bundled 'pacs'"):
        NeuralSourceRemover(setup='scanmap/green', method='inpaint', model=path)


def test_start_must_be_of_the_kind(make_trainer):
    with pytest.raises(ValueError, match="'pacs' is of kind 'masked'.*'residual'"):
        make_trainer('run', network={'start': 'pacs', 'width': 32})


def test_terms_need_their_kind(make_trainer, arrays, tmp_path):
    from photutils_pconv.training import ArrayCutouts

    masked = ArrayCutouts(*arrays(2, 0))
    config = TrainingConfig.from_dict({'loss': {'preset': 'residual'}})
    options = {'setups': ['scanmap/green'], 'output': tmp_path / 'x'}
    with pytest.raises(ValueError, match=r"'psf_flux'.*set data.kind = 'residual'"):
        Trainer(config, train_data=masked, validation_data=masked, **options)


def test_data_of_two_kinds(data, arrays, tmp_path):
    from photutils_pconv.training import ArrayCutouts

    masked = ArrayCutouts(*arrays(2, 0), normalisation=NORMALISATION)
    with pytest.raises(ValueError, match=r"one kind, got \['residual', 'masked'\]"):
        Trainer(
            TrainingConfig(),
            train_data=data,
            validation_data=masked,
            setups=['scanmap/green'],
            output=tmp_path,
        )


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'kind': 'simulated'}, r"data.kind must be one of \['masked', 'residual'\]"),
        ({'kind': 'residual', 'source': 'arrays', 'folder': 'x'}, 'have no PSFs'),
        (
            {'kind': 'residual', 'normalisation': {'name': 'robust', 'wings': True}},
            "unknown key 'wings'",
        ),
    ],
)
def test_configuration(values, message):
    with pytest.raises(ValueError, match=message):
        TrainingConfig.from_dict({'data': values})


def test_ranges_of_the_other_kind_are_unknown():
    values = {'kind': 'masked', 'setups': ['scanmap/green'], 'sampler': {'lobes': 1.0}}
    with pytest.raises(ValueError, match=r"unknown key 'lobes' in \[data.sampler\]"):
        TrainingConfig.from_dict({'data': values})
