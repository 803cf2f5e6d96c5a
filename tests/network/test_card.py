# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the card module, and of what must not import torch.
"""

import dataclasses
import json
import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pytest

import photutils_pconv
from photutils_pconv import network
from photutils_pconv._utils.versions import package_versions
from photutils_pconv.network.card import ModelCard

ARCHITECTURE = {
    'class': 'PConvUNet',
    'width': 16,
    'decoder_activation': 'leaky_relu',
    'in_channels': 1,
}


def make_card(**changes):
    values = {
        'name': 'scanmap',
        'description': 'A model.',
        'architecture': ARCHITECTURE,
        'normalisation': {'name': 'robust', 'radius': 12.0},
        'setups': ('scanmap/blue', 'scanmap/green'),
        'recipe': {'steps': 10, 'losses': {'hole': 6, 'valid': [2, 1.5]}, 'ema': None},
        'accuracy': {'hole_rms': 0.77},
        'versions': {'torch': '2.13.0'},
        'created': '2025-11-22',
        'checksum': '0123456789abcdef' * 4,
        'licence': 'BSD-3-Clause',
        'notes': 'Été',
    }
    return ModelCard(**{**values, **changes})


def test_dict_round_trip():
    card = make_card()
    values = card.to_dict()
    assert list(values) == [field.name for field in dataclasses.fields(ModelCard)]
    assert ModelCard.from_dict(values) == card
    # A copy: the card does not follow changes.
    values['recipe']['losses']['hole'] = 7
    assert card.recipe['losses']['hole'] == 6


def test_json_round_trip():
    card = make_card()
    text = card.to_json()
    assert ModelCard.from_json(text) == card
    assert ModelCard.from_json(text).to_json() == text
    plain = json.loads(text)
    assert plain['setups'] == ['scanmap/blue', 'scanmap/green']
    assert plain['notes'] == 'Été'
    assert plain['format_version'] == 2
    assert plain['kind'] == 'masked'
    assert plain['images'] == ['map']


def test_defaults():
    before = datetime.now(tz=UTC).date().isoformat()
    card = ModelCard(
        name='x', architecture=ARCHITECTURE, normalisation={'name': 'minmax'}
    )
    assert before <= card.created <= datetime.now(tz=UTC).date().isoformat()
    assert card.versions == package_versions()
    assert card.cutout_size == 96
    assert card.setups == ()
    assert card.checksum == ''
    assert ModelCard.from_json(card.to_json()) == card


def test_package_versions():
    versions = package_versions()
    assert versions['photutils_pconv'] == photutils_pconv.__version__
    assert versions['numpy'] == np.__version__
    assert {'torch', 'safetensors'} < set(versions)


def test_numpy_values_become_plain():
    card = make_card(
        accuracy={
            'rms': np.float32(0.5),
            'n': np.int64(3),
            'bins': np.array([1.0, 2.0]),
            'ok': np.bool_(True),
            'pair': (1, 2),
        },
    )
    expected = {'rms': 0.5, 'n': 3, 'bins': [1.0, 2.0], 'ok': True, 'pair': [1, 2]}
    assert card.accuracy == expected
    assert type(card.accuracy['n']) is int
    assert ModelCard.from_json(card.to_json()) == card


def test_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make_card().name = 'other'


def test_unknown_key():
    values = {**make_card().to_dict(), 'pickle': 1}
    with pytest.raises(ValueError, match=r"unknown keys.*'pickle'.*accepted are"):
        ModelCard.from_dict(values)


@pytest.mark.parametrize(
    'key', ['name', 'architecture', 'normalisation', 'kind', 'images']
)
def test_missing_key(key):
    values = make_card().to_dict()
    del values[key]
    with pytest.raises(ValueError, match=rf"missing in the model card: \['{key}'\]"):
        ModelCard.from_dict(values)


def test_newer_format():
    values = {**make_card().to_dict(), 'format_version': 3, 'new_key': 1}
    with pytest.raises(ValueError, match=r'format version 3.*install a newer'):
        ModelCard.from_dict(values)


@pytest.mark.parametrize(
    ('changes', 'match'),
    [
        ({'name': ''}, 'name must be made of'),
        ({'name': '../scanmap'}, 'name must be made of'),
        ({'created': 'yesterday'}, 'created must be a date'),
        ({'checksum': 'abc'}, 'checksum must be a SHA-256'),
        ({'checksum': 'A' * 64}, 'checksum must be a SHA-256'),
        ({'cutout_size': 100}, 'cutout_size must be a multiple of 32'),
        ({'cutout_size': 64}, 'cutout_size must be a multiple of 32'),
        ({'cutout_size': 96.0}, 'cutout_size must be a positive integer'),
        ({'architecture': {}}, 'architecture must have the keys'),
        ({'architecture': {**ARCHITECTURE, 'depth': 3}}, 'must have the keys'),
        ({'architecture': {**ARCHITECTURE, 'class': 'os.system'}}, 'must be one of'),
        ({'architecture': {**ARCHITECTURE, 'width': 0}}, 'positive integer'),
        ({'architecture': {**ARCHITECTURE, 'width': True}}, 'positive integer'),
        ({'architecture': {**ARCHITECTURE, 'in_channels': 1.0}}, 'positive integer'),
        (
            {'architecture': {**ARCHITECTURE, 'decoder_activation': 'gelu'}},
            r"decoder_activation.*\['leaky_relu', 'relu'\], got 'gelu'",
        ),
        ({'normalisation': {}}, r"\['minmax', 'robust'\], got None"),
        ({'normalisation': {'name': 'zscore'}}, r"robust'\], got 'zscore'"),
        ({'accuracy': {'rms': float('nan')}}, r"accuracy\['rms'\] must be finite"),
        ({'accuracy': {'rms': [1.0, np.inf]}}, r"accuracy\['rms'\]\[1\] must be f"),
        ({'format_version': 1}, 'format version 2, got 1: leave format_version out'),
    ],
)
def test_invalid_values(changes, match):
    with pytest.raises(ValueError, match=match):
        make_card(**changes)


@pytest.mark.parametrize(
    ('changes', 'match'),
    [
        ({'name': 3}, 'name must be a str, got int'),
        ({'notes': None}, 'notes must be a str'),
        ({'setups': 'scanmap/green'}, 'setups must be a tuple'),
        ({'setups': (1,)}, 'setups must hold names'),
        ({'recipe': [1]}, 'recipe must be a dict, got list'),
        ({'recipe': {'when': datetime.now(tz=UTC)}}, r"recipe\['when'\] must be made"),
        ({'recipe': {1: 2}}, 'the keys of recipe must be str'),
        ({'normalisation': {'name': 'robust', 'radius': [1]}}, 'a single value'),
    ],
)
def test_invalid_types(changes, match):
    with pytest.raises(TypeError, match=match):
        make_card(**changes)


WINGS = {'name': 'robust', 'wings': True, 'kriging': False}
BOTH = {'name': 'robust', 'wings': True, 'kriging': True}
KRIGING = {'name': 'robust', 'kriging': True}
RESIDUAL = ('residual', 'shapes', 'mismatch')


@pytest.mark.parametrize(
    ('kind', 'normalisation', 'images'),
    [
        ('masked', {'name': 'minmax'}, ('map',)),
        ('masked', WINGS, ('map', 'wings')),
        ('masked', KRIGING, ('map', 'kriging')),
        ('masked', BOTH, ('map', 'wings', 'kriging')),
        ('residual', {'name': 'robust', 'radius': 24.0}, RESIDUAL),
    ],
)
@pytest.mark.parametrize('given', [True, False])
def test_a_card_says_what_the_network_sees(kind, normalisation, images, given):
    card = make_card(
        kind=kind,
        normalisation=normalisation,
        architecture={**ARCHITECTURE, 'in_channels': len(images)},
        **({'images': list(images)} if given else {}),
    )
    assert card.kind == kind
    assert card.images == images
    assert ModelCard.from_json(card.to_json()) == card


THREE = {**ARCHITECTURE, 'in_channels': 3}
FILLED = {
    **THREE,
    'class': 'FilledUNet',
    'blocks': 1,
    'turns': 4,
    'fill': 'given',
}


@pytest.mark.parametrize(
    ('changes', 'match'),
    [
        ({'kind': 'both'}, r"kind must be one of \['masked', 'residual'\], got 'both'"),
        ({'images': ('map', 'wings')}, r"images must be \('map',\).*leave images out"),
        ({'images': RESIDUAL}, r"images must be \('map',\) for a 'masked' model"),
        (
            {'normalisation': WINGS, 'images': ('wings', 'map')},
            r"images must be \('map', 'wings'\)",
        ),
        ({'architecture': THREE}, r"is 3, but.*1 image.*set kind='residual'"),
        ({'kind': 'residual'}, r"is 1, but.*'residual'.*in_channels=3"),
        ({'normalisation': WINGS}, r'is 1, but.*2 image.*in_channels=2'),
        (
            {'kind': 'residual', 'architecture': THREE, 'normalisation': BOTH},
            "no image of wings or kriging.*set kind = 'masked'",
        ),
        (
            {'kind': 'residual', 'architecture': FILLED},
            "last image is 'mismatch'.*fill='smooth'",
        ),
    ],
)
def test_kind_images_normalisation_and_channels_agree(changes, match):
    with pytest.raises(ValueError, match=match):
        make_card(**changes)


def test_images_must_be_names():
    with pytest.raises(TypeError, match='images must be a tuple of names of images'):
        make_card(images='map')


def format_1(**changes):
    """Give a card as the package wrote it before there were kinds."""
    values = make_card().to_dict()
    del values['kind'], values['images']
    return {**values, 'format_version': 1, **changes}


@pytest.mark.parametrize(
    ('channels', 'normalisation', 'kind', 'n_images'),
    [
        (1, {'name': 'minmax'}, 'masked', 1),
        (2, WINGS, 'masked', 2),
        (2, KRIGING, 'masked', 2),
        (3, BOTH, 'masked', 3),
        (3, {'name': 'robust'}, 'residual', 3),
    ],
)
def test_cards_of_format_1_are_converted(channels, normalisation, kind, n_images):
    values = format_1(
        architecture={**ARCHITECTURE, 'in_channels': channels},
        normalisation=normalisation,
    )
    card = ModelCard.from_dict(values)
    assert card.kind == kind
    assert len(card.images) == n_images
    assert card.format_version == 2
    kept = {key: value for key, value in values.items() if key != 'format_version'}
    assert kept.items() <= card.to_dict().items()
    assert values['format_version'] == 1


@pytest.mark.parametrize(
    ('changes', 'match'),
    [
        ({'architecture': THREE, 'normalisation': WINGS}, 'no image of wings'),
        ({'architecture': {**ARCHITECTURE, 'in_channels': 4}}, 'sees 4 images.*again'),
        ({'architecture': {}}, "lacks 'in_channels'"),
        ({'normalisation': None}, 'format 1 lacks'),
        ({'kind': 'masked', 'new': 1}, r"unknown keys.*\['new'\]"),
        ({'format_version': 0}, 'format version 0.*1 and 2'),
        ({'format_version': '1'}, "format version '1'"),
    ],
)
def test_cards_of_format_1_that_make_no_sense(changes, match):
    with pytest.raises(ValueError, match=match):
        ModelCard.from_dict(format_1(**changes))


@pytest.mark.parametrize('text', ['', '{', '{"name": }'])
def test_invalid_json(text):
    with pytest.raises(ValueError, match='not valid JSON'):
        ModelCard.from_json(text)


@pytest.mark.parametrize('text', ['[]', '"card"', '3'])
def test_json_of_something_else(text):
    with pytest.raises(TypeError, match='must be a dict'):
        ModelCard.from_json(text)


def test_torch_is_not_imported():
    code = (
        'import sys\n'
        'import photutils_pconv.network.card\n'
        'from photutils_pconv import network\n'
        'from photutils_pconv.network import ModelCard, list_models, read_card\n'
        'for name in list_models(): read_card(name)\n'
        "assert 'torch' not in sys.modules\n"
        'assert set(network.__all__) <= set(dir(network))\n'
        "assert 'torch' not in sys.modules\n"
        'network.PConvUNet\n'
        "assert 'torch' in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_public_names():
    assert list(network.__all__) == sorted(network.__all__)
    for name in network.__all__:
        assert getattr(network, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = network.nothing
