# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the matched filters and of the fluxes that they measure.
"""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, maximum_filter

from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.source_images import model_image
from photutils_pconv.psf_photometry.filter_fluxes import measure_fluxes
from photutils_pconv.psf_photometry.filters import (
    FILTER_RADIUS,
    get_filter_bank,
)
from photutils_pconv.psf_photometry.fitting import fit_psf
from photutils_pconv.psf_photometry.scatter import FilterKernels, filter_scatter, grow
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation.emission import fractional_brownian_motion

BEAM = 4.243
SHAPE = (200, 210)


@pytest.fixture(scope='module')
def psf():
    """Return the round PSF of the green scan maps."""
    return PixelPSF(get_psf('scanmap/green'), 1.6)


@pytest.fixture(scope='module')
def bank():
    """Return the bank of the green scan maps."""
    return get_filter_bank(BEAM)


def test_a_bank_is_made_once(bank):
    assert get_filter_bank(BEAM) is bank


def test_filters_give_the_flux_and_no_constant(bank, psf):
    image = psf.evaluate(bank.dx - 0.3, bank.dy + 0.2)
    for k in range(len(bank)):
        weights = bank.weights(k, [image])
        assert weights @ image == pytest.approx(1.0, rel=1e-9)
        # The constant may be large, but not beyond what is allowed for.
        assert abs(weights.sum()) < 2e-2 * np.abs(weights).sum()


def test_filters_are_the_best_linear_estimate(bank, psf):
    """No other unbiased filter of the bank has a smaller variance."""
    image = psf.evaluate(bank.dx, bank.dy)
    filters = [bank.weights(k, [image]) for k in range(len(bank))]
    for k, covariance in enumerate(bank.covariances):
        variances = [w @ covariance @ w for w in filters]
        assert np.argmin(variances) == k


def test_neighbours_fluxes_are_free(bank, psf):
    own = psf.evaluate(bank.dx, bank.dy)
    other = psf.evaluate(bank.dx - 5, bank.dy)
    weights = bank.weights(4, [own, other])
    assert weights @ own == pytest.approx(1.0)
    assert weights @ other == pytest.approx(0.0, abs=1e-9)


def test_missing_pixels_are_not_used(bank, psf):
    image = psf.evaluate(bank.dx, bank.dy)
    valid = bank.dx < 3
    weights = bank.weights(6, [image], valid=valid)
    assert np.all(weights[~valid] == 0)
    assert weights @ image == pytest.approx(1.0)
    whole = bank.weights(6, [image], valid=np.ones(valid.shape, dtype=bool))
    np.testing.assert_allclose(whole, bank.weights(6, [image]))


@pytest.mark.parametrize('seen', ['all', 'some'])
def test_filters_of_many_sources_are_those_of_each(bank, psf, seen):
    rng = np.random.default_rng(9)
    shifts = rng.uniform(-6.0, 6.0, (5, 2, 2))
    templates = np.array(
        [
            [psf.evaluate(bank.dx - dx, bank.dy - dy) for dx, dy in pair]
            for pair in shifts
        ]
    )
    valid = rng.random((5, bank.dx.size)) < (1.1 if seen == 'all' else 0.9)
    found = bank.weights(3, templates, valid=valid)
    for one, drawn, use in zip(found, templates, valid, strict=True):
        expected = bank.weights(3, drawn, valid=use)
        np.testing.assert_allclose(one, expected, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(drawn @ one, [1.0, 0.0], atol=1e-8)


@pytest.mark.parametrize('radius', [0, 1, 2, 4, 7, 50])
def test_masks_grow_by_a_square(radius):
    mask = np.random.default_rng(radius).random((40, 33)) < 0.01
    expected = maximum_filter(mask, 2 * radius + 1, mode='constant', cval=False)
    np.testing.assert_array_equal(grow(mask, radius), expected)


def test_scatter_is_that_of_fluxes_at_empty_places(bank, psf):
    """The scatter of a filter equals that of its fluxes on white noise."""
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 0.5, SHAPE)
    kernels = bank.kernels(psf)
    use = np.ones(SHAPE, dtype=bool)
    found = filter_scatter(noise, use, np.array([100.0]), np.array([90.0]), kernels)
    for k in (0, 8, 18):
        expected = 0.5 * np.sqrt((kernels[k] ** 2).sum())
        assert found[0, k] == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize('shape', [(81, 81), (60, 47), (21, 22)])
def test_a_sample_is_every_second_pixel(bank, psf, shape):
    kernels = bank.kernels(psf)
    image = np.random.default_rng(4).normal(0, 1.0, shape)
    windows = np.lib.stride_tricks.sliding_window_view(image, kernels.shape[1:])
    expected = np.einsum('kuv,ijuv->kij', kernels, windows[::2, ::2])
    (found,) = FilterKernels(kernels).sample(image[None])
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_scatter_of_a_sample_is_that_of_all_pixels(bank, psf):
    beam = gaussian_filter(np.random.default_rng(5).normal(0, 1.0, SHAPE), 1.4)
    use = np.ones(SHAPE, dtype=bool)
    use[100:120, 90:110] = False
    kernels = FilterKernels(bank.kernels(psf))
    half = kernels.radius
    (found,) = filter_scatter(beam, use, [100.0], [90.0], bank.kernels(psf))
    near = np.s_[60 - half : 121 + half, 70 - half : 131 + half]
    window = beam[near] - beam[near].mean()
    values = kernels.correlate(window)[:, use[60:121, 70:131]]
    kept = np.abs(values) <= 4.0 * np.sqrt(np.mean(values**2, axis=1))[:, None]
    expected = [
        np.sqrt(np.mean(one[k] ** 2)) for one, k in zip(values, kept, strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=0.05)


def test_scatter_sees_its_neighbourhood_only(bank, psf):
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 1.0, SHAPE)
    noise[:, 105:] *= 5
    use = np.ones(SHAPE, dtype=bool)
    x, y = np.array([50.0, 160.0]), np.array([100.0, 100.0])
    found = filter_scatter(noise, use, x, y, bank.kernels(psf))
    np.testing.assert_allclose(found[1] / found[0], 5.0, rtol=0.25)


def test_scatter_does_not_depend_on_who_is_measured_together(bank, psf):
    """Far from all edges, at one, in a corner, beside a gap, and nearly hidden."""
    rng = np.random.default_rng(6)
    image = gaussian_filter(rng.normal(0, 1.0, SHAPE), 1.4)
    image[:, 150:] *= 4.0
    use = rng.random(SHAPE) > 0.02
    use[90:140, 20:90] = False
    x = np.array([100.0, 3.2, 207.9, 60.0, 55.0, *np.linspace(20.0, 190.0, 9)])
    y = np.array([60.0, 80.4, 198.8, 85.0, 115.0, *np.linspace(180.0, 15.0, 9)])
    kernels = bank.kernels(psf)
    together = filter_scatter(image, use, x, y, kernels)
    alone = [
        filter_scatter(image, use, *one, kernels)
        for one in zip(x[:, None], y[:, None], strict=True)
    ]
    np.testing.assert_allclose(together, np.concatenate(alone), rtol=1e-5)
    assert np.isfinite(together).all()


@pytest.mark.parametrize('noise', [0.0, 0.3, 3.0])
@pytest.mark.parametrize('setup', ['scanmap/green', 'parallel/blue'])
def test_filters_are_sums_of_few_images(setup, noise):
    scale = get_setup(setup=setup).pixel_scale.to_value('arcsec')
    psf = PixelPSF(get_psf(setup), scale, angle=0.4)
    bank = get_filter_bank(round(psf.fwhm, 1))
    kernels = bank.kernels(psf)
    factors = bank.factor(kernels)
    assert len(factors[1]) < len(kernels) / 2
    rng = np.random.default_rng(4)
    field = fractional_brownian_motion((128, 128), -3.0, rng=rng)[:81, :81]
    image = gaussian_filter(field - field.mean(), psf.fwhm / 2.355)
    image += rng.normal(0, noise * image.std(), image.shape)
    exact, found = (
        FilterKernels(kernels, factors=one).sample(image[None])[0]
        for one in (None, factors)
    )
    assert found.shape == exact.shape
    ratio = found.std(axis=(1, 2)) / exact.std(axis=(1, 2))
    np.testing.assert_allclose(ratio, 1.0, atol=0.005)
    assert np.median(np.abs(ratio - 1.0)) < 0.001


def test_a_wider_psf_is_felt(bank, psf):
    kernels = bank.kernels(psf)
    errors = bank.sensitivity(psf, kernels, width=0.02, position=0.0)
    # A broad filter sees about the flux in an aperture, a sharp one more.
    assert np.all(errors > 0)
    assert errors.max() > 2 * errors.min()
    none = bank.sensitivity(psf, kernels, width=0.0, position=0.0)
    np.testing.assert_allclose(none, 0.0, atol=1e-12)


def _measure(psf, background, x, y, flux, **options):
    data = background + model_image(SHAPE, x, y, flux, psf)
    missing = np.zeros(SHAPE, dtype=bool)
    fit = fit_psf(data, x, y, psf)
    sources = model_image(SHAPE, x, y, fit.flux, psf)
    unseen = np.zeros(SHAPE, dtype=bool)
    for a, b in zip(x, y, strict=True):
        unseen[int(b) - 8 : int(b) + 9, int(a) - 8 : int(a) + 9] = True
    found = measure_fluxes(
        data,
        fit,
        psf,
        beam_fwhm=BEAM,
        missing=missing,
        unseen=unseen,
        sources=sources,
        **options,
    )
    return fit.flux, *found[:2]


def _positions(rng, n=36):
    side = int(np.sqrt(n))
    x, y = np.meshgrid(np.linspace(22, 185, side), np.linspace(22, 175, side))
    return x.ravel() + rng.uniform(-2, 2, n), y.ravel() + rng.uniform(-2, 2, n)


@pytest.mark.parametrize('kind', ['steep', 'noisy'])
def test_fluxes_scatter_less_than_a_fit_and_as_stated(psf, kind):
    # A PSF known to be right: errors are those of the background.
    psf = psf.with_mismatch(0.0)
    fits, fluxes, errors = [], [], []
    for seed in range(6):
        rng = np.random.default_rng([7, seed])
        emission = fractional_brownian_motion(SHAPE, -2.6, rng=rng)
        emission = gaussian_filter(emission, BEAM / 2.3548, mode='wrap')
        noise = 0.03 if kind == 'steep' else 2.0
        background = emission / emission.std() + rng.normal(0, noise, SHAPE)
        x, y = _positions(rng)
        fit, flux, error = _measure(psf, background, x, y, np.full(len(x), 5.0))
        fits.append(fit - 5)
        fluxes.append(flux - 5)
        errors.append(error)
    fits, fluxes, errors = (np.concatenate(v) for v in (fits, fluxes, errors))
    inner = np.isfinite(fluxes)
    assert inner.all()
    assert fluxes.std() < (0.8 if kind == 'steep' else 0.97) * fits.std()
    pull = 1.4826 * np.median(np.abs(fluxes / errors))
    assert 0.8 < pull < 1.2


def test_bright_sources_put_the_filters_right(psf):
    """With a PSF that is too sharp, all filters agree with the fit."""
    rng = np.random.default_rng(8)
    background = rng.normal(0, 0.02, SHAPE)
    x, y = _positions(rng)
    flux = np.where(np.arange(len(x)) < 6, 300.0, 30.0)
    wide = psf.adjusted(width=1.03)
    data = background + model_image(SHAPE, x, y, flux, wide)
    fit = fit_psf(data, x, y, psf)
    sources = model_image(SHAPE, x, y, fit.flux, psf)
    missing = np.zeros(SHAPE, dtype=bool)
    options = {'beam_fwhm': BEAM, 'missing': missing, 'unseen': missing}
    blind, _, _ = measure_fluxes(data, fit, psf, sources=sources, **options)
    told, _, _ = measure_fluxes(
        data, fit, psf, sources=sources, bright=flux > 100, **options
    )
    bright = flux > 100
    np.testing.assert_allclose(told[bright], fit.flux[bright], rtol=3e-3)
    common = np.median(fit.flux[bright] / flux[bright])
    ratio = np.median(told[~bright] / flux[~bright])
    assert abs(ratio - common) < abs(np.median(blind[~bright] / 30.0) - common) + 1e-3
    assert ratio == pytest.approx(common, abs=6e-3)


def test_what_the_fit_does_not_know_is_nan(psf):
    data = np.zeros(SHAPE)
    data[:, :60] = np.nan
    fit = fit_psf(data, [50.0, 100.0], [50.0, 50.0], psf)
    missing = np.isnan(data)
    flux, error, _ = measure_fluxes(
        np.where(missing, 0.0, data),
        fit,
        psf,
        beam_fwhm=BEAM,
        missing=missing,
        unseen=missing,
        sources=np.zeros(SHAPE),
    )
    assert np.isnan(flux[0])
    assert np.isnan(error[0])
    assert flux[1] == pytest.approx(0.0, abs=1e-9)


def test_filters_fit_into_the_window(bank):
    assert bank.dx.size == (2 * FILTER_RADIUS + 1) ** 2


def test_the_error_without_a_source_does_not_grow_with_it(psf):
    rng = np.random.default_rng(12)
    background = rng.normal(0, 1.0, SHAPE)
    x, y = np.array([60.0, 140.0]), np.array([90.0, 110.0])
    missing = np.zeros(SHAPE, dtype=bool)
    null, whole = [], []
    for flux in (1.0, 1e5):
        data = background + model_image(SHAPE, x, y, np.full(2, flux), psf)
        fit = fit_psf(data, x, y, psf)
        sources = model_image(SHAPE, x, y, fit.flux, psf)
        _, error, without = measure_fluxes(
            data,
            fit,
            psf,
            beam_fwhm=BEAM,
            missing=missing,
            unseen=missing,
            sources=sources,
        )
        null.append(without)
        whole.append(error)
    # The brighter ones may have another filter, of a larger scatter.
    assert np.all(null[1] < 5 * null[0])
    assert np.all(whole[1] > 100 * null[0])
    np.testing.assert_allclose(whole[0], null[0], rtol=0.05)
