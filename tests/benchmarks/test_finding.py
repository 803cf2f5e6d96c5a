# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the benchmark of finding sources."""

from types import SimpleNamespace

import numpy as np
import pytest
from astropy.table import Table
from numpy.testing import assert_allclose
from photutils.utils.exceptions import NoDetectionsWarning
from scipy.ndimage import gaussian_filter


@pytest.fixture
def benchmark(load):
    return load('finding')


def test_each_source_is_found_once(benchmark):
    """Two detections of one source are one; one between two sources finds one."""
    truth = SimpleNamespace(x=np.array([10.0, 14.0, 40.0]), y=np.full(3, 10.0))

    def found(*x):
        return list(benchmark.match(np.array(x), np.full(len(x), 10.0), truth, 2.5))

    assert found(9.0, 11.0) == [True, False, False]
    assert sum(found(12.0)) == 1
    assert found(12.0, 9.0) == [True, True, False]
    assert not any(found())


def test_completeness_at_a_reliability(benchmark):
    """That of all sources, and of a bin at the same threshold."""
    completeness = np.array([[0.8, 1.0], [0.6, 0.8], [0.4, 0.0]])
    reliability = np.array([0.5, 0.9, 1.0])
    at = benchmark.completeness_at
    assert_allclose(at(completeness, reliability, 0.9), [0.6, 0.8])
    assert_allclose(at(completeness, reliability, 0.7), [0.7, 0.9])
    assert_allclose(at(completeness, reliability, 0.95), [0.5, 0.4])
    assert_allclose(at(completeness, 0.5 * reliability, 0.9), 0)


def test_summary(benchmark):
    rows = [
        ('filaments', 'a', name, threshold, 10, n, found, [8, 2, 0, 0], bins, 1.0)
        for name in ('find_sources', 'DAOStarFinder')
        for threshold, n, found, bins in (
            (5.0, 20, 8, [6, 2, 0, 0]),
            (6.0, 6, 6, [4, 2, 0, 0]),
        )
    ]
    names = (
        'part map finder threshold n_sources n_detections n_found bin_sources '
        'bin_found time'
    ).split()
    table = Table(rows=rows, names=names)
    completeness, reliability = benchmark.curve(
        table[table['finder'] == 'find_sources']
    )
    assert_allclose(completeness[:, :3], [[0.8, 0.75, 1], [0.6, 0.5, 1]])
    assert np.isnan(completeness[:, 3:]).all()
    assert_allclose(reliability, [0.4, 1.0])
    text = benchmark.summarise(table)
    assert '## Filaments: 1 maps, 10 sources' in text
    assert '| find_sources | 0.62 | 0.52 | 1.00 | nan | nan |' in text
    assert '| find_sources | 5 | 0.80 | 0.40 | 1.0 |' in text
    assert '| DAOStarFinder | 6 | 0.60 | 1.00 | 1.0 |' in text


def test_false_detections(benchmark):
    names = 'emission threshold n_detections n_upside_down n_pixels'.split()
    rows = [
        ('noise', threshold, 10, 2, 400_000)
        for threshold in (4.0, 5.0, 7.0)
        for _ in range(2)
    ]
    text = benchmark.summarise_false(Table(rows=rows, names=names))
    assert '| noise | 0.80 | 25 | 5 | 25 | 5 | 25 | 5 |' in text


def test_old_names(load):
    """hyper sees the columns of before photutils 3; peaks are the same."""
    peers = load('_finding_peers')
    image = np.zeros((41, 41))
    image[20, 21] = 1.0
    image = gaussian_filter(image, 1.7)
    old = peers._OldFinder(
        threshold=0.01, fwhm=4.0, roundlo=-1.0, roundhi=1.0, sharplo=0.2, sharphi=1.0
    )
    table = old(image)
    assert_allclose([table['xcentroid'][0], table['ycentroid'][0]], [21, 20], atol=0.01)
    with pytest.warns(NoDetectionsWarning):
        assert old(np.zeros((41, 41))) is None


def test_maps(load, monkeypatch):
    """Sources keep their distance, and half of them prefer the bright parts."""
    maps = load('_finding_maps')
    monkeypatch.setattr(maps, '_SIZE', 160)
    monkeypatch.setattr(maps, '_DENSITY', 60 / 160**2)
    truth = maps.make_finding_map('filaments', 'scanmap/blue', 0, seed=3)
    assert truth.data.shape == (160, 160)
    assert 40 < len(truth.x) <= 60
    i, j = np.triu_indices(len(truth.x), 1)
    fwhm = (truth.setup.psf_fwhm / truth.setup.pixel_scale).to_value('')
    apart = np.hypot(truth.x[i] - truth.x[j], truth.y[i] - truth.y[j])
    assert apart.min() >= 1.2 * fwhm
    row, column = np.round([truth.y, truth.x]).astype(int)
    assert np.median(truth.emission[row, column]) > np.median(truth.emission)
    # flux by flux, brighter and brighter
    assert np.all(np.diff(truth.flux) > 0)
    assert truth.flux[-1] / truth.flux[0] == pytest.approx(200, rel=0.3)


def test_halves_have_nothing_in_common(load, monkeypatch):
    """Of one field the two parts have other emission."""
    maps = load('_finding_maps')
    monkeypatch.setattr(maps, '_SIZE', 64)
    one, other = (
        maps._make_emission(
            'filaments',
            maps.get_setup(setup='scanmap/red'),
            0,
            maps._make_rng(1, purpose, 'filaments', 'scanmap/red', 0),
            None,
            half,
        )[1]
        for purpose, half in ((9, 'test'), (10, 'training'))
    )
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.5


def test_source_snr(load, monkeypatch):
    """The faintest source was made for an SNR of 0.5 on the median scatter, or more."""
    maps = load('_finding_maps')
    monkeypatch.setattr(maps, '_SIZE', 160)
    truth = maps.make_finding_map('simulated', 'scanmap/blue', 0, seed=3)
    snr = maps.source_snr(truth)
    step = 200 ** (1 / len(snr))
    assert 0.45 < np.median(snr / truth.flux) * truth.flux[0] < 0.55 * step


def test_pairs(load, monkeypatch):
    """The two sources of a pair follow each other, at its distance and ratio."""
    pairs = load('finding_pairs')
    monkeypatch.setattr(pairs, '_SIZE', 160)
    truth, distances, shares = pairs.make_pairs('scanmap/red', 0, seed=3)
    assert len(truth.x) == 2 * len(distances) > 4
    fwhm = (truth.setup.psf_fwhm / truth.setup.pixel_scale).to_value('')
    apart = np.hypot(np.diff(truth.x)[::2], np.diff(truth.y)[::2])
    assert_allclose(apart, distances * fwhm, rtol=1e-9)
    assert_allclose(truth.flux[1::2] / truth.flux[::2], shares)


def test_summary_of_pairs(load):
    pairs = load('finding_pairs')
    rows = [
        ('ours', share, distance, 4, 3)
        for share in pairs._SHARES
        for distance in pairs._DISTANCES
    ]
    names = 'finder share distance n_pairs n_both'.split()
    text = pairs.summarise(Table(rows=rows, names=names))
    assert '## Ratio of fluxes 0.3: 24 pairs' in text
    assert '| ours | 0.75 | 0.75 | 0.75 | 0.75 | 0.75 | 0.75 |' in text
