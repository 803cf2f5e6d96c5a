# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of images that are drawn on whole pixels.
"""

import numpy as np
import pytest

from photutils_pconv.psf._grids import SampledGrid
from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.setups.registry import get_setup

SIGMA = 1.5


def gaussian(dx, dy):
    return np.exp(-0.5 * (dx**2 + dy**2) / SIGMA**2)


@pytest.fixture
def grid():
    return SampledGrid(gaussian, 8.0)


@pytest.mark.parametrize(
    ('x', 'y'), [(20.0, 30.0), (20.37, 29.81), (3.2, 2.9), (-2.6, 44.9)]
)
def test_gaussian(grid, x, y):
    rows, columns = slice(0, 45), slice(0, 40)
    yy, xx = np.indices((45, 40))
    dx, dy = xx - x, yy - y
    inside = np.hypot(dx, dy) <= 8.0
    expected = np.where(inside, gaussian(dx, dy), 0.0)
    np.testing.assert_allclose(grid.draw((rows, columns), x, y), expected, atol=2e-5)
    # A source that moves to the right leaves a fall behind its left.
    image, by_x, by_y = (
        one[0, :45, :40]
        for one in grid.draw_stack(
            np.zeros((1, 2), dtype=int),
            45,
            np.array([x]),
            np.array([y]),
            gradient=True,
        )
    )
    np.testing.assert_allclose(image, expected, atol=2e-5)
    slope = expected / SIGMA**2
    np.testing.assert_allclose(by_x, slope * dx, atol=3e-4)
    np.testing.assert_allclose(by_y, slope * dy, atol=3e-4)


def test_parts_agree_with_the_whole(grid):
    whole = grid.draw((slice(0, 40), slice(0, 40)), 18.3, 21.9)
    part = grid.draw((slice(11, 25), slice(15, 33)), 18.3, 21.9)
    np.testing.assert_allclose(part, whole[11:25, 15:33], atol=1e-14)


@pytest.mark.parametrize('place', [(-9.0, 5.0), (5.0, 60.0), (500.0, 500.0)])
def test_sources_beyond(grid, place):
    region = slice(0, 20), slice(0, 20)
    assert not grid.draw(region, *place).any()
    origins, (x, y) = np.zeros((1, 2), dtype=int), np.array(place)[:, None]
    assert not np.any(grid.draw_stack(origins, 20, x, y, gradient=True))


def test_stacks_are_drawn_as_single_sources(grid):
    rng = np.random.default_rng(8)
    x, y = rng.uniform(0.0, 100.0, (2, 40))
    # Some of the squares lie in part, or altogether, beyond the image.
    origins = np.rint([x, y]).astype(int).T + rng.integers(-25, 10, (40, 2))
    (stack,) = grid.draw_stack(origins, 13, x, y)
    for image, (x0, y0), *place in zip(stack, origins, x, y, strict=True):
        alone = grid.draw((slice(y0, y0 + 13), slice(x0, x0 + 13)), *place)
        np.testing.assert_allclose(image, alone, atol=1e-14)


@pytest.mark.parametrize('angle', [None, 0.7])
@pytest.mark.parametrize('name', ['scanmap/blue', 'parallel/red'])
def test_psfs_are_drawn_as_they_are_evaluated(name, angle):
    setup = get_setup(setup=name)
    psf = PixelPSF(get_psf(setup), setup.pixel_scale.to_value('arcsec'))
    psf = psf.adjusted(angle=angle, width=1.04)
    region, (x, y) = (slice(0, 61), slice(0, 61)), (30.3, 28.8)
    yy, xx = np.indices((61, 61))
    drawn = psf.draw(region, x, y)
    expected = psf.evaluate(xx - x, yy - y)
    # The profile of a round one is itself linear between samples.
    np.testing.assert_allclose(drawn, expected, atol=1e-3 * psf.peak)
    assert drawn.sum() == pytest.approx(expected.sum(), rel=1e-4)
    error = psf.draw_error(region, x, y)
    expected = psf.expected_error(xx - x, yy - y)
    np.testing.assert_allclose(error, expected, atol=1e-3 * psf.peak)


def test_adjusted_psfs_have_images_of_their_own():
    setup = get_setup(setup='scanmap/green')
    psf = PixelPSF(get_psf(setup), 1.6)
    region = slice(0, 9), slice(0, 9)
    first = psf.draw(region, 4.0, 4.0)
    wider = psf.adjusted(width=1.1).draw(region, 4.0, 4.0)
    assert wider[4, 4] == pytest.approx(first[4, 4] / 1.1**2, rel=1e-6)
    np.testing.assert_array_equal(psf.draw(region, 4.0, 4.0), first)
