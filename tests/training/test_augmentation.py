# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the augmentation.
"""

import sys

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from photutils_pconv.training import Cutouts
from photutils_pconv.training.augmentation import augment, draw_transforms

pytest.importorskip('kornia')

KEYS = [(0, index) for index in range(12)]
SIZE = 32


def make_cutouts(n=12, size=SIZE, seed=0):
    """Make cutouts in which input, target and masks tell the same pixel."""
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(n, 1, size, size))
    validity = rng.random(image.shape) > 0.2
    missing = rng.random(image.shape) > 0.95
    image[missing] = 0
    parts = (image, 2 * image + 1, validity & ~missing, missing)
    return Cutouts(*(torch.from_numpy(np.asarray(p, dtype=np.float32)) for p in parts))


def test_pixels_are_moved_only():
    cutouts = make_cutouts()
    after = augment(cutouts, KEYS, seed=3)
    for k in range(len(KEYS)):
        known = after.missing[k] == 0
        values = after.image[k][known]
        assert torch.isin(values, cutouts.image[k]).all()
        # Target and validity came along, pixel by pixel.
        torch.testing.assert_close(after.target[k][known], 2 * values + 1)
        pixels = dict(
            zip(
                cutouts.image[k].ravel().tolist(),
                cutouts.validity[k].ravel().tolist(),
                strict=True,
            )
        )
        pixels.pop(0.0, None)
        here = zip(values.tolist(), after.validity[k][known].tolist(), strict=True)
        assert all(pixels[value] == valid for value, valid in here if value != 0)
        lost = int(after.missing[k].sum() - cutouts.missing[k].sum())
        assert lost <= 2 * 2 * SIZE


def test_quarter_turns_and_flips_are_exact():
    cutouts = make_cutouts()
    after = augment(cutouts, KEYS, seed=3, shift=0)
    found = set()
    for k in range(len(KEYS)):
        before = cutouts.image[k, 0]
        variants = {
            (turns, flip): torch.rot90(before.flip(1) if flip else before, turns)
            for turns in range(4)
            for flip in (False, True)
        }
        same = [
            name for name, v in variants.items() if torch.equal(v, after.image[k, 0])
        ]
        assert len(same) == 1
        found.update(same)
    assert len(found) > 4


@pytest.mark.parametrize('rotation', ['quarter', 'any', 'none'])
def test_follows_from_seed_epoch_and_index(rotation):
    cutouts = make_cutouts()
    state = torch.random.get_rng_state()
    whole = augment(cutouts, KEYS, seed=3, rotation=rotation)
    # In another batch, in another order, after other draws.
    part = Cutouts(*(p[[7, 2]] for p in cutouts))
    again = augment(part, [KEYS[7], KEYS[2]], seed=3, rotation=rotation)
    for a, b in zip(whole, again, strict=True):
        assert torch.equal(a[[7, 2]], b)
    for seed, epoch in ((4, 0), (3, 1)):
        keys = [(epoch, index) for _, index in KEYS]
        other = augment(cutouts, keys, seed=seed, rotation=rotation)
        assert not torch.equal(whole.image, other.image)
    assert torch.equal(state, torch.random.get_rng_state())


def test_shift_range():
    keys = [(0, k) for k in range(400)]
    matrices = draw_transforms(keys, (SIZE, SIZE), seed=0, flips=False, rotation='none')
    assert set(matrices[:, :, 2].ravel()) == {-2, -1, 0, 1, 2}
    np.testing.assert_array_equal(
        matrices[:, :, :2], np.broadcast_to(np.eye(2), (400, 2, 2))
    )


def test_nothing_to_do():
    cutouts = make_cutouts()
    after = augment(cutouts, KEYS, seed=0, shift=0, flips=False, rotation='none')
    for a, b in zip(cutouts[:1] + cutouts[2:], after[:1] + after[2:], strict=True):
        assert torch.equal(a, b)


def test_any_angle():
    rng = np.random.default_rng(1)
    yy, xx = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2
    scene = np.exp(-0.5 * ((xx - 4) ** 2 + (yy + 3) ** 2) / 9) + 0.1 * xx
    image = torch.from_numpy(scene[None, None].astype(np.float32))
    validity = torch.ones_like(image)
    validity[..., 10:14, 18:22] = 0
    cutouts = Cutouts(image, image, validity, torch.zeros_like(image))
    key = [(0, int(rng.integers(100)))]
    after = augment(cutouts, key, seed=0, rotation='any', shift=0, flips=False)
    matrix = draw_transforms(
        key, (SIZE, SIZE), seed=0, rotation='any', shift=0, flips=False
    )[0]
    # Independently: the value at a new pixel is that at its old place.
    y, x = np.indices((SIZE, SIZE))
    new = np.stack([x.ravel(), y.ravel()]) - matrix[:, 2:]
    old = np.linalg.solve(matrix[:, :2], new)
    expected = map_coordinates(scene, old[::-1], order=1, cval=np.nan)
    expected = expected.reshape(SIZE, SIZE)
    known = after.missing[0, 0].numpy() == 0
    np.testing.assert_allclose(
        after.image[0, 0].numpy()[known], expected[known], atol=1e-4
    )
    # The corners came in from beyond; holes did not shrink.
    assert not known[0, 0]
    assert 0.7 < known.mean() < 0.95
    weight = map_coordinates(validity[0, 0].numpy(), old[::-1], order=1).reshape(
        SIZE, SIZE
    )
    assert not np.any(after.validity[0, 0].numpy()[weight < 0.99])
    assert np.all(after.validity[0, 0].numpy()[(weight > 0.9999) & known])


@pytest.mark.parametrize('rotation', ['quarter', 'any'])
@pytest.mark.parametrize('part', ['image', 'target'])
def test_nan_does_not_spread(rotation, part):
    clean = make_cutouts()
    values = getattr(clean, part).clone()
    values[:, :, 10, 12] = torch.nan
    values[:, :, 11, 12] = torch.inf
    after = augment(clean._replace(**{part: values}), KEYS, seed=3, rotation=rotation)
    expected = augment(clean, KEYS, seed=3, rotation=rotation)
    assert all(torch.isfinite(p).all() for p in after)
    assert torch.all(after.validity[after.missing > 0] == 0)
    # All other pixels are as they would have been.
    same = after.missing == 0
    assert torch.equal(after.image[same], expected.image[same])
    extra = (after.missing - expected.missing).sum(dim=(1, 2, 3))
    assert torch.all(extra <= (2 if rotation == 'quarter' else 12))


def test_bad_options():
    with pytest.raises(ValueError, match='rotation must be one of'):
        augment(make_cutouts(), KEYS, seed=0, rotation='some')
    with pytest.raises(ValueError, match='square cutouts'):
        draw_transforms(KEYS, (32, 64), seed=0)


def test_without_kornia(monkeypatch):
    monkeypatch.setitem(sys.modules, 'kornia.geometry.transform', None)
    with pytest.raises(ImportError, match=r'photutils-pconv\[train\]'):
        augment(make_cutouts(), KEYS, seed=0)
