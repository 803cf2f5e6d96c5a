# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the optimum for Gaussian fields of known covariance."""

import numpy as np
import pytest

from photutils_pconv.evaluation.methods.known_covariance import kriging
from photutils_pconv.psf.lobed import LobedPSF
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.setups.registry import get_setup

SETUP = get_setup('scanmap', 'blue')
SCALE = SETUP.pixel_scale.value
# Narrow: nothing of a source lies beyond its hole, and its encircled
# energy has a closed form.
SIGMA = 2.4
PSF = LobedPSF((SIGMA,), (1.0,), (0.0,))
HALF = 12


def gaussian_covariance(length, *, half=HALF):
    """Make a Gaussian covariance of unit variance."""
    side = np.arange(-2 * half, 2 * half + 1)
    return np.exp(-0.5 * (side**2 + side[:, None] ** 2) / length**2)


def draw_fields(covariance, n, rng):
    """Draw independent squares of a Gaussian field, through its matrix."""
    side = 2 * HALF + 1
    row, column = (index.ravel() for index in np.indices((side, side)))
    middle = 2 * HALF
    matrix = covariance[row[:, None] - row + middle, column[:, None] - column + middle]
    values, vectors = np.linalg.eigh(matrix)
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    return (root @ rng.standard_normal((side * side, n))).T.reshape(n, side, side)


@pytest.fixture(scope='module')
def fields():
    """Return emission, noise, and the estimates with and without the PSF."""
    rng = np.random.default_rng(5)
    covariance = gaussian_covariance(4.0)
    emission = 7.0 + draw_fields(covariance, 120, rng)
    noise = 0.1 * rng.standard_normal(emission.shape)
    psf = PixelPSF(PSF, SCALE)
    offset = np.arange(-HALF, HALF + 1)
    source = psf.evaluate(offset - 0.3, offset[:, None] + 0.2)
    # One map, so that the matrix is inverted once.
    data = np.concatenate(emission + noise + 50.0 * source, axis=1)
    side = 2 * HALF + 1
    x = HALF + 0.3 + side * np.arange(len(emission))
    y = np.full(len(x), HALF - 0.2)
    options = {'hole_radius': 6.0, 'covariance': covariance, 'noise': 0.1, 'half': HALF}
    holes = kriging(data, x, y, **options)
    fitted = kriging(data, x, y, psf=psf, use_hole=True, **options)
    hole = np.hypot(offset - 0.3, offset[:, None] + 0.2) <= 6.0
    return emission, hole, holes, fitted, covariance


def test_kriging_scatter_is_that_of_theory(fields):
    # The variance in the middle of the hole, by the textbook's formula
    # (simple kriging; the unknown mean of a square this large matters
    # little).
    emission, hole, holes, _, covariance = fields
    rows, columns = np.nonzero(~hole)
    middle = 2 * HALF
    matrix = covariance[
        rows[:, None] - rows + middle, columns[:, None] - columns + middle
    ]
    vector = covariance[rows - HALF + middle, columns - HALF + middle]
    known = np.linalg.solve(matrix + 0.01 * np.eye(len(rows)), vector)
    expected = np.sqrt(1.0 - vector @ known)
    side = 2 * HALF + 1
    estimate = holes.background[HALF, HALF::side]
    error = estimate - emission[:, HALF, HALF]
    # 120 fields give the scatter within 6 percent (1 sigma).
    assert np.std(error) == pytest.approx(expected, rel=0.2)
    assert abs(np.mean(error)) < 3.5 * expected / np.sqrt(len(error))


def test_kriging_flux_errors_are_true(fields):
    _, _, _, fitted, _ = fields
    pull = (fitted.flux - 50.0) / fitted.flux_err
    assert abs(pull.mean()) < 3.5 / np.sqrt(len(pull))
    assert np.std(pull) == pytest.approx(1.0, rel=0.2)


def test_kriging_gains_by_the_pixels_under_the_source(fields):
    emission, hole, holes, fitted, _ = fields
    truth = np.concatenate(emission, axis=1)
    everywhere = np.tile(hole, (1, len(emission)))
    rms = [
        np.sqrt(np.mean((result.background - truth)[everywhere] ** 2))
        for result in (fitted, holes)
    ]
    assert rms[0] < 0.7 * rms[1]


def test_kriging_tells_contributions_from_emission(fields):
    # With a slope of any size among what the map may hold, a slope that is
    # added is none of the emission.
    emission, hole, _, _, covariance = fields
    side = 2 * HALF + 1
    x, y = HALF + 0.3 + side * np.arange(9), np.full(9, HALF - 0.2)
    data = np.concatenate(emission[:9], axis=1)
    slope = np.tile(np.arange(side) - HALF - 0.3, 9)
    options = {'hole_radius': 6.0, 'covariance': covariance, 'noise': 0.1, 'half': HALF}
    plain = kriging(data, x, y, **options).background

    def terms(i, dx, dy):
        return 1.0e3 * np.array([dx])

    told = [
        kriging(data + k * slope, x, y, terms=terms, **options).background
        for k in (0, 5)
    ]
    everywhere = np.tile(hole, (1, 9))
    np.testing.assert_allclose(told[1][everywhere], told[0][everywhere], atol=1e-3)
    untold = kriging(data + 5 * slope, x, y, **options).background[everywhere]
    assert np.abs(untold - told[0][everywhere]).max() > 1.0
    # Contributions of no size make no difference.
    same = kriging(data, x, y, terms=lambda i, dx, dy: 0.0 * dx[None], **options)
    np.testing.assert_allclose(same.background, plain, atol=1e-9)


def test_kriging_does_not_see_the_hole(fields):
    # Whatever is put into the hole, the estimate is the same.
    _, hole, _, _, covariance = fields
    data = np.random.default_rng(8).standard_normal(hole.shape)
    options = {
        'hole_radius': 6.0,
        'covariance': covariance,
        'noise': 0.1,
        'half': HALF,
        'psf': PixelPSF(PSF, SCALE),
    }
    position = [HALF + 0.3], [HALF - 0.2]
    one = kriging(data, *position, **options)
    two = kriging(np.where(hole, 1e3, data), *position, **options)
    np.testing.assert_allclose(one.background, two.background, atol=1e-7)
    np.testing.assert_allclose(one.flux, two.flux, rtol=1e-6)


def test_kriging_recovers_constant():
    data = np.full((60, 60), 4.0)
    data[25:34, 25:34] += 100.0
    result = kriging(
        data,
        [29.2],
        [29.0],
        hole_radius=7.0,
        covariance=gaussian_covariance(3.0),
        noise=0.1,
        half=HALF,
    )
    np.testing.assert_allclose(result.background, 4.0, rtol=1e-8)
    assert result.flux is None
    assert result.flux_err is None


@pytest.mark.parametrize(
    ('change', 'match'),
    [
        ({'use_hole': True}, 'needs psf'),
        ({'noise': 0.0}, 'noise must be positive'),
        ({'covariance': np.ones((31, 31))}, 'at least 49'),
        ({'hole_radius': 40.0}, 'must be larger than the hole'),
        ({'x': [5.0]}, 'from the edge'),
        ({'x': [np.nan]}, 'not finite'),
        ({'y': [41.0]}, 'missing pixels'),
    ],
)
def test_kriging_errors(change, match):
    data = np.zeros((60, 60))
    data[50, 30] = np.nan
    options = {
        'x': [30.0],
        'y': [30.0],
        'hole_radius': 5.0,
        'covariance': gaussian_covariance(3.0),
        'noise': 0.1,
        'half': HALF,
        **change,
    }
    with pytest.raises(ValueError, match=match):
        kriging(data, options.pop('x'), options.pop('y'), **options)
