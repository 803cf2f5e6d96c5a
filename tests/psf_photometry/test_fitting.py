# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the linear PSF fits, and of the images of sources.
"""

import numpy as np
import pytest

from photutils_pconv.geometry.windows import find_window
from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.resolved import SourcePSFs
from photutils_pconv.psf.source_images import (
    expected_error_image,
    model_image,
    shape_image,
)
from photutils_pconv.psf.source_sizes import SourceSizes
from photutils_pconv.psf_photometry import joint_fit
from photutils_pconv.psf_photometry.fit_windows import (
    find_neighbours,
    polynomial_terms,
    solve_window,
)
from photutils_pconv.psf_photometry.fitting import FitSettings, fit_psf
from photutils_pconv.psf_photometry.quality import fit_quality

SHAPE = (120, 130)


@pytest.fixture(scope='module')
def psf():
    """Return the round PSF of the green scan maps."""
    return PixelPSF(get_psf('scanmap/green'), 1.6)


def _plane(shape=SHAPE):
    y, x = np.indices(shape)
    return 0.3 + 0.002 * x - 0.001 * y + 1e-5 * (x - 60) ** 2 - 2e-5 * (y - 50) * x


def test_solve_window_equals_lstsq():
    rng = np.random.default_rng(1)
    matrix = rng.normal(size=(50, 4)) * [1.0, 1e-4, 1e3, 1.0]
    values = rng.normal(size=50)
    found, covariance = solve_window(values, list(matrix.T))
    expected = np.linalg.lstsq(matrix, values, rcond=None)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    np.testing.assert_allclose(
        covariance, np.linalg.inv(matrix.T @ matrix), rtol=1e-6, atol=1e-12
    )


def test_solve_window_with_penalty_equals_ridge_regression():
    rng = np.random.default_rng(2)
    matrix = rng.normal(size=(40, 3))
    values = rng.normal(size=40)
    penalty = np.array([0.0, 5.0, 50.0])
    found, _ = solve_window(values, list(matrix.T), penalty=penalty)
    expected = np.linalg.solve(matrix.T @ matrix + np.diag(penalty), matrix.T @ values)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_polynomial_terms_span_all_quadratics():
    y, x = np.indices((7, 7)) - 3.0
    terms = polynomial_terms(x.ravel(), y.ravel(), radius=3.0)
    assert len(terms) == 6
    values = (1 + 2 * x - y + 0.5 * x * y - 0.3 * y**2).ravel()
    coefficients, _ = solve_window(values, terms)
    np.testing.assert_allclose(np.stack(terms, 1) @ coefficients, values, atol=1e-10)


@pytest.mark.parametrize('missing', [False, True])
def test_fluxes_are_exact_on_a_quadratic_background(psf, missing):
    x, y = np.array([30.2, 80.7, 55.5]), np.array([40.6, 45.1, 90.0])
    flux = np.array([3.0, 0.2, 12.0])
    data = _plane() + model_image(SHAPE, x, y, flux, psf)
    absent = np.zeros(SHAPE, dtype=bool)
    if missing:
        absent[40, 31] = absent[47:49, 80] = True
        data[absent] = np.nan
    fit = fit_psf(data, x, y, psf)
    # The wings of the others, beyond the window, come from the iteration.
    np.testing.assert_allclose(fit.flux, flux, rtol=2e-3)
    np.testing.assert_array_equal(fit.x, x)


def test_errors_are_those_of_linear_least_squares(psf):
    rng = np.random.default_rng(3)
    x, y = np.full(300, 20.3), np.full(300, 20.8)
    noise = rng.normal(size=(300, 41, 41))
    fits = [fit_psf(image, x[:1], y[:1], psf) for image in noise]
    scatter = np.std([fit.flux[0] for fit in fits])
    assert scatter == pytest.approx(fits[0].flux_err[0], rel=0.12)


@pytest.mark.parametrize('separation', [1.0, 1.5, 3.0])
def test_blended_pairs_are_fitted_jointly(psf, separation):
    fwhm = 6.789 / 1.6
    x = np.array([60.0, 60.0 + separation * fwhm])
    y = np.array([50.0, 50.4])
    flux = np.array([1.0, 3.0])
    data = _plane() + model_image(SHAPE, x, y, flux, psf)
    np.testing.assert_allclose(fit_psf(data, x, y, psf).flux, flux, rtol=1e-3)


def test_wings_of_a_bright_source_are_taken_off_others(psf):
    """A bright source beyond all windows, one that sees it, and one too far off."""
    x, y = np.array([30.3, 60.2, 115.6]), np.array([60.4, 60.7, 110.2])
    flux = np.array([20000.0, 5.0, 5.0])
    rng = np.random.default_rng(8)
    data = _plane() + model_image(SHAPE, x, y, flux, psf)
    data += rng.normal(0, 1.0e-4, SHAPE)
    alone = fit_psf(data, x[1:], y[1:], psf)
    fit = fit_psf(data, x, y, psf)
    # Its wings are no polynomial.
    assert abs(alone.flux[0] - 5.0) > 20 * abs(fit.flux[1] - 5.0)
    np.testing.assert_allclose(fit.flux[1:], flux[1:], rtol=0.02)
    # A fit that begins with another one ends where that did.
    again = fit_psf(data, x, y, psf, start=fit)
    np.testing.assert_allclose(again.flux, fit.flux, rtol=1e-5)


def test_sources_that_no_other_one_sees_are_not_drawn(psf, monkeypatch):
    x, y = np.meshgrid(np.arange(20.0, 120.0, 45.0), np.arange(20.0, 110.0, 45.0))
    x, y = np.append(x.ravel(), 68.0), np.append(y.ravel(), 69.0)
    flux = np.full(len(x), 10.0)
    data = model_image(SHAPE, x, y, flux, psf)
    data += np.random.default_rng(9).normal(0, 0.05, SHAPE)
    drawn = []

    def draw(shape, x, y, flux, psf, *, level):
        drawn.append(np.flatnonzero(flux))
        return model_image(shape, x, y, flux, psf, level=level)

    monkeypatch.setattr(joint_fit, 'model_image', draw)
    fit = fit_psf(data, x, y, psf, fit_position=np.ones(len(x), dtype=bool))
    # The pair alone.
    near = np.flatnonzero(np.hypot(x - 67.0, y - 67.0) < 10.0)
    assert len(near) == 2
    assert drawn
    assert all(np.array_equal(one, near) for one in drawn)
    np.testing.assert_allclose(fit.flux, flux, atol=6 * fit.flux_err.max() * 0.05)


def test_the_order_of_sources_does_not_matter(psf):
    rng = np.random.default_rng(4)
    x, y = rng.uniform(10, 110, (2, 25))
    flux = rng.lognormal(0, 1, 25)
    data = model_image(SHAPE, x, y, flux, psf) + rng.normal(0, 0.01, SHAPE)
    order = rng.permutation(25)
    first = fit_psf(data, x, y, psf, fit_position=flux > 1)
    second = fit_psf(data, x[order], y[order], psf, fit_position=(flux > 1)[order])
    np.testing.assert_allclose(second.flux, first.flux[order], rtol=1e-9)
    np.testing.assert_allclose(second.x, first.x[order], rtol=1e-12)


def test_a_brighter_source_leaves_the_same_residual(psf):
    rng = np.random.default_rng(5)
    background = rng.normal(size=SHAPE)
    x, y = np.array([60.3]), np.array([55.8])
    residuals, fluxes = [], []
    for flux in (0.0, 1.0, 1e4):
        data = background + flux * model_image(SHAPE, x, y, [1.0], psf)
        fit = fit_psf(data, x, y, psf)
        residuals.append(data - model_image(SHAPE, x, y, fit.flux, psf))
        fluxes.append(fit.flux[0])
    np.testing.assert_allclose(np.diff(fluxes), [1.0, 9999.0], rtol=1e-9)
    np.testing.assert_allclose(residuals[1], residuals[0], atol=1e-8)
    np.testing.assert_allclose(residuals[2], residuals[0], atol=1e-6)


def test_positions_are_fitted_where_asked(psf):
    x, y = np.array([30.0, 80.0]), np.array([40.0, 80.0])
    true_x, true_y = x + 0.4, y - 0.3
    data = _plane() + model_image(SHAPE, true_x, true_y, [5.0, 5.0], psf)
    fit = fit_psf(data, x, y, psf, fit_position=np.array([True, False]))
    assert fit.x[0] == pytest.approx(true_x[0], abs=0.01)
    assert fit.y[0] == pytest.approx(true_y[0], abs=0.01)
    assert fit.flux[0] == pytest.approx(5.0, rel=2e-3)
    assert (fit.x[1], fit.y[1]) == (80.0, 80.0)


def test_a_position_far_off_is_kept(psf):
    data = model_image(SHAPE, [63.0], [50.0], [5.0], psf)
    fit = fit_psf(data, [60.0], [50.0], psf, fit_position=np.array([True]))
    assert fit.x[0] == 60.0


def test_too_few_pixels_give_nan(psf):
    data = np.ones(SHAPE)
    data[:, :60] = np.nan
    fit = fit_psf(data, [50.0, 90.0], [50.0, 50.0], psf)
    assert np.isnan(fit.flux[0])
    assert fit.flux[1] == pytest.approx(0.0, abs=1e-9)


def test_equal_positions_do_not_break_the_fit(psf):
    data = _plane() + model_image(SHAPE, [60.2], [50.0], [4.0], psf)
    fit = fit_psf(data, [60.2, 60.2], [50.0, 50.0], psf, n_iterations=1)
    np.testing.assert_allclose(fit.flux, 4.0, rtol=1e-3)


def test_neighbours_are_those_within_the_distance():
    found = find_neighbours(np.array([0.0, 5.0, 20.0]), np.zeros(3), 12.0)
    assert found == [[1], [0], []]
    assert find_neighbours(np.array([]), np.array([]), 12.0) == []


def test_quality_of_a_perfect_and_a_wrong_flux(psf):
    rng = np.random.default_rng(6)
    emission = rng.normal(size=SHAPE)
    x, y = np.array([60.3, 66.0, 20.0]), np.array([55.8, 57.0, 90.0])
    flux = np.array([2.0, 1.0, 8.0])
    data = emission + model_image(SHAPE, x, y, flux, psf)
    windows = []
    for i in range(3):
        x0, y0 = int(x[i]) - 12, int(y[i]) - 12
        windows.append(((x0, y0), emission[y0 : y0 + 25, x0 : x0 + 25]))
    missing = np.zeros(SHAPE, dtype=bool)
    qfit, cfit = fit_quality(data, x, y, flux, psf, missing, windows)
    np.testing.assert_allclose(qfit, 0.0, atol=1e-10)
    np.testing.assert_allclose(cfit, 0.0, atol=1e-10)
    windows[1] = None
    wrong = flux * [1, 1, 0.5]
    qfit, cfit = fit_quality(data, x, y, wrong, psf, missing, windows)
    # Half of the flux is left over, and that once over the flux taken.
    yy, xx = np.indices(SHAPE)
    inside = np.hypot(xx - x[2], yy - y[2]) <= 9
    values = psf.evaluate(xx - x[2], yy - y[2])
    assert qfit[2] == pytest.approx(values[inside].sum(), rel=1e-6)
    assert cfit[2] == pytest.approx(values.max(), rel=1e-6)
    assert np.isnan(qfit[1])


def test_images_of_sources_add_up(psf):
    x, y, flux = [40.0, 200.0, 90.2], [50.0, 50.0, 60.0], [2.0, 1.0, np.nan]
    image = model_image(SHAPE, x, y, flux, psf)
    alone = model_image(SHAPE, x[:1], y[:1], flux[:1], psf)
    beyond = model_image(SHAPE, x[1:2], y[1:2], flux[1:2], psf)
    np.testing.assert_allclose(image, alone + beyond)
    cut = model_image(SHAPE, x[:1], y[:1], flux[:1], psf, level=[1e-3])
    assert np.abs(cut - alone).max() <= 1e-3
    assert np.count_nonzero(cut) < np.count_nonzero(alone)


@pytest.mark.parametrize('level', [None, 1e-4, 1e-2])
def test_sources_are_drawn_as_far_as_each_is_seen(psf, level):
    """All of them at once as one by one: at edges, beyond the map, and resolved."""
    rng = np.random.default_rng(6)
    x, y = rng.uniform(-70.0, [[SHAPE[1] + 70.0], [SHAPE[0] + 70.0]], (2, 30))
    flux = rng.normal(0.0, 2.0, 30)
    flux[[3, 7]] = 0.0, np.nan
    level = None if level is None else level * rng.uniform(0.5, 2.0, 30)
    sizes = np.where(rng.random(30) < 0.2, 1.5, 1.0)
    nothing = np.zeros(30)
    sources = SourcePSFs(psf, SourceSizes(sizes, sizes, nothing, nothing))
    for psfs in (psf, sources):
        image = model_image(SHAPE, x, y, flux, psfs, level=level)
        expected = np.zeros(SHAPE)
        for i in np.flatnonzero(np.nan_to_num(flux)):
            one = psfs.of(i)
            extent = one.radius
            if level is not None:
                extent = max(one.extent(level[i] / abs(flux[i])), 9.0)
            window = find_window(SHAPE, x[i], y[i], extent)
            if window is not None:
                drawn = one.draw(window.region, x[i], y[i])
                expected[window.region] += flux[i] * drawn
        np.testing.assert_array_equal(image, expected)


def test_expected_errors_add_in_quadrature(psf):
    x, y = [60.0, 62.0], [50.0, 50.0]
    both = expected_error_image(SHAPE, x, y, [3.0, 4.0], psf)
    one, other = (
        expected_error_image(SHAPE, x[i : i + 1], y[i : i + 1], [flux], psf)
        for i, flux in enumerate((3.0, 4.0))
    )
    np.testing.assert_allclose(both, np.hypot(one, other))


def test_shapes_have_the_peak_one(psf):
    image = shape_image(SHAPE, [60.0, 90.0], [50.0, 50.0], psf)
    assert image[50, 60] == pytest.approx(1.0, rel=1e-6)
    assert image[50, 90] == pytest.approx(1.0, rel=1e-6)
    assert image[100, 20] == 0.0


class TestFitSettings:
    SNR = np.array([5.0, 19.9, 20.0, 79.9, 80.0, np.inf, np.nan])

    @pytest.mark.parametrize(('method', 'first'), [('inpaint', 4), ('psf', 2)])
    def test_methods(self, method, first):
        settings = FitSettings.for_method(method)
        assert np.flatnonzero(settings.may_move(self.SNR)).tolist() == [
            *range(first, 6)
        ]
        assert np.flatnonzero(settings.tells_shape(self.SNR)).tolist() == [
            1,
            2,
            3,
            4,
            5,
        ]

    def test_switches(self):
        settings = FitSettings.for_method(
            'psf', fit_positions=False, fit_psf_shape=False
        )
        assert not settings.may_move(self.SNR).any()
        assert not settings.fit_psf_shape
        # They still tell how fluxes compare.
        assert settings.tells_shape(self.SNR).any()

    def test_no_sources(self):
        assert FitSettings().may_move(np.array([])).shape == (0,)

    @pytest.mark.parametrize('name', ['position_snr', 'shape_snr'])
    @pytest.mark.parametrize('value', [0.0, -3.0, np.nan, '20'])
    def test_bad_snr(self, name, value):
        with pytest.raises((TypeError, ValueError), match=f'{name} must be'):
            FitSettings(**{name: value})


def test_missing_pixels_and_nan_are_joined(psf):
    x, y, flux = np.array([60.2]), np.array([50.3]), np.array([4.0])
    data = _plane() + model_image(SHAPE, x, y, flux, psf)
    missing = np.zeros(SHAPE, dtype=bool)
    missing[52, 61] = True
    data[52, 61] = 1.0e3
    data[48, 58] = np.nan
    fit = fit_psf(data, x, y, psf, missing=missing)
    np.testing.assert_allclose(fit.flux, flux, rtol=1e-6)
    with pytest.raises(ValueError, match='missing must be boolean'):
        fit_psf(data, x, y, psf, missing=missing[1:])
    with pytest.raises(ValueError, match='of one length'):
        fit_psf(data, x, y[:0], psf)
