# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the weights module.
"""

import hashlib
import json
import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from photutils_pconv.network import registry
from photutils_pconv.network.card import ModelCard
from photutils_pconv.network.registry import read_card
from photutils_pconv.network.unet import PConvUNet
from photutils_pconv.network.weights import (
    LoadedModel,
    _checksum,
    load_model,
    save_model,
)


def make_network(*, width=2, seed=0, **kwargs):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = PConvUNet(width=width, **kwargs)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith(('bn.weight', 'running_var')):
                tensor.uniform_(0.5, 1.5, generator=generator)
            elif name.endswith(('bias', 'running_mean')):
                tensor.normal_(0, 0.1, generator=generator)
            elif tensor.ndim == 4:
                tensor.normal_(0, tensor.std().item(), generator=generator)
    return network.eval()


def make_card(network, **changes):
    values = {
        'name': 'tiny',
        'architecture': {'class': 'PConvUNet', **network.config},
        'normalisation': {'name': 'robust', 'radius': 12.0},
        'setups': ('scanmap/green',),
        'versions': {'torch': '2.13.0'},
        'created': '2025-11-22',
    }
    return ModelCard(**{**values, **changes})


def output(network):
    rng = np.random.default_rng(1)
    shape = (2, network.in_channels, 96, 96)
    image = torch.from_numpy(rng.normal(size=shape).astype(np.float32))
    validity = torch.ones((2, 1, 96, 96))
    validity[..., 40:56, 40:56] = 0
    with torch.no_grad():
        return network(image, validity)


def metadata_of(content):
    """Read the header of a safetensors file by hand."""
    length = int.from_bytes(content[:8], 'little')
    return json.loads(content[8 : 8 + length])['__metadata__']


def write_changed(path, change):
    """Change tensors, with a right checksum, as another program may do."""
    tensors = {name: t.copy() for name, t in load_tensors(path.read_bytes()).items()}
    change(tensors)
    card = replace(read_card(path), checksum=_checksum(tensors))
    metadata = registry._card_to_metadata(card)
    path.write_bytes(save_tensors(tensors, metadata=metadata))


@pytest.fixture
def network():
    return make_network()


@pytest.fixture
def path(tmp_path, network):
    path = tmp_path / 'tiny.safetensors'
    save_model(path, network, make_card(network))
    return path


def test_float32_round_trip(tmp_path, network):
    path = tmp_path / 'model.safetensors'
    given = make_card(network)
    card = save_model(path, network, given, dtype='float32')
    model = load_model(str(path))
    assert isinstance(model, LoadedModel)
    assert not model.network.training
    assert model.network.config == network.config
    assert model.path == path.resolve()
    assert model.card == card == replace(given, checksum=card.checksum)
    assert model.checksum == card.checksum
    assert model.name == 'tiny'
    state, expected = model.network.state_dict(), network.state_dict()
    assert list(state) == list(expected)
    for name in state:
        assert torch.equal(state[name], expected[name]), name
    assert torch.equal(output(model.network), output(network))


def test_float16_round_trip(path, network):
    model = load_model(path)
    expected = output(network)
    error = (output(model.network) - expected).abs().max() / expected.abs().max()
    # Rounding of 2**-11 a kernel, through 22 layers.
    assert 0 < error < 5e-3
    assert {p.dtype for p in model.network.parameters()} == {torch.float32}


def test_float16_is_kept_to_the_kernels(path, tmp_path, network):
    tensors = load_tensors(path.read_bytes())
    assert set(tensors) == set(network.state_dict())
    for name, array in tensors.items():
        expected = {4: 'float16', 1: 'float32', 0: 'int64'}[array.ndim]
        assert array.dtype == expected, name
    save_model(tmp_path / 'full', network, make_card(network), dtype='float32')
    sizes = [os.path.getsize(p) for p in (path, tmp_path / 'full')]
    assert sizes[0] < 0.7 * sizes[1]


def test_batch_norm_is_exact(tmp_path, network):
    with torch.no_grad():
        network.encoder[3].bn.running_var.fill_(1.234567e-9)
        network.encoder[3].bn.running_mean.fill_(1.234567e5)
    path = tmp_path / 'model.safetensors'
    save_model(path, network, make_card(network))
    bn = load_model(path).network.encoder[3].bn
    assert torch.equal(bn.running_var, network.encoder[3].bn.running_var)
    assert torch.equal(bn.running_mean, network.encoder[3].bn.running_mean)


@pytest.mark.parametrize(
    ('factor', 'where'),
    [(1e7, ()), (1e-7, ()), (1e-5, (0,)), (1e-5, (slice(None), 0))],
    ids=['overflow', 'underflow', 'a weak output', 'a weak input'],
)
def test_kernels_beyond_float16_stay_float32(tmp_path, network, factor, where):
    kernel = network.encoder[4].conv.weight
    with torch.no_grad():
        kernel[where] *= factor
    path = tmp_path / 'model.safetensors'
    save_model(path, network, make_card(network))
    tensors = load_tensors(path.read_bytes())
    wide = [n for n, a in tensors.items() if a.ndim == 4 and a.dtype == np.float32]
    assert wide == ['encoder.4.conv.weight']
    assert torch.equal(load_model(path).network.encoder[4].conv.weight, kernel)


def test_switched_off_channel_is_no_reason_for_float32(tmp_path, network):
    with torch.no_grad():
        network.encoder[4].conv.weight[0] *= 1e-30
        network.encoder[5].conv.weight[0] = 0
    path = tmp_path / 'model.safetensors'
    save_model(path, network, make_card(network))
    tensors = load_tensors(path.read_bytes())
    assert tensors['encoder.4.conv.weight'].dtype == np.float16
    assert tensors['encoder.5.conv.weight'].dtype == np.float16


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_unusable_network_is_refused(tmp_path, network, value):
    with torch.no_grad():
        network.decoder[2].bn.bias[1] = value
    path = tmp_path / 'model.safetensors'
    with pytest.raises(ValueError, match=r"'decoder\.2\.bn\.bias' holds NaN or"):
        save_model(path, network, make_card(network))
    assert not path.exists()


def test_same_model_gives_the_same_bytes(tmp_path, network):
    contents = []
    for name in 'abc':
        save_model(tmp_path / name, network, make_card(network))
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1] == contents[2]


def test_checksum_follows_the_tensors(tmp_path, network):
    path = tmp_path / 'model.safetensors'

    def save(network, **kwargs):
        card = make_card(network, **kwargs)
        return save_model(path, network, card, overwrite=True).checksum

    first = save(network)
    assert save(network, notes='other') == first
    assert save(make_network(seed=1)) != first
    with torch.no_grad():
        network.encoder[0].bn.num_batches_tracked += 1
    assert save(network) != first


def test_save_refuses(tmp_path, network):
    path = tmp_path / 'model.safetensors'
    card = make_card(network)
    with pytest.raises(
        TypeError, match='must be a PConvUNet or FilledUNet, got Linear'
    ):
        save_model(path, torch.nn.Linear(2, 2), card)
    with pytest.raises(TypeError, match='must be a ModelCard, got dict'):
        save_model(path, network, card.to_dict())
    with pytest.raises(ValueError, match=r"\['float16', 'float32'\], got 'int8'"):
        save_model(path, network, card, dtype='int8')
    with pytest.raises(ValueError, match=r"the card describes the architecture.*'w"):
        save_model(path, make_network(width=1), card)
    with pytest.raises(FileNotFoundError):
        save_model(tmp_path / 'no folder' / 'x', network, card)
    assert list(tmp_path.iterdir()) == []


def test_save_leaves_the_network_alone(tmp_path, network):
    network.train()
    before = {name: t.clone() for name, t in network.state_dict().items()}
    save_model(tmp_path / 'x', network, make_card(network))
    assert network.training
    assert all(torch.equal(t, before[n]) for n, t in network.state_dict().items())


def test_overwrite(path):
    other = make_network(seed=1)
    content = path.read_bytes()
    with pytest.raises(FileExistsError, match='would be overwritten.*overwrite=True'):
        save_model(path, other, make_card(other))
    assert path.read_bytes() == content
    save_model(path, other, make_card(other), overwrite=True)
    assert path.read_bytes() != content


@pytest.mark.parametrize('function', ['fsync', 'replace'])
def test_write_is_atomic(path, monkeypatch, function):
    def fail(*args):
        raise OSError('the disk is full')

    content = path.read_bytes()
    other = make_network(seed=1)
    monkeypatch.setattr(os, function, fail)
    with pytest.raises(OSError, match='the disk is full'):
        save_model(path, other, make_card(other), overwrite=True)
    assert path.read_bytes() == content
    # Nothing half-written is left behind.
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(os.name != 'posix', reason='POSIX permissions')
def test_file_permissions_follow_the_umask(path):
    plain = path.with_name('plain')
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode


def test_loading_keeps_the_random_state(path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load_model(path, cache=False)
    assert torch.equal(torch.rand(3), expected)


def test_loading_leaves_other_threads_their_random_numbers(path):
    """Whoever draws at the same time gets the numbers of the seed."""
    torch.manual_seed(5)
    expected = torch.rand(2000, 50)
    torch.manual_seed(5)
    loading = threading.Event()

    def load():
        loading.set()
        for _ in range(8):
            load_model(path, cache=False)

    with ThreadPoolExecutor(1) as pool:
        task = pool.submit(load)
        loading.wait()
        drawn = [torch.rand(50) for _ in range(len(expected))]
        task.result()
    assert torch.equal(torch.stack(drawn), expected)


def test_loading_never_touches_the_global_generator(path, monkeypatch):
    for module, name in ((torch, 'manual_seed'), (torch, 'set_rng_state')):
        monkeypatch.setattr(module, name, None)
    state = torch.get_rng_state()
    monkeypatch.setattr(torch.random, 'fork_rng', None)
    load_model(path, cache=False)
    assert torch.equal(torch.get_rng_state(), state)


def test_truncated(path):
    content = path.read_bytes()
    for length in (0, 5, 8, 100, 5000, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        for function in (load_model, read_card):
            with pytest.raises(ValueError, match=r'tiny\.safetensors.*is truncated'):
                function(path)
    path.write_bytes(content + b'x')
    with pytest.raises(ValueError, match='not a safetensors file'):
        load_model(path)


def test_any_changed_byte_is_refused(path):
    content = path.read_bytes()
    header = 8 + int.from_bytes(content[:8], 'little')
    # Without the header's padding, spaces that mean nothing.
    header_text = len(content[:header].rstrip())
    rng = np.random.default_rng(2)
    places = [
        *range(8),
        *rng.integers(8, header_text, 150),
        *rng.integers(header, len(content), 50),
    ]
    for place in places:
        changed = bytearray(content)
        changed[place] ^= int(rng.integers(1, 256))
        path.write_bytes(changed)
        with pytest.raises(ValueError, match=r'.'):
            load_model(path)
    path.write_bytes(content)
    load_model(path)


def test_changed_tensor_and_card_are_named(path):
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ValueError, match=r'tensors of .* do not match the check'):
        load_model(path)
    # The card alone can still be read: it is sound.
    assert read_card(path).name == 'tiny'

    path.write_bytes(content.replace(b'12.0', b'13.0'))
    for function in (load_model, read_card):
        with pytest.raises(ValueError, match=r'card of .* does not match its check'):
            function(path)


def test_no_or_wrong_card(path):
    tensors = load_tensors(path.read_bytes())
    path.write_bytes(save_tensors(tensors))
    with pytest.raises(ValueError, match='has no model card'):
        load_model(path)
    for text in ('no JSON', '[]', '{}', '{"name": "x"}', '[' * 100000):
        path.write_bytes(save_tensors(tensors, metadata={'model_card': text}))
        with pytest.raises(ValueError, match=r'model card of .* is not valid'):
            load_model(path)


@pytest.mark.parametrize(
    ('change', 'match'),
    [
        (lambda t: t.pop('encoder.2.bn.bias'), r'missing tensors \(1\): encoder\.2'),
        (lambda t: t.update(extra=np.ones(2, 'f4')), r'unexpected tensors.*extra'),
        (
            lambda t: t.update({'encoder.2.bn.bias': np.ones(7, 'f4')}),
            r'wrong shape \(1\): encoder\.2\.bn\.bias: \(7,\), expected \(4,\)',
        ),
        (
            lambda t: t.update({'encoder.2.bn.bias': np.ones(4, 'i4')}),
            'other types than .*I32',
        ),
    ],
)
def test_other_tensors_than_the_architecture_has(path, change, match):
    write_changed(path, change)
    with pytest.raises(ValueError, match=match):
        load_model(path)


@pytest.mark.parametrize(
    ('name', 'value', 'match'),
    [
        ('encoder.0.conv.weight', np.nan, r'NaN or infinity \(1\): encoder\.0\.conv'),
        ('decoder.10.conv.bias', np.inf, r'NaN or infinity \(1\): decoder\.10'),
        ('encoder.3.bn.running_mean', -np.inf, r'NaN or infinity \(1\): encoder\.3'),
        ('encoder.3.bn.running_var', -1.0, r'variances that are negative \(1\): enc'),
    ],
)
def test_unusable_weights_are_refused(path, name, value, match):
    """They have the right checksum, as another program may write it."""
    write_changed(path, lambda tensors: tensors[name].reshape(-1)[:1].fill(value))
    with pytest.raises(ValueError, match=rf'tiny\.safetensors.* has .*{match}'):
        load_model(path)


@pytest.mark.parametrize('architecture', ['PConvUNet', 'FilledUNet'])
@pytest.mark.parametrize('width', [3, 256])
def test_weights_of_another_size_than_the_card_says(path, architecture, width):
    """However large, the network of the card is not built."""
    card = read_card(path)
    more = {'blocks': 32, 'fill': 'smooth', 'turns': 4}
    values = {**card.architecture, 'class': architecture, 'width': width}
    values |= more if architecture == 'FilledUNet' else {}
    tensors = load_tensors(path.read_bytes())
    metadata = registry._card_to_metadata(replace(card, architecture=values))
    path.write_bytes(save_tensors(tensors, metadata=metadata))
    with pytest.raises(ValueError, match=r'wrong shape|missing tensors'):
        load_model(path)


@pytest.mark.parametrize(
    'change',
    [
        {'cutout_size': 20_000},
        {'cutout_size': -96},
        {'architecture': {'class': 'PConvUNet', 'width': 10**12}},
        {'architecture': None},
        {'normalisation': {'name': 'robust', 'radius': 'wide'}},
        {'normalisation': 3},
        {'kind': ['masked']},
        {'images': {}},
        {'format_version': [2]},
        {'created': '9' * 10**5},
        {'notes': 'x' * (10**6 + 1)},
    ],
)
def test_cards_that_ask_for_nonsense(path, change):
    """Both checksums are right, as of a file that is made to do harm."""
    tensors = load_tensors(path.read_bytes())
    values = {**read_card(path).to_dict(), **change}
    values[registry._CARD_CHECKSUM] = registry._card_checksum(values)
    path.write_bytes(save_tensors(tensors, metadata={'model_card': json.dumps(values)}))
    for function in (load_model, read_card):
        with pytest.raises(ValueError, match=r'model card of .* is not valid: ') as one:
            function(path)
        assert len(str(one.value)) < 1000


def test_sound_file_that_begins_like_a_pickle(tmp_path, network):
    path = tmp_path / 'model.safetensors'
    for length in range(0, 512, 8):
        card = make_card(network, notes='x' * length)
        save_model(path, network, card, overwrite=True)
        if path.read_bytes()[0] == 0x80:
            break
    else:
        pytest.fail('no such header')
    assert load_model(path).card.notes == card.notes


class Payload:
    """Something that creates a file when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


@pytest.mark.parametrize('name', ['model.pth', 'model.safetensors'])
def test_nothing_is_unpickled(tmp_path, name):
    marker = tmp_path / 'marker'
    payload = Payload(marker)
    pickle.loads(pickle.dumps(payload))
    assert marker.exists()  # the payload works
    marker.unlink()

    path = tmp_path / name
    match = 'looks like a PyTorch checkpoint.*convert_reference_checkpoint'
    path.write_bytes(pickle.dumps(payload))
    with pytest.raises(ValueError, match=match):
        load_model(path)
    for zipped in (True, False):
        torch.save(payload, path, _use_new_zipfile_serialization=zipped)
        for function in (load_model, read_card):
            with pytest.raises(ValueError, match=match):
                function(path)
    assert not marker.exists()


def test_not_a_weights_file(tmp_path):
    path = tmp_path / 'notes.txt'
    path.write_text('not a weights file, but long enough for a header')
    with pytest.raises(ValueError, match=r'notes\.txt.*is not a safetensors file'):
        load_model(path)
    with pytest.raises(ValueError, match='is a folder'):
        load_model(tmp_path)
    with pytest.raises(TypeError, match='got int'):
        load_model(3)


def test_cache(path, network):
    model = load_model(path)
    assert load_model(str(path)) is model
    assert load_model(path, cache=False) is not model
    assert load_model(path, cache=False).network is not model.network
    # A changed file is read again.
    other = make_network(seed=1)
    save_model(path, other, make_card(other), overwrite=True)
    assert load_model(path) is not model
    assert load_model(path).checksum != model.checksum


def test_threads_share_one_model(path):
    with ThreadPoolExecutor(8) as pool:
        models = list(pool.map(load_model, [path] * 16))
    assert len({id(model) for model in models}) == 1


def test_repr(path):
    model = load_model(path)
    assert repr(model) == (
        "<LoadedModel('tiny': masked, PConvUNet, width 2, robust normalisation, "
        f'checksum {model.checksum[:12]})>'
    )


def write_format_1(path, tensors, card, *, kept_checksum=None):
    """Write a file as the package did before its cards had a kind."""
    values = card.to_dict()
    del values['kind'], values['images']
    values['format_version'] = 1
    text = json.dumps(values, sort_keys=True)
    checksum = hashlib.sha256(text.encode()).hexdigest()
    values['card_checksum'] = kept_checksum or checksum
    metadata = {'model_card': json.dumps(values, sort_keys=True)}
    path.write_bytes(save_tensors(tensors, metadata=metadata))
    return checksum


@pytest.mark.parametrize('kind', ['masked', 'residual'])
def test_files_of_format_1_are_read(tmp_path, kind):
    network = make_network(in_channels=3 if kind == 'residual' else 1)
    path = tmp_path / 'old.safetensors'
    card = save_model(path, network, make_card(network, kind=kind))
    tensors = load_tensors(path.read_bytes())
    checksum = write_format_1(path, tensors, card)
    model = load_model(path)
    assert model.card == card == read_card(path)
    assert model.card.kind == kind
    # The checksum is that of the old text, and a changed card is refused.
    write_format_1(path, tensors, replace(card, notes='x'), kept_checksum=checksum)
    for function in (load_model, read_card):
        with pytest.raises(ValueError, match='does not match its checksum'):
            function(path)
    # Written again, it has the present format.
    save_model(path, model.network, model.card, overwrite=True)
    values = json.loads(metadata_of(path.read_bytes())['model_card'])
    assert values['format_version'] == 2
    assert values['kind'] == kind
    assert load_model(path).checksum == model.checksum
