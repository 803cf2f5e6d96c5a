# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the feature extractors.
"""

import hashlib
from urllib.error import URLError

import pytest
import torch
from torch.nn import functional as F

from photutils_pconv.training import features
from photutils_pconv.training.features import RandomFeatures, VGG16Features, fetch_vgg16

SHAPES = {
    0: (64, 3),
    2: (64, 64),
    5: (128, 64),
    7: (128, 128),
    10: (256, 128),
    12: (256, 256),
    14: (256, 256),
}


@pytest.fixture(scope='module')
def state():
    """Return random weights in torchvision's format, with more than needed."""
    generator = torch.Generator().manual_seed(1)
    state = {'classifier.0.weight': torch.zeros(2, 2)}
    for layer, (after, before) in SHAPES.items():
        weight = torch.randn((after, before, 3, 3), generator=generator)
        state[f'features.{layer}.weight'] = 0.05 * weight
        state[f'features.{layer}.bias'] = torch.randn(after, generator=generator)
    return state


@pytest.fixture
def image():
    return torch.randn((2, 1, 32, 32), generator=torch.Generator().manual_seed(2))


def test_vgg16_from_file(state, image, tmp_path):
    path = tmp_path / 'vgg16.pth'
    torch.save(state, path)
    maps = VGG16Features(path)(image)

    # VGG-16 layer by layer (configuration D of its paper).
    expected = []
    x = image.repeat(1, 3, 1, 1)
    for layer in SHAPES:
        weight, bias = (
            state[f'features.{layer}.weight'],
            state[f'features.{layer}.bias'],
        )
        x = F.relu(F.conv2d(x, weight, bias, padding=1))
        if layer in (2, 7, 14):
            x = F.max_pool2d(x, 2)
            expected.append(x)
    assert [tuple(m.shape[1:]) for m in maps] == [
        (64, 16, 16),
        (128, 8, 8),
        (256, 4, 4),
    ]
    for got, wanted in zip(maps, expected, strict=True):
        torch.testing.assert_close(got, wanted)


def test_normalise(state, image):
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    got = VGG16Features(state, normalise=True)(image)
    expected = VGG16Features(state)((image - mean) / std)
    torch.testing.assert_close(got[2], expected[2])


def test_fixed(state, image):
    for extractor in (VGG16Features(state), RandomFeatures()):
        assert not any(p.requires_grad for p in extractor.parameters())
        assert not extractor.train().training
        given = image.clone().requires_grad_(True)
        extractor(given)[-1].sum().backward()
        assert float(given.grad.abs().max()) > 0


def test_random_features_are_seeded(image):
    before = torch.random.get_rng_state()
    first, same, other = (RandomFeatures(seed=s)(image) for s in (0, 0, 1))
    assert torch.equal(first[2], same[2])
    assert not torch.equal(first[2], other[2])
    assert torch.equal(before, torch.random.get_rng_state())
    assert [tuple(m.shape[1:]) for m in first] == [(16, 16, 16), (32, 8, 8), (64, 4, 4)]


@pytest.mark.parametrize('damage', ['missing', 'shape', 'text', 'list'])
def test_bad_file(state, tmp_path, damage):
    path = tmp_path / 'vgg16.pth'
    given = dict(state)
    if damage == 'missing':
        del given['features.14.bias']
    elif damage == 'shape':
        given['features.0.weight'] = torch.zeros(64, 1, 3, 3)
    torch.save([1] if damage == 'list' else given, path)
    if damage == 'text':
        path.write_text('no weights')
    with pytest.raises(ValueError, match=r'vgg16\.pth'):
        VGG16Features(path)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='no file with VGG-16 weights'):
        VGG16Features(tmp_path / 'vgg16.pth')


def test_pickle_is_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / 'evil'), 'w'))

    path = tmp_path / 'vgg16.pth'
    torch.save({'features.0.weight': Evil()}, path)
    with pytest.raises(ValueError, match='could not be read'):
        VGG16Features(path)
    assert not (tmp_path / 'evil').exists()


def test_offline(tmp_path, monkeypatch):
    def fail(*_, **__):
        msg = 'no route'
        raise URLError(msg)

    monkeypatch.setattr(torch.hub, 'download_url_to_file', fail)
    with pytest.raises(ConnectionError, match="features = 'random'"):
        fetch_vgg16(tmp_path)


def test_checksum(tmp_path, monkeypatch):
    content = b'weights'
    calls = []

    def download(url, path, *, hash_prefix, progress):
        calls.append((url, hash_prefix))
        with open(path, 'wb') as handle:
            handle.write(content)

    monkeypatch.setattr(torch.hub, 'download_url_to_file', download)
    path = fetch_vgg16(tmp_path / 'new')
    assert path.read_bytes() == content
    assert calls[0][0].endswith('vgg16-397923af.pth')
    assert len(calls[0][1]) == 64
    assert calls[0][1].startswith('397923af')
    # Found at the second use, but it is not the right one.
    with pytest.raises(ValueError, match='damaged or another file'):
        fetch_vgg16(tmp_path / 'new')
    assert len(calls) == 1

    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(features, '_SHA256', digest)
    assert fetch_vgg16(tmp_path / 'new') == path


def test_bad_download(tmp_path, monkeypatch):
    def download(*_, **__):
        msg = 'invalid hash value'
        raise RuntimeError(msg)

    monkeypatch.setattr(torch.hub, 'download_url_to_file', download)
    with pytest.raises(ValueError, match='wrong checksum'):
        fetch_vgg16(tmp_path)
