# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the images of resolved sources, against Gaussians.
"""

import numpy as np
import pytest
from astropy.stats import gaussian_fwhm_to_sigma

from photutils_pconv._psf_models.sampled import SampledPSF
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.resolved import SourcePSFs
from photutils_pconv.psf.source_sizes import SourceSizes

SIGMA = 1.7


@pytest.fixture(scope='module')
def point():
    """Return a Gaussian PSF on pixels."""
    y, x = np.indices((201, 201)) - 100.0
    image = np.exp(-0.5 * (x**2 + y**2) / (4 * SIGMA) ** 2)
    return PixelPSF(SampledPSF(image / image.sum(), 0.25), 1.0)


def make_sizes(major, minor, angle):
    return SourceSizes(*(np.array([one]) for one in (major, minor, angle, np.nan)))


def gaussian(point, major, minor, angle):
    """Calculate the image, averaged over pixels to the second order."""
    y, x = np.indices((61, 61)) - 30.0
    own = (point.fwhm * gaussian_fwhm_to_sigma) ** 2
    base = SIGMA**2 + 1.0 / 12.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    covariance = turn @ np.diag(own * (np.square([major, minor]) - 1.0)) @ turn.T
    inverse = np.linalg.inv(covariance + base * np.eye(2))
    form = inverse[0, 0] * x**2 + 2 * inverse[0, 1] * x * y + inverse[1, 1] * y**2
    return x, y, np.exp(-0.5 * form) * np.sqrt(np.linalg.det(inverse)) / (2 * np.pi)


@pytest.mark.parametrize(
    'shape', [(1.2, 1.2, 0.0), (2.0, 1.0, 0.5), (3.0, 1.5, 2.0), (1.6, 1.6, 1.0)]
)
def test_image(point, shape):
    x, y, expected = gaussian(point, *shape)
    psfs = SourcePSFs(point, make_sizes(*shape))
    image = psfs.of(0).evaluate(x, y)
    np.testing.assert_allclose(image, expected, atol=2e-3 * expected.max())
    assert image.sum() == pytest.approx(1.0, abs=3e-3)
    assert psfs.of(0) is psfs.of(0)


@pytest.mark.parametrize('shape', [(1.2, 1.2, 0.0), (2.0, 1.3, 0.5)])
def test_derivative_by_the_size(point, shape):
    """Of Gaussians of sizes a percent apart."""
    x, y, _ = gaussian(point, *shape)
    found = SourcePSFs(point, make_sizes(*shape)).by_size(0).evaluate(x, y)
    up, down = (
        gaussian(point, shape[0] * f, shape[1] * f, shape[2])[2] for f in (1.01, 0.99)
    )
    expected = (up - down) / 0.02
    np.testing.assert_allclose(found, expected, atol=5e-3 * np.abs(expected).max())


@pytest.mark.parametrize('shape', [(2.0, 1.5, 0.5), (1.8, 1.8, 0.0), (2.5, 1.2, -1.2)])
@pytest.mark.parametrize('element', [0, 1])
def test_derivatives_by_the_shape(point, shape, element):
    """Of Gaussians whose shapes differ by a percent of half the trace."""
    x, y, _ = gaussian(point, *shape)
    found = SourcePSFs(point, make_sizes(*shape)).by_shape(0)[element].evaluate(x, y)
    images = []
    for step in (0.01, -0.01):
        shear = [0.0, 0.0]
        shear[element] = step
        sheared = make_sizes(*shape).sheared(0, *shear, largest=3.0)
        sizes = (getattr(sheared, name)[0] for name in ('major', 'minor', 'angle'))
        images.append(gaussian(point, *sizes)[2])
    expected = (images[0] - images[1]) / 0.02
    np.testing.assert_allclose(found, expected, atol=8e-3 * np.abs(expected).max())


def test_a_shear_keeps_the_trace():
    sizes = make_sizes(2.0, 1.5, 0.5)
    sheared = sizes.sheared(0, 0.1, -0.05, largest=3.0)
    for one in (sizes, sheared):
        assert one.major[0] ** 2 + one.minor[0] ** 2 == pytest.approx(6.25)
    same = sizes.sheared(0, 0.0, 0.0, largest=3.0)
    assert [same.major[0], same.minor[0]] == pytest.approx([2.0, 1.5])
    assert np.mod(same.angle[0], np.pi) == pytest.approx(0.5)
    # Neither axis leaves what a compact source may have.
    limited = sizes.sheared(0, 0.9, 0.0, largest=2.2)
    assert (limited.major[0], limited.minor[0]) == (2.2, 1.0)
    assert np.tan(limited.angle[0]) == pytest.approx(0.0, abs=0.3)


def test_points_have_the_psf(point):
    psfs = SourcePSFs(point, SourceSizes.of_points(3))
    assert all(psfs.of(i) is point for i in range(3))
    np.testing.assert_array_equal(psfs.scales(3), 1.0)
    assert point.of(7) is point
    assert point.select([0]) is point
    with pytest.raises(ValueError, match='sizes of 3 sources, not of 2'):
        psfs.scales(2)


def test_select(point):
    sizes = SourceSizes(
        np.array([1.0, 2.0, 3.0]), np.ones(3), np.zeros(3), np.full(3, np.nan)
    )
    psfs = SourcePSFs(point, sizes).select(np.array([2, 0]))
    np.testing.assert_array_equal(psfs.scales(2), [3.0, 1.0])


def test_expected_error_grows_with_that_of_the_size(point):
    exact, vague = (
        SourcePSFs(
            point, SourceSizes(*(np.array([one]) for one in (2.0, 2.0, 0.0, error)))
        )
        for error in (0.001, 0.2)
    )
    middle = [one.of(0).expected_error(0.0, 0.0) for one in (exact, vague)]
    assert middle[1] > 3 * middle[0]


@pytest.mark.parametrize('width', [0.95, 1.05])
def test_another_psf_leaves_the_size_on_the_map(point, width):
    """What a source measures on the map is PSF and source together."""
    psfs = SourcePSFs(point, make_sizes(1.8, 1.4, 0.3))
    wider = psfs.with_point(point.adjusted(angle=None, width=width))
    y, x = np.indices((81, 81)) - 40.0
    images = [one.of(0).evaluate(x, y) for one in (psfs, wider)]
    first, second = (
        [np.sum(image * one) / image.sum() for one in (x**2, y**2)] for image in images
    )
    np.testing.assert_allclose(second, first, rtol=0.01)


def test_a_psf_as_wide_as_the_source_is_all_there_is(point):
    psfs = SourcePSFs(point, make_sizes(1.2, 1.1, 0.3))
    wide = point.adjusted(angle=None, width=1.3)
    assert psfs.with_point(wide).of(0) is wide
