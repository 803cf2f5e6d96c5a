# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what all fillers have in common, and of each of them."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.holes import Holes
from photutils_pconv.inpainting.native_grid import inpaint_grid
from photutils_pconv.inpainting.reconstruction import Reconstruction
from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.resampled import resample_psf
from photutils_pconv.psf_photometry.fitting import FitSettings
from photutils_pconv.removal.filling import Filled, PSFFluxes
from photutils_pconv.removal.inpaint_filler import InpaintFiller
from photutils_pconv.removal.psf_filler import PSFFiller

METHODS = {
    'inpaint': {},
    'inpaint with a PSF': {'psf': 'setup'},
    'psf': {'method': 'psf'},
}
X, Y = np.array([70.3, 50.8, 90.6]), np.array([55.1, 90.7, 88.2])
FLUX = np.array([5.0, 0.3, 0.04])


@pytest.fixture(scope='module', params=METHODS.values(), ids=METHODS.keys())
def stage(request, make_stage):
    return make_stage(X, Y, FLUX, settings=request.param)


@pytest.fixture(scope='module')
def filled(stage):
    return stage.filler.fill(stage.grid, stage.holes)


class TestProtocol:
    """What the stages after the filling rely on."""

    def test_kind(self, stage):
        two = stage.settings.method == 'psf'
        assert isinstance(stage.filler, PSFFiller if two else InpaintFiller)
        assert stage.filler.depends_on_flux is two

    def test_reconstruction(self, stage, filled):
        reconstruction = filled.reconstruction
        assert isinstance(reconstruction, Reconstruction)
        assert_array_equal(reconstruction.filled, True)
        shape = stage.grid.data.shape
        assert reconstruction.emission.shape == reconstruction.weight.shape == shape
        assert np.all(reconstruction.weight[stage.holes.mask] == 1)
        cleaned = reconstruction.clean(stage.grid.data)
        outside = ~reconstruction.holes
        assert_array_equal(cleaned[outside], stage.grid.data[outside])
        # The network predicts the median around.
        assert_allclose(cleaned[stage.holes.mask], 2e-3, atol=1e-3)

    def test_psf_fluxes(self, stage, filled):
        two = stage.settings.method == 'psf'
        if stage.settings.psf is None:
            assert filled.psf_fluxes is None
            assert filled.pixel_psf is None
            return
        fluxes = filled.psf_fluxes
        # The median around holds some of the bright source's wings.
        assert_allclose(fluxes.flux, FLUX, rtol=0.01, atol=2e-3 if two else 5e-3)
        assert_allclose(fluxes.x, X, atol=0.05)
        assert_allclose(fluxes.y, Y, atol=0.05)
        for name in ('flux_err', 'qfit', 'cfit'):
            value = getattr(fluxes, name)
            assert value.shape == (3,)
            assert np.all(np.isfinite(value))
        assert np.all(fluxes.flux_err > 0)
        assert (fluxes.inner_radius is not None) is two
        assert filled.errors_in_rms is not two
        assert filled.wings_are_sources is two

    def test_shape_of_the_psf_is_found(self, stage, filled):
        if filled.pixel_psf is not None:
            assert_allclose(filled.pixel_psf.angle % np.pi, 0.4, atol=0.1)

    def test_no_holes(self, stage):
        nothing = stage.holes.select(np.zeros(3, dtype=bool))
        filled = stage.filler.fill(stage.grid, nothing)
        assert filled.reconstruction.filled.shape == (0,)
        cleaned = filled.reconstruction.clean(stage.grid.data)
        assert_array_equal(cleaned, stage.grid.data)

    def test_input_is_left_alone(self, stage, filled):
        before = stage.grid.data.copy()
        stage.filler.fill(stage.grid, stage.holes)
        assert_array_equal(stage.grid.data, before)
        assert stage.filler.fill_empty is not None

    def test_empty_holes(self, stage, filled):
        """Positions and PSF are taken as given there."""
        holes = Holes([30.3, 120.8], [30.6, 30.2], [6.0, 9.0], stage.grid.data.shape)
        cleaned = filled.reconstruction.clean(stage.grid.data)
        grid = stage.grid.with_holes_missing(stage.holes, cleaned)
        empty = stage.filler.fill_empty(grid, holes, filled.pixel_psf)
        assert_array_equal(empty.reconstruction.filled, True)
        assert_allclose(empty.reconstruction.emission[holes.mask], 2e-3, atol=1e-4)
        if filled.pixel_psf is None:
            assert empty.psf_fluxes is None
            return
        assert empty.pixel_psf is filled.pixel_psf
        assert_array_equal(empty.psf_fluxes.x, holes.x)
        assert_array_equal(empty.psf_fluxes.y, holes.y)
        assert_allclose(empty.psf_fluxes.flux, 0.0, atol=5e-3)


class TestInpaint:
    def test_reconstruction_is_inpainting(self, make_stage):
        stage = make_stage(X, Y, FLUX)
        filled = stage.filler.fill(stage.grid, stage.holes)
        expected = inpaint_grid(stage.grid, stage.holes, stage.filler.settings)
        assert_array_equal(filled.reconstruction.emission, expected.emission)
        assert_array_equal(filled.reconstruction.weight, expected.weight)

    def test_psf_does_not_change_the_map(self, make_stage):
        plain = make_stage(X, Y, FLUX)
        with_psf = make_stage(X, Y, FLUX, settings={'psf': 'setup'})
        one, other = (
            stage.filler.fill(stage.grid, stage.holes).reconstruction.emission
            for stage in (plain, with_psf)
        )
        assert_array_equal(one, other)

    def test_what_is_fitted(self, make_stage):
        options = {'psf': 'setup', 'fit_positions': False, 'fit_psf_shape': False}
        stage = make_stage(X, Y, FLUX, settings=options)
        assert isinstance(stage.filler.pixel_psf, PixelPSF)
        holes = replace(stage.holes, x=X + 0.2)
        filled = stage.filler.fill(stage.grid, holes)
        assert filled.pixel_psf is stage.filler.pixel_psf
        assert_array_equal(filled.psf_fluxes.x, X + 0.2)
        fitting = replace(stage.filler, fits=FitSettings.for_method('inpaint'))
        fitted = fitting.fill(stage.grid, holes).psf_fluxes.x
        assert_allclose(fitted[0], X[0], atol=0.05)
        # The faint one stays where the catalogue has it.
        assert fitted[2] == X[2] + 0.2

    def test_wings_are_no_emission(self, make_stage):
        """They come off around sources, and stay around empty holes."""
        stage = make_stage(X, Y, FLUX, settings={'subtract_wings': True})
        assert stage.filler.settings.subtract_wings
        filled = stage.filler.fill(stage.grid, stage.holes)
        assert filled.reconstruction.wings is not None
        assert filled.reconstruction.holes.sum() > 2 * stage.holes.mask.sum()
        empty = stage.filler.fill_empty(stage.grid, stage.holes, None)
        assert empty.reconstruction.wings is None


class TestPSF:
    @pytest.mark.parametrize('pixel_scale', [1.2, 3.0])
    def test_off_the_native_scale(self, make_stage, pixel_scale):
        stage = make_stage(X, Y, FLUX, settings=METHODS['psf'], pixel_scale=pixel_scale)
        filled = stage.filler.fill(stage.grid, stage.holes)
        fluxes = filled.psf_fluxes
        assert_allclose(fluxes.flux, FLUX, rtol=0.02, atol=5e-3)
        assert_allclose([fluxes.x, fluxes.y], [X, Y], atol=0.1)
        cleaned = filled.reconstruction.clean(stage.grid.data)
        assert cleaned.shape == stage.grid.data.shape
        # The peak has 100 times as much.
        assert_allclose(cleaned[stage.holes.mask], 2e-3, atol=3e-3)


class TestErrors:
    flux_err = np.array([2.0, 3.0])

    def make(self, **options):
        one = np.ones(2)
        fluxes = PSFFluxes(one, self.flux_err, one, one, one, one)
        reconstruction = Reconstruction(np.zeros((3, 3)), np.zeros((3, 3)), one == 1)
        return Filled(reconstruction, fluxes, **options)

    def test_unit_comes_later(self):
        filled = self.make(errors_in_rms=True)
        final = filled.with_rms(np.array([0.5, 0.1]))
        assert_allclose(final.psf_fluxes.flux_err, [1.0, 0.3])
        assert not final.errors_in_rms
        assert final.with_rms(np.array([9.0, 9.0])) is final
        # The first is left as it was.
        assert_array_equal(filled.psf_fluxes.flux_err, self.flux_err)

    def test_final_errors_are_kept(self):
        filled = self.make()
        assert filled.with_rms(None) is filled


def test_two_passes_need_the_psf_on_native_pixels(make_stage):
    stage = make_stage(X, Y, FLUX, settings=METHODS['psf'], pixel_scale=3.0)
    # As it is seen there through the pixels of the map.
    native = PixelPSF(resample_psf(get_psf('scanmap/green'), 3.0, 1.6), 1.6)
    assert_allclose(stage.filler.pixel_psf.fwhm, native.fwhm)
    assert native.fwhm > 1.04 * PixelPSF(get_psf('scanmap/green'), 1.6).fwhm
    one = make_stage(X, Y, FLUX, settings={'psf': 'setup'}, pixel_scale=3.0)
    on_map = PixelPSF(get_psf('scanmap/green'), 3.0)
    assert_allclose(one.filler.pixel_psf.fwhm, on_map.fwhm)
