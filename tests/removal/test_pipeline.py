# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the stages in their order: each does its work once."""

import sys
from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.geometry.holes import Holes, draw_holes
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.sources import parse_sources
from photutils_pconv.photometry.annulus import measure_annuli
from photutils_pconv.photometry.flags import flag_positions
from photutils_pconv.psf.library import get_psf
from photutils_pconv.removal import NeuralSourceRemover
from photutils_pconv.removal.assembly import assemble
from photutils_pconv.removal.flux_errors import FluxErrors
from photutils_pconv.removal.pipeline import (
    find_psf,
    make_filler,
    remove_sources,
    run_removal,
)
from photutils_pconv.removal.psf_filler import PSFFiller
from photutils_pconv.removal.settings import RemovalSettings

METHODS = {
    'inpaint': {},
    'inpaint with a PSF': {'psf': 'setup'},
    'psf': {'method': 'psf'},
}
N_SOURCES = 40


@pytest.fixture(scope='module')
def many(make_scene):
    """Forty sources of three brightnesses, on a map off the edges of which none is."""
    x, y = (v.ravel() for v in np.meshgrid(*[np.arange(40.0, 480.0, 60.0)] * 2))
    rng = np.random.default_rng(4)
    x, y = (v[:N_SOURCES] + rng.uniform(-0.4, 0.4, N_SOURCES) for v in (x, y))
    flux = np.resize([0.02, 0.2, 3.0], N_SOURCES)
    return make_scene(
        x, y, flux, shape=(360, 510), noise=1e-4, psf=get_psf('scanmap/green')
    )


@pytest.fixture
def record(monkeypatch):
    """Return a function that records the arguments of every call of another."""

    def wrap(function):
        calls = []

        def recorded(*args, **kwargs):
            calls.append(args)
            return function(*args, **kwargs)

        name = function.__name__
        modules = [
            module
            for key, module in list(sys.modules.items())
            if key.startswith('photutils_pconv')
        ]
        for module in modules:
            if vars(module).get(name) is function:
                monkeypatch.setattr(module, name, recorded)
        return calls

    return wrap


def same_places(x, y, scene):
    """Whether positions are those of all the sources."""
    return np.size(x) == N_SOURCES and np.allclose([x, y], [scene.x, scene.y])


@pytest.mark.parametrize('error_method', ['local', 'empty_apertures'])
@pytest.mark.parametrize('options', METHODS.values(), ids=METHODS.keys())
class TestCounts:
    """What is costly with many sources is done once."""

    @pytest.fixture
    def remover(self, options, error_method, flat_model, flat_psf_model):
        two = options.get('method') == 'psf'
        return NeuralSourceRemover(
            'scanmap',
            'green',
            model=flat_psf_model if two else flat_model,
            error_method=error_method,
            **options,
        )

    def test_once(self, remover, many, record, error_method):
        positions, drawn, annuli = (
            record(one) for one in (flag_positions, draw_holes, measure_annuli)
        )
        table = remover(many.data, many.xy).photometry
        assert np.all(np.isfinite(table['flux']))
        # Positions are checked once: those of empty holes are never.
        assert len(positions) == 1
        # The sources' holes are drawn once, and so is each round of empty ones.
        sources = [args for args in drawn if same_places(*args[1:3], many)]
        assert len(sources) == 1
        if error_method == 'local':
            assert len(drawn) == 1
            assert len(annuli) == 1
        else:
            places = [np.concatenate(args[1:3]).tobytes() for args in drawn]
            assert len(set(places)) == len(places)
        # The sources' annuli are gone through once, for all images together.
        assert sum(same_places(*args[1:3], many) for args in annuli) == 1

    def test_once_a_grid(self, remover, many, record, error_method):
        """A map that is resampled has its holes drawn on either grid at most."""
        drawn, annuli = (record(one) for one in (draw_holes, measure_annuli))
        wcs = many.wcs.deepcopy()
        wcs.wcs.cdelt = -2.0 / 3600, 2.0 / 3600
        remover(many.data, many.xy, wcs=wcs)
        native = MapGrid(many.data, many.data > np.inf, factor=2.0 / 1.6)
        there = native.to_native(many.x, many.y)
        on_map = [args for args in drawn if same_places(*args[1:3], many)]
        on_native = [
            args
            for args in drawn
            if np.size(args[1]) == N_SOURCES and np.allclose(args[1:3], there)
        ]
        assert len(on_map) <= 1
        assert len(on_native) == 1
        assert sum(same_places(*args[1:3], many) for args in annuli) == 1


class TestFindPSF:
    def test_given(self, make_stage):
        stage = make_stage([70.3], [55.1], [5.0], settings={'psf': 'setup'})
        psf = find_psf(stage.settings, stage.grid, stage.holes)
        assert psf is stage.settings.psf
        nothing = make_stage([70.3], [55.1], [5.0])
        assert find_psf(nothing.settings, nothing.grid, nothing.holes) is None

    def test_from_the_map(self, many, flat_model):
        settings = RemovalSettings.from_arguments(
            'scanmap', 'green', model=flat_model, psf='empirical'
        )
        grid = MapGrid(many.data, ~np.isfinite(many.data), pixel_scale=1.6)
        bright = many.flux == 3.0
        holes = Holes(
            many.x[bright],
            many.y[bright],
            np.full(bright.sum(), 12.0),
            many.data.shape,
            np.full(bright.sum(), 500.0),
        )
        psf = find_psf(settings, grid, holes)
        radii = [4.0, 8.0, 16.0]
        assert_allclose(
            psf.encircled_energy(radii), many.psf.encircled_energy(radii), atol=0.03
        )


class TestMakeFiller:
    def test_options_arrive(self, make_settings, scene):
        grid = MapGrid(scene.data, scene.data > np.inf, pixel_scale=1.6)
        options = {'fit_positions': False, 'fit_psf_shape': False}
        one = make_settings(psf='setup', subtract_wings=True, **options)
        filler = make_filler(one, grid, one.psf)
        assert filler.settings.model is one.model
        assert filler.settings.run is one.run
        assert filler.settings.subtract_wings
        assert not filler.fits.fit_positions
        assert not filler.fits.fit_psf_shape
        two = make_settings(method='psf', aperture_radii=8.0, **options)
        filler = make_filler(two, grid, two.psf)
        assert isinstance(filler, PSFFiller)
        assert filler.settings.model is two.model
        assert filler.settings.run is two.run
        assert filler.settings.aperture_radius == 5.0
        assert_allclose(filler.settings.beam_fwhm, two.setup.psf_fwhm.value / 1.6)
        assert not filler.settings.fits.fit_positions
        assert not filler.settings.fits.fit_psf_shape


@pytest.fixture(scope='module', params=METHODS.values(), ids=METHODS.keys())
def run(request, scene, make_settings):
    """Settings, map and sources, as `run_removal` takes them."""
    settings = make_settings(error_method='card', **request.param)
    error = np.full(scene.data.shape, 1e-4)
    ccd = CCDData(scene.data, unit='Jy/pix', wcs=scene.wcs)
    map_input = parse_map(ccd, error=error)
    return settings, map_input, parse_sources(scene.xy, wcs=map_input.wcs)


@pytest.fixture(scope='module')
def removal(run):
    return remove_sources(*run)


class TestAssemble:
    def test_stages_are_what_run_removal_does(self, run, removal):
        result = assemble(*run[:2], removal)
        expected = run_removal(*run)
        assert_array_equal(result.cleaned.data, expected.cleaned.data)
        for name in expected.photometry.colnames:
            if name != 'sky_center':
                one, other = result.photometry[name], expected.photometry[name]
                assert_array_equal(one, other, name)

    def test_map(self, run, removal, scene):
        result = assemble(*run[:2], removal)
        cleaned = removal.composition.cleaned
        assert_array_equal(result.cleaned.data, cleaned)
        reconstruction = removal.filled.reconstruction
        far = ~reconstruction.holes
        assert_array_equal(cleaned[far], scene.data[far])
        assert_array_equal(result.sources.data, scene.data - cleaned)
        assert_array_equal(result.holes, reconstruction.holes)
        assert result.drawn is None
        assert result.cleaned.unit == u.Jy / u.pix

    def test_error(self, run, removal):
        """That of the composition; far from all sources it is the map's."""
        error = assemble(*run[:2], removal).cleaned.uncertainty.array
        assert_array_equal(error, removal.composition.error)
        far = ~removal.holes.mask
        if removal.filled.wings_are_sources:
            assert removal.filled.reconstruction.holes[far].any()
            assert np.all(error >= 1e-4 * (1 - removal.composition.weight))
        else:
            far &= ~removal.filled.reconstruction.holes
            assert_array_equal(error[far], 1e-4)

    def test_table(self, run, removal):
        table = assemble(*run[:2], removal).photometry
        assert_array_equal(table['flux_aperture'].value, removal.fluxes.flux[:, 0])
        assert_array_equal(
            table['flux_aperture_err'].value, removal.errors.flux_err[:, 0]
        )
        assert_array_equal(table['hole_radius'], removal.holes.radius)
        assert table.meta['flux'] == ('psf' if run[0].psf else 'aperture')
        if removal.filled.psf_fluxes is not None:
            assert_array_equal(table['flux'].value, removal.filled.psf_fluxes.flux)
        assert table.meta['n_empty_apertures'] == 0
        assert table.meta['error_scale'] is None

    def test_flags_of_every_stage(self, run, removal):
        flags = np.array([0, 0, 1 << 20])
        changed = replace(
            removal,
            sources=replace(removal.sources, flags=np.array([1 << 21, 0, 0])),
            errors=replace(removal.errors, flags=flags),
            fluxes=replace(removal.fluxes, flags=np.array([0, 1 << 22, 0])),
        )
        table = assemble(*run[:2], changed).photometry
        assert_array_equal(table['flags'] >> 20, [2, 4, 1])

    def test_ratio_and_number(self, run, removal):
        errors = removal.errors
        changed = FluxErrors(
            errors.flux_err, errors.flux_psf_err, errors.flags, 48, np.array([0.8])
        )
        meta = assemble(*run[:2], replace(removal, errors=changed)).photometry.meta
        assert meta['n_empty_apertures'] == 48
        assert meta['error_scale'] == [0.8]

    def test_fixed_positions_are_not_shown(self, run, removal):
        settings = replace(run[0], fit_positions=False)
        names = assemble(settings, run[1], removal).photometry.colnames
        assert 'x_fit' not in names
        fitted = assemble(*run[:2], removal).photometry.colnames
        assert ('x_fit' in fitted) == (run[0].psf is not None)
