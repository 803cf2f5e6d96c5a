# Licensed under a 3-clause BSD style license - see LICENSE.rst
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.simulation.emission import (
    emission_field,
    filament_field,
    fractional_brownian_motion,
    noise_field,
)


def power_spectrum(field):
    """The power at each frequency, by the full transform."""
    power = np.abs(np.fft.fft2(field)) ** 2
    ny, nx = field.shape
    k = np.hypot(np.fft.fftfreq(ny)[:, None], np.fft.fftfreq(nx)[None, :])
    return k, power


def fit_slope(field):
    k, power = power_spectrum(field)
    use = (k > 0.02) & (k < 0.5)
    edges = np.geomspace(0.02, 0.5, 15)
    which = np.digitize(k[use], edges)
    mean_k, mean_power = (
        np.bincount(which, values)[1:] / np.bincount(which)[1:]
        for values in (k[use], power[use])
    )
    return np.polyfit(np.log(mean_k), np.log(mean_power), 1)[0]


def autocorrelation(field, dy, dx):
    field = field - field.mean()
    return np.mean(field * np.roll(field, (dy, dx), (0, 1))) / field.var()


def robust_std(field):
    return 1.4826 * np.median(np.abs(field - np.median(field)))


GENERATORS = {
    'fractional_brownian_motion': lambda rng: fractional_brownian_motion(
        (64, 48), -3.0, rng=rng
    ),
    'filament_field': lambda rng: filament_field((64, 48), 3, width=3.0, rng=rng),
    'emission_field': lambda rng: emission_field((64, 48), beam_fwhm=4.0, rng=rng),
    'noise_field': lambda rng: noise_field((64, 48), rng=rng),
}


@pytest.mark.parametrize('make', GENERATORS.values(), ids=GENERATORS.keys())
def test_seed_and_shape(make):
    first = make(np.random.default_rng(5))
    assert first.shape == (64, 48)
    assert np.all(np.isfinite(first))
    assert_array_equal(make(np.random.default_rng(5)), first)
    assert np.any(make(np.random.default_rng(6)) != first)


@pytest.mark.parametrize('slope', [-2.0, -2.7, -4.0])
@pytest.mark.parametrize('shape', [(256, 256), (200, 301)])
def test_slope_of_brownian_motion(slope, shape):
    field = fractional_brownian_motion(shape, slope, rng=np.random.default_rng(11))
    assert_allclose(fit_slope(field), slope, atol=0.1)
    assert_allclose([field.mean(), field.std()], [0, 1], atol=1e-12)


def test_filaments():
    def make(n, width):
        rng = np.random.default_rng(4)
        return filament_field((128, 128), n, width=width, rng=rng)

    assert_array_equal(make(0, 3.0), np.zeros((128, 128)))
    thin, wide = make(4, 1.5), make(4, 6.0)
    assert thin.min() >= 0
    # Ridges above a fainter remainder.
    assert np.median(thin) < thin.mean() < 0.2 * thin.max()

    # Wide ones fill more of the map.
    assert np.median(thin) / thin.mean() < 0.5 < np.median(wide) / wide.mean()


@pytest.mark.parametrize('seed', range(8))
def test_emission_statistics(seed):
    field = emission_field((128, 96), beam_fwhm=4.2, rng=np.random.default_rng(seed))
    assert field.dtype == np.float32
    assert_allclose(np.median(field), 0, atol=1e-5)
    assert_allclose(robust_std(field), 1, rtol=1e-4)


def test_emission_is_of_several_kinds():
    # Log-normal and filamentary fields have a tail of bright pixels.
    skews = []
    for seed in range(24):
        rng = np.random.default_rng(seed)
        field = emission_field((96, 96), beam_fwhm=3.0, rng=rng).astype(float)
        z = (field - field.mean()) / field.std()
        skews.append(np.mean(z**3))
    assert min(skews) < 0.3
    assert max(skews) > 2
    assert np.median(skews) > 0.3


def test_emission_is_seen_through_the_beam():
    # Nothing is left at the pixel scale, and less the larger the beam.
    window = np.hanning(96)[:, None] * np.hanning(96)

    def fine_power(beam_fwhm):
        rng = np.random.default_rng(2)
        field = emission_field((96, 96), beam_fwhm=beam_fwhm, rng=rng)
        k, power = power_spectrum(field * window)
        # Half the power of a Gaussian beam lies below 0.31 / FWHM.
        return power[k > 0.25].sum() / power.sum()

    assert fine_power(6.0) < 0.05 * fine_power(2.0)
    assert fine_power(4.2) < 1e-4


@pytest.mark.parametrize('correlation', [0.0, 0.5, 0.8, None])
@pytest.mark.parametrize('stripes', [0.0, 0.2, None])
def test_noise_std(correlation, stripes):
    rng = np.random.default_rng(8)
    field = noise_field((200, 160), rng=rng, correlation=correlation, stripes=stripes)
    assert field.dtype == np.float32
    assert_allclose(field.std(), 1, rtol=1e-4)
    assert_allclose(field.mean(), 0, atol=0.03)


@pytest.mark.parametrize('sigma', [0.7, 1.5])
def test_noise_correlation(sigma):
    # A Gaussian of sigma correlates white noise as one of sqrt(2) sigma.
    rng = np.random.default_rng(9)
    field = noise_field((400, 400), rng=rng, correlation=sigma, stripes=0.0)
    for lag in (1, 2):
        # The sampled kernel is a little narrower or wider than its sigma.
        expected = np.exp(-(lag**2) / (4 * sigma**2))
        assert_allclose(autocorrelation(field, 0, lag), expected, atol=0.04)
        assert_allclose(autocorrelation(field, lag, 0), expected, atol=0.04)
    white = noise_field((400, 400), rng=rng, correlation=0.0, stripes=0.0)
    assert abs(autocorrelation(white, 0, 1)) < 0.02


def test_stripes_are_correlated_along_their_scan():
    def highest_correlation(stripes):
        rng = np.random.default_rng(10)
        field = noise_field((256, 256), rng=rng, correlation=0.0, stripes=stripes)
        angles = np.linspace(0, np.pi, 60)
        lags = np.round([6 * np.sin(angles), 6 * np.cos(angles)]).astype(int)
        return max(autocorrelation(field, dy, dx) for dy, dx in lags.T)

    # Each of the two directions has half of the stripes' variance.
    assert highest_correlation(0.0) < 0.02
    assert highest_correlation(0.1) < highest_correlation(0.3)
    assert 0.06 < highest_correlation(0.3) < 0.2
