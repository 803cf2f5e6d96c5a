# Licensed under a 3-clause BSD style license - see LICENSE.rst
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import skew

from photutils_pconv.simulation import EmissionConfig, simulate_emission
from photutils_pconv.simulation.emission import bubble_field, gradient_field

KINDS = EmissionConfig().kinds


def make(seed=1, **options):
    rng = np.random.default_rng(seed)
    return simulate_emission((70, 90), beam_fwhm=4.0, rng=rng, **options)


@pytest.mark.parametrize('kind', KINDS)
def test_every_kind(kind):
    field = make(kinds=kind)
    assert field.shape == (70, 90)
    assert field.dtype == np.float32
    assert np.all(np.isfinite(field))
    assert_allclose(np.median(field), 0, atol=1e-5)
    scatter = 1.4826 * np.median(np.abs(field - np.median(field)))
    assert_allclose(scatter, 1, rtol=1e-5)
    assert_array_equal(field, make(kinds=kind))
    assert np.any(field != make(2, kinds=kind))


def test_kinds_are_drawn_evenly():
    # A log-normal field is skewed, a Gaussian one is not.
    config = EmissionConfig(log_width=(1.4, 1.5), slope=(-2.1, -2.0), gradient=0)
    skewness = [
        skew(make(seed, kinds=('gaussian', 'lognormal'), config=config), axis=None)
        for seed in range(40)
    ]
    assert 10 <= np.sum(np.array(skewness) > 0.7) <= 30


def test_the_beam_takes_small_scales_away():
    def roughness(beam):
        rng = np.random.default_rng(3)
        field = simulate_emission(
            (128, 128), beam_fwhm=beam, rng=rng, kinds='gaussian'
        ).astype(float)
        return np.diff(field, 2).std() / field.std()

    assert roughness(8.0) < 0.5 * roughness(2.0)


def test_bubble_is_bright_at_its_rim():
    ratios = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        field = bubble_field((160, 160), 1, radius=30.0, rng=rng)
        inside = field > 0
        yy, xx = np.nonzero(inside)
        assert np.ptp(xx) <= 61
        assert np.ptp(yy) <= 61
        if min(xx.min(), yy.min()) == 0 or max(xx.max(), yy.max()) == 159:
            continue
        yc, xc = (yy.min() + yy.max()) // 2, (xx.min() + xx.max()) // 2
        centre = field[yc - 3 : yc + 4, xc - 3 : xc + 4].mean()
        ratios.append(np.percentile(field[inside], 90) / centre)
    assert len(ratios) > 2
    assert np.median(ratios) > 1.5


def test_gradient():
    field = gradient_field((40, 60), rng=np.random.default_rng(1))
    assert_allclose([field.mean(), field.std()], [0, 1], atol=1e-12)
    assert_allclose(np.diff(field, 2, axis=0), 0, atol=1e-12)
    assert_allclose(np.diff(field, 2, axis=1), 0, atol=1e-12)


@pytest.mark.parametrize(
    ('options', 'match'),
    [
        ({'kinds': 'clouds'}, 'kinds must be some of gaussian'),
        ({'kinds': ()}, 'kinds'),
        ({'slope': (-2, -4)}, 'slope must be a pair in ascending order'),
        ({'contrast': (0, 1)}, 'contrast must be positive'),
        ({'n_bubbles': 3}, 'n_bubbles must be a pair'),
        ({'gradient': -1}, 'gradient'),
    ],
)
def test_bad_config(options, match):
    with pytest.raises(ValueError, match=match):
        EmissionConfig(**options)


@pytest.mark.parametrize('option', [{'radius': (5, 2)}, {'thickness': (0, 2)}])
def test_bad_bubbles(option):
    options = {'radius': 10.0, 'rng': np.random.default_rng(1), **option}
    with pytest.raises(ValueError, match=next(iter(option))):
        bubble_field((20, 20), 1, **options)
