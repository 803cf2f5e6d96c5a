# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of PSFs of published shapes.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import j0, j1

from photutils_pconv._psf_models.measures import measure_fwhm, reduce_image
from photutils_pconv._psf_models.shapes import airy_psf, gaussian_psf, gaussians_psf

UNIT = np.rad2deg(250e-6 / 3.5) * 3600


def test_airy_pattern():
    psf = airy_psf(250, 3.5)
    # Rayleigh 1881: the encircled energy of an open aperture
    radius = np.array([0.3, 0.6, 1.22, 2.0, 4.0])
    v = np.pi * radius
    end = np.pi * psf.radius / UNIT
    expected = (1 - j0(v) ** 2 - j1(v) ** 2) / (1 - j0(end) ** 2 - j1(end) ** 2)
    assert_allclose(psf.encircled_energy(radius * UNIT), expected, atol=4e-3)
    assert_allclose(measure_fwhm(psf), 1.029 * UNIT, rtol=1e-3)
    # the first dark ring
    assert psf.density(1.22 * UNIT, 0.0) < 1e-4 * psf.density(0.0, 0.0)


def test_obscuration_sharpens_the_core_and_feeds_the_ring():
    plain, ring = airy_psf(250, 3.5), airy_psf(250, 3.5, obscuration=0.4)
    assert measure_fwhm(ring) < measure_fwhm(plain)
    first = 1.64 * UNIT
    shares = [psf.density(first, 0.0) / psf.density(0.0, 0.0) for psf in (plain, ring)]
    assert_allclose(shares[0], 0.0175, rtol=0.02)
    assert shares[1] > 2 * shares[0]


@pytest.mark.parametrize('factor', [1.05, 1.3, 3.0])
def test_smoothing_gives_the_fwhm(factor):
    fwhm = 1.029 * UNIT * factor
    psf = airy_psf(250, 3.5, fwhm=fwhm)
    assert_allclose(measure_fwhm(psf), fwhm, rtol=2e-3)
    assert_allclose(psf.data.sum(), 1)


def test_a_fwhm_beyond_diffraction_is_refused():
    with pytest.raises(ValueError, match=r'15\.2 arcsec, or larger, got 10 arcsec'):
        airy_psf(250, 3.5, fwhm=10)


def test_gaussians():
    psf = gaussians_psf([10.0, 40.0], [0.9, 0.1])
    radius = np.array([5.0, 20.0, 60.0])
    share = 0.9 * 10**2 / (0.9 * 10**2 + 0.1 * 40**2)
    expected = share * (1 - 2.0 ** (-((radius / 5) ** 2)))
    expected += (1 - share) * (1 - 2.0 ** (-((radius / 20) ** 2)))
    assert_allclose(psf.encircled_energy(radius), expected, atol=2e-3)
    assert_allclose(gaussian_psf(7.0).encircled_energy(3.5), 0.5, atol=1e-3)


@pytest.mark.parametrize('side', [1001, 1003, 3001])
@pytest.mark.parametrize('samples', [5.0, 40.0])
def test_images_are_bounded_about_their_centre(side, samples):
    data = np.zeros((side, side))
    data[side // 2, side // 2] = 1.0
    small, factor = reduce_image(data, samples)
    assert max(small.shape) <= 1001
    assert small[small.shape[0] // 2, small.shape[1] // 2] == 1
    assert factor == (3 if side > 1001 and samples == 40 else 1)
