# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the setups of other instruments that come with the package."""

import json
from importlib import resources

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from photutils_pconv import get_setup, list_setups
from photutils_pconv.psf import PixelPSF
from photutils_pconv.setups.bundled import bundled_setups

OTHERS = [name for name in list_setups() if not name.startswith(('scan', 'parallel'))]

# Solid angles of the beams, in arcsec^2: SPIRE, of Neptune (Herschel's SPIRE
# photometer beam profiles, Schulz 2012); SCUBA-2, of the effective FWHM of 9.8 and
# 14.6 arcsec (Dempsey et al. 2013).
SOLID_ANGLES = {
    'spire/250': 450,
    'spire/350': 795,
    'spire/500': 1665,
    'scuba2/450': np.pi / (4 * np.log(2)) * 9.8**2,
    'scuba2/850': np.pi / (4 * np.log(2)) * 14.6**2,
}
# FWHM in maps, in arcsec: SPIRE Handbook v3.2, Table 5.2, on pixels of 6, 10 and 14
# arcsec; means over angles of Aniano et al. (2011).
MAP_FWHM = {
    'spire/250': 18.1,
    'spire/350': 24.9,
    'spire/500': 36.4,
    'mips/24': 6.43,
    'wise/3': 6.6,
    'wise/4': 11.89,
}
# The apertures of the optics, in m.
DIAMETERS = {'spire': 3.5, 'mips': 0.85, 'irac': 0.85, 'wise': 0.4, 'scuba2': 15}


def test_what_ships():
    expected = [
        *('spire/250', 'spire/350', 'spire/500'),
        *('mips/24', 'mips/70', 'mips/160'),
        *('irac/5.8', 'irac/8.0'),
        *('wise/3', 'wise/4'),
        *('scuba2/450', 'scuba2/850'),
        'planck/857',
    ]
    assert expected == OTHERS
    for one in bundled_setups().values():
        assert one.references
        assert one.psf


@pytest.mark.parametrize('name', OTHERS)
def test_setups_hold_together(name):
    setup = get_setup(setup=name)
    assert setup.name == name == f'{setup.mode}/{setup.band}'
    assert setup is get_setup(setup.mode, setup.band)
    assert setup.instrument == bundled_setups()[name].instrument
    assert setup.has_psf
    # beams that the networks were trained with, or nearly
    assert 1.8 <= (setup.psf_fwhm / setup.pixel_scale).value <= 5.0
    assert_allclose(setup.psf.data.sum(), 1, atol=1e-3)
    assert 0.55 < setup.eef(setup.aperture_radius) < 0.95
    if setup.mode in DIAMETERS:
        limit = setup.wavelength / (DIAMETERS[setup.mode] * u.m) * u.rad
        # no beam is sharper than diffraction at an obscured aperture allows
        assert 0.95 < (setup.psf_fwhm / limit).to_value('') < 1.5


@pytest.mark.parametrize('name', SOLID_ANGLES)
def test_solid_angles_are_the_published_ones(name):
    psf = get_setup(setup=name).psf
    solid_angle = 1 / psf.density(0.0, 0.0)
    assert_allclose(solid_angle, SOLID_ANGLES[name], rtol=0.05)


@pytest.mark.parametrize('name', MAP_FWHM)
def test_widths_in_maps_are_the_published_ones(name):
    setup = get_setup(setup=name)
    scale = setup.pixel_scale.to_value('arcsec')
    fwhm = PixelPSF(setup.psf, scale).fwhm * scale
    # SPIRE's are for these pixels, the others for finer ones
    rtol = 0.015 if name.startswith('spire') else 0.05
    assert_allclose(fwhm, MAP_FWHM[name], rtol=rtol)


def test_what_is_unconfirmed_says_so():
    """Each setup of another instrument names the numbers that were not checked."""
    text = resources.files('photutils_pconv') / 'data' / 'setups' / 'beams.json'
    for values in json.loads(text.read_text(encoding='utf-8'))['setups']:
        assert set(values['unconfirmed']) < set(values) | set(values['psf'])
        said = 'Not found in a second' in bundled_setups()[values['name']].references
        assert said == bool(values['unconfirmed'])
    assert bundled_setups()['mips/70'].references.endswith(': pixels, its obscuration')


def test_no_file_is_large():
    folder = resources.files('photutils_pconv') / 'data'
    for part in ('setups', 'psf'):
        for path in (folder / part).iterdir():
            assert path.stat().st_size < 200e3
