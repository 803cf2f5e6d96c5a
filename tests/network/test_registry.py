# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the registry module, the bundled models, and the kinds of model.
"""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from photutils_pconv.network import registry
from photutils_pconv.network.card import ModelCard
from photutils_pconv.network.kinds import BESIDE_PSF, BUNDLED, check_kind
from photutils_pconv.network.registry import (
    default_model,
    list_models,
    model_path,
    read_card,
)
from photutils_pconv.network.unet import PConvUNet
from photutils_pconv.network.weights import load_model, save_model
from photutils_pconv.setups.registry import list_setups


def make_card(network, *, name='tiny'):
    return ModelCard(
        name=name,
        architecture={'class': 'PConvUNet', **network.config},
        normalisation={'name': 'robust', 'radius': 12.0},
    )


@pytest.fixture
def model_folder(tmp_path, monkeypatch):
    folder = tmp_path / 'models'
    folder.mkdir()
    monkeypatch.setattr(registry, '_MODEL_FOLDER', folder)
    return folder


def test_registry(model_folder, tmp_path):
    path = tmp_path / 'own.safetensors'
    assert list_models() == ()
    network = PConvUNet(width=1)
    save_model(path, network, make_card(network))
    for name in ('scanmap', 'parallel'):
        card = make_card(network, name=name)
        save_model(model_folder / f'{name}.safetensors', network, card)
    (model_folder / 'README.txt').touch()
    assert list_models() == ('parallel', 'scanmap')
    assert model_path('scanmap') == model_folder / 'scanmap.safetensors'
    assert model_path(path) == path.resolve()
    assert read_card('parallel').name == 'parallel'
    assert load_model('parallel').name == 'parallel'


def test_bundled_name_comes_before_a_file(model_folder, tmp_path, monkeypatch):
    network = PConvUNet(width=1)
    bundled = model_folder / 'scanmap.safetensors'
    save_model(bundled, network, make_card(network))
    monkeypatch.chdir(tmp_path)
    Path('scanmap').touch()
    assert model_path('scanmap') == bundled
    assert model_path('./scanmap') == (tmp_path / 'scanmap').resolve()
    assert model_path(Path('scanmap')) == (tmp_path / 'scanmap').resolve()


def test_unknown_model(model_folder):
    with pytest.raises(FileNotFoundError, match=r"'fast'.*\(none in this inst"):
        load_model('fast')
    network = PConvUNet(width=1)
    for name in ('scanmap', 'parallel'):
        save_model(model_folder / f'{name}.safetensors', network, make_card(network))
    for function in (load_model, read_card, model_path):
        with pytest.raises(
            FileNotFoundError, match=r"'fast'.*\('parallel', 'scanmap'\)"
        ):
            function('fast')


@pytest.mark.parametrize('mode', ['scanmap', 'parallel', '', 'psf'])
@pytest.mark.parametrize('bundled', [(), ('pacs', 'psf')])
def test_default_model(model_folder, mode, bundled):
    for name in bundled:
        (model_folder / f'{name}.safetensors').touch()
    assert default_model(SimpleNamespace(mode=mode, name='x')) == 'pacs'


def test_default_model_of_an_own_mode(model_folder):
    setup = SimpleNamespace(mode='spire', name='spire/psw')
    assert default_model(setup) == 'pacs'
    assert default_model(setup, beside_psf=True) == 'pacs_narrow'
    (model_folder / 'spire.safetensors').touch()
    assert default_model(setup) == 'spire'
    assert default_model(setup, beside_psf=True) == 'spire'


@pytest.mark.parametrize('name', list_models())
def test_bundled_models(name):
    path = model_path(name)
    assert path.stat().st_size <= 20e6
    model = load_model(name)
    assert model.name == name
    assert model.card == read_card(name)
    assert set(model.card.setups) == set(list_setups(instrument='PACS'))
    # One is told the PSF, the others the beam and the wings.
    assert name in {BUNDLED[model.card.kind], BESIDE_PSF}
    assert model.card.kind == ('residual' if name == 'psf' else 'masked')
    generator = torch.Generator().manual_seed(1)
    image = torch.randn(2, len(model.card.images), 96, 96, generator=generator)
    with torch.no_grad():
        output = model.network(image, torch.ones(2, 1, 96, 96))
    assert torch.isfinite(output).all()


@pytest.mark.parametrize(('kind', 'other'), [('masked', 'psf'), ('residual', 'pacs')])
def test_a_model_of_the_other_kind_is_refused(kind, other):
    check_kind(read_card(BUNDLED[kind]), kind)
    match = f"'{other}' is of kind .* one of kind '{kind}'.*bundled '{BUNDLED[kind]}'"
    with pytest.raises(ValueError, match=match):
        check_kind(read_card(other), kind)
