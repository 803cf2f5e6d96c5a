# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests for the complexity of fields and their division."""

from itertools import chain

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.utils.exceptions import AstropyUserWarning

from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation import complexity, emission_field, split_fields

SETUP = get_setup('scanmap', 'green')


@pytest.fixture
def noise(rng):
    """Return a map of white noise of standard deviation 1."""
    return rng.normal(size=(256, 256))


@pytest.fixture
def rng():
    """Return a generator."""
    return np.random.default_rng(11)


def test_empty_field(noise):
    # A Gaussian of sigma s leaves 1 / (2 sqrt(pi) s) of white noise.
    sigma = (SETUP.psf_fwhm / SETUP.pixel_scale).to_value('') / 2.3548
    expected = 1 / (2 * np.sqrt(np.pi) * sigma)
    assert complexity(noise, setup=SETUP, noise=1) == pytest.approx(expected, rel=0.1)
    assert complexity(noise, setup=SETUP) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize('factor', [3.0, 30.0])
def test_scatter_over_noise(noise, rng, factor):
    # A wave much longer than the beam, of known median absolute deviation.
    wave = np.sin(2 * np.pi * np.arange(256) / 128)[:, None] * np.ones(256)
    expected = factor * 1.4826 * np.sin(np.pi / 4)
    for given in (1.0, None):
        measured = complexity(factor * wave + noise, setup=SETUP, noise=given)
        assert measured == pytest.approx(expected, rel=0.1)


def test_noise_is_estimated(noise, rng):
    emission = emission_field(noise.shape, beam_fwhm=5.0, rng=rng)
    data = 4 * emission + noise
    known = complexity(data, setup=SETUP, noise=1)
    assert complexity(data, setup=SETUP) == pytest.approx(known, rel=0.15)


def test_missing_pixels_and_units(noise):
    data = noise + 3 * np.sin(np.arange(256) / 20)
    whole = complexity(data, setup=SETUP, noise=1)
    holed = data.copy()
    holed[100:130, 60:90] = np.nan
    assert complexity(holed, setup=SETUP, noise=1) == pytest.approx(whole, rel=0.05)
    ccd = CCDData(data, unit='mJy/pix')
    measured = complexity(ccd, setup=SETUP, noise=1e-3 * u.Jy / u.pix)
    assert measured == pytest.approx(whole)
    # An offset and a source do not change it.
    data = data + 1000
    data[40, 40] += 1e5
    assert complexity(data, setup=SETUP, noise=1) == pytest.approx(whole, rel=0.05)


def test_no_noise():
    flat = np.ones((64, 64))
    assert complexity(flat, setup=SETUP) == 0
    assert complexity(flat + np.arange(64.0), setup=SETUP, noise=0) == np.inf


@pytest.mark.parametrize('noise', [-1.0, np.nan, 1 * u.Jy])
def test_bad_noise(noise):
    with pytest.raises(ValueError, match='noise'):
        complexity(np.eye(64), setup=SETUP, noise=noise)


def test_no_place_for_an_estimate():
    data = np.full((64, 64), np.nan)
    data[::2] = 1.0
    with pytest.raises(ValueError, match='give noise'):
        complexity(data, setup=SETUP)


def test_paper_like_split():
    rng = np.random.default_rng(3)
    names = [f'13421{i:05d}' for i in range(42)]
    measure = dict(zip(names, rng.lognormal(size=42), strict=True))
    parts = split_fields(names, complexity=measure, seed=4)
    assert [len(parts[p]) for p in ('train', 'valid', 'test')] == [29, 7, 6]
    assert sorted(chain(*parts.values())) == names
    # One of each class of complexity in each part.
    for members in np.array_split(sorted(names, key=measure.get), 6):
        for part in parts.values():
            assert set(members) & set(part)
    assert parts == split_fields(names, complexity=measure, seed=4)
    assert parts != split_fields(names, complexity=measure, seed=5)


@pytest.mark.parametrize('n', [3, 4, 7, 20, 100])
@pytest.mark.parametrize('seed', [0, 1])
def test_split_is_a_partition(n, seed):
    names = [f'f{i}' for i in range(n)]
    parts = split_fields(names, complexity=range(n), seed=seed)
    assert sorted(chain(*parts.values())) == sorted(names)
    assert all(parts.values())
    assert len(parts['train']) >= max(len(parts['valid']), len(parts['test']))
    if n >= 20:
        assert abs(len(parts['train']) / n - 0.69) < 0.06


def test_own_fractions_and_classes():
    fractions = {'train': 0.5, 'test': 0.5}
    parts = split_fields(list('abcd'), complexity=[1, 2, 9, 8], fractions=fractions)
    for part in parts.values():
        assert len(set(part) & {'a', 'b'}) == 1
    with pytest.warns(AstropyUserWarning, match='fewer than 3 fields'):
        split_fields(list('abcdef'), complexity=range(6), n_classes=4)


@pytest.mark.parametrize(
    ('fields', 'changes', 'message'),
    [
        ('ab', {'complexity': [1, 2]}, 'at least as many as parts'),
        ('aab', {'complexity': [1, 2, 3]}, 'named once'),
        ('abc', {'complexity': [1, 2]}, 'one number for each'),
        ('abc', {'complexity': [1, 2, np.nan]}, 'one number for each'),
        ('abc', {'complexity': {'a': 1, 'b': 2}}, r"no value for the fields \['c'\]"),
        ('abc', {'complexity': [1, 2, 3], 'n_classes': 4}, 'between 1 and 3'),
        ('abc', {'complexity': [1, 2, 3], 'fractions': {'train': 0.9}}, 'sum to 1'),
        ('abc', {'complexity': [1, 2, 3], 'fractions': {}}, 'sum to 1'),
    ],
)
def test_bad_fields(fields, changes, message):
    with pytest.raises(ValueError, match=message):
        split_fields(list(fields), **changes)
