# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the configuration: defaults, checks, and TOML.
"""

import json

import pytest

from photutils_pconv.training import (
    LOSS_PRESETS,
    AugmentationConfig,
    DataConfig,
    LossConfig,
    OptimiserConfig,
    TrainingConfig,
)
from photutils_pconv.training.presets import resolve_terms


def test_defaults_of_the_paper():
    # Section 3.5, 2.4.3 and Table 4
    config = TrainingConfig()
    assert config.batch_size == 64
    assert config.network.width == 32
    assert config.network.decoder_activation == 'leaky_relu'
    assert config.optimiser.name == 'adam'
    assert config.optimiser.learning_rate == 0.005
    assert config.optimiser.schedule == 'plateau'
    assert (config.optimiser.patience, config.optimiser.factor) == (5, 0.5)
    assert config.augmentation == AugmentationConfig(shift=2, flips=True)


def test_round_trip():
    config = TrainingConfig(
        epochs=3,
        optimiser=OptimiserConfig(schedule='cosine', warm_up=0.1, ema_decay=0.99),
        loss=LossConfig(preset='paper', terms={'ssim': {'weight': 2, 'window': 7}}),
        data=DataConfig(source='arrays', folder='x', setups=['scanmap/red']),
    )
    values = config.to_dict()
    assert TrainingConfig.from_dict(json.loads(json.dumps(values))) == config
    assert values['optimiser']['ema_decay'] == 0.99
    # A copy: the configuration stays as it is.
    values['loss']['terms']['ssim']['weight'] = 9
    assert config.loss.terms['ssim']['weight'] == 2


def test_paths_cut_for_the_card():
    config = TrainingConfig(
        output='/home/a/run',
        data=DataConfig(source='arrays', folder='/home/a/d', setup_files=['/b/c.json']),
    )
    values = config.to_dict(full_paths=False)
    assert values['output'] == 'run'
    assert values['data']['folder'] == 'd'
    assert values['data']['setup_files'] == ['c.json']
    assert values['loss']['vgg_weights'] == ''


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'epoch': 3}, "unknown key 'epoch' in the configuration: .*'epochs'"),
        ({'optimiser': {'lerning_rate': 1}}, r"\[optimiser\]: .*'learning_rate'"),
        ({'learning_rate': 1}, r'belongs to \[optimiser\]'),
        ({'network': {'batch_size': 1}}, 'belongs to the top level'),
        ({'optimizer': {}}, "did you mean 'optimiser'"),
        ({'loss': {'terms': {'hol': 1}}}, "did you mean 'hole'"),
        ({'loss': {'terms': {'hole': {'meen': 1}}}}, "did you mean 'mean'"),
        ({'data': {'normalisation': {'name': 'robust', 'radios': 1}}}, "'radius'"),
    ],
)
def test_unknown_key_names_the_closest(values, message):
    with pytest.raises(ValueError, match=message):
        TrainingConfig.from_dict(values)


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'epochs': 0}, 'epochs must be an integer from 1, got 0'),
        ({'optimiser': {'learning_rate': 0}}, 'learning_rate must be .* above 0'),
        ({'optimiser': {'learning_rate': float('nan')}}, 'must be a number above 0'),
        ({'optimiser': {'learning_rate': 1e6}}, 'must be a number above 0 to 1, got'),
        ({'network': {'width': 10**6}}, 'network.width must be .* to 256, got'),
        ({'network': {'blocks': 10**4}}, 'network.blocks must be .* to 32, got'),
        (
            {'data': {'normalisation': {'name': 'robust', 'radius': '24'}}},
            r"data.normalisation\['radius'\] must be a number .*, got '24'",
        ),
        (
            {'data': {'normalisation': {'name': 'robust', 'wings': 'no'}}},
            r"data.normalisation\['wings'\] must be True or False, got 'no'",
        ),
        ({'optimiser': {'name': 'adma'}}, "did you mean 'adam'"),
        ({'optimiser': {'betas': [0.9, 1.0]}}, 'from 0 to below 1'),
        ({'optimiser': {'warm_up': 0.1}}, 'optimiser.warm_up serves'),
        ({'optimiser': {'minimum_rate': 1.0}}, 'must not be above'),
        ({'augmentation': {'rotation': 'some'}}, 'augmentation.rotation'),
        ({'loss': {'preset': 'none'}}, 'the loss has no term'),
        ({'loss': {'terms': {'hole': -1}}}, 'weight of the loss term .hole.'),
        ({'loss': {'terms': {'ssim': {'window': 4}}}}, 'window of .* odd'),
        ({'loss': {'terms': {'ssim': {'max_val': 0}}}}, 'above 0'),
        ({'data': {'source': 'arrays'}}, 'needs data.folder'),
        ({'data': {'normalisation': {'name': 'max'}}}, 'data.normalisation'),
        ({'name': 'a b'}, 'letters, digits'),
    ],
)
def test_bad_value(values, message):
    with pytest.raises(ValueError, match=message):
        TrainingConfig.from_dict(values)


@pytest.mark.parametrize(
    'values',
    [
        {'epochs': 1.5},
        {'epochs': True},
        {'progress_bar': 1},
        {'optimiser': 3},
        {'optimiser': {'betas': 0.9}},
        {'loss': {'terms': 3}},
        {'loss': {'terms': {'hole': 'much'}}},
        {'data': {'setups': 'scanmap/green'}},
        {'output': 3},
        {'name': 3},
    ],
)
def test_bad_type(values):
    with pytest.raises(TypeError, match='must be'):
        TrainingConfig.from_dict(values)


def test_section_of_wrong_class():
    with pytest.raises(TypeError, match='optimiser must be a OptimiserConfig'):
        TrainingConfig(optimiser={'name': 'adam'})


def test_toml(tmp_path):
    (tmp_path / 'cutouts').mkdir()
    path = tmp_path / 'config.toml'
    path.write_text(
        """
        epochs = 2
        output = 'run'
        [network]
        start = 'pacs'
        [optimiser]
        learning_rate = 1
        [loss.terms]
        ssim = 0.4
        hole = { weight = 3, mean = 'image' }
        [data]
        source = 'arrays'
        setups = ['scanmap/green']
        folder = 'cutouts'
        """
    )
    config = TrainingConfig.from_toml(path)
    assert config.epochs == 2
    assert config.optimiser.learning_rate == 1.0
    assert config.loss.terms['hole'] == {'weight': 3, 'mean': 'image'}
    # Relative to the file; a bundled model's name is no path.
    assert config.output == str(tmp_path / 'run')
    assert config.data.folder == str(tmp_path / 'cutouts')
    assert config.data.csv_folder == ''
    assert config.network.start == 'pacs'


@pytest.mark.parametrize(
    ('content', 'error', 'message'),
    [
        ('epochs = ', ValueError, 'config.toml'),
        ('epoch = 1', ValueError, "config.toml.*did you mean 'epochs'"),
        ('epochs = "1"', TypeError, 'config.toml.*epochs must be'),
    ],
)
def test_bad_toml(tmp_path, content, error, message):
    path = tmp_path / 'config.toml'
    path.write_text(content)
    with pytest.raises(error, match=message):
        TrainingConfig.from_toml(path)


def test_missing_toml(tmp_path):
    with pytest.raises(FileNotFoundError, match='no configuration file'):
        TrainingConfig.from_toml(tmp_path / 'config.toml')


def test_paper_weights():
    # Eq. 7
    weights = {name: v['weight'] for name, v in resolve_terms('paper').items()}
    assert weights == {
        'valid': 2,
        'hole': 6,
        'style_raw': 120,
        'style_composite': 120,
        'ssim': 0.4,
        'source': 1,
    }


def test_terms_change_a_preset():
    terms = resolve_terms('default', {'mean_flux': 0, 'hole': 2, 'source': {}})
    assert set(terms) == {'hole', 'valid', 'source'}
    assert terms['hole'] == {'weight': 2, 'mean': 'region', 'limit': 20.0}
    assert terms['source'] == {'weight': 1.0, 'composited': False}
    # The preset is not changed.
    assert LOSS_PRESETS['default']['hole']['weight'] == 6


def test_unknown_preset():
    with pytest.raises(ValueError, match="did you mean 'paper'"):
        resolve_terms('papers')
