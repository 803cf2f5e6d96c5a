# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of finding PSFs by what a user gives.
"""

import numpy as np
import pytest

import photutils_pconv.psf as face
from photutils_pconv._psf_models.sampled import SampledPSF
from photutils_pconv.psf.library import get_psf, parse_psf, sample_psf
from photutils_pconv.psf.lobed import lobed_psf
from photutils_pconv.setups.registry import get_setup, list_setups

GREEN = get_setup('scanmap', 'green')


@pytest.mark.parametrize('name', list_setups(instrument='PACS'))
def test_the_setup_is_meant(name):
    setup = get_setup(setup=name)
    assert parse_psf('setup', setup) is get_psf(setup)
    # Another setup's name stands for its own PSF.
    assert parse_psf('scanmap/red', setup) is get_psf('scanmap/red')


@pytest.mark.parametrize('name', ['empirical', 'nonesuch'])
def test_names_that_stand_for_no_psf(name):
    with pytest.raises(FileNotFoundError, match=f'no PSF file {name!r}'):
        parse_psf(name, GREEN)


def test_no_psf():
    assert parse_psf(None, GREEN) is None


@pytest.mark.parametrize('name', ['scanmap/blue', 'parallel/red'])
def test_analytic_psfs_are_sampled(name):
    setup = get_setup(setup=name)
    lobed = lobed_psf(setup)
    sampled = parse_psf(lobed, setup)
    assert isinstance(sampled, SampledPSF)
    assert sampled.pixel_scale == pytest.approx(setup.pixel_scale.value / 4)
    np.testing.assert_array_equal(sampled.data, sample_psf(lobed, setup).data)
    offset = np.array([0.0, 3.0, 9.0])
    np.testing.assert_allclose(
        sampled.density(offset, 0.0), lobed.density(offset, 0.0), rtol=0.02
    )


def test_arrays_belong_to_native_pixels():
    image = get_psf(GREEN).render((41, 41), 20.0, 20.0, pixel_scale=1.6)
    image /= image.sum()
    assert parse_psf(image, GREEN).pixel_scale == pytest.approx(1.6)
    effective = get_psf(GREEN).to_image_psf(pixel_scale=1.6)
    assert parse_psf(effective, GREEN).effective_pixel == pytest.approx(1.6)


def test_face_is_complete():
    for name in face.__all__:
        assert getattr(face, name).__name__ == name
