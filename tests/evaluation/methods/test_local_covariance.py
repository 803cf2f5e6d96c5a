# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the covariance of patches, against samples and textbook formulas."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from photutils_pconv.evaluation.methods.local_covariance import (
    PatchStatistics,
    condition,
    estimate_noise,
    generalised_flux,
    infill_roughly,
    patch_statistics,
    stationary_covariance,
)

HALF, REACH = 3, 20
SIDE = 2 * HALF + 1


def make_field(size=80, seed=3):
    """Make a smooth field that is longer than it is wide, with white noise."""
    rng = np.random.default_rng(seed)
    field = gaussian_filter(rng.standard_normal((size, size)), (3.0, 1.0))
    return 5.0 + 10.0 * field + 0.05 * rng.standard_normal((size, size))


def test_patch_statistics_are_those_of_samples():
    image = make_field()
    row, column = 41, 37
    found = patch_statistics(image, row, column, half=HALF, reach=REACH)
    samples = [
        image[y - HALF : y + HALF + 1, x - HALF : x + HALF + 1].ravel()
        for y in range(row - REACH, row + REACH + 1)
        for x in range(column - REACH, column + REACH + 1)
    ]
    np.testing.assert_allclose(found.mean, np.mean(samples, axis=0), rtol=1e-12)
    np.testing.assert_allclose(
        found.covariance, np.cov(np.transpose(samples)), rtol=1e-9, atol=1e-12
    )


def test_symmetrised_is_the_mean_of_turned_and_flipped_maps():
    image = make_field(size=81)
    middle = 40
    found = patch_statistics(image, middle, middle, half=HALF, reach=REACH)
    turned = [
        patch_statistics(one, middle, middle, half=HALF, reach=REACH)
        for flipped in (image, image.T)
        for one in (np.rot90(flipped, k) for k in range(4))
    ]
    symmetric = found.symmetrised()
    for name in ('mean', 'covariance'):
        expected = np.mean([getattr(one, name) for one in turned], axis=0)
        np.testing.assert_allclose(getattr(symmetric, name), expected, rtol=1e-9)


def test_mixed():
    first, second = np.eye(4), np.ones((4, 4))
    found = PatchStatistics(mean=np.zeros(4), covariance=first).mixed(second, 0.25)
    np.testing.assert_allclose(found.covariance, 0.75 * first + 0.25 * second)


def test_stationary_covariance():
    # Brute force over all pairs of pixels, turned and flipped.
    image = make_field()
    row, column, half, reach = 40, 40, 2, 6
    part = image[row - 8 : row + 9, column - 8 : column + 9]
    part = part - part.mean()
    found = stationary_covariance(image, row, column, half=half, reach=reach)
    assert np.linalg.eigvalsh(found).min() > 0
    pixels = [(y, x) for y in range(5) for x in range(5)]
    for i, j in ((0, 0), (3, 12), (7, 20), (24, 6)):
        dy, dx = np.abs(np.subtract(pixels[i], pixels[j]))
        total = 0.0
        for one in (part, part[::-1], part.T, part.T[::-1]):
            n = len(one)
            total += np.sum(one[: n - dy, : n - dx] * one[dy:, dx:])
        assert found[i, j] == pytest.approx(total / 4 / part.size)


def test_condition_is_the_textbook_formula():
    rng = np.random.default_rng(5)
    root = rng.standard_normal((9, 9))
    covariance, mean = root @ root.T, rng.standard_normal(9)
    values = rng.standard_normal(9)
    known, hidden = np.arange(9) < 5, np.arange(9) > 6
    found = condition(
        PatchStatistics(mean=mean, covariance=covariance), values, known, hidden
    )
    # By the precision matrix of these pixels instead of the covariance.
    use = known | hidden
    precision = np.linalg.inv(covariance[np.ix_(use, use)])
    expected = mean[hidden] - np.linalg.solve(
        precision[5:, 5:], precision[5:, :5] @ (values - mean)[known]
    )
    np.testing.assert_allclose(found[0], expected)
    np.testing.assert_allclose(found[1], np.linalg.inv(precision[5:, 5:]))


def test_generalised_flux_scatters_as_told():
    rng = np.random.default_rng(6)
    x = np.arange(40.0)
    covariance = np.exp(-np.abs(x[:, None] - x) / 5.0) + 0.1 * np.eye(40)
    source, level = np.exp(-0.5 * ((x - 20) / 2.0) ** 2), np.ones(40)
    root = np.linalg.cholesky(covariance)
    fluxes = []
    for _ in range(2000):
        values = 3.0 * source + 7.0 + root @ rng.standard_normal(40)
        flux, error = generalised_flux(covariance, values, [source, level])
        fluxes.append(flux)
    assert np.mean(fluxes) == pytest.approx(3.0, abs=4 * error / np.sqrt(2000))
    assert np.std(fluxes) == pytest.approx(error, rel=0.07)


def test_estimate_noise_ignores_slopes_and_bad_pixels():
    rng = np.random.default_rng(7)
    rows, columns = np.indices((90, 80))
    image = 3.0 * rows - 2.0 * columns + 0.5 * rng.standard_normal(rows.shape)
    bad = np.zeros(rows.shape, dtype=bool)
    bad[30:50, 20:40] = True
    image[bad] = 1.0e6
    assert estimate_noise(image, bad) == pytest.approx(0.5, rel=0.05)
    assert estimate_noise(image, np.ones_like(bad)) == 0.0


def test_infill_roughly():
    rng = np.random.default_rng(8)
    image, bad = np.full((120, 120), 4.0), np.zeros((120, 120), dtype=bool)
    # Larger than the first boxes.
    bad[30:90, 40:80] = True
    image[bad] = np.nan
    filled = infill_roughly(image, bad, noise=0.0, rng=rng)
    np.testing.assert_allclose(filled, 4.0)
    noisy = infill_roughly(image, bad, noise=0.3, rng=rng)
    assert noisy[bad].std() == pytest.approx(0.3, rel=0.05)
    np.testing.assert_array_equal(noisy[~bad], image[~bad])
