# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of ``photutils-pconv train``, in this process."""

import pytest

from photutils_pconv import training
from photutils_pconv.cli import main


@pytest.mark.parametrize(
    ('options', 'resume', 'overwrite'),
    [([], False, False), (['--resume'], True, False), (['--overwrite'], False, True)],
)
def test_options(options, resume, overwrite, monkeypatch, capsys):
    calls = []

    def run_training(config_path, **given):
        assert given.pop('dry_run') is given.pop('find_rate') is False
        calls.append((config_path, given['resume'], given['overwrite']))
        return 'model.safetensors'

    monkeypatch.setattr(training, 'run_training', run_training)
    assert main(['train', 'recipe.toml', *options]) == 0
    assert calls == [('recipe.toml', resume, overwrite)]
    assert capsys.readouterr() == ('model.safetensors\n', '')


def test_divergence(monkeypatch, assert_one_line):
    """A loss that explodes is the recipe's fault, not the package's."""

    def run_training(*_, **__):
        msg = 'the loss is not finite:\nlower the learning rate'
        raise training.DivergenceError(msg)

    monkeypatch.setattr(training, 'run_training', run_training)
    assert main(['train', 'recipe.toml']) == 1
    assert_one_line('photutils-pconv: error: the loss is not finite: lower the')


def test_no_recipe(tmp_path, assert_one_line):
    assert main(['train', str(tmp_path / 'none.toml')]) == 1
    assert_one_line('none.toml')
