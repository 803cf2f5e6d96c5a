# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what is measured in empty holes, with fillers whose errors are known."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.geometry.holes import Holes
from photutils_pconv.inpainting.reconstruction import Reconstruction
from photutils_pconv.photometry.annulus import local_background
from photutils_pconv.photometry.aperture_fluxes import AperturePlan
from photutils_pconv.photometry.apertures import removed_photometry
from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.source_images import model_image
from photutils_pconv.removal.empty_sample import fill_empty_holes, sample_empty_holes
from photutils_pconv.removal.filling import Filled, PSFFluxes

SHAPE = (260, 280)
PLAN = AperturePlan([4.0, 8.0], (15, 20), 1.0, lambda radius: 0.5 + 0 * radius)


@dataclass
class KnownFiller:
    """A filler that is wrong by a known residual, and fills what it is told."""

    cleaned: np.ndarray
    residual: np.ndarray
    depends_on_flux: bool = False
    has_psf: bool = False
    fills: bool = True

    def fill_empty(self, grid, holes, pixel_psf):
        emission = self.cleaned - self.residual
        filled = np.full(len(holes), self.fills)
        weight = (holes.mask & self.fills).astype(float)
        reconstruction = Reconstruction(
            np.where(weight > 0, emission, 0.0), weight, filled
        )
        if not self.has_psf:
            return Filled(reconstruction)
        n = len(holes)
        fluxes = PSFFluxes(
            np.full(n, 7.0), np.full(n, 3.0), *np.zeros((2, n)), holes.x, holes.y
        )
        return Filled(
            reconstruction, fluxes, pixel_psf, errors_in_rms=not self.depends_on_flux
        )


@pytest.fixture
def cleaned():
    return np.random.default_rng(2).normal(1.0, 0.1, SHAPE)


@pytest.fixture
def grid(cleaned):
    missing = np.zeros(SHAPE, dtype=bool)
    missing[:, 270:] = True
    return MapGrid(np.where(missing, np.nan, cleaned), missing)


@pytest.fixture
def holes():
    x, y = np.array([60.0, 150.0, 200.0]), np.array([50.0, 120.0, 210.0])
    return Holes(x, y, [6.0, 6.0, 10.0], SHAPE, [9.0, 11.0, 30.0])


@pytest.fixture(scope='module')
def pixel_psf():
    return PixelPSF(get_psf('scanmap/green'), 1.6)


def fill(grid, holes, filler, **options):
    options = {'annulus_radii': PLAN.pixel_annulus} | options
    return list(fill_empty_holes(grid, holes, filler, **options))


class TestPlaces:
    def test_clear_of_sources_and_gaps(self, grid, holes, cleaned):
        parts = fill(grid, holes, KnownFiller(cleaned, 0.0))
        assert sum(len(part.holes) for part in parts) == 48
        for part in parts:
            assert not np.any(part.holes.mask & (holes.mask | grid.missing))
            assert np.all(np.isin(part.holes.radius, holes.radius))
            # The sources' holes stay unseen; nothing was put into the others.
            assert_array_equal(part.grid.missing, grid.missing | holes.mask)
            assert part.grid.data is grid.data
            assert part.image is None
            assert_array_equal(part.injected, 0)

    def test_number_and_seed(self, grid, holes, cleaned):
        filler = KnownFiller(cleaned, 0.0)
        places = []
        for options in ({}, {}, {'seed': 5}, {'n_empty': 20}):
            parts = fill(grid, holes, filler, **options)
            places.append(np.concatenate([part.holes.x for part in parts]))
        assert_array_equal(places[0], places[1])
        assert not np.array_equal(places[0], places[2])
        assert places[3].size == 20

    def test_no_sources(self, grid, cleaned):
        nothing = Holes(*np.empty((3, 0)), SHAPE)
        assert fill(grid, nothing, KnownFiller(cleaned, 0.0)) == []


class TestInjected:
    """A filler that depends on the flux is given sources of a known one."""

    brightness = np.array([20.0, 40.0, 500.0])

    def test_flux_of_the_class(self, grid, holes, cleaned, pixel_psf):
        filler = KnownFiller(cleaned, 0.0, depends_on_flux=True)
        options = {'brightness': self.brightness, 'pixel_psf': pixel_psf}
        for part in fill(grid, holes, filler, **options):
            around = local_background(
                grid.data,
                part.holes.x,
                part.holes.y,
                annulus_radii=PLAN.pixel_annulus,
                missing=grid.missing,
            )
            # The median of the sources with such a hole, times the rms.
            level = np.where(part.holes.radius == 6.0, 30.0, 500.0)
            assert_allclose(part.injected, level * around.local_bkg_std)
            expected = model_image(
                SHAPE, part.holes.x, part.holes.y, part.injected, pixel_psf
            )
            assert_array_equal(part.image, expected)
            assert_array_equal(part.grid.data, grid.data + expected)

    @pytest.mark.parametrize('value', [np.nan, -3.0])
    def test_no_flux(self, grid, holes, cleaned, pixel_psf, value):
        filler = KnownFiller(cleaned, 0.0, depends_on_flux=True)
        options = {'brightness': np.full(3, value), 'pixel_psf': pixel_psf}
        for part in fill(grid, holes, filler, **options):
            assert_array_equal(part.injected, 0)
            assert part.image is None

    def test_off_the_native_scale(self, grid, holes, cleaned, pixel_psf):
        """On a coarse map a pixel holds more of the same sources."""
        filler = KnownFiller(cleaned, 0.0, depends_on_flux=True)
        options = {'brightness': self.brightness, 'pixel_psf': pixel_psf}
        coarse = MapGrid(grid.data, grid.missing, factor=1.875)
        for part in fill(coarse, holes, filler, **options):
            total = part.image.sum()
            assert_allclose(total, part.injected.sum(), rtol=0.05)


class TestSample:
    def sample(self, grid, holes, filler, pixel_psf=None, **options):
        n = len(holes)
        one = np.ones(n)
        fluxes = PSFFluxes(np.array([2.0, 4.0, 50.0]), one, one, one, one, one)
        zero = np.zeros(SHAPE)
        filled = Filled(Reconstruction(zero, zero, one == 1), fluxes, pixel_psf)
        return sample_empty_holes(
            grid, holes, filler, filled, PLAN, rms=np.full(n, 0.1), **options
        )

    def test_known_residual(self, grid, holes, cleaned):
        sample = self.sample(grid, holes, KnownFiller(cleaned, 0.02))
        assert len(sample) == 48
        inside = np.pi * np.minimum(PLAN.radii, sample.radius[:, None]) ** 2
        assert_allclose(sample.flux, 0.02 * inside, rtol=0.06)
        # All of the small aperture lies in any hole, and is a circle.
        assert_allclose(sample.flux[:, 0], 0.02 * np.pi * 16, rtol=1e-9)
        assert_array_equal(sample.hole_fraction[:, 0], 1)
        small = sample.radius == 6
        assert_allclose(sample.hole_fraction[small, 1], (6 / 8) ** 2, rtol=0.06)
        assert_array_equal(sample.hole_fraction[~small, 1], 1)
        assert_allclose(sample.rms, 0.1, rtol=0.15)
        assert np.all(np.isnan([sample.psf_flux, sample.psf_err]))
        assert len(sample.stamps) == 48

    def test_residual_of_a_hole(self, grid, holes, cleaned):
        """The residual of each hole is summed, wherever it lies."""
        residual = np.random.default_rng(9).normal(size=SHAPE)
        filler = KnownFiller(cleaned, residual)
        sample = self.sample(grid, holes, filler)
        parts = fill(grid, holes, filler)
        expected = np.concatenate(
            [
                removed_photometry(
                    residual,
                    part.holes.x,
                    part.holes.y,
                    radii=PLAN.pixel_radii,
                    hole_radius=part.holes.radius,
                    local_std=0.0,
                ).flux
                for part in parts
            ]
        )
        assert_allclose(sample.flux, expected, rtol=1e-9, atol=1e-9)

    def test_what_was_put_in_does_not_count(self, grid, holes, cleaned, pixel_psf):
        filler = KnownFiller(cleaned, 0.02, depends_on_flux=True, has_psf=True)
        sample = self.sample(grid, holes, filler, pixel_psf)
        assert_allclose(sample.flux[:, 0], 0.02 * np.pi * 16, rtol=1e-6)
        parts = fill(
            grid,
            holes,
            filler,
            brightness=np.array([20.0, 40.0, 500.0]),
            pixel_psf=pixel_psf,
        )
        injected = np.concatenate([part.injected for part in parts])
        assert_allclose(sample.psf_flux, 7.0 - injected)
        # Errors that the filler measured are final.
        assert_array_equal(sample.psf_err, 3.0)

    def test_errors_in_rms(self, grid, holes, cleaned):
        filler = KnownFiller(cleaned, 0.0, has_psf=True)
        sample = self.sample(grid, holes, filler)
        assert_array_equal(sample.psf_flux, 7.0)
        assert_allclose(sample.psf_err, 3 * 0.1, rtol=0.15)

    def test_holes_that_were_not_filled(self, grid, holes, cleaned):
        sample = self.sample(grid, holes, KnownFiller(cleaned, 0.02, fills=False))
        assert len(sample) == 0
        assert sample.flux.shape == sample.hole_fraction.shape == (0, 2)

    def test_no_room(self, grid, holes, cleaned):
        full = MapGrid(grid.data, np.ones(SHAPE, dtype=bool))
        sample = self.sample(full, holes, KnownFiller(cleaned, 0.02))
        assert len(sample) == 0

    def test_stamps(self, grid, holes, cleaned):
        residual = np.random.default_rng(9).normal(0, 0.1, SHAPE)
        sample = self.sample(grid, holes, KnownFiller(cleaned, residual))
        assert len(sample.stamps) == len(sample)
        assert_array_equal(
            np.sort([stamp.radius for stamp in sample.stamps]), np.sort(sample.radius)
        )
