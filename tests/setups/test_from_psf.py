# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of setups that follow from a PSF."""

import pickle
from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.stats import gaussian_fwhm_to_sigma
from astropy.utils.exceptions import AstropyUserWarning
from numpy.testing import assert_allclose, assert_array_equal
from photutils.psf import CircularGaussianPRF, ImagePSF

from photutils_pconv import ObservingSetup, get_setup
from photutils_pconv.psf import LobedPSF, SampledPSF, get_psf, lobed_psf

PACS = [f'{mode}/{band}' for mode in ('scanmap', 'parallel') for band in
        ('blue', 'green', 'red')]  # fmt: skip
FWHM = 18.0


def gaussian_eef(radius, fwhm=FWHM):
    return 1 - np.exp(-0.5 * (radius / (fwhm * gaussian_fwhm_to_sigma)) ** 2)


def gaussian_image(step, side=121):
    yy, xx = np.mgrid[:side, :side] - side // 2
    sigma = FWHM * gaussian_fwhm_to_sigma / step
    image = np.exp(-0.5 * (xx**2 + yy**2) / sigma**2)
    return image / image.sum()


@pytest.mark.parametrize('name', PACS)
def test_table_3_within_a_pixel(name):
    """The rules give the paper's hole radii from the PSF alone."""
    known = get_setup(setup=name)
    setup = ObservingSetup.from_psf(
        get_psf(name),
        pixel_scale=known.pixel_scale,
        snr_thresholds=known.snr_thresholds,
    )
    difference = np.subtract(setup.hole_radii, known.hole_radii)
    assert np.all(np.abs(difference) <= 1)
    assert abs(np.mean(difference)) < 0.6
    # ... and what else the paper's configuration has, roughly
    assert_allclose(setup.aperture_radius, known.aperture_radius, rtol=0.12)
    for key in ('snr_source_radius', 'snr_inner_radius', 'snr_outer_radius'):
        assert_allclose(getattr(setup, key), getattr(known, key), rtol=0.5)


@pytest.mark.parametrize('scale', [0.013, 1.6, 103.0])
def test_sizes_go_by_the_beam(scale):
    setup = ObservingSetup.from_psf(2.5 * scale * u.arcsec, pixel_scale=scale)
    one = ObservingSetup.from_psf(2.5 * u.arcsec, pixel_scale=1.0)
    assert setup.hole_radii == one.hole_radii
    assert setup.snr_outer_radius == one.snr_outer_radius
    assert_allclose(setup.annulus_radii, one.annulus_radii * scale)
    assert_allclose(setup.aperture_radius, one.aperture_radius * scale)
    assert_array_equal(setup.psf.data, one.psf.data)
    radii, eef = setup.encircled_energy['real']
    assert_allclose(eef, gaussian_eef(radii / scale, 2.5), atol=1e-3)


def make_file(path, header=True):
    hdu = fits.PrimaryHDU(gaussian_image(2.0))
    if header:
        hdu.header['PIXSCALE'] = 2.0
    hdu.writeto(path)
    return path


GIVEN = {
    'fwhm': lambda folder: (FWHM * u.arcsec, {}),
    'arcmin': lambda folder: ((FWHM / 60) * u.arcmin, {}),
    'sampled': lambda folder: (SampledPSF(gaussian_image(2.0), 2.0), {}),
    'lobed': lambda folder: (
        LobedPSF((FWHM * gaussian_fwhm_to_sigma,), (1.0,), (0.0,)),
        {},
    ),
    'array': lambda folder: (gaussian_image(6.0, 41), {}),
    'fine array': lambda folder: (gaussian_image(2.0), {'psf_pixel_scale': 2}),
    'file': lambda folder: (make_file(folder / 'beam.fits'), {}),
    'bare file': lambda folder: (
        str(make_file(folder / 'beam.fits', header=False)),
        {'psf_pixel_scale': 2 * u.arcsec},
    ),
    'ImagePSF': lambda folder: (
        ImagePSF(9 * gaussian_image(2.0), oversampling=3),
        {},
    ),
}


@pytest.mark.parametrize('kind', GIVEN)
def test_every_form_gives_the_same_setup(kind, tmp_path):
    psf, options = GIVEN[kind](tmp_path)
    setup = ObservingSetup.from_psf(psf, pixel_scale=6 * u.arcsec, **options)
    # a spline through three samples a FWHM is that good
    assert_allclose(setup.psf_fwhm.value, FWHM, rtol=3e-3)
    assert setup.hole_radii == (10.0, 9.0, 7.0, 6.0, 6.0, 5.0)
    assert setup.pixel_scale == 6 * u.arcsec
    assert_allclose(setup.eef([9.0, 18.0]), gaussian_eef(np.array([9, 18])), atol=2e-3)
    assert setup.has_psf
    assert get_psf(setup) is setup.psf
    assert setup.name


def test_what_is_given_is_kept():
    setup = ObservingSetup.from_psf(
        18 * u.arcsec,
        name='mine',
        mode='m',
        band='b',
        instrument='camera',
        wavelength=0.25 * u.mm,
        aperture_radius=22,
        annulus_radii=(60, 90),
        snr_thresholds=(100, 10),
    )
    assert (setup.name, setup.mode, setup.band) == ('mine', 'm', 'b')
    assert setup.instrument == 'camera'
    assert_allclose(setup.wavelength.to_value('um'), 250)
    assert setup.aperture_radius == 22 * u.arcsec
    assert_array_equal(setup.annulus_radii, [60, 90] * u.arcsec)
    assert len(setup.hole_radii) == 3
    assert_allclose(setup.pixel_scale.value, 18 / 3.5, rtol=1e-5)
    assert setup.name in repr(setup)


def test_no_wavelength():
    setup = ObservingSetup.from_psf(18 * u.arcsec, name='mine')
    assert setup.wavelength is None
    assert repr(setup) == "<ObservingSetup('mine', 5.14286 arcsec / pixel)>"
    assert ObservingSetup.from_dict(setup.to_dict()).wavelength is None


def test_equality_is_by_the_psf_too():
    setup = ObservingSetup.from_psf(18 * u.arcsec)
    again = pickle.loads(pickle.dumps(setup))
    assert again == setup
    assert hash(again) == hash(setup)
    other = replace(setup, psf=SampledPSF(gaussian_image(2.0), 2.0))
    assert other != setup
    assert replace(setup, psf=None) != setup


@pytest.mark.parametrize('name', PACS)
def test_pacs_setups_carry_their_psfs(name):
    setup = get_setup(setup=name)
    assert setup.has_psf
    assert setup.psf is get_psf(name)
    assert setup.instrument == 'PACS'


def test_a_changed_file_is_read_again(tmp_path):
    path = make_file(tmp_path / 'beam.fits')
    setup = replace(get_setup('scanmap', 'blue'), psf=path, name='mine')
    first = setup.psf
    assert setup.psf is first
    SampledPSF(gaussian_image(3.0), 3.0).to_fits(path, overwrite=True)
    assert setup.psf.pixel_scale == 3.0


def test_finely_sampled_images_are_reduced():
    image = gaussian_image(0.08, 1501)
    setup = ObservingSetup.from_psf(
        image / image.sum(), psf_pixel_scale=0.08, pixel_scale=6
    )
    assert max(setup.psf.data.shape) <= 1001
    assert_allclose(setup.psf_fwhm.value, FWHM, rtol=1e-4)
    assert_allclose(setup.psf.data.sum(), 1.0, rtol=1e-9)
    assert_allclose(setup.eef(18.0), gaussian_eef(18.0), atol=1e-3)


# Bad input


@pytest.mark.parametrize(
    ('psf', 'options', 'error', 'match'),
    [
        (None, {}, TypeError, 'a FWHM with a unit, a FITS file'),
        (18.0, {}, TypeError, 'a FWHM with a unit'),
        (3 * u.um, {}, ValueError, 'convertible to arcsec'),
        (-3 * u.arcsec, {}, ValueError, 'finite and positive'),
        (18 * u.arcsec, {'psf_pixel_scale': 1}, ValueError, 'no psf_pixel_scale'),
        (gaussian_image(6.0, 41), {}, ValueError, 'needs pixel_scale'),
        (gaussian_image(6.0, 41), {'pixel_scale': 'x'}, TypeError, 'pixel_scale'),
        ('nowhere.fits', {}, FileNotFoundError, 'no PSF file'),
        (18 * u.arcsec, {'snr_thresholds': (4, 8)}, ValueError, 'largest first'),
        (18 * u.arcsec, {'snr_thresholds': 4}, TypeError, 'sequence of numbers'),
        (18 * u.arcsec, {'name': ''}, ValueError, 'name must not be empty'),
        (18 * u.arcsec, {'instrument': 3}, TypeError, 'instrument must be a str'),
        (gaussian_image(6.0, 5), {'pixel_scale': 6}, ValueError, 'larger image'),
    ],
)
def test_bad_arguments(psf, options, error, match):
    with pytest.raises(error, match=match):
        ObservingSetup.from_psf(psf, **options)


@pytest.mark.parametrize('pixel_scale', [1.0, 20.0])
def test_beams_unlike_those_of_training_warn(pixel_scale):
    with pytest.warns(AstropyUserWarning, match=r'pixel_scale=5\.14'):
        setup = ObservingSetup.from_psf(FWHM * u.arcsec, pixel_scale=pixel_scale)
    assert min(setup.hole_radii) >= 2


@pytest.mark.parametrize(
    ('psf', 'error', 'match'),
    [
        (np.ones((5, 5)), TypeError, 'from_psf takes more'),
        ('nowhere.fits', FileNotFoundError, 'no PSF file'),
    ],
)
def test_bad_psf_of_a_setup(psf, error, match):
    with pytest.raises(error, match=match):
        replace(get_setup('scanmap', 'blue'), psf=psf)


# Setups without a PSF


def test_lobes_are_those_of_pacs_alone():
    known = get_setup('scanmap', 'green')
    assert max(lobed_psf(known).lobes) > 0.3
    other = replace(known, name='other', instrument='', psf=None)
    assert not other.has_psf
    psf = get_psf(other)
    assert isinstance(psf, LobedPSF)
    assert max(psf.lobes) == 0
    radii, eef = known.encircled_energy['real']
    assert_allclose(psf.encircled_energy(radii), eef, atol=0.03)


def test_a_wide_beam_is_not_cut():
    """The analytic PSF of a beam of 258 arcsec holds all its flux."""
    wide = ObservingSetup.from_psf(258 * u.arcsec, pixel_scale=103)
    psf = lobed_psf(replace(wide, psf=None))
    radii, eef = wide.encircled_energy['real']
    assert_allclose(psf.encircled_energy(radii), eef, atol=0.01)
    assert max(psf.sigmas) > 258 * gaussian_fwhm_to_sigma * 0.7


def test_prf_of_photutils_is_an_effective_psf():
    """An image averaged over pixels has the FWHM that the map shows."""
    yy, xx = np.mgrid[-20:21, -20:21]
    image = CircularGaussianPRF(fwhm=3.0)(xx, yy)
    setup = ObservingSetup.from_psf(ImagePSF(image / image.sum()), pixel_scale=2.0)
    assert setup.psf.effective_pixel == 2.0
    # the variance of a square is a twelfth of its side's square
    width = np.hypot(6.0, 2.0 / np.sqrt(12) / gaussian_fwhm_to_sigma)
    assert_allclose(setup.psf_fwhm.value, width, rtol=0.01)
