# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the PSF that is built from a map's own sources."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.photometry.signal_to_noise import snr
from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf_photometry.empirical import build_empirical_psf, choose_stars
from photutils_pconv.simulation import inject_sources

SCALE = 1.6
FWHM = 6.8 / SCALE


@pytest.fixture(scope='module')
def field():
    """A map of nine bright sources on a slope, and their PSF."""
    psf = get_psf('scanmap/green')
    rng = np.random.default_rng(20250411)
    x, y = (v.ravel() for v in np.meshgrid(*[np.arange(40.0, 200.0, 60.0)] * 2))
    x, y = x + rng.uniform(-0.5, 0.5, 9), y + rng.uniform(-0.5, 0.5, 9)
    flux = rng.uniform(1.0, 3.0, 9)
    empty = rng.normal(0, 1e-5, (200, 200)) + 1e-6 * np.arange(200)
    data = inject_sources(empty, x, y, flux, psf=psf, pixel_scale=SCALE, angle=0.4)
    ratio = snr(data, x, y, setup=_setup())
    return SimpleNamespace(data=data, x=x, y=y, flux=flux, snr=ratio, psf=psf)


def _setup():
    from photutils_pconv.setups.registry import get_setup

    return get_setup('scanmap', 'green')


def build(field, **options):
    arguments = {
        'snr': field.snr,
        'pixel_scale': SCALE,
        'fwhm': FWHM,
        'wings': field.psf,
        **options,
    }
    return build_empirical_psf(field.data, field.x, field.y, **arguments)


@pytest.fixture(scope='module')
def built(field):
    return build(field)


class TestBuild:
    def test_encircled_energy(self, field, built):
        """As photometry on the map's pixels finds it."""
        radii = np.array([4.0, 6.0, 7.0, 10.0, 15.0, 20.0, 40.0])
        expected = field.psf.encircled_energy(radii, pixel_scale=SCALE)
        found = built.encircled_energy(radii, pixel_scale=SCALE)
        assert_allclose(found, expected, atol=0.012)

    def test_image_and_angle(self, field, built):
        """On the map's pixels it is the PSF, rotated as on the map."""
        options = {'pixel_scale': SCALE}
        shape, x, y = (25, 25), 12.3, 11.8
        found = built.render(shape, x, y, **options)
        expected = field.psf.render(shape, x, y, angle=0.4, **options)
        other = field.psf.render(shape, x, y, angle=0.4 + np.pi / 3, **options)
        peak = expected.max()
        assert np.abs(found - expected).max() < 0.03 * peak
        assert np.std(found - expected) < 0.5 * np.std(found - other)

    def test_flux_and_meta(self, built):
        assert_allclose(built.data.sum(), 1.0, atol=0.01)
        assert built.effective_pixel == SCALE
        assert built.meta['n_stars'] == 9

    def test_without_wings(self, field):
        psf = build(field, wings=None)
        assert_allclose(psf.data.sum(), 1.0)
        # It ends at three FWHM.
        assert psf.radius < 3.5 * FWHM * SCALE

    def test_missing_pixels(self, field, built):
        """A star with a missing pixel does not serve."""
        missing = np.zeros(field.data.shape, dtype=bool)
        missing[round(field.y[4]) + 2, round(field.x[4])] = True
        psf = build(field, missing=missing)
        assert psf.meta['n_stars'] == 8
        radii = [6.0, 10.0, 15.0]
        assert_allclose(
            psf.encircled_energy(radii), built.encircled_energy(radii), atol=0.01
        )


class TestStars:
    def choose(self, field, **options):
        arguments = {
            'missing': np.zeros(field.data.shape, dtype=bool),
            'radius': 18.0,
            **options,
        }
        return choose_stars(field.x, field.y, field.snr, **arguments)

    def test_brightest_first(self, field):
        chosen = self.choose(field)
        assert_array_equal(np.sort(chosen), np.arange(9))
        assert np.all(np.diff(field.snr[chosen]) <= 0)
        limit = np.median(field.snr)
        chosen = self.choose(field, minimum_snr=limit)
        assert_array_equal(np.sort(chosen), np.flatnonzero(field.snr >= limit))

    def test_neighbours_and_edges(self, field):
        assert self.choose(field, radius=28.0).size == 9
        assert self.choose(field, radius=31.0).size < 9
        crowded = SimpleNamespace(**vars(field))
        crowded.x = np.append(field.x, [field.x[4] + 20, np.nan, 8.0])
        crowded.y = np.append(field.y, [field.y[4], 50.0, 100.0])
        crowded.snr = np.append(field.snr, [3.0, 500.0, 500.0])
        chosen = self.choose(crowded)
        assert 4 not in chosen
        assert not np.isin([9, 10, 11], chosen).any()

    @pytest.mark.parametrize('options', [{'minimum_snr': 1e6}, {'minimum_stars': 10}])
    def test_too_few(self, field, options):
        with pytest.raises(ValueError, match="take psf='setup', or give a PSF"):
            build(field, **options)
