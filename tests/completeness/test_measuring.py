# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of injection and recovery against what is known of white noise."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.stats import binom_conf_interval
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

from photutils_pconv.completeness import Completeness
from photutils_pconv.completeness import rounds as rounds_module
from photutils_pconv.removal.pipeline import run_removal

LEVELS = np.array([1.0, 2.0, 3.0, 4.0, 8.0])
N_PER_FLUX = 50


@pytest.fixture(scope='module')
def found(noise_field, measure):
    return measure(
        fluxes=LEVELS * noise_field.sigma,
        n_per_flux=N_PER_FLUX,
        n_per_round=40,
        separation=36.0,
        seed=3,
    )


def same(one, other):
    """Whether two results are the same to the last bit."""
    assert one.sources.colnames == other.sources.colnames
    for name in one.sources.colnames:
        a, b = (u.Quantity(table[name]).value for table in (one.sources, other.sources))
        assert_array_equal(a, b, err_msg=name)
    return True


class TestWhiteNoise:
    def test_completeness_is_a_gaussian(self, found):
        expected = norm.cdf(LEVELS - 3.0)
        low, high = binom_conf_interval(
            found.n_recovered, found.n_injected, confidence_level=0.998
        )
        assert np.all((low <= expected) & (expected <= high)), found.completeness

    def test_flux_of_half(self, found, noise_field):
        # 3 sigma; the curve has a slope of 0.4 there, a share an error of 0.07.
        assert found.flux_at(0.5) / noise_field.sigma == pytest.approx(3.0, abs=0.35)
        assert found.flux_at(0.5) < found.flux_at(0.8) < found.flux_at(0.9)

    def test_errors_are_those_of_the_filter(self, found, noise_field):
        assert 1 < noise_field.sigma / noise_field.optimum < 1.25
        faint = LEVELS < 5
        ratio = u.Quantity(found.true_err).value[faint] / noise_field.sigma
        # The error of a width from quartiles is 1.17 / sqrt(n).
        assert np.all(np.abs(ratio - 1) < 3.5 * 1.17 / np.sqrt(N_PER_FLUX))
        assert np.mean(ratio) == pytest.approx(1.0, abs=0.15)
        claimed = u.Quantity(found.claimed_err).value[faint] / noise_field.sigma
        assert_allclose(claimed, 1.0, atol=0.15)

    def test_errors_are_true(self, found):
        assert np.all(np.abs(found.pull - 1) < 3.5 * 1.17 / np.sqrt(N_PER_FLUX))
        assert np.mean(found.pull) == pytest.approx(1.0, abs=0.15)

    def test_there_is_no_bias(self, found):
        assert np.all(np.abs(found.bias) < 3.5 * found.bias_err)
        assert abs(found.bias[-1]) < 0.06

    def test_limits_cover_the_truth(self, found):
        """Of those that are not detected, at most 0.3 percent are brighter."""
        limit = np.asarray(found.sources['flux_upper_limit'])
        faint = np.isfinite(limit)
        assert np.count_nonzero(faint) > 100
        assert_array_equal(faint, found.sources['detection_snr'] < 3)
        exceeded = np.count_nonzero(
            np.asarray(found.sources['flux_true'])[faint] > limit[faint]
        )
        assert exceeded <= 4

    def test_sources_keep_their_distance(self, found, noise_field):
        table = found.sources
        for number in np.unique(table['round']):
            x, y = (
                np.asarray(table[n][table['round'] == number])
                for n in ('x_true', 'y_true')
            )
            distance = np.hypot(*(one - one[:, None] for one in (x, y)))
            np.fill_diagonal(distance, np.inf)
            assert distance.min() >= 36.0 / 1.6
            real = np.hypot(x - noise_field.xy[:, :1], y - noise_field.xy[:, 1:])
            # The smallest holes of the setup have 5 pixels, each.
            assert real.min() > 10


@pytest.fixture(scope='module')
def serial(measure):
    return measure(n_per_round=3)


class TestReproduced:
    def test_by_the_seed(self, measure, serial):
        assert same(serial, measure(n_per_round=3))
        other = measure(n_per_round=3, seed=6)
        assert not np.any(np.isin(serial.sources['x_true'], other.sources['x_true']))

    def test_the_number_of_rounds(self, measure, serial):
        assert set(serial.sources['round']) == {0, 1, 2}
        assert set(measure().sources['round']) == {0}

    def test_by_threads(self, measure, serial):
        with ThreadPoolExecutor(2) as executor:
            found = measure(n_per_round=3, executor=executor)
        assert same(found, serial)

    def test_what_an_executor_gets_can_be_sent(self, measure, serial):
        """As to other processes, and by a client that scatters data, like dask's."""

        class Client:
            def __init__(self):
                self.scattered = 0

            def scatter(self, data):
                self.scattered += 1
                return pickle.dumps(data)

            def submit(self, function, scene, one):
                function, one = pickle.loads(pickle.dumps((function, one)))
                result = pickle.dumps(function(pickle.loads(scene), one))
                return SimpleNamespace(result=lambda: pickle.loads(result))

        client = Client()
        assert same(measure(n_per_round=3, executor=client), serial)
        assert client.scattered == 1

    def test_what_is_left_is_cancelled_after_an_error(self, measure):
        cancelled = []

        class Failing:
            def submit(self, function, scene, one):
                def fail():
                    raise RuntimeError('a worker died')

                return SimpleNamespace(
                    result=fail, cancel=lambda: cancelled.append(one.number)
                )

        with pytest.raises(RuntimeError, match='a worker died'):
            measure(n_per_round=3, executor=Failing())
        assert cancelled == [0, 1, 2]

    def test_progress_bar_has_a_name(self, measure, capsys):
        measure(progress_bar=True)
        assert 'completeness: 100%' in capsys.readouterr().err


class TestInput:
    def test_the_map_and_the_remover_are_left_alone(
        self, noise_field, psf_remover, measure
    ):
        before = noise_field.data.copy()
        measure()
        assert_array_equal(noise_field.data, before)
        assert psf_remover.results is None

    def test_units(self, noise_field, measure):
        plain = measure()
        ccd = CCDData(noise_field.data * 1e3, unit='mJy/pix')
        fluxes = noise_field.sigma * np.array([2.0, 5.0])
        with_unit = measure(data=ccd, fluxes=fluxes * 1e3 * u.mJy)
        assert with_unit.flux.unit == u.Jy
        assert_allclose(with_unit.flux.value, plain.flux)
        assert_allclose(
            with_unit.sources['flux'].value, plain.sources['flux'], rtol=1e-6
        )

    def test_fluxes_by_default(self, measure, noise_field):
        found = measure(fluxes=None, n_per_flux=1)
        assert len(found.flux) == 8
        assert_allclose(found.flux[[0, -1]] / noise_field.sigma, [1, 30], rtol=0.2)

    def test_no_real_source(self, measure):
        found = measure(sources=np.empty((0, 2)))
        assert found.n_injected.tolist() == [4, 4]

    def test_given_places(self, measure):
        places = np.array([[40.0, 150.0], [220.0, 150.0], [100.0, 120.0]])
        found = measure(places=places, n_per_flux=None)
        for flux in found.flux:
            chosen = found.sources[found.sources['flux_true'] == flux]
            assert sorted(chosen['x_true']) == [40, 100, 220]
        assert found.n_injected.tolist() == [3, 3]
        # A place is taken once a round.
        assert set(found.sources['round']) == {0, 1}

    def test_missing_pixels_are_avoided(self, noise_field, measure):
        data = noise_field.data.copy()
        data[:, :100] = np.nan
        found = measure(data=data, sources=noise_field.xy[1:], clearance=8.0)
        assert found.sources['x_true'].min() > 99.5 + 4

    def test_positions_may_be_off(self, measure):
        exact = measure()
        assert_array_equal(exact.sources['position_offset'], 0 * u.arcsec)
        off = measure(position_error=4.0)
        assert_array_equal(off.sources['x_true'], exact.sources['x_true'])
        assert 1 < np.std(off.sources['x_center'] - off.sources['x_true']) < 5
        bright = {'fluxes': [1.0]}
        lost = measure(position_error=4.0, position_tolerance=1e-3, **bright)
        assert lost.n_recovered[0] == 0
        kept = measure(position_error=4.0, position_tolerance=60.0, **bright)
        assert kept.n_recovered[0] == 4

    def test_another_psf_is_biased(self, noise_field, measure):
        """Narrower sources have other fluxes; wider ones are found to be resolved."""
        bright = {'fluxes': [20.0]}
        assert abs(measure(**bright).bias[0]) < 0.002
        red = measure(psf='scanmap/red', **bright)
        assert abs(red.bias[0]) < 0.1
        blue = measure(psf='scanmap/blue', **bright)
        assert abs(blue.bias[0]) > 0.02

    def test_holes_of_real_sources_are_told(self, noise_field, measure):
        places = noise_field.xy + 2.5
        with pytest.warns(AstropyUserWarning, match='holes of real ones'):
            measure(places=places, n_per_flux=None)

    def test_inpainting(self, noise_field, measure, remover):
        """Without a PSF, the setup's is injected and apertures are measured."""
        found = measure(remover=remover, fluxes=[1.0], n_per_round=2)
        assert isinstance(found, Completeness)
        assert abs(found.bias[0]) < 0.1
        assert found.meta['method'] == 'inpaint'

    @pytest.mark.parametrize('scale', [1.2, 2.0])
    def test_other_pixels_than_the_native_ones(self, measure, scale, make_scene):
        scene = make_scene(
            [70.3], [55.1], [1.0], sky=0.0, noise=1e-4, pixel_scale=scale
        )
        ccd = CCDData(scene.data, unit='Jy/pix', wcs=scene.wcs)
        found = measure(data=ccd, sources=[[70.3, 55.1]], fluxes=[1.0], separation=20.0)
        assert abs(found.bias[0]) < 0.02


class TestRefused:
    @pytest.mark.parametrize(
        ('options', 'error', 'words'),
        [
            ({'remover': 'pacs'}, TypeError, 'must be a NeuralSourceRemover'),
            ({'executor': 3}, TypeError, 'must have a method submit'),
            ({'fluxes': []}, ValueError, 'fluxes must be one or more positive'),
            ({'fluxes': [1.0, -1.0]}, ValueError, 'positive, finite, different'),
            ({'fluxes': [1.0, 1.0]}, ValueError, 'different numbers'),
            ({'fluxes': 'bright'}, TypeError, 'positive numbers or a Quantity'),
            ({'fluxes': [1.0] * u.Jy}, ValueError, 'for a map without unit'),
            ({'n_per_flux': 0}, ValueError, 'n_per_flux must be a positive'),
            ({'n_per_round': 1.5}, ValueError, 'n_per_round must be a positive'),
            ({'threshold': -1.0}, ValueError, 'threshold must be'),
            ({'position_tolerance': 0.0}, ValueError, 'position_tolerance must be'),
            ({'separation': 3 * u.Jy}, ValueError, 'unit convertible to arcsec'),
            ({'seed': 'a'}, TypeError, 'seed'),
            ({'progress_bar': 'no'}, TypeError, 'progress_bar'),
            ({'clearance': 500.0}, ValueError, 'has no room for injected'),
            ({'places': [[5.0, 900.0]]}, ValueError, '1 are not on it'),
            ({'places': np.empty((0, 2))}, ValueError, 'one or more positions'),
        ],
    )
    def test_arguments(self, measure, options, error, words):
        with pytest.raises(error, match=words):
            measure(**options)

    def test_fluxes_of_another_kind(self, measure, noise_field):
        with pytest.raises(ValueError, match='fluxes must be in Jy'):
            measure(data=noise_field.data * u.Jy / u.pix, fluxes=[1.0] * u.m)

    def test_places_on_missing_pixels(self, measure, noise_field):
        data = noise_field.data.copy()
        data[100:120, 100:120] = np.nan
        with pytest.raises(ValueError, match='1 of 2 places lie on missing'):
            measure(data=data, places=[[110.0, 110.0], [30.0, 30.0]])

    def test_a_flat_map_tells_no_fluxes(self, measure, noise_field):
        data = np.zeros_like(noise_field.data)
        with pytest.raises(ValueError, match='give fluxes'):
            measure(data=data, sources=np.empty((0, 2)), fluxes=None)


def test_real_sources_keep_their_sizes(noise_field, measure, monkeypatch):
    """Every round measures them as the catalogue has them."""
    seen = []

    def run(settings, map_input, source_input):
        seen.append(source_input)
        return run_removal(settings, map_input, source_input)

    monkeypatch.setattr(rounds_module, 'run_removal', run)
    size = 15.0
    sources = Table({'x': noise_field.xy[:, 0], 'y': noise_field.xy[:, 1]})
    sources['fwhm_arcsec'] = size
    measure(sources=sources, n_per_flux=2)
    n = len(sources)
    for one in seen:
        np.testing.assert_allclose(one.sizes.major[:n], size, rtol=1e-6)
        assert len(one.sizes) > n
        assert np.isnan(one.sizes.major[n:]).all()
