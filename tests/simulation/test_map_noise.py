# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of noise as real maps have it, against its analytic correlation.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation import NoiseConfig, correlated_noise, simulate_noise

# The correlation of PACS maps at lags of 1, 2 and 3 pixels, by wavelength.
MEASURED = {'blue': (0.2, 0.1, 0.05), 'red': (0.5, 0.3, 0.16)}


def correlate(field, lag):
    """Correlate a periodic field with itself along both axes."""
    return np.mean([np.mean(field * np.roll(field, lag, axis=k)) for k in (0, 1)])


@pytest.mark.parametrize(
    ('band', 'share', 'length'), [('blue', 0.4, 1.44), ('red', 0.85, 1.82)]
)
def test_correlation_is_that_of_real_maps(band, share, length):
    rng = np.random.default_rng(3)
    field = correlated_noise((500, 600), share=share, length=length, rng=rng)
    assert_allclose(field.std(), 1, atol=0.02)
    found = [correlate(field, lag) for lag in (1, 2, 3)]
    assert_allclose(found, MEASURED[band], atol=0.02)
    # The tail is exponential all the way, and the same in the diagonal.
    expected = share * np.exp(-np.sqrt(18) / length)
    diagonal = np.mean(field * np.roll(field, (3, 3), axis=(0, 1)))
    assert_allclose(diagonal, expected, atol=0.01)


def test_white_without_a_share():
    rng = np.random.default_rng(1)
    field = correlated_noise((300, 300), share=0.0, length=2.0, rng=rng)
    assert_allclose([correlate(field, lag) for lag in (1, 2)], 0, atol=0.01)


@pytest.mark.parametrize('setup', ['scanmap/blue', 'scanmap/red'])
def test_ranges_enclose_the_measured_correlation(setup):
    band = setup.split('/')[1]
    beam = get_setup(setup=setup)
    beam = (beam.psf_fwhm / beam.pixel_scale).to_value('')
    ends = [
        [share * np.exp(-lag / (length * beam)) for lag in (1, 2, 3)]
        for share, length in zip(
            NoiseConfig().correlated, NoiseConfig().length, strict=True
        )
    ]
    assert np.all(np.array(ends[0]) < MEASURED[band])
    assert np.all(np.array(ends[1]) > MEASURED[band])


def test_simulated_noise():
    first = simulate_noise((96, 128), 'scanmap/green', rng=np.random.default_rng(2))
    assert first.shape == (96, 128)
    assert first.dtype == np.float32
    assert_allclose(first.std(), 1, rtol=1e-5)
    again = simulate_noise((96, 128), 'scanmap/green', rng=np.random.default_rng(2))
    assert_array_equal(first, again)


def test_confusion_is_correlated_as_the_beam():
    # Two points through one beam: its autocorrelation, a Gaussian of sqrt(2) sigma.
    config = NoiseConfig(
        correlated=(0, 0),
        stripes=(0, 0),
        confusion=(1, 1),
        sources_per_beam=(3, 3),
    )
    setup = get_setup(setup='scanmap/green')
    field = simulate_noise(
        (256, 256), setup, rng=np.random.default_rng(5), config=config
    )
    sigma = (setup.psf_fwhm / setup.pixel_scale).to_value('') / 2.3548
    assert_allclose(correlate(field, 2), np.exp(-1 / sigma**2), atol=0.06)


def test_shares_of_more_than_all():
    with pytest.raises(ValueError, match='at most 1 together'):
        NoiseConfig(stripes=(0, 0.7), confusion=(0, 0.6))
