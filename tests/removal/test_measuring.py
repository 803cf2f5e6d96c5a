# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the plan of apertures, and of the fluxes in them."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.geometry.holes import Holes, draw_holes
from photutils_pconv.inpainting.reconstruction import Reconstruction
from photutils_pconv.photometry.annulus import local_background
from photutils_pconv.photometry.aperture_fluxes import source_photometry
from photutils_pconv.psf.library import get_psf
from photutils_pconv.removal.filling import Filled
from photutils_pconv.removal.measuring import make_eef, make_plan, measure
from photutils_pconv.setups.registry import get_setup

SHAPE = (110, 120)


@pytest.fixture
def case(make_settings):
    """Two sources on noise; the second's hole was not filled."""
    rng = np.random.default_rng(3)
    emission = rng.normal(1.0, 0.1, SHAPE)
    x, y, radius = np.array([40.2, 80.9]), np.array([50.3, 61.0]), np.array([7.0, 5.0])
    yy, xx = np.indices(SHAPE)
    sources = [
        np.exp(-0.5 * ((xx - a) ** 2 + (yy - b) ** 2) / 1.8**2)
        for a, b in zip(x, y, strict=True)
    ]
    data = emission + 30 * sources[0] + 5 * sources[1]
    missing = np.zeros(SHAPE, dtype=bool)
    missing[:, 110:] = True
    weight = draw_holes(SHAPE, x[:1], y[:1], radius[:1]).astype(float)
    reconstruction = Reconstruction(
        np.where(weight > 0, 1.0, 0.0), weight, np.array([True, False])
    )
    grid = MapGrid(data, missing, pixel_scale=1.6, error=np.full(SHAPE, 0.1))
    settings = make_settings(aperture_radii=[6.0, 12.0])
    return SimpleNamespace(
        grid=grid,
        holes=Holes(x, y, radius, SHAPE),
        reconstruction=reconstruction,
        settings=settings,
        plan=make_plan(settings, grid, None),
    )


class TestMeasure:
    def test_same_as_for_users(self, case):
        grid, holes = case.grid, case.holes
        fluxes = measure(grid, holes, Filled(case.reconstruction), case.plan)
        removed = grid.data - case.reconstruction.clean(grid.data)
        expected = source_photometry(
            grid.data,
            removed,
            holes.x,
            holes.y,
            [7.0, np.nan],
            case.plan,
            error=grid.error,
            missing=grid.missing,
        )
        for name in ('flux', 'flux_err', 'flux_annulus', 'local_bkg', 'excess'):
            assert_array_equal(getattr(fluxes, name), getattr(expected, name), name)
        assert_array_equal(fluxes.flags, expected.flags)
        assert_array_equal(np.isnan(fluxes.flux), [[False, False], [True, True]])
        assert np.all(np.isfinite(fluxes.flux_annulus))
        assert fluxes.wingless_std is None

    def test_known_flux(self, case):
        fluxes = measure(case.grid, case.holes, Filled(case.reconstruction), case.plan)
        total = 30 * 2 * np.pi * 1.8**2
        inside = 1 - np.exp(-0.5 * (case.plan.pixel_radii / 1.8) ** 2)
        bare = fluxes.flux[0] / fluxes.aperture_correction[0]
        # To the noise, 0.1 a pixel, and the pixels' size.
        assert_allclose(bare, total * inside, rtol=0.02)

    @pytest.mark.parametrize('given', [False, True])
    def test_rms_for_psf_fluxes(self, case, given):
        """It is that of the map without its sources, wings and all."""
        grid, holes = case.grid, case.holes
        unseen = grid.missing.copy()
        unseen[::3] = True
        options = {'unseen': unseen} if given else {}
        filled = Filled(case.reconstruction, errors_in_rms=True)
        fluxes = measure(grid, holes, filled, case.plan, **options)
        expected = local_background(
            case.reconstruction.clean(grid.data),
            holes.x,
            holes.y,
            annulus_radii=case.plan.pixel_annulus,
            missing=unseen if given else grid.missing,
        )
        assert_array_equal(fluxes.wingless_std, expected.local_bkg_std)

    def test_wings_of_others_are_no_flux(self, case):
        foreign = np.where(case.reconstruction.weight > 0, 0.2, 0.0)
        one = case.reconstruction
        with_foreign = Reconstruction(
            one.emission, one.weight, one.filled, foreign=foreign
        )
        plain, other = (
            measure(case.grid, case.holes, Filled(each), case.plan)
            for each in (one, with_foreign)
        )
        lost = (plain.flux - other.flux)[0] / plain.aperture_correction[0]
        area = np.pi * case.plan.pixel_radii**2 * plain.hole_fraction[0]
        assert_allclose(lost, 0.2 * area, rtol=1e-9)

    def test_no_holes(self, case):
        nothing = case.holes.select(np.zeros(2, dtype=bool))
        reconstruction = Reconstruction(
            np.zeros(SHAPE), np.zeros(SHAPE), np.zeros(0, dtype=bool)
        )
        fluxes = measure(case.grid, nothing, Filled(reconstruction), case.plan)
        assert fluxes.flux.shape == (0, 2)


class TestPlan:
    def test_of_settings(self, case):
        setup = get_setup('scanmap', 'green')
        assert_array_equal(case.plan.radii, [6, 12])
        assert_allclose(case.plan.annulus_radii, setup.annulus_radii.value)
        assert case.plan.pixel_scale == 1.6
        assert_array_equal(case.plan.nominal_eef, setup.eef([6, 12], table='real'))
        assert case.plan.profile is not None

    def test_encircled_energy(self):
        setup, psf = get_setup('scanmap', 'green'), get_psf('scanmap/green')
        radii = np.array([6.0, 12.0])
        own = make_eef(setup, None, psf, 1.6)
        expected = psf.encircled_energy(radii, pixel_scale=1.6)
        assert_array_equal(own(radii), expected)
        # A table that is asked for goes before the PSF's own.
        for given in (None, psf):
            real = make_eef(setup, 'real', given, 1.6)
            assert_array_equal(real(radii), setup.eef(radii, table='real'))
        assert_array_equal(make_eef(setup, None, None, 1.6)(radii), real(radii))
        with pytest.raises(ValueError, match='the PSF is known to'):
            own(2 * psf.radius)
