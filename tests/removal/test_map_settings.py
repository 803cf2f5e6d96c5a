# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of which settings a map gets."""

from dataclasses import FrozenInstanceError
from functools import partial

import astropy.units as u
import numpy as np
import pytest

from photutils_pconv.removal.map_settings import SettingsByMap
from photutils_pconv.removal.settings import RemovalSettings

PACS = {'INSTRUME': 'PACS', 'OBS_MODE': 'PACSPhoto'}
GREEN = {**PACS, 'WAVELNTH': 100.0}
BLUE = {**PACS, 'WAVELNTH': 70.0}
# A Gaussian with a FWHM of 3.5 pixels.
IMAGE = np.exp(-4 * np.log(2) * np.hypot(*np.mgrid[-15:16, -15:16]) ** 2 / 3.5**2)
IMAGE /= IMAGE.sum()


@pytest.fixture
def choose(flat_model, flat_psf_model):
    """Return a function that makes settings by map, with fast networks."""

    def call(mode=None, band=None, *, setup=None, psf=None, **options):
        model = flat_psf_model if psf is not None else flat_model
        make = partial(RemovalSettings.from_arguments, **{'model': model, **options})
        return SettingsByMap.from_arguments(make, mode, band, setup=setup, psf=psf)

    return call


def test_a_given_setup_is_that_of_all_maps(choose):
    by_map = choose(setup='scanmap/green')
    assert by_map.settle(GREEN) is by_map.known
    assert by_map.settle({}, last=by_map.known) is by_map.known
    assert by_map.beam == by_map.known.setup.psf_fwhm


def test_the_header_decides(choose):
    by_map = choose(mode='scanmap')
    assert by_map.known is by_map.beam is None
    assert by_map.describe() == "mode='scanmap', setup: that of the map's header"
    green = by_map.settle(GREEN)
    assert green.setup.name == 'scanmap/green'
    assert 'WAVELNTH = 100.0' in green.setup_reason
    assert by_map.settle(GREEN, last=green) is green
    assert by_map.settle(BLUE, last=green).setup.name == 'scanmap/blue'
    with pytest.raises(ValueError, match='does not name the setup'):
        by_map.settle({}, last=green)


def test_an_image_belongs_to_the_pixels_of_each_map(choose):
    by_map = choose(psf=IMAGE)
    assert by_map.known is by_map.beam is None
    assert by_map.describe() == "setup: that of the PSF on the map's pixels"
    for scale in (1.0, 2.5):
        # Whatever the header says.
        setup = by_map.settle(GREEN, scale * u.arcsec).setup
        assert setup.pixel_scale == scale * u.arcsec
        assert setup.psf_fwhm.value == pytest.approx(3.5 * scale, rel=0.02)


def test_a_psf_in_arcsec_needs_the_scale_of_the_map(choose):
    by_map = choose(psf='scanmap/green')
    assert by_map.by_psf
    assert by_map.beam == by_map.known.setup.psf_fwhm
    with pytest.raises(ValueError, match='does not give its pixel scale'):
        by_map.settle({})


def test_wrong_arguments_are_refused_before_any_map(choose):
    with pytest.raises(ValueError, match='error_method must be'):
        choose(error_method='guess')


def test_frozen(choose):
    with pytest.raises(FrozenInstanceError):
        choose(setup='scanmap/green').known = None
