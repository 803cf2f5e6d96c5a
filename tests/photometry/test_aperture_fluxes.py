# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of sources measured in both ways."""

from dataclasses import fields

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.holes import draw_holes
from photutils_pconv.photometry.annulus import local_background
from photutils_pconv.photometry.aperture_fluxes import (
    AperturePlan,
    measure_sources,
    source_photometry,
)
from photutils_pconv.photometry.flags import SourceFlags, decode_flags
from photutils_pconv.setups.registry import get_setup


@pytest.mark.parametrize(
    ('scale', 'fwhm', 'hole_radius'),
    [
        (1.6, 5.5, 5),
        (1.6, 5.5, 7),
        (1.6, 5.5, 12),
        (1.6, 6.8, 5),
        (1.6, 6.8, 6),
        (1.6, 6.8, 13),
        (3.2, 10.7, 4),
        (3.2, 10.7, 6),
        (3.2, 10.7, 10),
        (3.2, 5.8, 4),
        (3.2, 6.8, 5),
    ],
)
def test_unbiased_beyond_small_holes(round_psf, scale, fwhm, hole_radius):
    rng = np.random.default_rng(5)
    psf = round_psf(fwhm / scale)
    plan = AperturePlan(
        radii=[12.0, 18.0],
        annulus_radii=(25, 35),
        pixel_scale=scale,
        eef=lambda radius: psf.eef(radius / scale),
    )
    flux = []
    for x, y in rng.uniform(23.5, 24.5, (25, 2)):
        source = psf.image((49, 49), x, y)
        holes = draw_holes(source.shape, x, y, hole_radius)
        result = source_photometry(
            source,
            np.where(holes, source, 0),
            x,
            y,
            hole_radius,
            plan,
        )
        flux.append(result.flux[0])
    assert_allclose(np.mean(flux, axis=0), 1, atol=0.01)
    assert_allclose(flux, 1, atol=0.015)


class TestSourcePhotometry:
    def measure(self, data, removed, x, y, hole_radius, **kwargs):
        setup = get_setup('scanmap', 'blue')
        plan = {
            'radii': [6, 12],
            'annulus_radii': (25, 35),
            'pixel_scale': 1.6,
            'eef': setup.eef,
        }
        for name in kwargs.keys() & {item.name for item in fields(AperturePlan)}:
            plan[name] = kwargs.pop(name)
        plan = AperturePlan(**plan)
        return source_photometry(data, removed, x, y, hole_radius, plan, **kwargs)

    def test_both_methods(self, round_psf):
        """One source on a sloped background, perfectly reconstructed."""
        psf = round_psf(5.5 / 1.6)
        yy, xx = np.mgrid[:120, :120]
        source = 4.0 * psf.image(xx.shape, 60.3, 58.6)
        data = source + 0.01 * xx - 0.02 * yy
        holes = draw_holes(data.shape, 60.3, 58.6, 6)
        result = self.measure(
            data,
            np.where(holes, source, 0),
            60.3,
            58.6,
            6,
            eef=lambda radius: psf.eef(radius / 1.6),
        )
        # The pixels widen the PSF, which an aperture of 6 arcsec just feels.
        assert_allclose(result.flux, 4.0, rtol=0.015)
        # The annulus holds a little of the wings.
        assert_allclose(result.flux_annulus, 4.0, rtol=0.05)
        assert np.all(result.flux_annulus < result.flux)
        assert_allclose(result.local_bkg, 0.01 * 60.3 - 0.02 * 58.6, atol=0.001)
        assert_allclose(
            result.aperture_correction,
            [1 / psf.eef(np.array([6 / 1.6, 6.0]))],
            rtol=0.01,
        )
        assert decode_flags(result.flags) == [['aperture_beyond_hole']]

    def test_neighbour_does_not_add_to_the_error(self, round_psf):
        rng = np.random.default_rng(4)
        noise = rng.normal(0, 1, (120, 120))
        neighbour = 1e4 * round_psf(3.4).image(noise.shape, 79, 60)
        holes = draw_holes(noise.shape, 79, 60, 12)
        alone = self.measure(noise, 0 * noise, 60, 60, 5)
        beside = self.measure(
            noise + neighbour, np.where(holes, neighbour, 0), 60, 60, 5
        )
        # Only its wings beyond its hole are left.
        assert_allclose(beside.flux_err, alone.flux_err, rtol=0.25)
        assert beside.local_bkg > 5

    def test_shapes_and_order(self, scene):
        data, missing, x, y = scene
        removed = np.where(draw_holes(data.shape, x, y, 6), data, 0)
        forward = self.measure(data, removed, x, y, 6, missing=missing)
        back = self.measure(data, removed, x[::-1], y[::-1], 6, missing=missing)
        for item in fields(forward):
            key, value = item.name, getattr(forward, item.name)
            if key in ('excess', 'wingless_std'):
                assert value is None
                continue
            has_apertures = key.startswith(('flux', 'aperture', 'hole'))
            assert value.shape == ((5, 2) if has_apertures else (5,))
            assert_array_equal(value, getattr(back, key)[::-1], err_msg=key)
        assert forward.flags.dtype.kind == 'i'

    def test_input_is_left_alone(self, scene):
        data, missing, x, y = scene
        arrays = (data, data.copy(), missing, x, y)
        before = [array.copy() for array in arrays]
        self.measure(data, arrays[1], x, y, 6, missing=missing)
        for array, old in zip(arrays, before, strict=True):
            assert_array_equal(array, old)

    def test_no_sources(self, scene):
        data, *_ = scene
        result = self.measure(data, data, [], [], [])
        assert result.flux.shape == (0, 2)
        assert result.flags.shape == (0,)

    def test_positions_off_the_map(self, scene):
        data, *_ = scene
        result = self.measure(data, data, [np.nan, -9, 50], [5, 5, 40], [5, 5, 5])
        assert decode_flags(result.flags[:2]) == [
            ['invalid_position'],
            ['outside_map'],
        ]
        for key in ('flux', 'flux_err', 'flux_annulus', 'aperture_correction'):
            assert np.isnan(getattr(result, key)[:2]).all()
            assert np.isfinite(getattr(result, key)[2]).all()

    @pytest.mark.parametrize(
        ('change', 'message'),
        [
            ({'radii': [3]}, 'covers radii from 4 to 18'),
            ({'radii': [6, 20]}, 'covers radii from 4 to 18'),
            ({'radii': [-6]}, 'radii must be one or more positive'),
            ({'radii': []}, 'radii must be one or more positive'),
            ({'annulus_radii': (35, 25)}, 'inner and a larger outer'),
            ({'annulus_radii': 25}, 'inner and a larger outer'),
            ({'pixel_scale': 0}, 'pixel_scale must be positive'),
            ({'method': 'nearest'}, 'method must be one of'),
            ({'missing': np.zeros((2, 2), bool)}, 'missing must be boolean'),
            ({'missing': np.zeros((90, 110))}, 'missing must be boolean'),
            ({'error': np.zeros((2, 2))}, "error must have the map's shape"),
            ({'hole_radius': [1, 2]}, 'hole_radius must be one number'),
            ({'hole_radius': -1}, 'hole_radius must not be negative'),
            ({'x': [1, 2]}, 'one length'),
            ({'removed': np.zeros((2, 2))}, "removed must have the map's shape"),
            ({'data': np.zeros((2, 90, 110))}, 'data must be a 2-D map'),
        ],
    )
    def test_invalid(self, scene, change, message):
        data, _, x, y = scene
        arguments = {'data': data, 'removed': data, 'x': x, 'y': y, 'hole_radius': 5}
        with pytest.raises(ValueError, match=message):
            self.measure(**(arguments | change))


class TestExcess:
    """The noise of the aperture above the annulus', by the area."""

    plan = AperturePlan([4.0], (15, 20), 1.0, lambda radius: 0.7 + 0.0 * radius)

    def measure(self, error, hole_radius=8.0):
        data = np.zeros(error.shape)
        return source_photometry(
            data, data, [40.0], [40.0], hole_radius, self.plan, error=error
        )

    def excess(self, error, hole_radius=8.0):
        return self.measure(error, hole_radius).excess

    @pytest.fixture
    def error(self):
        return np.full((80, 80), 2.0)

    @pytest.fixture
    def near(self, error):
        yy, xx = np.indices(error.shape)
        return np.hypot(xx - 40, yy - 40) < 9

    def test_even_noise(self, error):
        assert_array_equal(self.excess(error), 0)

    def test_noisy_source(self, error, near):
        bright = np.where(near, 5.0, error)
        assert_allclose(self.excess(bright), [[np.pi * 16 * 21]], rtol=1e-9)
        assert_array_equal(self.excess(bright, hole_radius=np.nan), 0)

    def test_quiet_source(self, error, near):
        assert_array_equal(self.excess(np.where(near, 1.0, error)), 0)

    @pytest.mark.parametrize('unknown', [np.nan, np.inf])
    def test_unknown_noise_counts_as_the_known(self, error, near, unknown):
        bright = np.where(near, 5.0, error)
        bright[40, 38:42] = unknown
        found = self.measure(bright)
        assert_allclose(found.excess, [[np.pi * 16 * 21]], rtol=1e-9)
        assert found.flags[0] & SourceFlags.UNKNOWN_ERROR

    def test_no_noise_is_known(self, error, near):
        found = self.measure(np.where(near, np.nan, error))
        assert_array_equal(found.excess, 0)
        assert found.flags[0] & SourceFlags.UNKNOWN_ERROR

    def test_known_noise_has_no_flag(self, error, near):
        flags = self.measure(np.where(near, 5.0, error)).flags
        assert not (flags & SourceFlags.UNKNOWN_ERROR).any()


class TestPlan:
    def test_pixels(self):
        plan = AperturePlan([6, 12], (25, 35), 1.6, lambda radius: radius / 100)
        assert_allclose(plan.pixel_radii, [3.75, 7.5])
        assert_allclose(plan.pixel_annulus, [15.625, 21.875])
        assert_allclose(plan.nominal_eef, [0.06, 0.12])

    def test_wingless(self):
        """A further image is looked at in the same annuli."""
        rng = np.random.default_rng(4)
        data, other = rng.normal(size=(2, 90, 80))
        plan = AperturePlan([6], (25, 35), 1.6, lambda radius: radius / 100)
        x, y, inside = np.array([40.2]), np.array([45.7]), np.array([True])
        missing = np.zeros(data.shape, dtype=bool)
        unseen = rng.random(data.shape) < 0.2
        fluxes = measure_sources(
            data,
            0 * data,
            missing,
            x,
            y,
            inside,
            np.array([5.0]),
            plan,
            wingless=(other, unseen),
        )
        expected = local_background(
            other, x, y, annulus_radii=plan.pixel_annulus, missing=unseen
        )
        assert_array_equal(fluxes.wingless_std, expected.local_bkg_std)


def test_standard_star(real_data):
    """Gamma Dra has one flux, whatever the hole it is seen through."""
    path = real_data / 'pacs' / 'gamma_dra_blue_jscanam.fits.gz'
    with fits.open(path) as hdus:
        data = np.where(hdus['coverage'].data > 0, hdus['image'].data, np.nan)
    data = data.astype(float)
    setup = get_setup('scanmap', 'blue')
    row, column = np.unravel_index(np.nanargmax(data), data.shape)
    window = data[row - 6 : row + 7, column - 6 : column + 7]
    dy, dx = np.mgrid[-6:7, -6:7]
    x = column + (window * dx).sum() / window.sum()
    y = row + (window * dy).sum() / window.sum()
    annulus = local_background(data, x, y, annulus_radii=(25 / 1.6, 35 / 1.6))
    plan = AperturePlan([6, 12, 18], (25, 35), 1.6, setup.eef)

    for hole_radius in setup.hole_radii:
        holes = draw_holes(data.shape, x, y, hole_radius)
        result = source_photometry(
            data,
            np.where(holes, data - annulus.local_bkg, 0),
            x,
            y,
            hole_radius,
            plan,
        )
        # Table 5: 3283.0 mJy.
        assert_allclose(result.flux, 3.2830, rtol=0.015)
        assert_allclose(result.flux_annulus, 3.2830, rtol=0.015)
