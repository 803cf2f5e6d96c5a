# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of power spectra, delta-variances and their power laws."""

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData, StdDevUncertainty
from astropy.table import QTable
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.evaluation.statistics.power_laws import fit_power_law
from photutils_pconv.evaluation.statistics.spectra import (
    delta_variance,
    normalised_difference,
    power_spectrum,
    relative_difference,
)
from photutils_pconv.simulation.emission import fractional_brownian_motion


def power_law_field(shape, slope, rng):
    """A periodic Gaussian field with the spectrum k**slope, k in 1/pixel."""
    kx, ky = np.fft.rfftfreq(shape[1]), np.fft.fftfreq(shape[0])
    k = np.hypot(kx, ky[:, None])
    k[0, 0] = np.inf
    white = np.fft.rfft2(rng.standard_normal(shape))
    return np.fft.irfft2(white * k ** (slope / 2), s=shape)


def cut(field, shape):
    """A part of a field, which is not periodic."""
    return field[: shape[0], : shape[1]]


def values(column):
    return np.asarray(u.Quantity(column).value)


def slope_of(table, x, y, **kwargs):
    return fit_power_law(table[x], table[y], y_err=table[f'{y}_err'], **kwargs).slope


def spectrum_of(data, **kwargs):
    return values(power_spectrum(data, **kwargs)['power'])


@pytest.mark.parametrize('taper', [0.0, 0.15, 0.3])
@pytest.mark.parametrize('shape', [(128, 128), (151, 90)])
def test_white_noise_is_flat(shape, taper):
    rng = np.random.default_rng(1)
    spectra = np.mean(
        [spectrum_of(rng.normal(5.0, 3.0, shape), taper=taper) for _ in range(20)],
        axis=0,
    )
    modes = power_spectrum(np.eye(*shape), taper=taper)['n_modes']
    error = 9.0 / np.sqrt(20 * modes)
    assert np.max(np.abs(spectra - 9.0) / error) < 4.0
    # The last bin has thousands of modes.
    assert_allclose(spectra[-1], 9.0, rtol=0.02)


def test_single_wave():
    """A wave appears at its frequency, and has its variance."""
    y, x = np.mgrid[:120, :100]
    wave = 4.0 * np.cos(2 * np.pi * (0.12 * x + 0.05 * y))  # 0.13 cycles a pixel
    table = power_spectrum(wave, taper=0.0)
    row = table[np.argmax(table['power'])]
    assert row['frequency_low'].value < 0.13 < row['frequency_high'].value
    # Of all modes in the bin, only one and its mirror image have power.
    total = row['power'].value * 2 * row['n_modes'] / wave.size
    assert_allclose(total, 8.0, rtol=1e-10)


def test_integral_is_the_variance():
    data = power_law_field((64, 80), -2.0, np.random.default_rng(2))
    table = power_spectrum(data, taper=0.0, bin_edges=[0.001, 0.02, 0.3, 0.8])
    modes = 2 * values(table['n_modes'])
    assert modes.sum() == data.size - 1
    total = np.sum(values(table['power']) * modes) / data.size
    assert_allclose(total, data.var(), rtol=1e-10)


@pytest.mark.parametrize('slope', [-1.5, -2.0, -2.7, -3.0, -3.5, -4.0])
def test_slope_of_power_law(slope):
    """Also of the part of a field, whose edges do not match."""
    rng = np.random.default_rng(3)
    slopes = []
    for _ in range(4):
        field = cut(power_law_field((512, 512), slope, rng), (256, 256))
        table = power_spectrum(field)
        slopes.append(slope_of(table, 'frequency', 'power', limits=(0.015, 0.5)))
    assert_allclose(np.mean(slopes), slope, atol=0.05)


def test_slope_needs_the_taper():
    rng = np.random.default_rng(4)
    field = cut(power_law_field((512, 512), -4.0, rng), (256, 256))
    table = power_spectrum(field, taper=0.0)
    slope = slope_of(table, 'frequency', 'power', limits=(0.015, 0.5))
    assert slope > -3.2  # the edges' own is -3 or flatter
    table = power_spectrum(field)
    slope = slope_of(table, 'frequency', 'power', limits=(0.015, 0.5))
    assert_allclose(slope, -4.0, atol=0.1)


def test_amplitude_of_power_law():
    """The taper costs no power: the generator's spectrum comes back."""
    rng = np.random.default_rng(5)
    spectra = []
    for _ in range(10):
        field = cut(power_law_field((384, 384), -3.0, rng), (192, 160))
        table = power_spectrum(field)
        spectra.append(values(table['power']))
    frequency = values(table['frequency'])
    ratio = np.mean(spectra, axis=0) / frequency**-3.0
    # Within a bin of 0.1 dex the mean power is higher than that at the
    # mean frequency, by 3 percent.
    middle = (frequency > 0.08) & (frequency < 0.3)
    assert_allclose(ratio[middle], 1.03, atol=0.05)


@pytest.mark.parametrize('slope', [0.0, -2.0, -3.0])
def test_errors_are_those_of_realisations(slope):
    rng = np.random.default_rng(6)
    tables = []
    for _ in range(60):
        field = power_law_field((192, 192), slope, rng)
        tables.append(power_spectrum(cut(field, (96, 120))))
    scatter = np.std([values(table['power']) for table in tables], axis=0)
    error = np.mean([values(table['power_err']) for table in tables], axis=0)
    ratio = scatter / error
    assert_allclose(np.median(ratio), 1.0, atol=0.12)
    assert_allclose(ratio, 1.0, atol=0.45)


def test_units_and_pixel_scale():
    """The same sky in finer pixels, or in another unit, has one spectrum."""
    rng = np.random.default_rng(7)
    fine = rng.normal(0, 1, (64, 64))
    edges = [0.01, 0.1, 0.15, 0.25] / u.arcsec
    plain = power_spectrum(fine)
    assert plain['frequency'].unit == 1 / u.pix
    assert plain['power'].unit == u.pix**2
    scaled = power_spectrum(fine * u.Jy / u.pix, pixel_scale=2.0, bin_edges=edges)
    assert scaled['frequency'].unit == 1 / u.arcsec
    assert scaled['power'].unit.is_equivalent((u.Jy / u.pix * u.arcsec) ** 2)
    coarse = np.kron(fine, np.ones((2, 2)))
    table = power_spectrum(
        coarse * u.Jy / u.pix, pixel_scale=1 * u.arcsec, bin_edges=edges
    )
    # Pixels of twice the size smooth: sinc^2 at most, and almost 1 here.
    assert_allclose(values(table['power'])[0], values(scaled['power'])[0], rtol=0.05)
    milli = power_spectrum(fine * 1e3 * u.mJy / u.pix, pixel_scale=2.0, bin_edges=edges)
    assert u.allclose(milli['power'], scaled['power'], rtol=1e-12)


def test_every_form_of_map(any_map):
    table = power_spectrum(any_map.given)
    assert isinstance(table, QTable)
    expected = power_spectrum(np.where(any_map.missing, np.nan, any_map.values))
    scale = 1.6 if any_map.has_wcs else 1.0
    assert_allclose(values(table['frequency']), values(expected['frequency']) / scale)
    assert_allclose(values(table['power']), values(expected['power']) * scale**2)


def test_any_unit():
    """Column densities have spectra, too."""
    data = np.random.default_rng(8).normal(1e21, 1e20, (40, 40)) / u.cm**2
    table = power_spectrum(data)
    assert table['power'].unit.is_equivalent(u.cm**-4 * u.pix**2)


def test_table_round_trip(tmp_path):
    data = np.random.default_rng(9).normal(size=(40, 40)) * u.Jy / u.pix
    for table in (power_spectrum(data), delta_variance(data, pixel_scale=3.2)):
        table.write(tmp_path / 'table.ecsv', overwrite=True)
        back = QTable.read(tmp_path / 'table.ecsv')
        assert back.meta == table.meta
        for name in table.colnames:
            assert u.allclose(u.Quantity(back[name]), u.Quantity(table[name]))


def _scattered(shape, rng):
    return rng.random(shape) < 0.01


def _rows(shape, rng):
    missing = np.zeros(shape, dtype=bool)
    missing[100:103] = missing[:, 170] = True
    return missing


def _holes(shape, rng):
    y, x = np.mgrid[: shape[0], : shape[1]]
    missing = np.zeros(shape, dtype=bool)
    for xc, yc in rng.uniform(30, 226, (8, 2)):
        missing |= (x - xc) ** 2 + (y - yc) ** 2 <= 64
    return missing


@pytest.mark.parametrize('make', [_scattered, _rows, _holes])
@pytest.mark.parametrize('slope', [-2.0, -3.0])
def test_small_gaps(make, slope):
    """They cost the power of the pixels that are filled, and no more."""
    rng = np.random.default_rng(10)
    differences = []
    for _ in range(5):
        field = cut(power_law_field((512, 512), slope, rng), (256, 256))
        missing = make(field.shape, rng)
        gappy = np.where(missing, np.nan, field)
        whole = power_spectrum(field)
        table = power_spectrum(gappy)
        differences.append(relative_difference(table, whole))
        assert_allclose(table.meta['filled_fraction'], missing.mean(), rtol=0.5)
    filled = missing.mean()
    mean = np.mean(differences, axis=0)
    assert np.max(np.abs(mean)) < 0.01 + 1.5 * filled
    # Zeros in their place are far worse, at least at high frequencies.
    if slope == -3.0:
        zeros = relative_difference(power_spectrum(np.where(missing, 0, field)), whole)
        assert np.max(np.abs(zeros)) > 0.3


@pytest.mark.parametrize('slope', [-2.0, -3.0, -4.0])
def test_large_missing_region(slope):
    """A corner without coverage: the slope of the rest."""
    rng = np.random.default_rng(11)
    y, x = np.mgrid[:256, :256]
    slopes = []
    for _ in range(4):
        field = cut(power_law_field((512, 512), slope, rng), (256, 256))
        field[x + y < 150] = np.nan
        table = power_spectrum(field)
        assert table.meta['filled_fraction'] < 0.01
        slopes.append(slope_of(table, 'frequency', 'power', limits=(0.02, 0.5)))
    assert_allclose(np.mean(slopes), slope, atol=0.05)


def test_missing_values_play_no_part():
    rng = np.random.default_rng(12)
    data = rng.normal(size=(90, 100))
    mask = np.zeros(data.shape, dtype=bool)
    mask[:40, :40] = mask[60:63, 70:74] = True
    wild = np.where(mask, 1e9, data)
    assert_array_equal(
        spectrum_of(np.where(mask, np.nan, data)), spectrum_of(wild, mask=mask)
    )
    assert_array_equal(
        spectrum_of(wild, mask=mask), spectrum_of(wild, coverage_mask=mask)
    )


def test_differences():
    rng = np.random.default_rng(13)
    reference = power_spectrum(power_law_field((100, 100), -3.0, rng))
    other = reference.copy()
    other['power'] = other['power'] * np.linspace(1.0, 1.2, len(other))
    assert_allclose(
        relative_difference(other, reference), np.linspace(0.0, 0.2, len(other))
    )
    # The first bin is the highest of both.
    power = values(reference['power']) / values(reference['power'])[0]
    expected = power * np.linspace(0.0, 0.2, len(other))
    assert_allclose(normalised_difference(other, reference), expected, atol=1e-15)
    assert_array_equal(normalised_difference(reference, reference), 0.0)


def test_normalised_difference_hides_sources():
    """It is small although the spectrum is wrong by factors."""
    rng = np.random.default_rng(14)
    field = 100 * power_law_field((128, 128), -3.0, rng)
    with_sources = field.copy()
    with_sources[64, 64] += 20 * field.std()
    a, b = power_spectrum(field), power_spectrum(with_sources)
    assert np.max(relative_difference(b, a)) > 1.0
    assert np.abs(normalised_difference(b, a))[-1] < 1e-4


@pytest.mark.parametrize(
    'other',
    [
        power_spectrum(np.eye(50)),
        power_spectrum(np.eye(40), pixel_scale=2.0),
        delta_variance(np.eye(40)),
    ],
)
def test_differences_need_one_grid(other):
    reference = power_spectrum(np.eye(40), pixel_scale=1.6)
    with pytest.raises((ValueError, u.UnitConversionError), match='same bins|convert'):
        relative_difference(other, reference)


@pytest.mark.parametrize('slope', [-2.0, -2.5, -3.0, -3.5, -4.0])
@pytest.mark.parametrize('gaps', [False, True])
def test_exponent_of_fbm(slope, gaps):
    """Stutzki et al. 1998: the exponent is that of the spectrum less 2."""
    rng = np.random.default_rng(15)
    exponents = []
    for _ in range(5):
        field = fractional_brownian_motion((512, 512), slope, rng=rng)[:256, :256]
        if gaps:
            field[_holes(field.shape, rng)] = np.nan
            field[:60, :90] = np.nan
        table = delta_variance(field, lags=np.geomspace(4, 40, 7))
        exponents.append(slope_of(table, 'lag', 'delta_variance'))
    assert_allclose(np.mean(exponents), -slope - 2.0, atol=0.05)


def test_delta_variance_of_white_noise():
    """
    The integral of the filter's square.

    Of white noise of variance 1 it is 4 / (pi l^2) (1/2 a + 1/2 b - c)
    with the squares and the product of the core and the annulus.
    """
    rng = np.random.default_rng(16)
    lags = np.array([4.0, 6.0, 8.0])
    measured = np.mean(
        [
            values(
                delta_variance(rng.normal(size=(160, 160)), lags=lags)['delta_variance']
            )
            for _ in range(12)
        ],
        axis=0,
    )
    # The two Gaussians exp(-r^2 / s) with s = l^2/4 and 9 l^2/16, with
    # the weights of core less annulus (v = 1.5); the integral of a
    # product of two is pi s t / (s + t).
    s, t = lags**2 / 4, 1.5**2 * lags**2 / 4
    norm = 4 / (np.pi * lags**2)
    first, second = norm * (1 + 1 / 1.25), -norm / 1.25
    expected = (
        first**2 * np.pi * s / 2
        + second**2 * np.pi * t / 2
        + 2 * first * second * np.pi * s * t / (s + t)
    )
    assert_allclose(measured, expected, rtol=0.03)


def test_delta_variance_against_turbustat():
    """
    TurbuStat 1.3, with a patch of 4 by 10 pixels that has no weight.

    Its annulus is cut off at 2.7 standard deviations, so it was run with
    kernels of eight lags, on the field of this test and ``boundary='fill'``
    (with numpy 2 it needs ``numpy.NaN`` to be defined). It also averages
    the filtered map beyond the edge, where the filter is half empty.
    """
    field = fractional_brownian_motion(
        (96, 96), -3.0, rng=np.random.default_rng(20251122)
    )
    field[40:44, 50:60] = np.nan
    table = delta_variance(field, lags=[4.0, 6.0, 9.0, 13.0, 18.0])
    reference = [
        0.017441187215484714,
        0.024128361133721216,
        0.03277778922937452,
        0.047085627565882304,
        0.06828431226191951,
    ]
    assert_allclose(values(table['delta_variance']), reference, rtol=0.015)


def test_power_spectrum_against_turbustat():
    """TurbuStat 1.3, which does not divide by the number of pixels."""
    field = fractional_brownian_motion(
        (96, 96), -3.0, rng=np.random.default_rng(20251122)
    )
    edges = np.linspace(1 / 96, 0.5, 70)
    table = power_spectrum(field, taper=0.0, bin_edges=edges)
    reference = {
        0: 7397066.444332035,
        1: 801233.0651999941,
        10: 18056.313407280235,
        33: 577.5283179210368,
        68: 83.02992625870613,
    }
    for row, power in reference.items():
        assert_allclose(table['power'][row].value * 96**2, power, rtol=1e-10)


@pytest.mark.parametrize('slope', [-2.0, -3.0])
def test_delta_variance_errors(slope):
    rng = np.random.default_rng(17)
    tables = []
    for _ in range(60):
        field = cut(power_law_field((192, 192), slope, rng), (96, 96))
        tables.append(delta_variance(field, lags=[4.0, 8.0, 14.0]))
    scatter = np.std([values(one['delta_variance']) for one in tables], axis=0)
    error = np.mean([values(one['delta_variance_err']) for one in tables], axis=0)
    assert_allclose(scatter / error, 1.0, atol=0.35)


def test_weights():
    rng = np.random.default_rng(18)
    quiet = power_law_field((128, 128), -3.0, rng)
    sigma = np.where(np.arange(128) < 64, 0.01, 3.0) * np.ones((128, 1)) * quiet.std()
    noisy = quiet + sigma * rng.standard_normal(quiet.shape)
    lags = [3.0, 5.0]
    expected = delta_variance(quiet, lags=lags)
    plain = relative_difference(delta_variance(noisy, lags=lags), expected)
    weighted = delta_variance(noisy, lags=lags, error=sigma)
    assert np.all(plain > 3)
    assert np.all(np.abs(relative_difference(weighted, expected)) < 0.3)
    same = delta_variance(noisy, lags=lags, weights=7.0 * sigma**-2)
    assert_allclose(values(same['delta_variance']), values(weighted['delta_variance']))
    ccd = CCDData(noisy, unit='Jy/pix', uncertainty=StdDevUncertainty(sigma))
    same = delta_variance(ccd, lags=lags, error=ccd.uncertainty)
    assert_allclose(values(same['delta_variance']), values(weighted['delta_variance']))


def test_lags():
    data = np.random.default_rng(19).normal(size=(80, 120))
    table = delta_variance(data)
    assert_allclose(values(table['lag'])[[0, -1]], [3.0, 20.0])
    assert table['lag'].unit == u.pix
    table = delta_variance(data, lags=[8, 16] * u.arcsec, pixel_scale=2.0)
    other = delta_variance(data, lags=[4, 8])
    assert_allclose(values(table['lag']), [8, 16])
    assert_array_equal(values(table['delta_variance']), values(other['delta_variance']))
    # A constant is no structure.
    shifted = delta_variance(data + 1e3, lags=[4, 8])
    assert_allclose(
        values(shifted['delta_variance']), values(other['delta_variance']), rtol=1e-6
    )


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        ({'taper': 0.7}, 'taper must lie between 0 and 0.5'),
        ({'max_gap': -1}, 'max_gap must be finite and not negative'),
        ({'bins_per_decade': 0}, 'bins_per_decade must be finite and positive'),
        ({'bin_edges': [0.2, 0.1]}, 'bin_edges must be two or more in ascending'),
        ({'bin_edges': [1, 2] * u.Jy}, 'bin_edges must be in 1 / pix, got Jy'),
        ({'pixel_scale': -1}, 'pixel_scale must be positive'),
        ({'pixel_scale': 1 * u.Jy}, 'pixel_scale must be an angle'),
        ({'mask': np.ones((30, 30), dtype=bool)}, 'no usable pixel'),
    ],
)
def test_bad_power_spectrum(kwargs, message):
    with pytest.raises(ValueError, match=message):
        power_spectrum(np.eye(30), **kwargs)


def test_pixel_scale_given_twice(ccd):
    with pytest.raises(ValueError, match='the map has a WCS: leave it out'):
        power_spectrum(ccd, pixel_scale=1.6)


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        ({'lags': [1.0]}, 'lags must lie between 2 pixels and'),
        ({'lags': [31.0]}, 'shorter side, 30 pixels'),
        ({'lags': [3] * u.Jy}, 'lags must be in pix, got Jy'),
        ({'weights': np.ones(3)}, 'weights must have the shape'),
        ({'weights': -np.ones((30, 30))}, 'not negative'),
        ({'weights': np.zeros((30, 30))}, 'not all zero'),
        ({'weights': np.ones((30, 30)), 'error': np.ones((30, 30))}, 'not both'),
        ({'diameter_ratio': 1.0}, 'diameter_ratio must be more than 1'),
    ],
)
def test_bad_delta_variance(kwargs, message):
    with pytest.raises(ValueError, match=message):
        delta_variance(np.eye(30), **kwargs)
