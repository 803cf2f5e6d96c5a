# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of whole runs from a configuration file, and of lazy imports.
"""

import json
import re
import subprocess
import sys

import pytest
import torch

from photutils_pconv.network import read_card
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.training import TrainingConfig, run_training
from photutils_pconv.training.run import make_data

pytest.importorskip('accelerate')
pytest.importorskip('kornia')

COMMON = """
name = 'tiny'
output = 'run'
epochs = 2
batch_size = 4
workers = 0
examples = 0
progress_bar = false
[network]
width = 2
"""


@pytest.fixture
def write(tmp_path):
    def write(data, common=COMMON):
        path = tmp_path / 'config.toml'
        path.write_text(common + data)
        return path

    return write


def test_simulated(write, tmp_path, capsys):
    path = write(
        """
        [data]
        setups = ['scanmap/green', 'scanmap/red']
        epoch_size = 8
        validation_size = 4
        sampler = { n_fields = 2, n_noise = 1, n_stamps = 2, field_size = 128 }
        validation_sampler = { n_fields = 2 }
        """
    )
    model = run_training(path)
    assert model == tmp_path / 'run' / 'tiny.safetensors'
    card = read_card(model)
    assert card.setups == ('scanmap/green', 'scanmap/red')
    assert card.normalisation == {'name': 'robust', 'radius': 24.0, 'softening': 3.0}
    assert card.recipe['training_data']['sampler']['field_size'] == 128
    assert card.recipe['training_data']['size'] == 8
    assert card.recipe['validation_data']['size'] == 4
    assert capsys.readouterr().err == ''

    with pytest.raises(FileExistsError, match='overwrite=True'):
        run_training(path)
    model.unlink()
    with pytest.raises(FileExistsError, match='resume=True'):
        run_training(path)
    assert run_training(path, resume=True) == model
    # Everything follows from the seed.
    assert read_card(model).checksum == card.checksum


def test_arrays(write, array_folder):
    path = write(
        f"""
        [data]
        source = 'arrays'
        setups = ['scanmap/green']
        folder = '{array_folder}'
        normalisation = {{ name = 'minmax' }}
        [loss]
        preset = 'paper'
        """,
        COMMON.replace('epochs = 2', 'epochs = 1'),
    )
    card = read_card(run_training(path))
    assert card.normalisation == {'name': 'minmax'}
    assert card.recipe['steps'] == 4
    assert card.recipe['training_data']['source'] == 'arrays'


def test_progress_bar(write, array_folder, capsys):
    path = write(
        f"""
        [data]
        source = 'arrays'
        setups = ['scanmap/green']
        folder = '{array_folder}'
        """,
        COMMON.replace('progress_bar = false', 'progress_bar = true'),
    )
    run_training(path)
    shown = capsys.readouterr().err
    assert 'epoch 2/2' in shown
    assert 'loss=' in shown
    assert 'valid=' in shown


def test_setup_of_ones_own(tmp_path):
    values = {**get_setup(setup='scanmap/red').to_dict(), 'name': 'mine'}
    path = tmp_path / 'mine.json'
    path.write_text(json.dumps(values))
    few = {'n_fields': 1, 'n_noise': 1, 'n_stamps': 1, 'field_size': 128}
    config = TrainingConfig.from_dict(
        {'data': {'setup_files': [str(path)], 'sampler': few, 'validation_sampler': {}}}
    )
    setups, train, valid = make_data(config)
    assert [setup.name for setup in setups] == ['mine']
    assert train.describe()['setups'] == ['mine']
    # Other fields for validation
    first, second = (data.sampler._fields[0] for data in (train, valid))
    assert (first != second).all()
    path.write_text('{"name": 3}')
    with pytest.raises(ValueError, match=r'mine\.json.*does not hold a setup'):
        make_data(config)
    path.unlink()
    with pytest.raises(FileNotFoundError, match='no setup file'):
        make_data(config)


def test_bad_data():
    with pytest.raises(ValueError, match='at least one setup'):
        make_data(TrainingConfig())
    values = {'data': {'setups': ['scanmap/red'], 'sampler': {'n_field': 3}}}
    with pytest.raises(ValueError, match="'n_field' in .*did you mean 'n_fields'"):
        TrainingConfig.from_dict(values)


@pytest.mark.parametrize('kind', ['masked', 'residual'])
@pytest.mark.parametrize(
    ('name', 'value'), [('n_fields', 90_000), ('n_noise', 10_000), ('n_stamps', 90_000)]
)
def test_fields_that_fill_the_memory_are_refused(kind, name, value):
    data = {'kind': kind, 'setups': ['scanmap/red'], 'sampler': {name: value}}
    with pytest.raises(ValueError, match=rf'data\.sampler: .* GB.*Lower {name}'):
        TrainingConfig.from_dict({'data': data})
    data = {'validation_size': 10**12}
    with pytest.raises(ValueError, match='validation_size'):
        TrainingConfig.from_dict({'data': data})


def test_nothing_heavy_is_imported():
    code = """
import sys
import photutils_pconv.training as training
training.TrainingConfig.from_dict({'epochs': 2})
assert 'Trainer' in dir(training)
for name in ('torch', 'kornia', 'accelerate', 'matplotlib'):
    assert name not in sys.modules, name
training.SimulatedCutouts
for name in ('kornia', 'accelerate', 'matplotlib'):
    assert name not in sys.modules, name
"""
    subprocess.run([sys.executable, '-c', code], check=True)


def test_unknown_name():
    import photutils_pconv.training as training

    with pytest.raises(AttributeError, match='has no attribute'):
        training.Trainers  # noqa: B018
    for name in training.__all__:
        assert getattr(training, name) is not None


REFUSED = {
    'architecture': ('network', "'PConvUNet'", "'FilledUNet'"),
    'width': ('network', 3, 4),
    'blocks': ('network', 1, 2),
    'turns': ('network', 4, 1),
    'kind': ('data', "'masked'", "'residual'"),
    'normalisation': ('data', "{ name = 'robust' }", "{ name = 'minmax' }"),
    'setups': ('data', "['scanmap/green']", "['scanmap/blue']"),
    'epoch_size': ('data', 16, 32),
    'validation_size': ('data', 4, 8),
    'sampler': ('data', '{ n_fields = 2 }', '{ n_fields = 4 }'),
    'validation_sampler': ('data', '{ n_noise = 2 }', '{ n_noise = 4 }'),
    'nan_targets': ('data', "'raise'", "'missing'"),
}


@pytest.mark.parametrize('field', REFUSED)
def test_another_model_is_not_resumed(write, monkeypatch, field):
    """A checkpoint of another model is refused in words, before data are made."""
    from photutils_pconv.training import run
    from photutils_pconv.training.checkpoint import save_checkpoint
    from photutils_pconv.training.progress import Progress

    section, before, now = REFUSED[field]
    text = "output = 'run'\n[{}]\n{} = {}\n"
    path = write(text.format(section, field, before), '')
    config = TrainingConfig.from_toml(path)
    (path.parent / 'run').mkdir()
    save_checkpoint(
        path.parent / 'run' / 'last.pt',
        config=config.to_dict(),
        data={'kind': 'masked'},
        network={'weight': torch.ones(2)},
        optimiser={'state': {}},
        schedule={'last_epoch': 0},
        progress=Progress(),
    )

    def fail(config):
        pytest.fail('data were made')

    monkeypatch.setattr(run, 'make_data', fail)
    path = write(text.format(section, field, now), '')
    values = [
        TrainingConfig.from_toml(write(text.format(section, field, value), ''))
        for value in (before, now)
    ]
    # As JSON and the checkpoint have them.
    before, now = (one.to_dict()[section][field] for one in values)
    expected = (
        f'{section}.{field} is {before!r} in the checkpoint, but {now!r} in the '
        'configuration. Take the same configuration to resume, or another output'
    )
    with pytest.raises(ValueError, match=re.escape(expected)):
        run_training(path, resume=True)


def test_terms_are_checked_before_data_are_made(write):
    path = write("[loss]\npreset = 'residual'\n")
    with pytest.raises(ValueError, match="the loss term 'psf_flux'"):
        run_training(path)
