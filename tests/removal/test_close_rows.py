# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Rows that repeat a source or lie close to one, flat maps, and odd PSFs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv._psf_models.sampled import SampledPSF
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.sources import parse_sources
from photutils_pconv.photometry.flags import decode_flags
from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.source_images import model_image
from photutils_pconv.psf_photometry.fitting import fit_psf
from photutils_pconv.removal.pipeline import run_removal

FWHM = 6.789 / 1.6
X, Y = np.array([35.3, 85.1, 60.0]), np.array([36.6, 45.2, 85.4])
FLUX = np.array([2.0, 0.5, 0.2])
pytestmark = pytest.mark.filterwarnings('ignore:.*repeat an earlier one')


@pytest.fixture(scope='module')
def scene(make_scene):
    psf = get_psf('scanmap/green')
    return make_scene(X, Y, FLUX, psf=psf, noise=1e-4, sky=2e-3, shape=(120, 120))


@pytest.fixture(scope='module')
def psf():
    return PixelPSF(get_psf('scanmap/green'), 1.6)


def remove(make_settings, data, xy, *, two_passes=False, **options):
    options = {'psf': 'setup', 'error_method': 'local'} | options
    settings = make_settings(method='psf' if two_passes else 'inpaint', **options)
    return run_removal(settings, parse_map(data), parse_sources(xy))


COPIES = [(0.0, 1), (0.0, 2), (0.2, 1), (0.4, 1), (0.6, 1), (1.5, 1), (0.0, 100)]


@pytest.mark.parametrize('two_passes', [False, True])
@pytest.mark.parametrize(('shift', 'n_more'), COPIES)
def test_rows_of_one_source(scene, make_settings, two_passes, shift, n_more):
    more = np.repeat(scene.xy[:1] + np.array([[shift, 0.0]]), n_more, axis=0)
    result = remove(
        make_settings, scene.data, np.vstack([scene.xy, more]), two_passes=two_passes
    )
    table = result.photometry
    assert_allclose(table['flux'][:3], FLUX, rtol=0.03 if shift > 1 else 0.015)
    for name in ('flux_aperture', 'flux', 'flux_err'):
        assert_array_equal(table[name][3:], table[name][0])
    assert all('duplicate' in names for names in decode_flags(table['flags'][3:]))
    unresolved = 'unresolved' in decode_flags(table['flags'][0])
    assert unresolved == (shift > 0.42)


def test_copies_change_nothing_else(scene, make_settings):
    once = remove(make_settings, scene.data, scene.xy)
    xy = np.vstack([scene.xy[[2, 0, 1, 1]], scene.xy[:1]])
    twice = remove(make_settings, scene.data, xy)
    assert_array_equal(once.cleaned, twice.cleaned)
    assert_array_equal(once.holes, twice.holes)


@pytest.mark.parametrize('n_copies', [1, 100])
def test_wings_are_subtracted_once(scene, make_settings, n_copies):
    options = {'psf': None, 'subtract_wings': True}
    once = remove(make_settings, scene.data, scene.xy, **options)
    xy = np.vstack([scene.xy, np.repeat(scene.xy[:1], n_copies, axis=0)])
    again = remove(make_settings, scene.data, xy, **options)
    assert_array_equal(again.cleaned, once.cleaned)


@pytest.mark.parametrize('two_passes', [False, True])
@pytest.mark.parametrize('separation', [0.55, 0.7, 1.0])
def test_pairs_are_told_apart(make_scene, make_settings, two_passes, separation):
    x, y = np.array([60.2, 60.2 + separation * FWHM]), np.array([60.7, 60.7])
    pair = make_scene(
        x, y, [1.0, 0.5], psf=get_psf('scanmap/green'), noise=1e-4, shape=(120, 120)
    )
    table = remove(make_settings, pair.data, pair.xy, two_passes=two_passes).photometry
    assert_allclose(table['flux'], [1.0, 0.5], atol=0.12)
    assert_allclose(np.sum(table['flux']), 1.5, rtol=0.02)


class TestFit:
    @pytest.mark.parametrize('n_rows', [2, 3, 20])
    def test_copies(self, psf, n_rows):
        data = model_image((80, 80), [40.2], [40.0], [4.0], psf)
        x = np.full(n_rows, 40.2)
        fit = fit_psf(data, x, np.full(n_rows, 40.0), psf, fit_position=x > 0)
        assert_allclose(fit.flux, 4.0, rtol=1e-3)
        assert not fit.unstable.any()

    @pytest.mark.parametrize('spacing', [0.6, 1.0, 1.5])
    def test_crowds_never_run_away(self, psf, spacing):
        """So many rows that no fit can tell their fluxes."""
        rng = np.random.default_rng(2)
        data = model_image((60, 60), [30.2], [30.0], [4.0], psf)
        data += rng.normal(0, 1e-3, data.shape)
        x, y = (30 + spacing * v.ravel() for v in np.mgrid[-2:3, -2:3])
        fit = fit_psf(data, x, y, psf, fit_position=x > 0)
        assert np.all(np.abs(fit.flux) <= 2.1 * np.ptp(data) / psf.peak)
        assert np.all(fit.flux[fit.unstable] >= -1e-12)
        assert fit.unstable.any() or spacing > 0.6


@pytest.mark.parametrize('level', [0.0, 1.0])
@pytest.mark.parametrize('error_method', ['local', 'card', 'empty_apertures'])
@pytest.mark.parametrize('two_passes', [False, True])
def test_flat_maps_are_flagged(make_settings, level, error_method, two_passes):
    table = remove(
        make_settings,
        np.full((110, 110), level),
        [[55.0, 55.2]],
        two_passes=two_passes,
        error_method=error_method,
    ).photometry
    assert 'no_scatter' in decode_flags(table['flags'][0])
    assert abs(table['flux'][0]) < 1e-3


@pytest.mark.parametrize('level', [1e-160, 1e-120, 1e120, 1e220])
def test_levels_beyond_squares_are_refused(scene, make_settings, level):
    with pytest.raises(ValueError, match='the largest value of the map'):
        remove(make_settings, level * scene.data, scene.xy)


@pytest.mark.parametrize('level', [1e-90, 1e-20, 1e20, 1e90])
def test_other_levels_do_not_matter(scene, make_settings, level):
    expected = remove(make_settings, scene.data, scene.xy).photometry
    found = remove(make_settings, level * scene.data, scene.xy).photometry
    for name in ('flux_aperture', 'flux', 'flux_err'):
        assert_allclose(found[name] / level, expected[name], rtol=1e-4)


def test_psf_with_a_hole_is_refused(make_settings):
    y, x = np.indices((61, 61)) - 30.0
    image = np.exp(-0.5 * (x**2 + y**2) / 36.0)
    image -= 2.0 * image.sum() / 100.0 * np.exp(-0.5 * (x**2 + y**2) / 4.0)
    with pytest.raises(ValueError, match='must have one peak'):
        SampledPSF.from_array(image / image.sum(), pixel_scale=1.6)


@pytest.mark.parametrize('kind', ['complex64', 'complex128'])
def test_complex_psfs_are_refused(kind):
    with pytest.raises(TypeError, match='real numbers'):
        SampledPSF.from_array(np.ones((9, 9), dtype=kind), pixel_scale=1.6)


@pytest.mark.parametrize('error_method', ['local', 'card', 'empty_apertures'])
@pytest.mark.parametrize('distance', [-0.5, 0.0, 3.0, 9.0])
@pytest.mark.parametrize('where', ['edge', 'corner', 'missing'])
def test_no_warning_near_edges(scene, make_settings, error_method, distance, where):
    data, xy = scene.data.copy(), [[distance, 50.0]]
    if where == 'corner':
        xy = [[distance, distance]]
    if where == 'missing':
        rows, columns = np.indices(data.shape)
        data[np.hypot(columns - X[0], rows - Y[0]) <= distance] = np.nan
        xy = scene.xy[:1]
    table = remove(make_settings, data, xy, error_method=error_method).photometry
    assert table['flags'][0] > 0 or where != 'corner'
