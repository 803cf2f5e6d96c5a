# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of PSFs on the pixels of a map.
"""

import numpy as np
import pytest

from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.lobed import lobed_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.setups.registry import get_setup

SETUPS = ('scanmap/blue', 'scanmap/red', 'parallel/green')


def _scale(name):
    return get_setup(setup=name).pixel_scale.to_value('arcsec')


def _offsets(n=61, dx=0.0, dy=0.0):
    y, x = np.indices((n, n)) - n // 2
    return x - dx, y - dy


@pytest.mark.parametrize('name', SETUPS)
@pytest.mark.parametrize('angle', [0.0, 0.7, 4.0])
def test_oriented_psf_equals_a_rendering(name, angle):
    scale = _scale(name)
    psf = get_psf(name)
    expected = psf.render((61, 61), 30.3, 29.6, pixel_scale=scale, angle=angle)
    values = PixelPSF(psf, scale, angle=angle).evaluate(*_offsets(61, 0.3, -0.4))
    # The pixel turns with the PSF here; it does not in a rendering.
    assert np.abs(values - expected).max() < 2e-3 * expected.max()
    if angle == 0:
        assert np.abs(values - expected).max() < 2e-4 * expected.max()


def test_lobed_psf_is_accepted():
    setup = get_setup('scanmap', 'green')
    psf = lobed_psf(setup)
    expected = psf.render((61, 61), 30, 30, pixel_scale=1.6, angle=1.0)
    values = PixelPSF(psf, 1.6, angle=1.0).evaluate(*_offsets())
    assert np.abs(values - expected).max() < 2e-3 * expected.max()


@pytest.mark.parametrize('name', SETUPS)
def test_round_psf_is_the_mean_over_angles(name):
    scale = _scale(name)
    psf = get_psf(name)
    angles = np.arange(16) * 2 * np.pi / 16
    expected = np.mean(
        [psf.render((41, 41), 20, 20, pixel_scale=scale, angle=a) for a in angles],
        axis=0,
    )
    round_psf = PixelPSF(psf, scale)
    values = round_psf.evaluate(*_offsets(41))
    assert round_psf.is_round
    assert np.abs(values - expected).max() < 5e-3 * expected.max()
    assert round_psf.peak == pytest.approx(expected.max(), rel=5e-3)


@pytest.mark.parametrize('angle', [None, 1.1])
def test_flux_is_one(angle):
    psf = PixelPSF(get_psf('scanmap/green'), 1.6, angle=angle)
    n = 2 * int(psf.radius) + 3
    assert psf.evaluate(*_offsets(n, 0.2, 0.1)).sum() == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize('angle', [None, 1.1])
@pytest.mark.parametrize('width', [1.0, 1.05])
@pytest.mark.parametrize('correction', [0.0, 0.04])
def test_gradient_equals_differences(angle, width, correction):
    psf = PixelPSF(get_psf('scanmap/green'), 1.6).adjusted(angle=angle, width=width)
    if correction:
        # Without kinks, which no two differences see alike.
        r = np.linspace(0.0, 9.0, 400)
        psf = psf.corrected(r, correction * psf.peak * np.cos(np.pi * r / 18.0) ** 2)
    dx, dy = _offsets(21, 0.3, -0.2)
    h = 0.05
    by_x = (psf.evaluate(dx - h, dy) - psf.evaluate(dx + h, dy)) / (2 * h)
    by_y = (psf.evaluate(dx, dy - h) - psf.evaluate(dx, dy + h)) / (2 * h)
    found = psf.gradient(dx, dy)
    limit = (0.02 if angle is None else 2e-3) * np.abs(by_x).max()
    assert np.abs(found[0] - by_x).max() < limit
    assert np.abs(found[1] - by_y).max() < limit
    values, *again = psf.evaluate_with_gradient(dx, dy)
    np.testing.assert_allclose(values, psf.evaluate(dx, dy), atol=1e-12 * psf.peak)
    np.testing.assert_array_equal(again, found)


def test_what_lies_beyond_the_image_is_zero():
    psf = PixelPSF(get_psf('scanmap/green'), 1.6, angle=0.3)
    far = np.array([psf.radius + 1.0, 80.0, -300.0]), np.zeros(3)
    assert not np.any(psf.evaluate_with_gradient(*far))
    assert not np.any(psf.evaluate_with_gradient(*far[::-1]))


@pytest.mark.parametrize('angle', [None, 0.4])
def test_a_wider_psf_keeps_the_flux_and_scales_the_radius(angle):
    psf = PixelPSF(get_psf('scanmap/blue'), 1.6, angle=angle)
    wide = psf.adjusted(angle=angle, width=1.1)
    dx, dy = _offsets(41)
    np.testing.assert_allclose(
        wide.evaluate(1.1 * dx, 1.1 * dy), psf.evaluate(dx, dy) / 1.21, atol=1e-12
    )
    assert wide.evaluate(*_offsets(141)).sum() == pytest.approx(1.0, abs=2e-3)
    assert wide.peak == pytest.approx(psf.peak / 1.21)


def test_expected_error_is_the_mismatch_and_the_scatter_over_angles():
    psf = get_psf('scanmap/green')
    known = PixelPSF(psf, 1.6, angle=0.0, mismatch=0.04)
    assert known.expected_error(0.0, 0.0) == pytest.approx(0.04 * known.peak, rel=1e-3)
    assert known.with_mismatch(0.02).expected_error(3.0, 0.0) == pytest.approx(
        0.5 * known.expected_error(3.0, 0.0)
    )
    # With no other mismatch, the scatter over the angles is what is left.
    unknown = PixelPSF(psf, 1.6, mismatch=0.0)
    angles = np.arange(24) * 2 * np.pi / 24
    values = [known.adjusted(angle=a).evaluate(3.0, 2.0) for a in angles]
    assert unknown.expected_error(3.0, 2.0) == pytest.approx(np.std(values), rel=0.03)


def test_extent_is_where_the_psf_falls_below_a_level():
    psf = PixelPSF(get_psf('scanmap/green'), 1.6)
    r = psf.extent(1e-3 * psf.peak)
    far = np.linspace(r + 0.1, psf.radius, 200)
    assert psf.evaluate(far, 0.0).max() <= 1e-3 * psf.peak
    assert psf.evaluate(r - 0.2, 0.0) > 1e-3 * psf.peak
    assert psf.extent(10.0) == 0.0


@pytest.mark.parametrize('angle', [None, 0.4])
def test_correction_adds_a_profile(angle):
    psf = PixelPSF(get_psf('scanmap/green'), 1.6, angle=angle)
    radii, values = [0.0, 2.0, 4.0], [0.004, -0.002, 0.0]
    corrected = psf.corrected(radii, values)
    r = np.array([0.0, 1.0, 3.0, 4.5])
    difference = corrected.evaluate(r, 0 * r) - psf.evaluate(r, 0 * r)
    np.testing.assert_allclose(difference, [0.004, 0.001, -0.001, 0.0], atol=1e-12)
    assert psf.evaluate(0.0, 0.0) != corrected.evaluate(0.0, 0.0)
    assert corrected.peak == pytest.approx(psf.peak + 0.004)


def test_bad_pixel_scale_is_refused():
    with pytest.raises(ValueError, match='pixel_scale'):
        PixelPSF(get_psf('scanmap/green'), -1.0)


@pytest.mark.parametrize('name', SETUPS)
def test_fwhm_is_where_the_profile_is_half(name):
    psf = PixelPSF(get_psf(name), _scale(name))
    assert psf.evaluate(0.5 * psf.fwhm, 0.0) == pytest.approx(0.5 * psf.peak, rel=2e-3)
    wide = psf.adjusted(width=1.05)
    assert wide.fwhm == pytest.approx(1.05 * psf.fwhm, rel=1e-3)


def test_measured_errors_are_interpolated_and_continued():
    psf = PixelPSF(get_psf('scanmap/green'), 1.6)
    radii, values = [0.0, 2.0, 6.0], [0.002, 0.001, 0.0004]
    measured = psf.with_expected_error(radii, values)
    r = np.array([0.0, 1.0, 4.0, 6.0])
    found = measured.expected_error(r, 0 * r)
    np.testing.assert_allclose(found, [0.002, 0.0015, 0.0007, 0.0004])
    # Beyond, the shape is that of the relative mismatch.
    far = np.array([6.001, 12.0])
    shape = psf.adjusted(angle=0.0).expected_error(far, 0 * far)
    continued = measured.expected_error(far, 0 * far)
    np.testing.assert_allclose(continued, 0.0004 * shape / shape[0], rtol=1e-3)


@pytest.mark.parametrize('angle', [None, 0.7])
def test_another_mismatch_keeps_the_image_and_draws_its_own_error(angle, monkeypatch):
    region = slice(2, 40), slice(1, 41)
    psf = PixelPSF(get_psf('scanmap/green'), 1.6, angle=angle, mismatch=0.04)
    image, error = (draw(region, 20.3, 19.6) for draw in (psf.draw, psf.draw_error))
    other = psf.with_mismatch(0.02)
    sampled = []
    monkeypatch.setattr(
        PixelPSF, '_evaluate_everywhere', lambda *args: sampled.append(args)
    )
    assert np.array_equal(other.draw(region, 20.3, 19.6), image)
    assert not sampled
    if angle is None:
        # What the unknown angle adds does not go with the mismatch.
        assert np.all(other.draw_error(region, 20.3, 19.6) <= error)
        assert not np.array_equal(other.draw_error(region, 20.3, 19.6), error)
    else:
        half = 0.5 * error
        assert other.draw_error(region, 20.3, 19.6) == pytest.approx(half, abs=1e-12)
