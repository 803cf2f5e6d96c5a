# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of what the subtraction of a PSF leaves."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.holes import Holes
from photutils_pconv.inpainting.hole_filling import InpaintSettings
from photutils_pconv.inpainting.reconstruction import Reconstruction
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.sources import parse_sources
from photutils_pconv.photometry.flags import decode_flags
from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.removal.mismatch import (
    estimate_position_errors,
    find_poor_fits,
    find_unseen_emission,
    mix_emissions,
    with_poor_fits,
)
from photutils_pconv.removal.pipeline import run_removal

SHAPE = (90, 100)


@pytest.fixture(scope='module')
def psf():
    return PixelPSF(get_psf('scanmap/green'), 1.6)


def at(*places):
    x, y = np.array(places, dtype=float).T
    return SimpleNamespace(x=x, y=y)


class TestPoorFits:
    @pytest.mark.parametrize(('left', 'poor'), [(0.5, False), (20.0, True)])
    def test_what_is_left(self, psf, left, poor):
        """Twenty times what is expected is too much; half of it is not."""
        fit = at((40.2, 45.1), (70.0, 20.0))
        rows, columns = np.indices(SHAPE)
        flux = np.array([3.0, 3.0])
        near = np.hypot(columns - fit.x[0], rows - fit.y[0]) <= psf.fwhm
        core = flux[0] * psf.expected_error(0.0, 0.0)
        residual = 7.0 + np.where(near, left * core, 0.0)
        structure = np.full(2, 1e-6)
        missing = np.zeros(SHAPE, dtype=bool)
        found, rms = find_poor_fits(residual, missing, fit, flux, structure, psf)
        assert_array_equal(found, [poor, False])
        assert_allclose(rms, [left * core * poor, 0.0])
        # The same beside as much structure is none.
        structure = np.array([left * core, 1e-6])
        found, _ = find_poor_fits(residual, missing, fit, flux, structure, psf)
        assert not found.any()

    def test_unknown_flux(self, psf):
        missing = np.zeros(SHAPE, dtype=bool)
        found, rms = find_poor_fits(
            np.ones(SHAPE), missing, at((40, 40)), np.array([np.nan]), np.ones(1), psf
        )
        assert_array_equal([*found, *rms], 0)

    def test_error(self, psf):
        fit = at((40.0, 45.0), (70.0, 20.0))
        error = np.full(SHAPE, 3.0)
        found = with_poor_fits(error, fit, np.array([4.0, 0.0]), psf)
        assert_allclose(found[45, 40], 5.0)
        assert_allclose(found[20, 70], 3.0, atol=1e-3)
        assert with_poor_fits(error, fit, np.zeros(2), psf) is error

    @pytest.mark.parametrize('sigma', [0.0, 3.0])
    def test_extended_source(self, make_scene, make_settings, sigma):
        """A source of twice the beam's size is flagged; one of the PSF is not."""
        scene = make_scene(
            [60.2], [60.7], [1.0], psf=get_psf('scanmap/green'), shape=(120, 120)
        )
        rng = np.random.default_rng(1)
        data = scene.data + rng.normal(0, 1e-4, scene.data.shape)
        if sigma:
            rows, columns = np.indices(data.shape)
            r2 = (columns - 60.2) ** 2 + (rows - 60.7) ** 2
            blob = np.exp(-r2 / (2 * sigma**2)) / (2 * np.pi * sigma**2)
            data = rng.normal(0, 1e-4, data.shape) + blob
        settings = make_settings(method='psf', error_method='local')
        result = run_removal(settings, parse_map(data), parse_sources(scene.xy))
        flags = decode_flags(result.photometry['flags'][0])
        assert bool({'poor_fit', 'resolved'} & set(flags)) == (sigma > 0)
        if sigma:
            # What the PSF leaves does not stay in the map.
            left = result.cleaned[50:72, 50:72]
            assert np.abs(left).max() < 0.15 * data.max()


class TestUnseen:
    HOLES = Holes([40.0], [45.0], [6.0], SHAPE)

    def mix(self, model, mismatch):
        """Mix an emission of 9, which was seen, with that around the hole, 5."""
        inside = self.HOLES.mask
        unseen = find_unseen_emission(
            np.array([mismatch]),
            np.where(inside, 100.0, 5.0),
            np.zeros(SHAPE, dtype=bool),
            self.HOLES,
            InpaintSettings(model=model),
            jy_per_pixel=1.0,
            taper_width=2.0,
        )
        weight = inside.astype(float)
        if unseen is not None and unseen.drowned.any():
            # It was not looked into.
            weight[:] = 0.0
        seen = Reconstruction(9.0 * weight, weight, np.array([bool(weight.any())]))
        return unseen, *mix_emissions(seen, unseen)

    @pytest.mark.parametrize(
        ('mismatch', 'share'),
        [(0.0, 0.0), (0.3, 0.0), (1.0, 0.5), (2.5, 0.862), (30.0, 1.0)],
    )
    def test_share(self, flat_model, mismatch, share):
        _, reconstruction, emission = self.mix(flat_model, mismatch)
        inside = self.HOLES.mask
        assert_allclose(emission[inside], 9.0 - 4.0 * share, atol=0.01)
        beyond = ~Holes([40.0], [45.0], [8.0], SHAPE).mask
        assert_array_equal(emission[beyond], 0)
        # What was seen stays apart, unless nobody looked.
        assert_allclose(
            reconstruction.emission[inside], 5.0 if share == 1.0 else 9.0, atol=0.01
        )
        assert_allclose(reconstruction.weight[inside], 1.0)
        assert_array_equal(reconstruction.filled, True)

    def test_drowned(self, flat_model):
        found = {
            mismatch: self.mix(flat_model, mismatch)[0] for mismatch in (0.3, 2.9, 3.1)
        }
        assert found.pop(0.3) is None
        assert [one.drowned[0] for one in found.values()] == [False, True]

    def test_not_at_all(self):
        unseen = find_unseen_emission(
            np.full(1, 9.0), *[None] * 4, jy_per_pixel=1, taper_width=2
        )
        assert unseen is None
        seen = Reconstruction(np.ones(SHAPE), np.ones(SHAPE), np.ones(1))
        reconstruction, emission = mix_emissions(seen, unseen)
        assert reconstruction is seen
        assert emission is seen.emission


def test_position_errors(psf):
    """Those of a matched filter in white noise, measured by simulation."""
    rng = np.random.default_rng(5)
    rows, columns = np.indices((19, 19)) - 9.0
    template = psf.evaluate(columns, rows)
    by_x, _ = psf.gradient(columns, rows)
    noise = 0.02 * template.max()
    flux_err = noise / np.sqrt(np.sum(template**2))
    found = estimate_position_errors(
        np.array([1.0, 1.0]), np.full(2, flux_err), psf, moved=np.array([True, False])
    )
    shifts = [
        np.sum(by_x * rng.normal(0, noise, by_x.shape)) / np.sum(by_x**2)
        for _ in range(4000)
    ]
    assert_allclose(found, [np.std(shifts), 0.0], rtol=0.05)
