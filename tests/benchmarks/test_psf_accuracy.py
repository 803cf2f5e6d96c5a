# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the benchmark of removal with a known PSF."""

import numpy as np
import pytest
from astropy.table import Table

from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.setups.registry import get_setup

SETUP = get_setup('scanmap', 'red')


def make_map(load, part, **options):
    """Make a small map."""
    options = {'seed': 5, 'n_sources': 2, 'size': 192, **options}
    return load('_psf_maps').make_benchmark_map(part, SETUP.name, 0, **options)


def test_map_follows_from_seed(load):
    one, same = (make_map(load, 'simulated') for _ in range(2))
    np.testing.assert_array_equal(one.data, same.data)
    assert not np.array_equal(make_map(load, 'simulated', seed=6).data, one.data)


def test_vesta_is_injected(load, real_data):
    truth = make_map(load, 'simulated', folder=real_data)
    assert type(truth.psf).__name__ == 'StampPSF'
    # All of the flux is on the map, whatever the PSF.
    sources = truth.data - truth.noisy
    assert sources.sum() == pytest.approx(truth.flux.sum(), rel=0.03)


def test_pairs(load):
    truth = make_map(load, 'pairs', size=384, n_sources=8)
    maps = load('_psf_maps')
    fwhm = (SETUP.psf_fwhm / SETUP.pixel_scale).to_value('')
    first = np.arange(0, len(truth.x), 2)
    distance = np.hypot(
        truth.x[first + 1] - truth.x[first], truth.y[first + 1] - truth.y[first]
    )
    for value in distance / fwhm:
        assert np.min(np.abs(value - maps.PAIR_DISTANCES)) < 1e-9
    for value in truth.flux[first + 1] / truth.flux[first]:
        assert np.min(np.abs(value - np.array(maps.PAIR_SHARES))) < 1e-9
    assert len(set(np.round(truth.flux[first + 1] / truth.flux[first], 6))) > 1
    sources = truth.data - truth.noisy
    assert sources.sum() == pytest.approx(truth.flux.sum(), rel=0.03)


def test_gaussian_covariance(load):
    # The covariance is that of the drawn fields, averaged over a map.
    maps = load('_psf_maps')
    truth = make_map(load, 'gaussian', size=512)
    slope, noise = maps.GAUSSIAN_FIELDS[0]
    covariance = maps.gaussian_covariance(SETUP, slope, half=4)
    assert covariance[8, 8] == pytest.approx(1.0)
    field = truth.emission / maps.GAUSSIAN_UNIT
    # Differences do not feel the few large modes.
    for lag in (1, 3):
        measured = np.mean((field - np.roll(field, lag, axis=1)) ** 2)
        expected = 2.0 * (1.0 - covariance[8, 8 + lag])
        assert measured == pytest.approx(expected, rel=0.05)
    white = (truth.noisy - truth.emission) / maps.GAUSSIAN_UNIT
    assert white.std() == pytest.approx(noise, rel=0.02)


def test_model_eef(load):
    # The fraction is that of an aperture's sum over the rendered PSF.
    from photutils.aperture import CircularAperture

    measure = load('_psf_measure')
    scale = SETUP.pixel_scale.value
    radius = SETUP.aperture_radius.value / scale
    psf = PixelPSF(get_psf(SETUP), scale)
    offset = np.arange(-60, 61)
    sums = []
    for dx, dy in ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.25, -0.25)):
        image = psf.evaluate(offset - dx, offset[:, None] - dy)
        aperture = CircularAperture((60 + dx, 60 + dy), radius)
        sums.append(aperture.do_photometry(image)[0][0])
    assert measure.model_eef(SETUP) == pytest.approx(np.mean(sums), rel=5e-3)


@pytest.fixture
def small_kriging(load, monkeypatch):
    """Let the kriging see fewer pixels, which is faster."""
    monkeypatch.setattr(load('_psf_measure'), '_HALF', 14)


@pytest.fixture
def table(load, small_kriging):
    """Return the measured sources of a tiny Gaussian field."""
    maps = load('_psf_maps')
    truth = maps.make_benchmark_map(
        'gaussian', SETUP.name, 1, seed=5, n_sources=3, size=192
    )
    measure = load('_psf_measure')
    found = measure.measure_map(truth, peers=measure.FEW_PEERS)
    found['part'], found['map_id'] = 'gaussian', 'gaussian 0'
    return found


def test_measure_map_and_report(load, table):
    bright = table['snr'] > 30
    assert bright.any()
    # With the true PSF on a smooth field all who fit it are right.
    for name in ('psf_polynomial_fit', 'kriging with PSF', 'annulus', 'ours inpaint'):
        np.testing.assert_allclose(table[f'ratio_{name}'][bright], 1.0, atol=0.1)
    assert np.all(np.abs(table['pull_kriging with PSF']) < 6.0)
    assert np.all(table['rms_kriging with PSF'] <= table['rms_annulus'])
    assert np.all(table['time_ours inpaint'] > table['time_annulus'])
    text = load('psf_accuracy').make_report(table)
    assert '## Gaussian fields of known covariance' in text
    assert '| kriging, hole seen |' in text
    assert '| ours, inpaint |' in text


N = 400


@pytest.fixture
def sources():
    """Return a table whose figures are known."""
    spread = np.tile(np.linspace(-1.0, 1.0, 100), 4)
    found = Table()
    found['snr'] = np.full(N, 20.0)
    found['setup'] = np.repeat(['scanmap/blue', 'scanmap/red'], N // 2)
    found['map'] = 'simulated'
    found['part'] = 'simulated'
    found['map_id'] = np.repeat(['a', 'b', 'c', 'd'], 100)
    # Half of an even spread of +-w lies within w, the IQR.
    widths = {
        'annulus': (0.20, 0.10),
        'psf_polynomial_fit': (0.10, 0.05),
        'ours inpaint': (0.16, 0.08),
        'ours aperture': (0.08, 0.04),
        'ours psf': (0.096, 0.048),
    }
    for name, (blue, red) in widths.items():
        width = np.repeat([blue, red], N // 2)
        found[f'ratio_{name}'] = 1.005 + spread * width
    for name, value in {
        'annulus': 1.0,
        'psf_polynomial_fit': 1.2,
        'ours inpaint': 0.5,
        'ours psf': 0.4,
    }.items():
        found[f'rms_{name}'] = value
    rng = np.random.default_rng(3)
    for name, width in {'ours inpaint': 1.4, 'ours aperture': 1.0}.items():
        found[f'pull_{name}'] = width * rng.standard_normal(N)
    found['time_ours inpaint'], found['time_ours psf'] = 0.02, 0.05
    return found


def test_summarise(load, sources):
    bins = load('_psf_summary').summarise(sources, n_bootstrap=20)
    row = bins[1]
    assert [one.n for one in bins] == [0, N, 0, 0, 0]
    # The geometric mean of the setups' ranges.
    assert row.iqr['annulus'] == pytest.approx(100 * np.sqrt(0.02))
    assert row.bias['ours inpaint'] == pytest.approx(0.5)
    assert row.rms['ours psf'] == pytest.approx(0.4)
    assert row.pull['ours inpaint'] == pytest.approx(1.4, rel=0.15)
    # All scale alike: pairs leave no scatter in the ratios.
    ratio = row.iqr_ratio['ours aperture', 'psf_polynomial_fit']
    np.testing.assert_allclose(ratio, 0.8)
    np.testing.assert_allclose(row.rms_ratio['ours inpaint'], 0.8)
    assert np.isnan(bins[0].iqr['ours inpaint'])


def test_bootstrap_draws_whole_maps(load, sources):
    # One map of a setup twice as wide as the other: there are three
    # samples of two maps, and the interval spans their ratios.
    wide = np.isin(sources['map_id'], ('a', 'c'))
    ratio = sources['ratio_ours psf']
    sources['ratio_ours psf'] = np.where(wide, 1 + 2 * (ratio - 1), ratio)
    row = load('_psf_summary').summarise(sources, n_bootstrap=200)[1]
    _, low, high = row.iqr_ratio['ours psf', 'psf_polynomial_fit']
    assert low < 1.3 < 1.5 < high


def test_verdicts(load, sources):
    report = load('_psf_report')
    text = report.format_part(
        load('_psf_summary').summarise(sources, n_bootstrap=5), title='Title'
    )
    starts = ('| ours, PSF', '| hole')
    lines = [line for line in text.splitlines() if line.startswith(starts)]

    def verdict(start):
        (line,) = (line for line in lines if line.startswith(f'| {start}'))
        return line.split(' | ')[2]

    both = 'ours, PSF'
    assert verdict(f'{both}, aperture: IQR / PSF') == '0.80 met'
    assert verdict(f'{both}: IQR / PSF') == '0.96 MISSED'
    assert verdict(f'{both}, aperture: IQR / annulus') == '0.40 met'
    assert verdict(f'{both}: IQR / annulus') == '0.48 MISSED'
    assert verdict(f'{both}, aperture: bias') == '+0.50 met'
    assert verdict('hole RMS / inpaint') == '0.80 met'
    assert verdict('hole RMS / lowest') == '0.80 met'
    assert 'met' in verdict(f'{both}, aperture: pull')
    assert 'MISSED' in next(
        line for line in text.splitlines() if line.startswith('| ours, inpaint: pull')
    )
    for part in text.split('\n\n'):
        if part.startswith('|'):
            assert len({line.count('|') for line in part.splitlines()}) == 1
    assert 'PSF over inpaint: 2.50 met' in report.format_times(sources)


def test_bar_of_bright_sources(load, sources):
    # Above 130 an IQR of 0.3 percent is enough, whatever the fit's.
    sources['snr'] = 200.0
    for name in ('psf_polynomial_fit', 'ours psf'):
        sources[f'ratio_{name}'] = 1 + 0.02 * (sources[f'ratio_{name}'] - 1.005)
    sources['ratio_psf_polynomial_fit'] = 1 + 0.1 * (
        sources['ratio_psf_polynomial_fit'] - 1
    )
    report = load('_psf_report')
    text = report.format_part(
        load('_psf_summary').summarise(sources, n_bootstrap=5), title='Title'
    )
    (line,) = (
        line for line in text.splitlines() if line.startswith('| ours, PSF: IQR / PSF')
    )
    assert '9.60 met' in line


def test_change_is_that_of_the_figures(load, sources):
    change = load('_psf_change')
    before = sources.copy()
    before['part'], before['flux_true'] = 'real', np.arange(float(N))
    new = before.copy()
    # Half the scatter of the fluxes, about another mean, and 0.8 of the errors.
    new['ratio_ours psf'] = 1.1 + 0.5 * (before['ratio_ours psf'] - 1.0)
    new['rms_ours psf'] = 0.8 * before['rms_ours psf']
    text = change.format_change(new, before, n_bootstrap=20)
    lines = [line for line in text.splitlines() if ' (' in line]
    assert text.startswith('## Change: real')
    assert 'interquartile' in lines[0]
    assert '0.500 (0.500 to 0.500)' in lines[0]
    assert '0.800 (0.800 to 0.800)' in lines[1]
    with pytest.raises(ValueError, match='other sources'):
        change.format_change(new[1:], before)


def test_format_pairs(load):
    found = Table()
    found['distance'] = np.repeat([1.0, 1.5], 40)
    found['share'] = np.tile(np.repeat([1.0, 1 / 3], 20), 2)
    found['member'] = np.tile([0, 1], 40)
    found['ratio_ours inpaint'] = np.where(found['distance'] == 1.0, 1.2, 0.98)
    text = load('_psf_report').format_pairs(found)
    titles = [line for line in text.splitlines() if line.startswith('###')]
    assert titles == ['### 1:1', '### 3:1, the first', '### 3:1, the second']
    assert text.count('| method | 1 FWHM | 1.5 FWHM |') == 3
    assert text.count('| ours, inpaint | +20.0 / 20.0 | -2.0 / 2.0 |') == 3
    assert '| sources | 20 | 20 |' in text
    assert '| sources | 10 | 10 |' in text


def test_command_line(load, small_kriging, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv('PCONV_REAL_DATA', raising=False)
    accuracy = load('psf_accuracy')
    maps = load('_psf_maps')

    def small(part, setup, k, **options):
        options = {**options, 'n_sources': 2, 'size': 192}
        return maps.make_benchmark_map(part, setup, k, **options)

    monkeypatch.setattr(accuracy, 'make_benchmark_map', small)
    path, output = tmp_path / 'psf.ecsv', tmp_path / 'psf.md'
    arguments = ['--setups', 'scanmap/red', '--parts', 'pairs', 'gaussian']
    arguments += ['--pair-maps', '1', '--gaussian-maps', '1', '--inpaint-only']
    accuracy.main([*arguments, '--table', str(path)])
    shown = capsys.readouterr()
    assert 'PCONV_REAL_DATA is not set' in shown.err
    assert '## Pairs of sources' in shown.out
    accuracy.main(['--from-table', str(path), '--output', str(output)])
    text = output.read_text(encoding='utf-8')
    # The same but for the command and the run time.
    start = text.index('## Pairs')
    assert text[start:] in shown.out


def test_tasks(load):
    accuracy = load('psf_accuracy')
    counts = {'simulated': 2, 'real': 1, 'pairs': 1, 'gaussian': 0}
    setups = ('scanmap/blue', 'scanmap/red')
    tasks = accuracy.list_tasks(setups, counts, accuracy.PARTS, folder='somewhere')
    assert tasks.count(('simulated', 'scanmap/red', 1)) == 1
    assert sum(task[0] == 'real' for task in tasks) == 2 * 6
    assert len(set(tasks)) == len(tasks)
    without = accuracy.list_tasks(setups, counts, accuracy.PARTS, folder=None)
    assert {task[0] for task in without} == {'simulated', 'pairs'}
