# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of what all PSFs do to draw a source.
"""

import numpy as np
import pytest
from scipy.special import erf

from photutils_pconv._psf_models.rendering import average_over_pixels, turn_and_stretch

SIGMA = 4.0


def gaussian(dx, dy):
    return np.exp(-0.5 * (dx**2 + dy**2) / SIGMA**2) / (2.0 * np.pi * SIGMA**2)


def pixel_integrals(n, position, scale):
    """Integrate a Gaussian over pixels, along one axis."""
    edges = (np.arange(n + 1) - 0.5 - position) * scale / (np.sqrt(2.0) * SIGMA)
    return 0.5 * np.diff(erf(edges))


@pytest.mark.parametrize('scale', [1.0, 3.2])
@pytest.mark.parametrize(('x', 'y'), [(20.0, 15.0), (19.6, 15.3)])
def test_average_is_the_integral_over_pixels(x, y, scale):
    image = average_over_pixels(
        gaussian, (31, 41), x, y, pixel_scale=scale, oversampling=9
    )
    expected = np.outer(pixel_integrals(31, y, scale), pixel_integrals(41, x, scale))
    np.testing.assert_allclose(image, expected, atol=1e-3 * expected.max())


def test_no_box_takes_the_centres():
    image = average_over_pixels(gaussian, (7, 9), 4.2, 3.0, pixel_scale=2.0, box=0.0)
    y, x = np.indices((7, 9))
    expected = 4.0 * gaussian(2.0 * (x - 4.2), 2.0 * (y - 3.0))
    np.testing.assert_allclose(image, expected, rtol=1e-12)


def test_small_box_lies_between_value_and_average():
    images = [
        average_over_pixels(gaussian, (9, 9), 4.0, 4.0, pixel_scale=3.2, box=box)
        for box in (0.0, 1.6, 3.2)
    ]
    value, part, whole = (image[4, 4] for image in images)
    assert whole < part < value


@pytest.mark.parametrize('scale', [0.0, -1.6, np.nan, '1.6', True])
def test_bad_pixel_scale(scale):
    with pytest.raises((TypeError, ValueError), match='pixel_scale must be'):
        average_over_pixels(gaussian, (5, 5), 2.0, 2.0, pixel_scale=scale)


@pytest.mark.parametrize('angle', [0.0, 0.3, 2.5])
@pytest.mark.parametrize('stretch', [1.0, 1.3])
def test_turn_and_stretch(angle, stretch):
    # A point on the PSF's own x axis, seen on the sky.
    dx, dy = stretch * np.cos(angle), stretch * np.sin(angle)
    u, v = turn_and_stretch(dx, dy, angle=angle, stretch=stretch)
    assert (u, v) == pytest.approx((1.0, 0.0), abs=1e-12)
    # And one on its y axis, in a unit of length of its own.
    dx, dy = -np.sin(angle) / stretch, np.cos(angle) / stretch
    u, v = turn_and_stretch(dx, dy, angle=angle, stretch=stretch, unit=0.5)
    assert (u, v) == pytest.approx((0.0, 2.0), abs=1e-12)
