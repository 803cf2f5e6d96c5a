# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the signal-to-noise ratio, and of the holes that follow from it."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.holes import draw_holes
from photutils_pconv.photometry.signal_to_noise import snr
from photutils_pconv.setups.registry import get_setup

SETUPS = [
    f'{mode}/{band}'
    for mode in ('scanmap', 'parallel')
    for band in ('blue', 'green', 'red')
]
SMALL = SimpleNamespace(
    snr_source_radius=3.0, snr_inner_radius=5.0, snr_outer_radius=9.0
)


@pytest.fixture
def noise():
    rng = np.random.default_rng(20250)
    data = rng.normal(2.0, 0.5, (60, 80))
    data[rng.random(data.shape) < 0.1] = np.nan
    return data


def brute_force_snr(data, x, y, setup):
    """Eq. 1 pixel by pixel over the whole map, for one position."""
    source, around = [], []
    for j, i in np.ndindex(data.shape):
        r = np.hypot(i - np.ceil(x), j - np.ceil(y))
        if not np.isfinite(data[j, i]):
            continue
        if r <= setup.snr_source_radius:
            source.append(data[j, i])
        if setup.snr_inner_radius <= r <= setup.snr_outer_radius:
            around.append(data[j, i])
    return (max(source) - np.mean(around)) / np.std(around)


class TestReference:
    """Equality with the paper authors' own program."""

    @pytest.fixture(params=SETUPS)
    def case(self, request, reference_data):
        mode, band = request.param.split('/')
        with np.load(reference_data / 'reference' / 'masks_and_photometry.npz') as file:
            prefix = f'{mode}_{band}_'
            arrays = {
                name.removeprefix(prefix): file[name]
                for name in file
                if name.startswith(prefix)
            }
        return get_setup(mode, band), SimpleNamespace(**arrays)

    def test_snr_and_radius(self, case):
        setup, expected = case
        ratio = snr(expected.image, *expected.xy.T, setup=setup)
        assert_allclose(ratio, expected.snr, rtol=1e-5)
        assert_array_equal(setup.hole_radius(ratio), expected.radius)

    def test_mask(self, case):
        _, expected = case
        holes = draw_holes(expected.image.shape, *expected.xy.T, expected.radius)
        assert_array_equal(~holes, expected.mask == 1)

    def test_mask_of_cutouts(self, case):
        _, expected = case
        holes = draw_holes(expected.image.shape, *expected.xy.T, expected.radius)
        for (x, y), mask in zip(expected.xy, expected.masks, strict=False):
            j, i = int(np.ceil(y - 48)), int(np.ceil(x - 48))
            assert_array_equal(~holes[j : j + 96, i : i + 96], np.squeeze(mask) == 1)


class TestSNR:
    @pytest.mark.parametrize(
        ('x', 'y'),
        [(40.0, 30.0), (40.3, 29.8), (40.999, 30.001), (0.2, 0.0), (79.4, 59.3)],
    )
    def test_brute_force(self, noise, x, y):
        expected = brute_force_snr(noise, x, y, SMALL)
        assert_allclose(snr(noise, x, y, setup=SMALL), [expected], rtol=1e-12)

    @pytest.mark.parametrize(
        ('x', 'y'),
        [
            (np.nan, 30),
            (40, np.nan),
            (np.inf, 30),
            (-0.6, 30),
            (79.5, 30),
            (40, -3),
            (40, 59.6),
            (1e300, 30),
        ],
    )
    def test_not_on_map(self, noise, x, y):
        assert_array_equal(snr(noise, [x], [y], setup=SMALL), [np.nan])

    def test_no_usable_pixels(self, noise):
        r = np.hypot(*np.ogrid[-30:30, -40:40])
        blind = np.where(r < 4, np.nan, noise)
        alone = np.where(r > 4, np.nan, noise)
        alone[30, 46] = 1.0
        assert np.isnan(snr(blind, 40, 30, setup=SMALL))[0]
        assert np.isnan(snr(alone, 40, 30, setup=SMALL))[0]

    def test_infinite_pixels_are_missing(self, noise):
        bad = noise.copy()
        bad[30, 41], bad[30, 47] = np.inf, -np.inf
        gone = noise.copy()
        gone[30, 41] = gone[30, 47] = np.nan
        assert_array_equal(
            snr(bad, 40, 30, setup=SMALL), snr(gone, 40, 30, setup=SMALL)
        )

    def test_flat_annulus(self):
        data = np.full((60, 80), 0.1)
        assert np.isnan(snr(data, 40, 30, setup=SMALL))[0]
        data[30, 40] = 1.0
        assert snr(data, 40, 30, setup=SMALL)[0] == np.inf

    def test_scale_and_offset_do_not_matter(self, noise):
        x, y = [40.2, 12.7], [30.1, 50.5]
        ratio = snr(noise, x, y, setup=SMALL)
        assert_allclose(snr(3e-4 * noise - 7, x, y, setup=SMALL), ratio, rtol=1e-9)

    def test_many_sources(self, noise):
        rng = np.random.default_rng(1)
        x, y = rng.uniform(-5, 85, 2500), rng.uniform(-5, 65, 2500)
        ratio = snr(noise, x, y, setup=SMALL)
        one_by_one = [snr(noise, *xy, setup=SMALL)[0] for xy in zip(x, y, strict=True)]
        assert_allclose(ratio, one_by_one, rtol=1e-12)

    def test_input_is_left_alone(self, noise):
        before = noise.copy()
        snr(noise, [-0.2, 40], [0.0, 30], setup=SMALL)
        assert_array_equal(noise, before)

    def test_no_sources(self, noise):
        assert snr(noise, [], [], setup=SMALL).shape == (0,)

    def test_invalid(self, noise):
        with pytest.raises(ValueError, match='2-D'):
            snr(noise[np.newaxis], 1, 1, setup=SMALL)
        with pytest.raises(ValueError, match='one length'):
            snr(noise, [1, 2], [1], setup=SMALL)
