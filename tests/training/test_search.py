# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of tools/search_models.py."""

import importlib.util
import tomllib
from pathlib import Path

import pytest

from photutils_pconv.training import TrainingConfig

PATH = Path(__file__).parents[2] / 'tools' / 'search_models.py'


@pytest.fixture(scope='module')
def search():
    spec = importlib.util.spec_from_file_location(PATH.stem, PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_variant_is_a_configuration(search):
    recipe = tomllib.loads(search.RECIPE.read_text())
    base = search.merge(recipe, search.SHORT)
    found = [
        repr(TrainingConfig.from_dict(search.merge(base, change)))
        for change in search.VARIANTS.values()
    ]
    assert len(set(found)) == len(found)
    # What a variant does not name is the recipe's.
    assert all('log_noise' in one and 'epochs=1' in one for one in found)


def test_merge(search):
    base = {'a': {'b': 1, 'c': 2}, 'd': 3}
    assert search.merge(base, {'a': {'b': 5}}) == {'a': {'b': 5, 'c': 2}, 'd': 3}
    assert base['a']['b'] == 1
    robust = {'name': 'robust', 'radius': 24.0, 'wings': True}
    assert search.merge(robust, {'name': 'minmax'}) == {'name': 'minmax', 'wings': True}


def test_a_variant_is_trained_once(search, tmp_path, capsys):
    pytest.importorskip('accelerate')
    small = {
        'setups': ['scanmap/green'],
        'validation_size': 8,
        'sampler': {'n_fields': 2, 'n_noise': 1, 'n_stamps': 2, 'field_size': 96},
        'validation_sampler': {'n_fields': 2, 'n_noise': 1, 'n_stamps': 2},
    }
    search.SHORT = search.merge(
        search.SHORT, {'batch_size': 4, 'workers': 0, 'data': small}
    )
    arguments = [
        '-o',
        str(tmp_path),
        '--cutouts',
        '8',
        '--variants',
        'width 16',
        'ReLU',
    ]
    search.main(arguments)
    # What training prints comes before, and is not printed again.
    first = [line for line in capsys.readouterr().out.splitlines() if line[:2] == '| ']
    assert [line.split(' | ')[0] for line in first] == ['| width 16', '| ReLU']
    assert all(float(line.split(' | ')[1]) > 0 for line in first)
    search.main(arguments)
    assert capsys.readouterr().out.splitlines() == first
    assert (tmp_path / 'table.md').read_text().splitlines()[2:] == first
