# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the recipes of the bundled models, in tools/recipes.
"""

from pathlib import Path

import numpy as np
import pytest

from photutils_pconv.network import read_card
from photutils_pconv.training import TrainingConfig
from photutils_pconv.training.engine import describe_architecture

RECIPES = Path(__file__).parents[2] / 'tools' / 'recipes'


@pytest.mark.parametrize('path', sorted(RECIPES.glob('*.toml')), ids=lambda p: p.stem)
def test_recipes_are_accepted(path):
    config = TrainingConfig.from_toml(path)
    assert config.name == path.stem
    assert len(config.data.setups) == 6


def test_the_bundled_model_is_that_of_its_recipe():
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


def test_the_model_of_two_passes_is_that_of_its_script():
    card = read_card('psf')
    script = (RECIPES.parent / 'train_psf_model.py').read_text(encoding='utf-8')
    assert f"'--cutouts', type=int, default={card.recipe['cutouts']:_}" in script
    assert f"'--width', type=int, default={card.architecture['width']}" in script
    assert card.recipe['cutouts'] >= 400_000
    curve = card.accuracy['curve']
    assert curve['step'][-1] * card.recipe['batch_size'] == card.recipe['cutouts']
    assert curve['weighted_error'][-1] < curve['weighted_error'][0]
    assert len(card.setups) == 6


def test_paper_recipe_is_the_papers():
    config = TrainingConfig.from_toml(RECIPES / 'paper.toml')
    assert config.network.architecture == 'PConvUNet'
    assert config.network.width == 32
    assert config.loss.preset == 'paper'
    assert config.data.normalisation == {'name': 'minmax'}
    assert config.optimiser.name == 'adam'
    assert config.optimiser.learning_rate == 0.005
    assert config.batch_size == 64
