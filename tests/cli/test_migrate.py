# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of ``photutils-pconv migrate``, in this process."""

import copy
import json
import shlex
import shutil
import tomllib

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.cli import main
from photutils_pconv.cli._reference_keys import read_reference_config
from photutils_pconv.cli.entry import make_parser
from photutils_pconv.training import LOSS_PRESETS, TrainingConfig

EVALUATION = {
    'experiment': 'green test',
    'observing_parameters': {'observing_mode': 'scanmap', 'band': 'green'},
    'mode': 'real_data',
    'center_refinement': True,
    'model': {
        'name': 'PConvUNet',
        'input_channels': 1,
        'output_channels': 1,
        'weights_path': 'weights/scanmap.pth',
    },
    'data': {
        'test_data_dir': 'maps',
        'original_maps_path': '',
        'mask_type': 'snr_mask',
        'input_size': [96, 96],
        'aperture_sizes': [5, 6, 7],
    },
    'dataloader': {'batch_size': 1, 'num_workers': 4},
    'evaluation_functionalities': ['save_predictions', 'photometry'],
}
TRAINING = {
    'experiment': 'my training',
    'model': {'name': 'PConvUNet', 'input_channels': 1, 'output_channels': 1},
    'optimization': {
        'optimizer': {'type': 'Adam', 'learning_rate': 5e-4, 'weight_decay': 1e-5},
        'scheduler': {
            'type': 'ReduceLROnPlateau',
            'params': {'mode': 'min', 'factor': 0.5, 'patience': 4, 'verbose': True},
        },
    },
    'loss': {
        'name': 'InpaintingLoss',
        'lambdas': {'reconstruction': 6.0, 'style': 120.0, 'ssim': 0.4, 'source': 1.0},
    },
    'data': {
        'dataset_name': 'HerschelNumpyDatasetMultiMasks',
        'data_dir': 'cutouts',
        'csv_dir': 'lists',
        'augmentation': {'use_augmentation': True, 'probability': 0.5},
        'mask_type': 'medium_mask',
        'input_size': [96, 96],
    },
    'dataloader': {
        'train': {
            'batch_size': 64,
            'shuffle': True,
            'num_workers': 2,
            'pin_memory': True,
        },
        'validation': {'batch_size': 64, 'num_workers': 0},
    },
    'training': {'epochs': 20, 'visualization_batches': [1, 2]},
    'logging': {'log_to_wandb': False, 'wandb_project': 'mine'},
    'random_seed': 42,
}


def change(values, **changes):
    """Return a copy with other values, by keys whose dots are two underscores."""
    values = copy.deepcopy(values)
    for key, value in changes.items():
        *tables, last = key.split('__')
        table = values
        for name in tables:
            table = table[name]
        table[last] = value
    return values


@pytest.fixture
def migrate(tmp_path, monkeypatch):
    """Return a function that migrates a configuration and reads what is written."""
    monkeypatch.chdir(tmp_path)

    def run(values, *arguments):
        (tmp_path / 'config.json').write_text(json.dumps(values))
        shutil.rmtree(tmp_path / 'ours', ignore_errors=True)
        assert main(['migrate', 'config.json', '-o', 'ours', *arguments]) == 0
        written = {path.name: path.read_text() for path in tmp_path.glob('ours/*')}
        notes = {}
        for line in written['keys.txt'].splitlines():
            key, status, note = line.split(maxsplit=1)[0], line, line
            for one in ('taken over', 'no counterpart', 'unknown'):
                if f' {one} ' in line:
                    status, note = one, line.split(f' {one} ')[1].strip()
            notes[key] = status, note
        return written, notes

    return run


def list_commands(text):
    """Return the arguments of each command of a script, parsed."""
    lines = [line for line in text.splitlines() if line.startswith('photutils-pconv')]
    return [make_parser().parse_args(shlex.split(line)[1:]) for line in lines]


def count_keys(values):
    return sum(
        count_keys(one) if isinstance(one, dict) and one else 1
        for one in values.values()
    )


def test_evaluation(migrate):
    written, notes = migrate(EVALUATION)
    convert, remove = list_commands(written['run.sh'])
    assert convert.convert == ['weights/scanmap.pth', 'scanmap.safetensors']
    assert convert.mode == 'scanmap'
    assert (remove.mode, remove.band, remove.many) == ('scanmap', 'green', 'maps')
    assert (remove.method, remove.model) == ('inpaint', 'scanmap.safetensors')
    assert remove.recenter
    assert list(remove.aperture_radii) == [5, 6, 7]
    assert str(remove.output) == 'green test'
    assert len(notes) == count_keys(EVALUATION)
    left = {key for key, (status, _) in notes.items() if status == 'no counterpart'}
    assert left == {
        'data.original_maps_path',
        'dataloader.batch_size',
        'dataloader.num_workers',
    }
    assert 'unknown' not in {status for status, _ in notes.values()}
    compile(written['run.py'], 'run.py', 'exec')


@pytest.mark.parametrize(('band', 'table'), [('blue', 'simulation'), ('green', None)])
def test_simulations(migrate, band, table):
    # The published table of scanmap/green is that for real maps.
    values = change(EVALUATION, mode='simulation', observing_parameters__band=band)
    written, notes = migrate(values)
    remove = list_commands(written['run.sh'])[1]
    assert remove.aperture_corrections == table
    assert (notes['mode'][0] == 'taken over') == (table is not None)
    assert 'evaluate --maps maps' in notes['data.original_maps_path'][1]


def test_other_values(migrate):
    values = change(
        EVALUATION,
        model__name='MyNet',
        data__mask_type='large_mask',
        data__input_size=[64, 64],
        center_refinement=False,
    )
    values['data']['colour'] = 'red'
    written, notes = migrate(values)
    (remove,) = list_commands(written['run.sh'])
    assert remove.model is None
    assert not remove.recenter
    for key in (
        'model.name',
        'model.weights_path',
        'data.mask_type',
        'data.input_size',
    ):
        assert notes[key][0] == 'no counterpart', key
    assert notes['data.colour'][0] == 'unknown'


def test_the_python_does_the_same(migrate, files, checkpoint):
    folder = files / 'maps'
    folder.mkdir()
    for name, other in (('map.fits', 'a.fits'), ('sources.csv', 'a.csv')):
        shutil.copy(files / name, folder / other)
    values = change(EVALUATION, model__weights_path=checkpoint)
    written, _ = migrate(values)
    exec(compile(written['run.py'], 'run.py', 'exec'), {})
    photometry = QTable.read(files / 'green test' / 'a' / 'photometry.ecsv')
    remover = NeuralSourceRemover(
        'scanmap',
        'green',
        method='inpaint',
        model='scanmap.safetensors',
        aperture_radii=[5, 6, 7],
        recenter=True,
    )
    cleaned, expected = remover('maps/a.fits', 'maps/a.csv')
    for name in ('flux_aperture_0', 'flux_aperture_2', 'flux_annulus_1'):
        assert np.array_equal(photometry[name].value, expected[name].value), name
    with fits.open(files / 'green test' / 'a' / 'cleaned.fits') as hdus:
        assert np.array_equal(hdus[0].data, cleaned.data)


def test_training(migrate, tmp_path):
    written, notes = migrate(TRAINING, '--mode', 'scanmap')
    (train,) = list_commands(written['run.sh'])
    config = TrainingConfig.from_toml(train.config)
    assert config.loss.resolve() == {
        name: {**config.loss.resolve()[name], **values}
        for name, values in LOSS_PRESETS['released'].items()
    }
    optimiser = config.optimiser
    assert (optimiser.name, optimiser.schedule) == ('adam', 'plateau')
    assert (optimiser.learning_rate, optimiser.weight_decay) == (5e-4, 1e-5)
    assert (optimiser.factor, optimiser.patience) == (0.5, 4)
    assert (config.epochs, config.batch_size, config.seed) == (20, 64, 42)
    assert config.data.folder == str(tmp_path / 'cutouts')
    assert config.data.mask_channel == 1
    assert config.data.normalisation == {'name': 'minmax'}
    assert config.network.decoder_activation == 'relu'
    assert config.data.setups == ('scanmap/blue', 'scanmap/green', 'scanmap/red')
    assert len(notes) == count_keys(TRAINING)
    left = {key for key, (status, _) in notes.items() if status == 'no counterpart'}
    assert left == {
        'optimization.scheduler.params.verbose',
        'data.augmentation.probability',
        'dataloader.train.shuffle',
        'dataloader.train.pin_memory',
        'dataloader.validation.batch_size',
        'dataloader.validation.num_workers',
        'training.visualization_batches',
        'logging.log_to_wandb',
        'logging.wandb_project',
    }


def test_another_loss_and_schedule(migrate):
    values = change(
        TRAINING,
        loss__name='L1LossCustom',
        optimization__scheduler={'type': 'StepLR', 'params': {'gamma': 0.1}},
        optimization__optimizer__type='SGD',
        random_seed=-1,
    )
    written, notes = migrate(values, '--mode', 'parallel')
    config = TrainingConfig.from_dict(tomllib.loads(written['train.toml']))
    terms = config.loss.resolve()
    assert set(terms) == {'hole', 'valid'}
    assert {one['weight'] for one in terms.values()} == {6.0}
    assert {one['mean'] for one in terms.values()} == {'image'}
    assert config.optimiser.schedule == 'constant'
    for key in (
        'optimization.optimizer.type',
        'optimization.scheduler.type',
        'optimization.scheduler.params.gamma',
        'loss.lambdas.style',
        'random_seed',
    ):
        assert notes[key][0] == 'no counterpart', key


def test_printed(tmp_path, capsys):
    path = tmp_path / 'config.json'
    path.write_text(json.dumps(EVALUATION))
    assert main(['migrate', str(path)]) == 0
    shown = capsys.readouterr().out
    assert 'photutils-pconv remove --many maps --mode scanmap --band green' in shown
    assert 'remover = NeuralSourceRemover(' in shown
    assert list(tmp_path.iterdir()) == [path]


def test_comments_and_commas(tmp_path):
    path = tmp_path / 'config.json'
    path.write_text(
        '{ // a comment, with "quotes"\n'
        '"url": "http://a//b", /* two\nlines */ "list": [1, 2,], "text": ",}",\n}'
    )
    assert read_reference_config(path) == {
        'url': 'http://a//b',
        'list': [1, 2],
        'text': ',}',
    }


@pytest.mark.parametrize(
    ('values', 'arguments', 'words'),
    [
        ({'a': 1}, [], 'none of the sections'),
        ([1], [], 'no table of keys'),
        (TRAINING, [], 'give --mode scanmap or --mode parallel'),
        (EVALUATION, ['--mode', 'scanmap'], 'leave --mode out'),
        (change(EVALUATION, data__test_data_dir=''), [], 'has no data.test_data_dir'),
        (change(EVALUATION, mode='other'), [], "'real_data' or 'simulation'"),
        (change(EVALUATION, center_refinement=1), [], 'must be of type bool, got 1'),
        (
            change(TRAINING, data__mask_type='none'),
            ['--mode', 'scanmap'],
            'must be one of large_mask',
        ),
    ],
)
def test_refused(values, arguments, words, tmp_path, assert_one_line):
    path = tmp_path / 'config.json'
    path.write_text(json.dumps(values))
    assert main(['migrate', str(path), *arguments]) == 1
    assert_one_line(words)


def test_no_json(tmp_path, assert_one_line):
    path = tmp_path / 'config.json'
    path.write_text('epochs = 3')
    assert main(['migrate', str(path)]) == 1
    assert_one_line('is no JSON')
    assert main(['migrate', str(tmp_path / 'none.json')]) == 1
    assert_one_line('no configuration file')
