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
from photutils_pconv.inpainting.scaling import Normalisation
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
        ({'images': ('map', 'wings')}, r"makes \('map',\) only.*\['wings'\] to True"),
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
        ({'architecture': THREE, 'normalisation': WINGS}, "3, but a 'masked'.*sees 2"),
        ({'architecture': {**ARCHITECTURE, 'in_channels': 4}}, 'sees 4 images.*again'),
        ({'architecture': {}}, "lacks 'in_channels'"),
        ({'normalisation': None}, "must have the dict 'normalisation'"),
        ({'kind': 'masked', 'new': 1}, r"unknown keys.*\['new'\]"),
        ({'format_version': 0}, 'format version 0.*1 and 2'),
        ({'format_version': '1'}, "format version '1'"),
    ],
)
def test_cards_of_format_1_that_make_no_sense(changes, match):
    with pytest.raises(ValueError, match=match):
        ModelCard.from_dict(format_1(**changes))


FILLED_ONE = {**FILLED, 'in_channels': 1, 'fill': 'smooth'}


@pytest.mark.parametrize(
    ('changes', 'match'),
    [
        ({'cutout_size': 10_016}, 'cutout_size must be .* at most 512, got 10016'),
        ({'cutout_size': 10**400}, 'cutout_size must be .* at most 512'),
        (
            {'architecture': {**ARCHITECTURE, 'width': 10**6}},
            r"width'\] .* at most 256",
        ),
        ({'architecture': {**ARCHITECTURE, 'in_channels': 10**9}}, 'at most 16, got'),
        (
            {'architecture': {**FILLED_ONE, 'blocks': 20_000}},
            r"blocks'\] .* at most 32",
        ),
        ({'architecture': {**FILLED_ONE, 'turns': 5}}, r"turns'\] .* at most 4, got 5"),
        ({'name': 'a' * 101}, 'name must have at most 100 characters, got 101'),
        ({'setups': ('x',) * 1001}, 'setups must be at most 1000 setup names'),
        ({'setups': ('x' * 101,)}, r'setups\[0\] must have at most 100 characters'),
        ({'notes': 'x' * 10**6}, 'at most 1000000 characters as JSON'),
        ({'recipe': {'k': list(range(200_000))}}, 'at most 1000000 characters'),
        ({'recipe': {'seed': 10**5000}}, r"recipe\['seed'\] .* at most 64 bits"),
    ],
)
def test_a_card_is_refused_beyond_its_limits(changes, match):
    with pytest.raises(ValueError, match=match):
        make_card(**changes)


def test_the_largest_card():
    architecture = {**FILLED_ONE, 'width': 256, 'blocks': 32, 'turns': 4}
    make_card(architecture=architecture, cutout_size=512, name='a' * 100)


@pytest.mark.parametrize('inner', [list, dict])
def test_a_card_has_no_endless_depth(inner):
    value = 1
    for _ in range(10_000):
        value = [value] if inner is list else {'a': value}
    with pytest.raises(ValueError, match='at most 16 levels are accepted'):
        make_card(recipe={'deep': value})
    for text in ('[' * 100_000, '{"a":' * 100_000, '9' * 5000):
        with pytest.raises(ValueError, match='not valid JSON'):
            ModelCard.from_json(text)


@pytest.mark.parametrize(
    ('key', 'values', 'rule'),
    [
        (
            'radius',
            ['24', None, True, 0, 0.0, -24.0, 513, 1e300, [24], {}],
            'a number above 0, to 512',
        ),
        (
            'softening',
            ['3', True, 0, -3.0, 1e-4, 1e300, [3]],
            'a number from 0.001 to 1e.06 .*, or None',
        ),
        ('wings', ['no', None, 1, 0.0, [False]], 'True or False'),
        ('kriging', ['True', None, 0, []], 'True or False'),
    ],
)
def test_a_normalisation_is_told_by_its_key(key, values, rule):
    for value in values:
        normalisation = {'name': 'robust', key: value}
        match = rf"normalisation\['{key}'\] must be {rule}.*, got "
        with pytest.raises(ValueError, match=match) as error:
            make_card(normalisation=normalisation)
        assert str(error.value).endswith(f'got {value!r}')


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize('key', ['radius', 'softening', 'wings'])
def test_a_normalisation_is_finite(key, value):
    with pytest.raises(ValueError, match=rf"normalisation\['{key}'\] must be "):
        make_card(normalisation={'name': 'robust', key: value})


def test_a_normalisation_has_no_other_keys():
    with pytest.raises(ValueError, match=r"keys in normalisation: \['scale'\]; acc"):
        make_card(normalisation={'name': 'robust', 'scale': 1.0})
    # Those that it may have are those that cutouts are scaled by.
    for name in ('robust', 'minmax'):
        values = {item.name: item.default for item in dataclasses.fields(Normalisation)}
        make_card(normalisation={**values, 'name': name})
        make_card(normalisation={**values, 'name': name, 'softening': None})


@pytest.mark.parametrize('version', [1, 2])
@pytest.mark.parametrize('lost', [('wings',), ('kriging',), ('wings', 'kriging')])
def test_a_normalisation_that_lost_what_the_images_say(lost, version):
    values = make_card(normalisation=BOTH, architecture=FILLED).to_dict()
    if version == 1:
        del values['kind'], values['images']
        values['format_version'] = 1
    for key in lost:
        del values['normalisation'][key]
    match = f"set normalisation.*'{lost[0]}'.* to True"
    if version == 1:
        match = "'masked' model.* the wings and kriging that it was trained with"
    with pytest.raises(ValueError, match=match):
        ModelCard.from_dict(values)


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
