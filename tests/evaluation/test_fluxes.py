# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of test fields and of the ratios of measured to injected flux."""

import dataclasses
import inspect

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.table import Table
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.evaluation.encircled_energy import measure_encircled_energy
from photutils_pconv.evaluation.fields import (
    EvaluationField,
    make_evaluation_field,
    make_evaluation_fields,
    rank_fields,
    visible_flux_range,
)
from photutils_pconv.evaluation.fluxes import (
    APERTURE_RADII,
    evaluate_fluxes,
    measure_ratios,
)
from photutils_pconv.evaluation.plots.fluxes import (
    plot_complexity,
    plot_flux_boxes,
    plot_ratio_by_aperture,
)
from photutils_pconv.evaluation.removers import (
    ONE_PASS,
    RemoverChoice,
    list_removers,
)
from photutils_pconv.evaluation.summaries import (
    compare_methods,
    ratio_columns,
    summarise_by_complexity,
    summarise_ratios,
)
from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.lobed import LobedPSF
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation import complexity, flux_levels

GREEN = get_setup('scanmap', 'green')


@pytest.fixture(scope='module')
def fields():
    return make_evaluation_fields('scanmap/green', n_fields=3, shape=(160, 160))


@pytest.fixture(scope='module')
def noise_map(make_scene):
    """White noise alone, without coverage gaps."""
    scene = make_scene([], [], [], noise=3e-4, shape=(200, 200))
    return CCDData(scene.data, unit='Jy/pix', wcs=scene.wcs)


class TestFields:
    def test_from_plain_to_complex(self, fields):
        values = [field.complexity for field in fields]
        assert values == sorted(values)
        assert values[0] < 1 < 10 < values[-1]
        assert [field.rank for field in fields] == [1, 2, 3]
        assert len({field.name for field in fields}) == 3
        for field in fields:
            assert_allclose(field.complexity, complexity(field.image, setup=GREEN))

    def test_levels_are_those_of_table_1(self, fields):
        every = flux_levels().value
        for field in fields:
            levels = field.levels()
            assert set(levels) <= set(every)
            assert 15 <= len(levels) <= 42  # as in Tables A.1 to A.3
            assert levels[-1] <= 150 * levels[0]
            assert field.levels((levels[0], 1e6)) == [levels[0]]

    def test_the_same_again(self, fields):
        again = make_evaluation_fields('scanmap/green', n_fields=3, shape=(160, 160))
        assert_array_equal(again[1].image.data, fields[1].image.data)
        first, _ = again[1].simulate(500.0, n_sources=2)
        second, _ = fields[1].simulate(500.0, n_sources=2)
        assert_array_equal(first.data, second.data)
        other = make_evaluation_fields(
            'scanmap/green', n_fields=3, shape=(160, 160), seed=1
        )
        assert not np.array_equal(other[1].image.data, fields[1].image.data)

    def test_simulate_adds_the_flux(self, fields):
        field = fields[0]
        ccd, sources = field.simulate(1000.0, n_sources=3)
        assert len(sources) == 3
        added = np.nansum(ccd.data - field.image.data)
        # What falls beyond the map's edge is lost.
        assert_allclose(added, 3.0, rtol=0.03)
        assert_array_equal(np.isnan(ccd.data), np.isnan(field.image.data))

    def test_as_many_sources_as_fit(self, fields):
        _, sources = fields[0].simulate(1000.0, n_sources=500)
        assert 10 < len(sources) < 500

    @pytest.mark.parametrize('snr', [3.0, 10.0])
    def test_the_faintest_level_shows(self, noise_map, snr):
        low, high = visible_flux_range(noise_map, GREEN, faintest_snr=snr)
        peak = get_psf(GREEN).render((41, 41), 20, 20, pixel_scale=1.6, oversampling=15)
        levels = flux_levels().value
        below = levels[np.searchsorted(levels, low) - 1]
        assert 1e-3 * low * peak.max() / 3e-4 > 0.97 * snr
        assert 1e-3 * below * peak.max() / 3e-4 < 1.03 * snr
        assert low * 100 < high <= low * 150

    def test_of_a_real_map(self, noise_map, tmp_path):
        path = tmp_path / 'map.fits'
        noise_map.write(path)
        field = make_evaluation_field(path, 'scanmap/green', name='real')
        assert isinstance(field, EvaluationField)
        assert field.name == 'real'
        assert_allclose(field.image.data, noise_map.data)

    def test_rank(self, fields):
        assert [f.rank for f in rank_fields(fields[::-1])] == [1, 2, 3]
        assert rank_fields(fields[1:2])[0].rank == 1

    def test_bad_input(self, noise_map):
        with pytest.raises(ValueError, match='n_fields must be 1 or more'):
            make_evaluation_fields('scanmap/green', n_fields=0)
        with pytest.raises(ValueError, match='needs a unit'):
            visible_flux_range(noise_map.data, GREEN)


@pytest.mark.parametrize('pixel_scale', [0.8, 3.2])
def test_encircled_energy_of_a_gaussian(pixel_scale):
    """
    A pixel has the variance side^2 / 12, and widens the PSF twice.

    Once because the map holds means over pixels, and once because the
    aperture takes a pixel's flux as spread evenly over it.
    """
    sigma = 3.0
    psf = LobedPSF((sigma,), (1.0,), (0.0,))
    radii, eef = measure_encircled_energy(psf, pixel_scale * u.arcsec)
    variance = sigma**2 + pixel_scale**2 / 6
    expected = 1 - np.exp(-(radii**2) / (2 * variance))
    assert_allclose(eef, expected, atol=0.003)


@pytest.fixture(scope='module')
def measured(make_scene, flat_model):
    scene = make_scene([70.3, 50.8], [55.1, 90.7], [1.0, 0.5], sky=2e-3, noise=1e-6)
    ccd = CCDData(scene.data, unit='Jy/pix', wcs=scene.wcs)
    sources = Table({'x': scene.x, 'y': scene.y, 'flux': [1000.0, 500.0]})
    return measure_ratios(
        ccd,
        sources,
        setup='scanmap/green',
        psf=scene.psf,
        removers=(dataclasses.replace(ONE_PASS, model=flat_model),),
        methods=['local_background'],
    )


class TestMeasureRatios:
    def test_flat_sky(self, measured):
        """Nothing but the sources' own wings is left to disturb."""
        table, results = measured
        assert_array_equal(table['flux'], [1000.0, 500.0])
        for radius in APERTURE_RADII:
            assert_allclose(table[f'ratio_network_{radius:g}'], 1.0, atol=0.02)
        for radius in (4, 7):
            assert_allclose(table[f'ratio_annulus_{radius}'], 1.0, atol=0.01)
        assert_allclose(table['ratio_local_background'], 1.0, atol=0.03)
        assert list(results) == ['network']
        assert len(results['network'].photometry) == 2
        assert table.meta['aperture'] == 7.0

    def test_columns(self, measured):
        columns = ratio_columns(measured[0], aperture=7)
        assert columns['ratio_network_7'] == ('network', 7.0)
        assert columns['ratio_annulus_7'] == ('annulus', 7.0)
        assert columns['ratio_local_background'][0] == 'local_background'
        assert len(columns) == 3
        assert len(ratio_columns(measured[0])) == 2 * len(APERTURE_RADII) + 1

    def test_bad_input(self, scene):
        sources = Table({'x': scene.x, 'y': scene.y, 'flux': scene.flux})
        options = {'setup': 'scanmap/green', 'methods': ()}
        with pytest.raises(ValueError, match='the map has no unit'):
            measure_ratios(scene.data, sources, **options)
        with pytest.raises(ValueError, match="must have the column 'flux'"):
            measure_ratios(scene.data, sources['x', 'y'], **options)


class TestRemovers:
    def test_choice(self, flat_model):
        given = RemoverChoice(aperture_radii=(4, 5), error_method='card')
        choice = RemoverChoice(model=flat_model, batch_size=3, aperture_radii=9)
        remover = choice.or_else(given).make_remover('scanmap/green')
        assert remover.batch_size == 3
        assert_array_equal(remover.aperture_radii, [9.0])
        assert remover.error_method == 'card'

    def test_every_argument_can_be_chosen(self):
        """What a remover takes and an evaluation does not set."""
        arguments = set(inspect.signature(NeuralSourceRemover).parameters)
        chosen = {item.name for item in dataclasses.fields(RemoverChoice)}
        assert arguments - {'mode', 'band', 'setup'} == chosen - {'name'}

    def test_defaults_are_those_of_the_remover(self, flat_model):
        """What is left open everywhere is not passed on."""
        one = RemoverChoice(model=flat_model).make_remover('scanmap/green')
        two = NeuralSourceRemover(setup='scanmap/green', model=flat_model)
        assert repr(one) == repr(two)

    def test_from_dict(self):
        values = {'batch_size': 4, 'texture': True}
        choice = RemoverChoice.from_dict(values)
        assert choice == RemoverChoice(batch_size=4, texture=True)
        with pytest.raises(ValueError, match='must not name setup'):
            RemoverChoice.from_dict({'setup': 'x'})
        with pytest.raises(ValueError, match="unknown key 'batch'.*'batch_size'"):
            RemoverChoice.from_dict({'batch': 3})

    def test_both(self):
        removers = list_removers(choice=RemoverChoice(batch_size=4))
        assert removers == (
            RemoverChoice(
                name='network', n_passes=1, subtract_wings=True, batch_size=4
            ),
            RemoverChoice(name='two_pass', n_passes=2, psf='setup', batch_size=4),
        )
        own = list_removers(choice=RemoverChoice(psf='empirical'))
        assert {one.psf for one in own} == {'empirical'}

    @pytest.mark.parametrize(('number', 'name'), [(1, 'network'), (2, 'two_pass')])
    def test_one_of_them(self, number, name):
        (one,) = list_removers(choice=RemoverChoice(n_passes=number))
        assert one.name == name

    def test_of_a_model(self, flat_model):
        for model, name in ((flat_model, 'network'), ('psf', 'two_pass')):
            (one,) = list_removers(model=model)
            assert (one.name, one.model) == (name, model)

    def test_bad_number(self):
        with pytest.raises(ValueError, match='n_passes must be 1 or 2, got 3'):
            list_removers(choice=RemoverChoice(n_passes=3))


def test_two_passes_find_the_flux(fields):
    """Of bright sources, whatever the network makes of the emission."""
    ccd, sources = fields[0].simulate(3000.0, n_sources=3)
    table, results = measure_ratios(
        ccd, sources, setup=GREEN, removers=list_removers(), methods=()
    )
    assert list(results) == ['network', 'two_pass']
    assert_allclose(table['ratio_two_pass_psf'], 1.0, atol=0.02)
    assert_allclose(table['ratio_two_pass_7'], 1.0, atol=0.02)
    assert ratio_columns(table)['ratio_two_pass_psf'][0] == 'two_pass_psf'
    assert 'ratio_network_psf' not in table.colnames


def test_evaluate_fluxes(fields, flat_model):
    lines = []
    table = evaluate_fluxes(
        fields[:2],
        levels=(600, 2000),
        n_sources=2,
        removers=(dataclasses.replace(ONE_PASS, model=flat_model),),
        methods=(),
        report=lines.append,
    )
    assert len(table) == 8
    assert set(table['flux']) == {600.0, 2000.0}
    assert set(table['rank']) == {1, 2}
    assert lines == [f'{field.name}: 4 sources' for field in fields[:2]]
    with pytest.raises(ValueError, match='no field has a flux level'):
        evaluate_fluxes(fields[:1], levels=(1e6,))


@pytest.fixture(scope='module')
def table():
    """Known distributions: ours has half the scatter of the annulus."""
    rng = np.random.default_rng(5)
    rows = []
    for setup, flux, rank in (
        ('scanmap/green', 100.0, 1),
        ('scanmap/green', 100.0, 2),
        ('scanmap/green', 300.0, 1),
        ('scanmap/blue', 100.0, 1),
    ):
        ratio = 1 + rng.standard_t(3, size=200) * rank * 10.0 / flux
        rows.append(
            Table(
                {
                    'field': [f'{setup} {rank}'] * 200,
                    'setup': [setup] * 200,
                    'complexity': [3.0 * rank] * 200,
                    'rank': [rank] * 200,
                    'flux': [flux] * 200,
                    'ratio_network_7': 1.01 + 0.5 * (ratio - 1),
                    'ratio_network_6': 1.01 + 0.5 * (ratio - 1),
                    'ratio_annulus_7': ratio,
                    'ratio_annulus_6': ratio,
                    'ratio_psf': np.where(np.arange(200) < 50, np.nan, ratio),
                }
            )
        )
    from astropy.table import vstack

    return vstack(rows)


class TestSummaries:
    def test_boxes(self, table):
        """Against matplotlib's own box plot."""
        from matplotlib.cbook import boxplot_stats

        summary = summarise_ratios(table)
        assert len(summary) == 3 * 5
        # Setups stay in the order of the table.
        assert list(dict.fromkeys(summary['setup'])) == [
            'scanmap/green',
            'scanmap/blue',
        ]
        for row in summary:
            part = table[
                (table['setup'] == row['setup']) & (table['flux'] == row['flux'])
            ]
            name = f'ratio_{row["method"]}'
            if row['method'] != 'psf':
                name += f'_{row["aperture"]:g}'
            values = np.asarray(part[name])
            values = values[np.isfinite(values)]
            expected = boxplot_stats(values)[0]
            assert row['n'] == len(values)
            assert_allclose(row['median'], expected['med'])
            assert_allclose(row['iqr'], expected['iqr'])
            assert_allclose(row['q25'], expected['q1'])
            assert_allclose(
                row['outlier_fraction'], len(expected['fliers']) / len(values)
            )
        # A method measured in one aperture has that of the setup.
        own = summary[summary['method'] == 'psf']
        assert dict(zip(own['setup'], own['aperture'], strict=True)) == {
            'scanmap/green': 7.0,
            'scanmap/blue': 6.0,
        }

    def test_by_complexity(self, table):
        summary = summarise_by_complexity(table)
        part = summary[(summary['setup'] == 'scanmap/green') & (summary['rank'] == 1)]
        ours = part[(part['method'] == 'network') & (part['aperture'] == 7)][0]
        boxes = summarise_ratios(table[table['rank'] == 1])
        boxes = boxes[
            (boxes['setup'] == 'scanmap/green')
            & (boxes['method'] == 'network')
            & (boxes['aperture'] == 7)
        ]
        assert len(boxes) == 2
        assert_allclose(ours['iqr'], np.sqrt(np.prod(boxes['iqr'])))
        assert ours['n'] == 400

    def test_comparison(self, table):
        comparison = compare_methods(table)
        ours = comparison[comparison['method'] == 'network']
        assert_allclose(ours['iqr_ratio'], 0.5)
        assert_allclose(ours['narrower'], 1.0)
        assert_array_equal(ours['n_boxes'], [2, 1])
        annulus = comparison[comparison['method'] == 'annulus']
        assert_allclose(annulus['iqr_ratio'], 1.0)

    def test_bad_input(self, table):
        with pytest.raises(ValueError, match="by must hold 'setup'"):
            summarise_ratios(table, by=('flux',))
        with pytest.raises(ValueError, match="'getsf' is not a method"):
            compare_methods(table, reference='getsf')


class TestFigures:
    pytest.importorskip('matplotlib')

    def test_boxes(self, table):
        figure = plot_flux_boxes(table)
        assert [ax.get_title() for ax in figure.axes] == [
            'scanmap/green, aperture 7 arcsec',
            'scanmap/blue, aperture 6 arcsec',
        ]
        medians = {
            round(float(line.get_ydata()[0]), 12)
            for line in figure.axes[0].lines
            if line.get_color() == 'green'
        }
        summary = summarise_ratios(table[table['setup'] == 'scanmap/green'])
        chosen = (summary['aperture'] == 7) & (summary['method'] != 'psf')
        assert medians == {round(float(m), 12) for m in summary['median'][chosen]}
        with pytest.raises(ValueError, match='no ratio'):
            plot_flux_boxes(table, aperture=18)

    def test_curves(self, table):
        figure = plot_ratio_by_aperture(table)
        line = figure.axes[0].lines[0]
        assert_array_equal(line.get_xdata(), [6.0, 7.0])
        expected = np.median(
            table['ratio_network_7'][table['setup'] == 'scanmap/green']
        )
        assert_allclose(line.get_ydata()[1], expected)
        figure = plot_complexity(table)
        assert_array_equal(figure.axes[0].lines[0].get_xdata(), [3.0, 6.0])
