# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of ``photutils-pconv models``, in this process."""

import json

import pytest
import torch

from photutils_pconv.cli import main
from photutils_pconv.network import list_models, load_model


def test_list(capsys):
    assert main(['models']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(':')[0] for line in lines] == list(list_models())
    assert all('normalisation' in line for line in lines)


def test_card(capsys, assert_one_line):
    assert main(['models', '--card', 'pacs']) == 0
    card = json.loads(capsys.readouterr().out)
    assert card == load_model('pacs').card.to_dict()
    assert main(['models', '--card', 'nonesuch']) == 1
    assert_one_line("no model 'nonesuch'")


@pytest.mark.parametrize(('name', 'method'), [('pacs', 'inpaint'), ('psf', 'psf')])
def test_check(name, method, capsys, assert_one_line, tmp_path):
    assert main(['models', '--check', name]) == 0
    assert f"method '{method}'" in capsys.readouterr().out
    (tmp_path / 'no.safetensors').write_bytes(b'nothing')
    assert main(['models', '--check', str(tmp_path / 'no.safetensors')]) == 1
    assert_one_line('no.safetensors')


def test_convert(checkpoint, tmp_path, capsys, assert_one_line):
    path = str(tmp_path / 'paper.safetensors')
    arguments = ['models', '--convert', checkpoint, path, '--mode', 'parallel']
    assert main(arguments) == 0
    assert capsys.readouterr().out == f'{path}\n'
    model = load_model(path)
    assert model.name == 'paper'
    assert model.card.setups[0] == 'parallel/blue'
    assert model.network.width == 1
    assert main(arguments) == 1
    assert_one_line('paper.safetensors', 'would be overwritten')
    assert main([*arguments, '--overwrite']) == 0


def test_convert_needs_a_mode(checkpoint, tmp_path, assert_one_line):
    path = tmp_path / 'paper.safetensors'
    assert main(['models', '--convert', checkpoint, str(path)]) == 1
    assert_one_line('--convert needs --mode')
    assert not path.exists()


def test_convert_something_else(tmp_path, assert_one_line):
    path = tmp_path / 'other.pth'
    torch.save({'a': torch.ones(2)}, path)
    arguments = ['models', '--convert', str(path), str(tmp_path / 'new')]
    assert main([*arguments, '--mode', 'scanmap']) == 1
    assert_one_line('not a checkpoint')
