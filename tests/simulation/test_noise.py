# Licensed under a 3-clause BSD style license - see LICENSE.rst
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.psf.lobed import LobedPSF
from photutils_pconv.simulation import (
    confusion_field,
    coverage_map,
    coverage_noise,
    emission,
    noise,
)

PSF = LobedPSF((3.0,), (1.0,), (0.0,))


def test_old_name_of_noise_field_stays():
    assert emission.noise_field is noise.noise_field


class TestCoverage:
    def test_centre_arms_and_corners(self):
        coverage = coverage_map((101, 141), full=40.0, width=0.7, ramp=0.2)
        assert coverage.shape == (101, 141)
        assert coverage.max() == coverage[50, 70] == 40
        assert_allclose(coverage[50, 123], 20)
        assert_allclose(coverage[50, 100], 40)
        assert coverage[0, 0] == coverage[-1, -1] == coverage[0, -1] == 0
        assert_allclose(coverage, coverage[::-1, ::-1])
        # Falls from the centre outwards, along each axis.
        assert np.all(np.diff(coverage[50, 70:]) <= 0)
        assert np.all(np.diff(coverage[50:, 70]) <= 0)

    def test_a_quarter_turn_of_a_square_changes_nothing(self):
        turned = coverage_map((80, 80), angle=np.pi / 2)
        assert_allclose(turned, coverage_map((80, 80)), atol=1e-12)

    @pytest.mark.parametrize(
        'option', [{'width': 0}, {'width': 1.2}, {'ramp': -1}, {'full': 0}]
    )
    def test_bad_input(self, option):
        with pytest.raises(ValueError, match=next(iter(option))):
            coverage_map((20, 20), **option)


class TestCoverageNoise:
    def test_falls_with_the_square_root_of_coverage(self):
        coverage = np.ones((200, 300))
        coverage[:, :100] = 4.0
        coverage[:, 200:] = 0.25
        out = coverage_noise(
            coverage,
            level=0.5,
            rng=np.random.default_rng(1),
            correlation=0.0,
            stripes=0.0,
        )
        scatter = [part.std() for part in np.split(out, 3, axis=1)]
        assert_allclose(scatter, [0.5, 1.0, 2.0], rtol=0.03)

    def test_no_data_without_coverage(self):
        coverage = np.ones((30, 30))
        coverage[3, 4], coverage[5, 6] = 0, np.nan
        out = coverage_noise(coverage, level=1.0, rng=np.random.default_rng(1))
        assert_array_equal(np.isnan(out), ~(coverage > 0))

    def test_bad_input(self):
        rng = np.random.default_rng(1)
        with pytest.raises(ValueError, match='no pixel is covered'):
            coverage_noise(np.zeros((5, 5)), level=1.0, rng=rng)
        with pytest.raises(ValueError, match='level'):
            coverage_noise(np.ones((5, 5)), level=-1.0, rng=rng)


class TestConfusion:
    def make(self, seed=1, **options):
        options = {'density': 200.0, 'flux_max': 1.0, **options}
        return confusion_field(
            (200, 200),
            psf=PSF,
            pixel_scale=1.5,
            rng=np.random.default_rng(seed),
            **options,
        )

    @pytest.mark.parametrize('slope', [-2.5, -1.0])
    def test_variance_follows_from_the_counts(self, slope):
        # Campbell: var = n int S^2 p(S) dS int PSF^2, n per pixel.
        flux = np.geomspace(0.1, 1.0, 4001)
        counts = flux**slope
        mean_square = np.trapezoid(counts * flux**2, flux) / np.trapezoid(counts, flux)
        per_pixel = 200.0 * (1.5 / 60) ** 2
        sigma = 3.0 / 1.5
        expected = per_pixel * mean_square / (4 * np.pi * sigma**2)
        field = self.make(slope=slope, flux_min=0.1)
        assert_allclose(field.var(), expected, rtol=0.15)
        assert abs(field.mean()) < 1e-12

    def test_seed(self):
        assert_array_equal(self.make(), self.make())
        assert np.any(self.make() != self.make(seed=2))

    @pytest.mark.parametrize(
        'option', [{'density': 0}, {'flux_max': -1}, {'flux_min': 1.0}]
    )
    def test_bad_input(self, option):
        with pytest.raises(ValueError, match=next(iter(option))):
            self.make(**option)
