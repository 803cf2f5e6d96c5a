# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the cleaned map, put together from two estimates."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.geometry.holes import Holes, draw_taper
from photutils_pconv.inpainting.reconstruction import Reconstruction
from photutils_pconv.removal.composition import compose
from photutils_pconv.removal.filling import Filled

SHAPE = (300, 310)
#: The scatter of a map of white noise.
NOISE = 2.0


@pytest.fixture(scope='module')
def case():
    """White noise; holes whose subtraction leaves an error of known scatter."""
    rng = np.random.default_rng(3)
    truth = 10.0 + NOISE * rng.standard_normal(SHAPE)
    x, y = (v.ravel() for v in np.meshgrid(*[np.arange(40.0, 290, 55)] * 2))
    holes = Holes(x, y, np.full(x.size, 9.0), SHAPE)
    weight = draw_taper(holes, width=2.0)
    # Next to nothing is left of the faint source at the left, much at the right.
    error = np.where(weight > 0, NOISE * 10.0 ** np.linspace(-2, 2, SHAPE[1]), 0.0)
    sources = np.where(weight > 0, 50.0, 0.0)
    left = error * rng.standard_normal(SHAPE)
    return SimpleNamespace(
        truth=truth,
        holes=holes,
        weight=weight,
        error=error,
        data=truth + sources + left,
        sources=sources,
    )


def put_together(case, *, keep=True, error=None, subtraction=True):
    filled = np.ones(len(case.holes), dtype=bool)
    reconstruction = Reconstruction(
        np.where(case.weight > 0, 10.0, 0.0), case.weight, filled, wings=case.sources
    )
    missing = np.zeros(SHAPE, dtype=bool)
    return compose(
        MapGrid(case.data, missing, pixel_scale=1.6, error=error),
        case.holes,
        Filled(reconstruction, subtraction_error=case.error if subtraction else None),
        keep=keep,
    )


class TestCompose:
    def test_each_estimate_where_it_is_the_better(self, case):
        found = put_together(case)
        inside = case.weight == 1
        left, right = inside.copy(), inside.copy()
        left[:, 60:], right[:, :250] = False, False
        assert_allclose(found.cleaned[left], (case.data - case.sources)[left], atol=1)
        assert found.weight[left].max() < 0.01
        assert_allclose(found.cleaned[right], 10.0, atol=1)
        assert found.weight[right].min() > 0.99

    def test_better_than_either_everywhere(self, case):
        """The error is at most that of the better of the two, column by column."""
        found = put_together(case)
        inside = case.weight == 1
        plain = case.data - case.sources
        for part in np.array_split(np.arange(SHAPE[1]), 5):
            use = inside.copy()
            use[:, np.setdiff1d(np.arange(SHAPE[1]), part)] = False
            rms = [
                np.sqrt(np.mean((one - case.truth)[use] ** 2))
                for one in (found.cleaned, plain, np.full(SHAPE, 10.0))
            ]
            assert rms[0] < 1.03 * min(rms[1:])

    def test_outside_nothing_changes(self, case):
        found = put_together(case)
        outside = case.weight == 0
        assert_array_equal(found.cleaned[outside], case.data[outside])
        for image in (found.weight, found.lost):
            assert_array_equal(image[outside], 0)

    def test_mean_keeps_nothing(self, case):
        found = put_together(case, keep=False)
        assert_array_equal(found.weight, case.weight)
        assert_array_equal(found.cleaned[case.weight == 1], 10.0)

    def test_without_a_subtraction(self, case):
        """Nothing is known under the sources: all of it is lost there."""
        found = put_together(case, subtraction=False)
        assert_array_equal(found.weight, case.weight)
        assert_array_equal(found.lost[case.weight == 1], 1.0)

    @pytest.mark.parametrize('keep', [True, False])
    def test_a_draw_gives_the_variance_back(self, case, keep):
        found = put_together(case, keep=keep)
        rng = np.random.default_rng(4)
        drawn = found.cleaned + NOISE * found.lost * rng.standard_normal(SHAPE)
        for low, high in ((0, 100), (100, 200), (200, 310)):
            use = case.weight == 1
            use[:, :low] = use[:, high:] = False
            scatter = drawn[use].std()
            # A subtraction that leaves more than the noise has too much.
            assert_allclose(scatter, NOISE, rtol=0.12)

    def test_error(self, case):
        """The stated error is that of what is left, where the map's is known."""
        noise = np.full(SHAPE, 1e-3)
        found = put_together(case, error=noise)
        pull = ((found.cleaned - case.truth) / found.error)[case.weight == 1]
        assert 0.85 < pull.std() < 1.15
        assert_array_equal(found.error[case.weight == 0], 1e-3)
        assert put_together(case).error is None

    def test_constant_map(self, case):
        """Without scatter around nothing is divided by zero."""
        flat = SimpleNamespace(**{**vars(case), 'data': np.full(SHAPE, 10.0)})
        flat.sources = np.zeros(SHAPE)
        found = put_together(flat)
        assert np.isfinite(found.cleaned).all()
        assert np.isfinite(found.lost).all()


class TestErrorOfTheReconstruction:
    """In holes where nothing observed is kept it is that of the structure."""

    shape = (130, 150)
    x, y = np.array([70.3, 78.9, 20.0]), np.array([60.8, 64.1, 100.2])
    radius = np.array([10.0, 6.0, 5.0])

    def compose(self, filled, structure):
        holes = Holes(self.x, self.y, self.radius, self.shape)
        weight = draw_taper(holes.select(filled), width=2.0)
        reconstruction = Reconstruction(np.zeros(self.shape), weight, filled)
        found = compose(
            MapGrid(
                np.zeros(self.shape),
                np.zeros(self.shape, dtype=bool),
                error=np.full(self.shape, 0.1),
            ),
            holes,
            Filled(reconstruction, structure=structure),
            keep=False,
        )
        return found.error, weight

    def distance(self, i):
        rows, columns = np.indices(self.shape)
        return np.hypot(columns - self.x[i], rows - self.y[i])

    def test_values(self):
        scatter = np.array([2.0, 5.0, 0.5])
        error, weight = self.compose(np.ones(3, dtype=bool), scatter / 0.85)
        assert_array_equal(error[weight == 0], 0.1)
        # Where holes overlap, the larger scatter; there, the second's.
        inside = np.zeros(self.shape)
        for i in range(3):
            reach = self.distance(i) < self.radius[i] + 2.0
            inside = np.where(reach, np.maximum(inside, scatter[i]), inside)
        expected = np.hypot(weight * inside, (1 - weight) * 0.1)
        assert_allclose(error[weight > 0], expected[weight > 0], rtol=1e-9)
        assert_allclose([error[64, 79], error[61, 64]], [5.0, 2.0], rtol=1e-12)

    def test_source_that_was_not_filled(self):
        error, _ = self.compose(np.array([True, True, False]), np.full(3, 9.0))
        assert_array_equal(error[self.distance(2) < 10], 0.1)
