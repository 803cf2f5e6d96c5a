# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of errors that include the reconstruction's own."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.photometry.errors import flux_error, scatter_ratio


class TestScatterRatio:
    radius = np.repeat([5.0, 9.0, 12.0], [60, 40, 100])
    rms = np.random.default_rng(1).uniform(0.5, 3.0, 200)
    expected = np.stack([radius**2, radius**3], axis=1)

    def fluxes(self, ratio, seed=2):
        rng = np.random.default_rng(seed)
        return ratio * self.expected * self.rms[:, None] * rng.normal(size=(200, 2))

    def test_known_scatter(self):
        found = scatter_ratio(
            self.fluxes(np.array([0.6, 1.7])), self.rms, self.radius, self.expected
        )
        prior = 200 / 210
        assert_allclose(found, [0.6**prior, 1.7**prior], rtol=0.1)

    def test_offsets_and_sources_do_not_matter(self):
        flux = self.fluxes(1.0)
        before = scatter_ratio(flux, self.rms, self.radius, self.expected)
        offset = np.where(self.radius == 12, 2.5, 0.0)[:, None]
        shifted = flux + offset * self.expected * self.rms[:, None]
        after = scatter_ratio(shifted, self.rms, self.radius, self.expected)
        assert_allclose(after, before, rtol=1e-9)
        flux[::20] *= 1000
        found = scatter_ratio(flux, self.rms, self.radius, self.expected)
        assert_allclose(found, before, rtol=0.12)

    def test_few_holes_weigh_little(self):
        rows = slice(0, 200, 12)
        flux = self.fluxes(3.0)[rows]
        args = self.rms[rows], self.radius[rows], self.expected[rows]
        few = scatter_ratio(flux, *args)
        assert np.all(few < 3.0)
        assert np.all(few > 1.2)

    def test_nothing_to_measure(self):
        flux = np.full((200, 2), np.nan)
        flux[:, 1] = 0.0
        found = scatter_ratio(flux, self.rms, self.radius, self.expected)
        assert_array_equal(found, [np.nan, 0.0])


class TestParts:
    def test_flux_error(self):
        error = flux_error(np.array([0.0, 300.0]), 2.0, kappa=2.0, eps=0.01, excess=9.0)
        assert_allclose(error, [5.0, np.sqrt(34.0)])
