# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""A PSF stands for a setup where none is named."""

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.wcs import WCS
from numpy.testing import assert_allclose
from photutils.psf import ImagePSF

from photutils_pconv import (
    NeuralSourceRemover,
    ObservingSetup,
    PConvBackground,
    PConvLocalBackground,
)
from photutils_pconv.psf import SampledPSF, get_psf
from photutils_pconv.simulation import inject_sources

FWHM, SCALE = 18.0, 6.0
XY = np.array([[28.3, 31.8], [70.1, 42.2], [45.7, 71.5]])
FLUX = np.array([1.0, 0.3, 5.0])
KNOWN = ObservingSetup.from_psf(FWHM * u.arcsec, pixel_scale=SCALE, name='known')


def make_wcs(scale):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ['RA---TAN', 'DEC--TAN'], [83.8, -5.4]
    wcs.wcs.crpix, wcs.wcs.cdelt = [50, 50], [-scale / 3600, scale / 3600]
    return wcs


def make_map(scale=SCALE, with_wcs=True):
    rng = np.random.default_rng(17)
    data = 0.01 + 1e-4 * rng.standard_normal((100, 100))
    data = inject_sources(data, *XY.T, FLUX, psf=get_psf(KNOWN), pixel_scale=scale)
    return CCDData(data, unit='Jy/pix', wcs=make_wcs(scale) if with_wcs else None)


def pixel_image(scale=SCALE, side=41):
    """The PSF as an image on the map's pixels."""
    middle = side // 2
    image = get_psf(KNOWN).render((side, side), middle, middle, pixel_scale=scale)
    return image / image.sum()


def make_psf(kind, folder):
    if kind == 'SampledPSF':
        return get_psf(KNOWN)
    if kind == 'file':
        get_psf(KNOWN).to_fits(folder / 'beam.fits')
        return str(folder / 'beam.fits')
    if kind == 'ImagePSF':
        return ImagePSF(pixel_image())
    return pixel_image()


@pytest.fixture(scope='module')
def known():
    remover = NeuralSourceRemover(setup=KNOWN, error_method='card')
    return remover(make_map(), XY).photometry


@pytest.mark.parametrize('kind', ['SampledPSF', 'file', 'ImagePSF', 'array'])
def test_no_setup_is_needed(kind, tmp_path, known):
    psf = make_psf(kind, tmp_path)
    remover = NeuralSourceRemover(psf=psf, error_method='card')
    assert 'psf' in repr(remover).lower()
    assert 'beam' in str(remover) or 'psf' in str(remover).lower()
    table = remover(make_map(), XY).photometry
    # an image on coarse pixels holds the PSF less well
    rtol = 1e-4 if kind in ('SampledPSF', 'file') else 0.03
    assert_allclose(table['flux'].value, known['flux'].value, rtol=rtol)
    assert_allclose(table['flux'].value, FLUX, rtol=0.03)
    assert_allclose(table['hole_radius'], known['hole_radius'], atol=1)
    assert remover.setup.pixel_scale.value == pytest.approx(SCALE)
    assert remover.setup.psf_fwhm.value == pytest.approx(FWHM, rel=0.07)


@pytest.mark.parametrize('scale', [2.5, 12.0])
def test_maps_of_other_pixels_are_resampled(scale):
    remover = NeuralSourceRemover(psf=get_psf(KNOWN), error_method='card')
    table = remover(make_map(scale), XY).photometry
    assert remover.setup.pixel_scale.value == pytest.approx(FWHM / 3.5, rel=1e-3)
    assert_allclose(table['flux'].value, FLUX, rtol=0.03)


def test_each_map_has_its_own(known):
    remover = NeuralSourceRemover(psf=pixel_image(), error_method='card')
    assert remover.setup is None
    assert "that of the PSF on the map's pixels" in repr(remover)
    first = remover(make_map(), XY).photometry
    # without a WCS, pixels are what counts
    second = remover(make_map(with_wcs=False), XY).photometry
    assert remover.setup.pixel_scale == 1 * u.arcsec
    assert_allclose(second['flux'], first['flux'], rtol=1e-6)
    assert_allclose(second['snr'], first['snr'])


def test_the_name_of_a_setup_stands_for_it():
    remover = NeuralSourceRemover(psf='scanmap/green')
    assert remover.setup.name == 'scanmap/green'


@pytest.mark.parametrize(
    ('psf', 'error', 'match'),
    [
        ('nowhere.fits', FileNotFoundError, 'no PSF file'),
        (np.ones((4, 4)), ValueError, 'odd sides'),
        (3, TypeError, 'psf must be'),
    ],
)
def test_bad_psf(psf, error, match):
    with pytest.raises(error, match=match):
        NeuralSourceRemover(psf=psf)


@pytest.mark.parametrize('psf', ['setup', 'empirical'])
def test_psf_that_needs_a_setup(psf):
    """The map's header is asked for it."""
    with pytest.raises(ValueError, match='header does not name the setup'):
        NeuralSourceRemover(psf=psf)(make_map(), XY)


def test_a_psf_in_arcsec_needs_a_pixel_scale():
    remover = NeuralSourceRemover(psf=SampledPSF(pixel_image(), SCALE))
    with pytest.raises(ValueError, match='without WCS does not give its pixel scale'):
        remover(make_map(with_wcs=False), XY)


@pytest.mark.parametrize('kind', ['SampledPSF', 'array'])
def test_background(kind, tmp_path):
    """Backgrounds take it in the same way: their map is the remover's."""
    ccd, psf = make_map(), make_psf(kind, tmp_path)
    found = PConvBackground(ccd, XY, psf=psf, turns=1)
    remover = NeuralSourceRemover(psf=psf, fill='mean', error_method='card', turns=1)
    result = remover(ccd, XY)
    assert found.setup == remover.setup
    assert found.photometry.meta['setup_reason'] == 'made from the PSF'
    assert_allclose(found.photometry['flux'], result.photometry['flux'], rtol=1e-5)
    assert_allclose(found.background.value, result.cleaned.data, atol=1e-5)


def test_local_background():
    local = PConvLocalBackground(psf=get_psf(KNOWN), pixel_scale=SCALE)
    assert local.pixel_scale.value == pytest.approx(SCALE)
    assert local.setup.psf_fwhm.value == pytest.approx(FWHM, rel=0.07)
    # The sky is 0.01 below sources of up to 5 Jy.
    assert_allclose(local(make_map().data, *XY.T), 0.01, atol=5e-4)
    # Nothing tells the pixel scale, which another would be guessed for.
    with pytest.raises(ValueError, match='needs: give pixel_scale, or setup='):
        PConvLocalBackground(psf=get_psf(KNOWN))
