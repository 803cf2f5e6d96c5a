# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of finding sources, against what was injected."""

import re
from functools import partial

import numpy as np
import pytest
from astropy.nddata import CCDData
from astropy.stats import gaussian_fwhm_to_sigma
from astropy.table import QTable
from astropy.utils.exceptions import AstropyUserWarning
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import gaussian_filter

from photutils_pconv.datasets import load_demo
from photutils_pconv.finding import FindSettings, find_sources
from photutils_pconv.inputs import parse_sources
from photutils_pconv.psf import PixelPSF, get_psf
from photutils_pconv.psf.source_images import model_image
from photutils_pconv.simulation import emission_field
from tests.conftest import make_wcs

GREEN = {'mode': 'scanmap', 'band': 'green'}
SHAPE = (120, 130)
NOISE = 1e-3


@pytest.fixture(scope='module')
def psf():
    return PixelPSF(get_psf('scanmap/green'), 1.6)


@pytest.fixture(scope='module')
def noise():
    return np.random.default_rng(5).normal(0, NOISE, SHAPE)


@pytest.fixture(scope='module')
def make_map(noise, psf):
    """Return a function that puts sources on noise."""

    def make(x, y, flux):
        return noise + model_image(SHAPE, *map(np.array, (x, y, flux)), psf)

    return make


X, Y, FLUX = [30.2, 80.7, 100.4, 50.0], [40.6, 30.3, 90.1, 95.5], [1.0, 0.3, 0.1, 0.06]


@pytest.fixture(scope='module')
def table(make_map):
    ccd = CCDData(make_map(X, Y, FLUX), unit='Jy/pix', wcs=make_wcs(shape=SHAPE))
    return find_sources(ccd, **GREEN)


def test_what_was_injected(table, psf):
    """Positions, fluxes and shapes within their errors; nothing else."""
    assert len(table) == 4
    assert_array_equal(table['id'], [1, 2, 3, 4])
    # The error of a centroid on white noise is at least sigma of the PSF over the SNR.
    error = psf.fwhm * gaussian_fwhm_to_sigma / table['snr']
    assert np.all(np.abs(table['x_centroid'] - X) < 4 * error)
    assert np.all(np.abs(table['y_centroid'] - Y) < 4 * error)
    flux, error = (table[name].to_value('Jy') for name in ('flux', 'flux_err'))
    assert np.all(np.abs(flux - FLUX) < 4 * error)
    assert_allclose(table['snr'], flux / error, rtol=1e-12)
    assert np.all(np.abs(table['width_excess']) < 4 * table['width_excess_err'])
    assert np.all(table['ellipticity'] < 4 * table['ellipticity_err'])


def test_progress_bar(make_map, capsys):
    """Filters and fits are counted, round by round, if asked for."""
    data = make_map(X[:2], Y[:2], FLUX[:2])
    tables = []
    for show in (False, True):
        tables.append(find_sources(data, **GREEN, n_rounds=2, progress_bar=show))
        err = capsys.readouterr().err
        stages = list(dict.fromkeys(re.findall(r'([\w ]+): +\d+%', err)))
        expected = ['filtering', 'fitting', 'filtering 2', 'fitting 2', 'fitting 3']
        assert stages == (expected if show else [])
    assert_array_equal(tables[0]['flux'], tables[1]['flux'])
    # Each comes to its end; two sources have three rounds of fits, and one of shapes.
    assert re.search(r'fitting: 100%.* 8/8 .*fit/s', err)
    assert re.search(r'filtering: 100%.* (\d+)/\1 .*filter/s', err)
    with pytest.raises(TypeError, match='progress_bar must be'):
        find_sources(data, **GREEN, progress_bar='no')


def test_errors_are_those_of_white_noise(table, psf):
    """No unbiased estimate is better than the noise over the PSF's norm."""
    y, x = np.indices((81, 81)) - 40.0
    best = NOISE / np.sqrt(np.sum(psf.evaluate(x, y) ** 2))
    # A filter that knows neither level nor slope is worse.
    assert np.all(table['flux_err'].to_value('Jy') > 0.9 * best)
    assert np.all(table['flux_err'].to_value('Jy') < 2.0 * best)


def test_is_a_source_list(table, tmp_path):
    """As it is, and from a file."""
    wcs = make_wcs(shape=SHAPE)
    table.write(tmp_path / 'found.ecsv')
    for given in (table, tmp_path / 'found.ecsv'):
        sources = parse_sources(given, wcs=wcs)
        assert_allclose(sources.x, table['x_centroid'], atol=1e-6)
        assert sources.sizes is None
    assert QTable.read(tmp_path / 'found.ecsv').meta['threshold'] == 5.0


def test_remover_takes_it(make_map, flat_psf_model):
    from photutils_pconv import NeuralSourceRemover

    data = make_map(X, Y, FLUX)
    table = find_sources(data, **GREEN)
    remover = NeuralSourceRemover(**GREEN, model=flat_psf_model, error_method='card')
    _, photometry = remover(data, table)
    assert_allclose(photometry['flux'], table['flux'], rtol=0.1)


def test_is_a_finder(make_map, flat_model):
    """Where a finder of photutils would be."""
    from photutils_pconv import PConvBackground

    finder = partial(find_sources, **GREEN)
    background = PConvBackground(
        make_map(X, Y, FLUX), finder=finder, **GREEN, model=flat_model, method='inpaint'
    )
    assert np.abs(background.background).max() < 0.2 * FLUX[0] * 0.05


def test_setup_of_the_header(make_map):
    """As the remover does; a contradiction is told."""
    header = {'INSTRUME': 'PACS', 'OBS_MODE': 'Scan map', 'WAVELNTH': 100.0}
    data = make_map(X, Y, FLUX)
    ccd = CCDData(data, unit='Jy/pix', meta=header)
    found = find_sources(ccd)
    assert found.meta['setup'] == 'scanmap/green'
    assert_array_equal(found['flux'], find_sources(ccd, **GREEN)['flux'])
    with pytest.warns(AstropyUserWarning, match="give 'scanmap/green'"):
        find_sources(ccd, 'scanmap', 'blue')
    with pytest.raises(ValueError, match='header does not name the setup'):
        find_sources(data)


@pytest.mark.parametrize('distance', [0.9, 1.3])
def test_deblending(make_map, psf, distance):
    """Two sources of one flux; closer than a FWHM the filtered map has two peaks."""
    x = 60.0 + psf.fwhm * distance * np.array([-0.5, 0.5])
    found = find_sources(make_map(x, [60.3, 60.3], [0.5, 0.5]), **GREEN)
    assert len(found) == 2
    assert_allclose(np.sort(found['x_centroid']), x, atol=0.15)
    assert_allclose(found['flux'], 0.5, atol=0.05)


def test_faint_beside_bright(make_map, psf):
    """Found when the bright one is subtracted; no lobe of that is a source."""
    x = 60.0 + psf.fwhm * np.array([0.0, 3.0])
    found = find_sources(make_map(x, [60.3, 60.3], [2.0, 0.2]), **GREEN)
    assert_allclose(found['x_centroid'], x, atol=0.3)
    assert_allclose(found['flux'], [2.0, 0.2], rtol=0.15)


def test_knots_are_no_sources(make_map):
    """A Gaussian of 1.7 times the FWHM, without a change for what are sources."""
    data = make_map(X, Y, FLUX)
    knot = np.zeros(SHAPE)
    knot[60, 60] = 0.3
    data = data + gaussian_filter(knot, 3.0)
    plain = find_sources(data, **GREEN, shape_tolerance=np.inf)
    table = find_sources(data, **GREEN)

    def near(one, x, y):
        return np.hypot(one['x_centroid'] - x, one['y_centroid'] - y) < 4

    assert near(plain, 60, 60).any()
    assert plain['wide_gain'][near(plain, 60, 60)].max() > 0
    assert not near(table, 60, 60).any()
    # The faintest of them drowns in the scatter of the knot.
    for x, y in zip(X[:3], Y[:3], strict=True):
        assert near(table, x, y).any()


def test_noise_alone(noise):
    """No peak of noise is so high; the table is an empty list of sources."""
    table = find_sources(noise, **GREEN)
    assert len(table) == 0
    assert len(parse_sources(table)) == 0
    assert {'x_centroid', 'flux', 'snr'} <= set(table.colnames)


def test_a_constant_changes_nothing(make_map):
    data = make_map(X, Y, FLUX)
    plain, shifted = (find_sources(data + c, **GREEN) for c in (0.0, 3.0))
    for name in ('x_centroid', 'flux', 'snr', 'width_excess'):
        assert_allclose(shifted[name], plain[name], rtol=1e-5)


def test_missing_pixels(make_map):
    """Nothing is found in a gap or at its edge."""
    mask = np.zeros(SHAPE, dtype=bool)
    mask[20:60, 10:34] = True
    mask[:, 118:] = True
    table = find_sources(make_map(X, Y, FLUX), **GREEN, mask=mask)
    assert len(table) == 3
    column, row = (
        np.round(table[name]).astype(int) for name in ('x_centroid', 'y_centroid')
    )
    assert not mask[row, column].any()


def test_units_and_other_pixels(make_map):
    """On a map of half as large pixels the fluxes are the same."""
    fine = PixelPSF(get_psf('scanmap/green'), 0.8)
    x, y = 2 * np.array(X) + 0.5, 2 * np.array(Y) + 0.5
    shape = (2 * SHAPE[0], 2 * SHAPE[1])
    data = np.random.default_rng(8).normal(0, NOISE / 2, shape)
    data = 1e3 * (data + model_image(shape, x, y, np.array(FLUX), fine))
    wcs = make_wcs(scale=0.8, shape=shape)
    table = find_sources(CCDData(data, unit='mJy/pix', wcs=wcs), **GREEN)
    assert_allclose(table['x_centroid'], x, atol=0.6)
    assert_allclose(table['flux'].to_value('Jy'), FLUX, rtol=0.1)


def test_demo_map():
    """At least nine of ten sources of the demo map, and hardly anything else."""
    ccd, truth = load_demo()
    table = find_sources(ccd, **GREEN)
    distance = np.hypot(
        np.array(table['x_centroid'])[:, None] - np.array(truth['x']),
        np.array(table['y_centroid'])[:, None] - np.array(truth['y']),
    )
    assert np.mean(distance.min(axis=0) < 2) >= 0.9
    assert np.mean(distance.min(axis=1) < 2) >= 0.95


@pytest.mark.parametrize(
    ('options', 'error', 'words'),
    [
        ({'threshold': 0}, ValueError, 'threshold must be finite and positive'),
        ({'threshold': '5'}, TypeError, 'threshold must be a number'),
        ({'shape_tolerance': -1}, ValueError, 'shape_tolerance must be'),
        ({'n_rounds': 0}, ValueError, 'n_rounds must be a positive integer'),
        ({'resample': 'no'}, TypeError, 'resample must be True or False'),
        ({'band': 'pink'}, ValueError, "Unknown band 'pink'"),
        ({'setup': 'scanmap/red'}, ValueError, 'not both'),
        ({'psf': 3}, TypeError, 'psf must be a setup'),
        ({'mask': np.zeros((2, 2), bool)}, ValueError, 'mask'),
    ],
)
def test_refused(noise, options, error, words):
    with pytest.raises(error, match=words):
        find_sources(noise, **GREEN | options)


def test_settings():
    settings = FindSettings(threshold=4)
    assert (settings.threshold, settings.n_rounds) == (4, 3)
    assert FindSettings(shape_tolerance=np.inf).shape_tolerance == np.inf


def test_emission_alone(monkeypatch):
    """Bright knots are no sources: their surroundings are as rough as they are."""
    rng = np.random.default_rng(7)
    data = emission_field((200, 200), beam_fwhm=4.3, rng=rng).astype(float)
    data += 0.02 * data.std() * rng.standard_normal(data.shape)
    assert len(find_sources(data, **GREEN)) == 0
    monkeypatch.setattr(
        'photutils_pconv.finding.search.structure_map',
        lambda residual, missing, fwhm: np.ones(residual.shape),
    )
    assert len(find_sources(data, **GREEN)) > 5


def test_noise_has_no_structure(table):
    """The errors of sources on noise are nearly the scatter of their filters."""
    assert np.all((table['structure'] >= 1) & (table['structure'] < 1.6))
