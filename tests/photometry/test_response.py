# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the pixel_response module.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from photutils.aperture import CircularAperture
from scipy.special import erf

from photutils_pconv.photometry.apertures import removed_photometry
from photutils_pconv.photometry.response import pixel_response

SIGMA = 1.3


def gaussian(radius):
    """The mean flux in a pixel, nearly: a Gaussian widened by the pixel."""
    variance = SIGMA**2 + 1 / 12
    return np.exp(-0.5 * np.square(radius) / variance) / (2 * np.pi * variance)


def render(x, y, size=40):
    """Integrate a Gaussian over pixels, exactly."""
    edges = np.arange(size + 1) - 0.5

    def share(centre):
        return np.diff(0.5 * (1 + erf((edges - centre) / (SIGMA * np.sqrt(2)))))

    return np.outer(share(y), share(x))


def draw(n, seed=2):
    return np.random.default_rng(seed).uniform(18.0, 21.0, (2, n))


@pytest.mark.parametrize('radius', [1.8, 2.4, 4.0])
@pytest.mark.parametrize('method', ['exact', 'center', 'subpixel'])
def test_scatter_of_apertures(radius, method):
    x, y = draw(40)
    sums = np.array(
        [
            CircularAperture(position, radius).do_photometry(
                render(*position), method=method
            )[0][0]
            for position in zip(x, y, strict=True)
        ]
    )
    response = pixel_response(
        x, y, radii=[radius], hole_radius=10.0, profile=gaussian, method=method
    )[:, 0]
    assert np.std(sums / response) < 0.2 * np.std(sums)
    # On the mean over all positions nothing changes.
    assert_allclose(np.mean(response), 1, atol=0.03)


def test_apertures_beyond_the_hole():
    x, y = draw(40)
    flux, response = [], []
    for position in zip(x, y, strict=True):
        shared = {'radii': [12.0], 'hole_radius': 3.0}
        image = render(*position)
        result = removed_photometry(image, *position, local_std=0.0, **shared)
        effective = 12.0 * np.sqrt(result.hole_fraction[0, 0])
        inside = 1 - np.exp(-0.5 * effective**2 / (SIGMA**2 + 1 / 12))
        flux.append(result.flux[0, 0] / inside)
        response.append(pixel_response(*position, profile=gaussian, **shared)[0, 0])
    flux, response = np.array(flux), np.array(response)
    assert_allclose(flux / response, 1, atol=0.003)
    assert np.std(flux / response) < 0.5 * np.std(flux)


def test_mean_over_positions():
    phase = (np.arange(8) + 0.5) / 8 + 20
    x, y = (one.ravel() for one in np.meshgrid(phase, phase))
    response = pixel_response(x, y, radii=[2, 5], hole_radius=9.0, profile=gaussian)
    assert response.shape == (64, 2)
    assert_allclose(response.mean(axis=0), 1, rtol=1e-9)


def test_flat_profile():
    x, y = draw(5)
    response = pixel_response(x, y, radii=[3.3], hole_radius=8.0, profile=np.ones_like)
    assert_allclose(response, 1, rtol=1e-9)


def test_nothing_to_measure():
    response = pixel_response(
        [20, np.nan, 20],
        [20, 20, 20],
        radii=[3],
        hole_radius=[5.0, 5.0, np.nan],
        profile=gaussian,
    )
    assert np.isfinite(response[0, 0])
    assert np.all(np.isnan(response[1:]))


@pytest.mark.parametrize(
    ('change', 'match'),
    [({'radii': [-1.0]}, 'radii'), ({'method': 'nearest'}, 'method')],
)
def test_bad_input(change, match):
    options = {'radii': [3.0], 'hole_radius': 5.0, 'profile': gaussian, **change}
    with pytest.raises(ValueError, match=match):
        pixel_response(20, 20, **options)
