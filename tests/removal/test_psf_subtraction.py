# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the removal with a known PSF, with a network that is flat.

The network predicts the median around each source: on a flat background
everything else can be checked against what is known.
"""

import numpy as np
import pytest

from photutils_pconv.geometry.holes import Holes
from photutils_pconv.network.running import RunOptions
from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.source_images import (
    TaperedHoles,
    draw_subtraction,
    expected_error_image,
    model_image,
    shape_image,
)
from photutils_pconv.psf_photometry.fitting import FitSettings
from photutils_pconv.removal.psf_subtraction import SubtractionSettings, remove_with_psf

SHAPE = (150, 160)
X, Y = np.array([40.2, 110.7, 75.5, 83.0]), np.array([40.6, 45.1, 100.0, 104.0])
FLUX = np.array([300.0, 4.0, 2.0, 1.0])
SNR = np.array([900.0, 15.0, 8.0, 5.0])
RADIUS = np.array([13.0, 10.0, 8.0, 6.0])


@pytest.fixture(scope='module')
def psf():
    """Return the round PSF of the green scan maps."""
    return PixelPSF(get_psf('scanmap/green'), 1.6)


def _scene(psf, *, sky=0.7, noise=0.002, seed=1):
    rng = np.random.default_rng(seed)
    return (
        sky + model_image(SHAPE, X, Y, FLUX, psf) + rng.normal(0, noise, SHAPE),
        noise,
    )


def _remove(
    data, psf, model, *, order=slice(None), shift=0.0, scale=1.0, run=None, **fits
):
    holes = Holes(X[order] + shift, Y[order], RADIUS[order], SHAPE, SNR[order])
    settings = SubtractionSettings(
        model,
        beam_fwhm=psf.fwhm,
        fits=FitSettings.for_method(2, **fits),
        run=RunOptions() if run is None else run,
    )
    missing = ~np.isfinite(data)
    return remove_with_psf(data, missing, holes, psf, settings, jy_per_pixel=scale)


def test_fluxes_and_map_on_a_flat_background(psf, flat_psf_model):
    data, noise = _scene(psf)
    removal = _remove(data, psf, flat_psf_model)
    error = np.abs(removal.flux - FLUX)
    assert np.all(error < 4 * removal.flux_err)
    assert np.all(removal.flux_err < 15 * noise + 5e-3 * FLUX)
    cleaned = removal.reconstruction.clean(data)
    # Holes, wings and all: nothing of the sources is left.
    assert np.abs(cleaned - 0.7).max() < 8 * noise
    assert np.std(cleaned) < 1.5 * noise


def test_image_beyond_the_holes(psf):
    x, y, flux = np.array([30.2, 52.7]), np.array([33.9, 40.1]), np.array([5.0, 2.0])
    radius = np.array([8.0, 6.0])
    holes = (np.round(x), np.round(y), radius)
    errors = np.array([0.1, 0.0]), np.array([0.0, 0.2])
    holes_there = TaperedHoles(*holes, taper_width=0.0)
    sources = ((80, 90), x, y, flux, psf)
    drawn = draw_subtraction(*sources, holes=holes_there, errors=errors)
    plain = draw_subtraction(*sources, holes=holes_there)
    assert plain.error is None
    np.testing.assert_array_equal(plain.image, drawn.image)
    np.testing.assert_array_equal(plain.beyond, drawn.beyond)
    image = drawn.beyond
    yy, xx = np.indices(image.shape)
    expected = 0.0
    for k in range(2):
        own = model_image(image.shape, x[k : k + 1], y[k : k + 1], flux[k : k + 1], psf)
        distance = np.hypot(xx - holes[0][k], yy - holes[1][k])
        expected = expected + np.where(distance <= radius[k], 0.0, own)
    np.testing.assert_allclose(image, expected, rtol=1e-12, atol=1e-18)
    whole = model_image(image.shape, x, y, flux, psf)
    np.testing.assert_allclose(drawn.image, whole, rtol=1e-12)
    # The errors of flux and position add to the PSF's, in quadrature.
    mismatch = expected_error_image(image.shape, x, y, flux, psf)
    one = 0.1 * psf.evaluate(xx - x[0], yy - y[0])
    slope = 0.2 * flux[1] * np.hypot(*psf.gradient(xx - x[1], yy - y[1]))
    expected = np.sqrt(mismatch**2 + one**2 + slope**2)
    np.testing.assert_allclose(drawn.error, expected, rtol=0.1, atol=1e-4)


def test_what_residuals_need_is_drawn_along(psf):
    """The second source is not subtracted, the last one has no flux of a fit."""
    shape, rng = (80, 90), np.random.default_rng(4)
    x, y = rng.uniform(-3.0, 83.0, (2, 4))
    flux, fit_flux = np.array([5.0, np.nan, 0.4, 2.0]), np.array([4.0, 3.0, 0.5, 0.0])
    level = np.full(4, 1e-3)
    holes = TaperedHoles(x, y, np.full(4, 6.0), taper_width=2.0)
    drawn = draw_subtraction(
        shape, x, y, flux, psf, holes=holes, level=level, fit_flux=fit_flux
    )
    plain = draw_subtraction(shape, x, y, flux, psf, holes=holes, level=level)
    assert plain.expected_error is None
    assert plain.shapes is None
    np.testing.assert_allclose(drawn.image, plain.image, rtol=1e-12)
    np.testing.assert_allclose(drawn.beyond, plain.beyond, rtol=1e-12)
    expected = expected_error_image(shape, x, y, fit_flux, psf, level=level)
    np.testing.assert_allclose(drawn.expected_error, expected, rtol=1e-9)
    np.testing.assert_allclose(drawn.shapes, shape_image(shape, x, y, psf), rtol=1e-9)


def test_wings_reach_beyond_the_holes(psf, flat_psf_model):
    data, noise = _scene(psf)
    reconstruction = _remove(data, psf, flat_psf_model).reconstruction
    y, x = np.indices(SHAPE)
    r = np.hypot(x - X[0], y - Y[0])
    ring = (r > 20) & (r < 25)
    assert reconstruction.holes[ring].all()
    wings = model_image(SHAPE, X[:1], Y[:1], FLUX[:1], psf)[ring]
    assert wings.mean() > 2 * noise
    cleaned = reconstruction.clean(data)
    assert abs(cleaned[ring].mean() - 0.7) < 0.2 * wings.mean()


def test_faint_sources_have_no_small_hole(psf, flat_psf_model):
    data, _ = _scene(psf)
    # With what a PSF from elsewhere is expected to be off.
    removal = _remove(data, psf, flat_psf_model, fit_psf_shape=False)
    assert removal.inner_radius[0] > 3
    assert np.all(np.diff(removal.inner_radius[[0, 1, 3]]) <= 0)
    # This map's bright source tells that its PSF is right.
    removal = _remove(data, psf, flat_psf_model)
    np.testing.assert_array_equal(removal.inner_radius, 0.0)


def test_order_and_batch_size_do_not_matter(psf, flat_psf_model):
    data, _ = _scene(psf)
    first = _remove(data, psf, flat_psf_model, run=RunOptions(batch_size=64))
    order = np.array([2, 0, 3, 1])
    run = RunOptions(batch_size=1)
    second = _remove(data, psf, flat_psf_model, order=order, run=run)
    np.testing.assert_allclose(second.flux, first.flux[order], rtol=1e-7)
    np.testing.assert_allclose(
        second.reconstruction.clean(data), first.reconstruction.clean(data), rtol=1e-6
    )


@pytest.mark.parametrize('factor', [1e-4, 1e5])
def test_fluxes_scale_with_the_unit(psf, flat_psf_model, factor):
    data, _ = _scene(psf)
    first = _remove(data, psf, flat_psf_model)
    second = _remove(
        data * factor,
        psf,
        flat_psf_model,
        scale=1 / factor,
    )
    np.testing.assert_allclose(second.flux, factor * first.flux, rtol=1e-5)


def test_missing_pixels_stay_missing(psf, flat_psf_model):
    data, noise = _scene(psf)
    data[40, 41:44] = np.nan
    data[:, 150:] = np.nan
    removal = _remove(data, psf, flat_psf_model)
    cleaned = removal.reconstruction.clean(data)
    np.testing.assert_array_equal(np.isnan(cleaned), np.isnan(data))
    assert np.all(np.abs(removal.flux - FLUX) < 4 * removal.flux_err)
    assert np.nanmax(np.abs(cleaned - 0.7)) < 10 * noise


def test_quality_of_the_fit(psf, flat_psf_model):
    data, noise = _scene(psf)
    removal = _remove(data, psf, flat_psf_model, fit_psf_shape=False)
    # |noise| summed over the window's 253 pixels, over the flux.
    expected = 253 * noise * np.sqrt(2 / np.pi) / FLUX[1]
    assert removal.qfit[1] == pytest.approx(expected, rel=0.2)
    assert abs(removal.cfit[1]) < 4 * noise / FLUX[1]


def test_positions_are_fitted_for_bright_sources(psf, flat_psf_model):
    data, _ = _scene(psf)
    shifted = _remove(data, psf, flat_psf_model, shift=0.3)
    assert shifted.x[0] == pytest.approx(X[0], abs=0.01)
    assert shifted.x[1] == X[1] + 0.3
    kept = _remove(data, psf, flat_psf_model, fit_positions=False)
    np.testing.assert_array_equal(kept.x, X)


def test_no_sources(psf, flat_psf_model):
    data, _ = _scene(psf)
    removal = _remove(data, psf, flat_psf_model, order=slice(0, 0))
    assert removal.flux.shape == (0,)
    np.testing.assert_array_equal(removal.reconstruction.clean(data), data)


def test_a_pair_of_bright_sources_loses_its_wings(psf, flat_psf_model):
    """Each stands in the other's annulus, where the map itself scatters."""
    rng = np.random.default_rng(3)
    x, y, flux = np.array([60.0, 79.0]), np.array([70.0, 72.0]), [200.0, 120.0]
    data = 0.7 + model_image(SHAPE, x, y, flux, psf) + rng.normal(0, 0.002, SHAPE)
    holes = Holes(x, y, [10.0, 6.0], SHAPE, [17.0, 6.0])
    settings = SubtractionSettings(flat_psf_model, beam_fwhm=psf.fwhm)
    removal = remove_with_psf(data, ~np.isfinite(data), holes, psf, settings)
    cleaned = removal.reconstruction.clean(data)
    rows, columns = np.indices(SHAPE)
    r = np.hypot(columns - x[0], rows - y[0])
    ring = (r > 14) & (r < 18) & (columns < 60)
    wings = model_image(SHAPE, x, y, flux, psf)[ring].mean()
    assert wings > 5 * 0.002
    assert abs(cleaned[ring].mean() - 0.7) < 0.05 * wings
