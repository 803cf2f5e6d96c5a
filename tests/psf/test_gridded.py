# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of PSFs that vary over a map."""

import pickle

import numpy as np
import pytest
from astropy.nddata import NDData
from numpy.testing import assert_allclose
from photutils.psf import GriddedPSFModel

from photutils_pconv import NeuralSourceRemover, ObservingSetup
from photutils_pconv._psf_models.measures import measure_fwhm
from photutils_pconv.psf import GriddedPSF, SampledPSF, get_psf
from photutils_pconv.simulation import inject_sources

SIDE, SCALE, OVERSAMPLING = 120, 3.2, 4
NARROW, WIDE = 2.8, 4.2  # the FWHM at both sides, in pixels
XY = np.array([[15.3, 30.8], [20.7, 90.2], [100.1, 25.5], [104.6, 95.3], [60.2, 61.4]])
FLUX = np.array([3.0, 1.0, 3.0, 1.0, 2.0])


def gaussian(fwhm, side=101):
    """An image of flux 1, averaged over pixels."""
    yy, xx = np.mgrid[:side, :side] - side // 2
    sigma2 = (fwhm / 2.3548) ** 2 + 1 / 12
    image = np.exp(-0.5 * (xx**2 + yy**2) / OVERSAMPLING**2 / sigma2)
    return image / image.sum()


def make_model(widths=(NARROW, WIDE)):
    edges = (0, SIDE - 1)
    images = [gaussian(fwhm) * OVERSAMPLING**2 for _ in edges for fwhm in widths]
    meta = {
        'grid_xypos': [(x, y) for y in edges for x in edges],
        'oversampling': OVERSAMPLING,
    }
    return GriddedPSFModel(NDData(np.array(images), meta=meta))


def test_images_are_interpolated():
    psf = get_psf(make_model(), pixel_scale=SCALE)
    assert isinstance(psf, GriddedPSF)
    assert psf.effective_pixel == SCALE
    left, middle, right = (psf.at(x, 50) for x in (-5, 59.5, 500))
    assert_allclose(left.data, gaussian(NARROW), atol=1e-9)
    assert_allclose(right.data, gaussian(WIDE), atol=1e-9)
    mean = (gaussian(NARROW) + gaussian(WIDE)) / 2
    assert_allclose(middle.data, mean, atol=1e-9)
    # where one PSF is asked for, it is the mean
    assert_allclose(psf.data, mean, atol=1e-9)
    # as photutils has it
    model = make_model()
    x, y = 29.75, 50
    model.x_0, model.y_0 = x, y
    value = model(x, y) / psf.at(x, y).density(0.0, 0.0) / SCALE**2
    assert_allclose(value, 1, rtol=1e-3)


def test_places_are_bounded():
    psf = get_psf(make_model(), pixel_scale=SCALE)
    rng = np.random.default_rng(1)
    found = {id(psf.at(*one)) for one in rng.uniform(0, SIDE, (500, 2))}
    assert len(found) <= 81


def test_pickle_and_repr():
    psf = get_psf(make_model(), pixel_scale=SCALE)
    again = pickle.loads(pickle.dumps(psf))
    assert_allclose(again.at(3, 4).data, psf.at(3, 4).data)
    assert repr(again) == '<GriddedPSF(4 positions, 101 x 101 samples of 0.8 arcsec)>'


def test_one_position_is_enough():
    psf = GriddedPSF([gaussian(3.0)], [(50, 50)], 0.8)
    assert_allclose(psf.at(0, 99).data, gaussian(3.0))


@pytest.mark.parametrize(
    ('images', 'positions', 'match'),
    [
        (np.ones((5, 5)), [(0, 0)], r'got the shapes \(5, 5\)'),
        ([gaussian(3.0)] * 3, [(0, 0), (1, 0), (0, 1)], 'complete grid'),
        ([gaussian(3.0)] * 2, [(0, 0)], 'positions'),
    ],
)
def test_bad_grids(images, positions, match):
    with pytest.raises(ValueError, match=match):
        GriddedPSF(images, positions, 0.8)


def test_round_trip(tmp_path):
    """A file has the mean for what reads one PSF, and the grid for the rest."""
    psf = get_psf(make_model(), pixel_scale=SCALE)
    path = tmp_path / 'psf.fits'
    psf.to_fits(path)
    again = get_psf(path)
    assert isinstance(again, GriddedPSF)
    assert again.effective_pixel == SCALE
    for x, y in ((0, 0), (100, 20)):
        assert_allclose(again.at(x, y).data, psf.at(x, y).data, atol=1e-8)
    assert_allclose(SampledPSF.from_fits(path).data, psf.data, atol=1e-8)
    SampledPSF(psf.data, 0.8).to_fits(tmp_path / 'one.fits')
    with pytest.raises(ValueError, match='SampledPSF.from_fits reads its image'):
        GriddedPSF.from_fits(tmp_path / 'one.fits')


@pytest.fixture(scope='module')
def scene():
    rng = np.random.default_rng(5)
    data = 0.01 + 2e-4 * rng.standard_normal((SIDE, SIDE))
    psf = get_psf(make_model(), pixel_scale=SCALE)
    for (x, y), flux in zip(XY, FLUX, strict=True):
        one = psf.at(x, y)
        data = inject_sources(data, [x], [y], [flux], psf=one, pixel_scale=SCALE)
    return data


def remove(scene, psf):
    setup = ObservingSetup.from_psf(
        SampledPSF(get_psf(make_model(), pixel_scale=SCALE).data, SCALE / OVERSAMPLING),
        pixel_scale=SCALE,
    )
    remover = NeuralSourceRemover(
        setup=setup, psf=psf, error_method='card', fit_psf_shape=False
    )
    return remover(scene, XY)


def test_every_source_has_its_own_psf(scene):
    varying = remove(scene, make_model())
    ratio = varying.photometry['flux'] / FLUX
    assert_allclose(ratio, 1, atol=0.01)
    # one PSF for all takes too little of wide sources, too much of narrow ones
    mean = get_psf(make_model(), pixel_scale=SCALE)
    mean = SampledPSF(mean.data, mean.pixel_scale, effective_pixel=SCALE)
    biased = remove(scene, mean)
    off = biased.photometry['flux'] / FLUX - 1
    assert np.ptp(off[:4]) > 0.05


def test_a_model_stands_for_a_setup(scene):
    remover = NeuralSourceRemover(psf=make_model(), error_method='card')
    table = remover(scene, XY).photometry
    assert_allclose(table['flux'] / FLUX, 1, atol=0.02)
    assert isinstance(remover.setup.psf, GriddedPSF)
    assert NARROW < measure_fwhm(remover.setup.psf) < WIDE
