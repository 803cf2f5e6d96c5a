# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the recipes of the bundled models, in tools/recipes.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from photutils_pconv.network import read_card
from photutils_pconv.training import TrainingConfig, make_data
from photutils_pconv.training.initial_network import describe_architecture
from photutils_pconv.training.optimisers import rate_factor

RECIPES = Path(__file__).parents[2] / 'tools' / 'recipes'


@pytest.mark.parametrize('path', sorted(RECIPES.glob('*.toml')), ids=lambda p: p.stem)
def test_recipes_are_accepted(path):
    config = TrainingConfig.from_toml(path)
    assert config.name == path.stem
    # the paper trains a model for each mode
    assert len(config.data.setups) == (3 if path.stem == 'paper' else 6)


def test_the_model_of_one_pass_is_that_of_its_recipe():
    config = TrainingConfig.from_toml(RECIPES / 'pacs.toml')
    card = read_card('pacs')
    normalisation = dict(config.data.normalisation)
    assert card.normalisation == normalisation
    assert card.architecture == describe_architecture(config, 'masked', normalisation)
    assert card.setups == tuple(config.data.setups)
    assert card.recipe['seed'] == config.seed
    assert card.cutout_size == config.data.sampler['size']
    seen = card.recipe['steps'] * config.batch_size
    assert seen == config.epochs * config.data.epoch_size
    assert seen >= 400_000


def test_curve_of_the_training():
    card = read_card('pacs')
    curve = card.accuracy['curve']
    assert len(curve['step']) == card.recipe['epochs']
    assert curve['valid_loss'][-1] < curve['valid_loss'][0]


@pytest.mark.parametrize('name', ['pacs', 'psf'])
def test_card_has_figures(name):
    card = read_card(name)
    for kind in ('simulated', 'real'):
        figures = card.accuracy[kind]
        assert set(figures) >= {'mean', 'snr', 'hole_radius_pixels', 'setup'}
        assert figures['mean']['iqr_over_annulus'] < 1
        assert all(np.isfinite(one['hole_rms']) for one in figures['snr'].values())
    assert card.notes


def test_the_model_of_two_passes_is_that_of_its_recipe():
    config = TrainingConfig.from_toml(RECIPES / 'psf.toml')
    card = read_card('psf')
    normalisation = dict(config.data.normalisation)
    assert card.kind == config.data.kind == 'residual'
    assert card.normalisation == normalisation
    assert card.architecture == describe_architecture(config, 'residual', normalisation)
    assert card.setups == tuple(config.data.setups)
    assert card.cutout_size == config.data.sampler['size']
    assert card.description == config.description
    seen = config.epochs * config.data.epoch_size * config.repeats
    assert card.recipe['steps'] * config.batch_size == seen >= 300_000
    assert card.recipe['epochs'] == config.epochs
    asked = config.to_dict()
    for section in ('network', 'optimiser', 'augmentation'):
        assert card.recipe['config'][section] == asked[section]
    for name in ('seed', 'repeats', 'batch_size'):
        assert card.recipe['config'][name] == asked[name]
    assert card.recipe['loss']['preset'] == config.loss.preset
    curve = card.accuracy['curve']
    assert len(curve['step']) == config.epochs
    assert curve['weighted_error'][-1] < curve['weighted_error'][0]


def test_the_teacher_is_the_same_network_twice_as_wide():
    config, wide = (
        TrainingConfig.from_toml(RECIPES / f'{name}.toml')
        for name in ('psf', 'psf_wide')
    )
    teacher = (RECIPES / config.loss.teacher).resolve()
    assert teacher == Path(wide.output).resolve() / 'psf_wide.safetensors'
    assert config.network == replace(wide.network, width=wide.network.width // 2)
    assert config.data.kind == wide.data.kind
    assert config.data.normalisation == wide.data.normalisation
    assert config.data.sampler == wide.data.sampler
    assert read_card('psf').recipe['teacher']['sha256'].startswith('58d04666')


def test_schedule_of_the_model_of_two_passes():
    """What its recipe says in words: 192 steps, and 65 percent."""
    config = TrainingConfig.from_toml(RECIPES / 'psf.toml').optimiser
    n = 9600
    rates = np.array([rate_factor(step, n, config) for step in range(n)])
    steps = np.arange(n)
    expected = np.minimum((steps + 1) / 192, (n - steps) / (n - 0.65 * n))
    np.testing.assert_allclose(rates, np.minimum(expected, 1.0), rtol=1e-12)


def test_data_of_the_model_of_two_passes():
    """A small set is made as the recipe says."""
    config = TrainingConfig.from_toml(RECIPES / 'psf.toml')
    few = {'n_fields': 2, 'n_noise': 1, 'n_stamps': 6, 'n_angles': 1, 'field_size': 96}
    data = replace(
        config.data,
        setups=['scanmap/green', 'parallel/red'],
        sampler={**config.data.sampler, **few},
        validation_sampler={**config.data.validation_sampler, **few},
    )
    setups, train, valid = make_data(replace(config, data=data))
    assert [setup.name for setup in setups] == ['scanmap/green', 'parallel/red']
    assert (len(train), len(valid)) == (12800, 1024)
    for part in (train, valid):
        assert part.kind == 'residual'
        assert part[0, 0].image.shape == (3, 64, 64)


def test_paper_recipe_is_the_papers():
    config = TrainingConfig.from_toml(RECIPES / 'paper.toml')
    assert config.network.architecture == 'PConvUNet'
    assert config.network.width == 32
    assert config.loss.preset == 'paper'
    assert config.data.normalisation == {'name': 'minmax'}
    assert config.optimiser.name == 'adam'
    assert config.optimiser.learning_rate == 0.005
    assert config.batch_size == 64
    assert config.epochs == 20
    # its own maps, as `photutils-pconv dataset --paper -o paper_maps` leaves them
    assert config.data.source == 'arrays'
    assert config.data.folder == '../../paper_maps/cutouts'


def test_paper_recipes_differ_in_their_data_and_width():
    configs = [
        TrainingConfig.from_toml(RECIPES / f'{name}.toml').to_dict()
        for name in ('paper', 'paper_simulated')
    ]
    data = [config.pop('data') for config in configs]
    assert data[0]['normalisation'] == data[1]['normalisation']
    # Which epochs there are depends on the data, too.
    for name in ('name', 'description', 'output', 'epochs'):
        assert configs[0].pop(name) != configs[1].pop(name)
    # What two cores can train, where the data are there for anybody to try.
    assert [config['network'].pop('width') for config in configs] == [32, 8]
    assert configs[0] == configs[1]
