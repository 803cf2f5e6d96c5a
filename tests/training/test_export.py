# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of how a training ends and begins: exported models, and arguments.
"""

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
import torch

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.network import load_model, save_model
from photutils_pconv.training import ArrayCutouts, Trainer, TrainingConfig
from photutils_pconv.training.checkpoint import load_checkpoint

pytest.importorskip('accelerate')
pytest.importorskip('kornia')


class TestExport:
    def test_card(self, make_trainer):
        trainer = make_trainer(description='For tests.', loss={'preset': 'paper'})
        history = trainer.fit()
        path = trainer.export()
        assert path == trainer.output / 'tiny.safetensors'
        card = load_model(path, cache=False).card
        assert card.name == 'tiny'
        assert card.description == 'For tests.'
        assert card.setups == ('scanmap/green',)
        assert card.normalisation == {'name': 'robust'}
        assert card.cutout_size == 96
        best = min(history, key=lambda row: row['valid_loss'])
        assert card.accuracy['validation'] == best
        recipe = card.recipe
        assert recipe['seed'] == 5
        assert recipe['steps'] == best['step']
        assert recipe['loss']['terms']['style_raw']['weight'] == 120
        assert recipe['loss']['features'] == 'RandomFeatures'
        assert recipe['config']['optimiser']['learning_rate'] == 0.005
        assert recipe['training_data']['size'] == 16
        assert recipe['validation_data']['size'] == 6
        for package in ('torch', 'kornia', 'accelerate', 'photutils_pconv', 'python'):
            assert card.versions[package] not in ('', 'unknown')
        assert str(trainer.output) not in card.to_json()

    def test_remover_takes_it(self, make_trainer, arrays):
        trainer = make_trainer(epochs=1)
        trainer.fit()
        path = trainer.export()
        image, _, _ = arrays(1, 7)
        remover = NeuralSourceRemover(mode='scanmap', band='green', model=path)
        cleaned, table = remover(image[0] * u.Jy, [(47.5, 47.5)])
        assert np.isfinite(cleaned.value).all()
        assert len(table) == 1
        hole = np.hypot(*(np.indices((96, 96)) - 47.5)) <= float(
            table['hole_radius'][0]
        )
        assert np.all(cleaned.value[hole] != image[0][hole])
        assert trainer.config.name in str(table.meta)

    def test_last_and_overwrite(self, make_trainer):
        trainer = make_trainer()
        trainer.fit(max_steps=3)
        path = trainer.export(which='last', dtype='float32')
        exported = load_model(path, cache=False)
        assert exported.card.recipe['steps'] == 3
        assert torch.equal(
            exported.network.encoder[3].conv.weight,
            trainer.network.encoder[3].conv.weight,
        )
        with pytest.raises(FileExistsError, match='overwrite=True'):
            trainer.export()
        trainer.export(overwrite=True)
        assert load_model(path, cache=False).card.recipe['steps'] == 2

    def test_nothing_yet(self, make_trainer):
        with pytest.raises(FileNotFoundError, match=r'best\.pt'):
            make_trainer().export()
        with pytest.raises(ValueError, match='which must be one of'):
            make_trainer().export(which='first')


class TestStart:
    def test_from_export(self, make_trainer, tmp_path):
        first = make_trainer(epochs=1, output=tmp_path / 'a')
        first.fit()
        path = first.export(dtype='float32')
        second = make_trainer(
            output=tmp_path / 'b', network={'start': str(path)}, seed=9
        )
        expected = load_checkpoint(tmp_path / 'a' / 'best.pt')['network']
        found = second.network.state_dict()
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in expected)

    def test_other_network(self, make_trainer, tmp_path):
        first = make_trainer(epochs=1, output=tmp_path / 'a')
        first.fit()
        path = first.export()
        with pytest.raises(ValueError, match='the configuration asks for'):
            make_trainer(network={'start': str(path), 'width': 3})
        model = load_model(path, cache=False)
        card = replace(model.card, normalisation={'name': 'minmax'})
        save_model(tmp_path / 'b.safetensors', model.network, card)
        with pytest.raises(ValueError, match='was trained with the normalisation'):
            make_trainer(network={'start': str(tmp_path / 'b.safetensors')})


class TestArguments:
    def test_config(self, tmp_path):
        with pytest.raises(TypeError, match='must be a TrainingConfig, got dict'):
            Trainer({}, train_data=1, validation_data=1, setups=[], output=tmp_path)

    @pytest.mark.parametrize('setups', ['scanmap/green', [], None])
    def test_setups(self, arrays, tmp_path, setups):
        data = ArrayCutouts(*arrays(2, 0))
        with pytest.raises(TypeError, match='setups must be a list'):
            Trainer(
                TrainingConfig(),
                train_data=data,
                validation_data=data,
                setups=setups,
                output=tmp_path,
            )

    def test_data(self, arrays, tmp_path):
        data = ArrayCutouts(*arrays(2, 0))
        other = ArrayCutouts(*arrays(2, 0), normalisation={'name': 'robust'})
        options = {'setups': ['scanmap/green'], 'output': tmp_path}
        config = TrainingConfig(batch_size=2)
        with pytest.raises(ValueError, match='the same normalisation'):
            Trainer(config, train_data=data, validation_data=other, **options)
        with pytest.raises(TypeError, match='attribute normalisation'):
            Trainer(config, train_data=[1], validation_data=other, **options)
        wide = ArrayCutouts(*(np.ones((2, 96, 128)),) * 3)
        with pytest.raises(ValueError, match='shape .1, size, size.'):
            Trainer(config, train_data=wide, validation_data=wide, **options)
        with pytest.raises(ValueError, match='number of training cutouts, 2, got 64'):
            Trainer(TrainingConfig(), train_data=data, validation_data=data, **options)
