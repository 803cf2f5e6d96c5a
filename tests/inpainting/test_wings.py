# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the wings and network_input modules.
"""

from typing import ClassVar

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.geometry.holes import draw_holes
from photutils_pconv.inpainting.masked_images import scale_cutouts
from photutils_pconv.inpainting.wings import expected_wings, wings_beyond_holes
from photutils_pconv.network.kinds import list_images
from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.lobed import lobed_psf
from photutils_pconv.psf.profiles import WingProfile, pixel_profile, wing_profile
from photutils_pconv.psf.wing_terms import DrawnTerms
from photutils_pconv.setups.registry import get_setup, list_setups

X, Y = np.array([70.3, 51.8]), np.array([55.1, 94.4])
RADIUS = np.array([9.0, 7.0])
WINGS = {'name': 'robust', 'radius': 24.0, 'softening': 3.0, 'wings': True}


@pytest.mark.parametrize('name', list_setups(instrument='PACS'))
def test_profile_holds_the_encircled_energy(name):
    setup = get_setup(setup=name)
    profile = wing_profile(setup)
    step = 0.05
    r = np.arange(step / 2, 60, step)
    inside = np.cumsum(profile(r) * 2 * np.pi * r * step)
    arcsec = (r + step / 2) * setup.pixel_scale.to_value(u.arcsec)
    # A quarter of the one PSF and three of the other.
    expected = 0.25 * lobed_psf(setup).encircled_energy(arcsec)
    expected += 0.75 * get_psf(setup).encircled_energy(np.minimum(arcsec, 99.9))
    assert_allclose(inside, expected, atol=3e-3)


class TestExpectedWings:
    @pytest.mark.parametrize('name', ['scanmap/green', 'scanmap/red', 'parallel/blue'])
    def test_wings_of_injected_sources(self, make_scene, name):
        options = {'setup': name, 'sky': 2e-3}
        scene = make_scene(X, Y, [3.0, 1.0], **options)
        own = make_scene(X, Y, [3.0, 1.0], psf=get_psf(scene.setup), **options)
        data = 0.25 * scene.data + 0.75 * own.data
        holes = draw_holes(data.shape, X, Y, RADIUS)
        wings = expected_wings(
            data, X, Y, RADIUS, profile=wing_profile(scene.setup), usable=~holes
        )
        assert_allclose(wings.flux, [3.0, 1.0], rtol=0.04)
        assert np.all(np.abs(wings.flux - [3.0, 1.0]) < 3 * wings.flux_err + 0.1)
        wings = wings.image
        there = data - scene.empty
        # On a ring around the brighter one they are right on the mean.
        r = np.hypot(*(np.indices(holes.shape) - np.array([Y[0], X[0]])[:, None, None]))
        for inner, outer in ((10, 14), (14, 20)):
            ring = (r > inner) & (r < outer) & ~holes
            assert_allclose(wings[ring].mean(), there[ring].mean(), rtol=0.06)

    def test_linear_and_independent_of_order(self, make_scene):
        scene = make_scene(X, Y, [3.0, 1.0])
        usable = ~draw_holes(scene.data.shape, X, Y, RADIUS)
        options = {'profile': wing_profile(scene.setup), 'usable': usable}
        wings = expected_wings(scene.data, X, Y, RADIUS, **options)
        again = expected_wings(scene.data, X[::-1], Y[::-1], RADIUS[::-1], **options)
        assert_array_equal(wings.image, again.image)
        assert_array_equal(wings.flux, again.flux[::-1])
        brighter = expected_wings(5.0 * scene.data, X, Y, RADIUS, **options)
        for name in ('image', 'flux', 'flux_err'):
            expected = 5.0 * getattr(wings, name)
            assert_allclose(getattr(brighter, name), expected, rtol=1e-9)

    @pytest.mark.parametrize('copies', [[[0.0, 0.0]], [[0.6, 0.0]], [[0.1, 0.1]] * 99])
    def test_rows_of_one_source_have_wings_once(self, make_scene, copies):
        scene = make_scene(X, Y, [3.0, 1.0])
        usable = ~draw_holes(scene.data.shape, X, Y, RADIUS)
        profile = wing_profile(scene.setup)
        options = {'profile': profile, 'usable': usable}
        once = expected_wings(scene.data, X, Y, RADIUS, **options)
        shifts = np.transpose(copies)
        x, y = np.append(X, X[0] + shifts[0]), np.append(Y, Y[0] + shifts[1])
        radius = np.append(RADIUS, np.full(len(copies), RADIUS[0]))
        wings = expected_wings(scene.data, x, y, radius, **options)
        assert_allclose(wings.flux[2:], once.flux[0], rtol=0.05)
        # A place that is off by a little has the same wings.
        assert_allclose(wings.image.sum(), once.image.sum(), rtol=0.04)
        beyond = [
            wings_beyond_holes(
                scene.data.shape, *where, profile=profile, taper_width=2.0
            ).sum()
            for where in ((X, Y, RADIUS, once.flux), (x, y, radius, wings.flux))
        ]
        assert_allclose(beyond[1], beyond[0], rtol=0.04)

    def test_no_source_no_wings(self):
        data = np.full((140, 150), 3.0)
        # A trough is no source either.
        data[94, 52] = -5.0
        usable = ~draw_holes(data.shape, X, Y, RADIUS)
        profile = wing_profile(get_setup('scanmap', 'green'))
        wings = expected_wings(data, X, Y, RADIUS, profile=profile, usable=usable)
        for one in (wings.image, wings.flux, wings.flux_err):
            assert_array_equal(one, 0)

    def test_missing_pixels_and_positions_beyond_the_map(self, make_scene):
        scene = make_scene(X, Y, [3.0, 1.0])
        profile = wing_profile(scene.setup)
        x, y, radius = np.append(X, -30.0), np.append(Y, 400.0), np.append(RADIUS, 9.0)
        usable = ~draw_holes(scene.data.shape, x, y, radius)
        expected = expected_wings(
            scene.data, X, Y, RADIUS, profile=profile, usable=usable
        ).image
        data = scene.data.copy()
        data[54:58, 66:71] = np.nan
        wings = expected_wings(data, x, y, radius, profile=profile, usable=usable).image
        assert np.all(np.isfinite(wings))
        # Half of the core is enough.
        ratio = wings[55, 90] / expected[55, 90]
        assert_allclose(ratio, 1, atol=0.1)

    def test_nothing_usable_around(self):
        data = np.ones((40, 40))
        profile = WingProfile(np.exp(-np.arange(0, 40, 0.1)), 2.0)
        options = {'profile': profile, 'usable': np.zeros(data.shape, dtype=bool)}
        wings = expected_wings(data, [20.0], [20.0], [5.0], **options)
        for one in (wings.image, wings.flux, wings.flux_err):
            assert_array_equal(one, 0)


class TestWingsBeyondHoles:
    OPTIONS: ClassVar = {'taper_width': 2.0}

    def test_all_but_ones_own(self):
        profile = wing_profile(get_setup('scanmap', 'green'))
        shape, flux = (140, 150), np.array([3.0, 1.0])
        image = wings_beyond_holes(
            shape, X, Y, RADIUS, flux, profile=profile, **self.OPTIONS
        )
        rows, columns = np.indices(shape)
        distance = np.hypot(columns - X[:, None, None], rows - Y[:, None, None])
        each = flux[:, None, None] * profile(distance)
        for i in (0, 1):
            hole = distance[i] <= RADIUS[i]
            assert_allclose(image[hole], each[1 - i][hole], rtol=1e-12)
        beyond = np.all(distance > RADIUS[:, None, None] + 2.0, axis=0)
        beyond &= np.all(distance < 80.0, axis=0)
        assert_allclose(image[beyond], each.sum(axis=0)[beyond], rtol=1e-12)
        # Over the taper they set in.
        rim = (distance[0] > RADIUS[0]) & (distance[0] < RADIUS[0] + 2.0)
        own = image[rim] - each[1][rim]
        assert np.all((own > 0) & (own < each[0][rim]))

    def test_order_and_no_source(self):
        profile = wing_profile(get_setup('scanmap', 'green'))
        flux = np.array([3.0, 1.0])
        options = {'profile': profile, **self.OPTIONS}
        image = wings_beyond_holes((140, 150), X, Y, RADIUS, flux, **options)
        again = wings_beyond_holes(
            (140, 150), X[::-1], Y[::-1], RADIUS[::-1], flux[::-1], **options
        )
        assert_array_equal(image, again)
        none = wings_beyond_holes((140, 150), X, Y, RADIUS, 0 * flux, **options)
        assert_array_equal(none, 0)


class TestTerms:
    def test_flux_alone(self):
        profile = WingProfile(np.exp(-np.arange(0, 40, 0.1)), 2.0)
        dx, dy = np.meshgrid(np.arange(-5.0, 6), np.arange(-4.0, 5))
        terms = profile.terms(dx, dy, flux=10.0, flux_err=0.5).draw()
        assert terms.shape == (1, 9, 11)
        # 2 percent of the flux, and what the background adds.
        expected = np.hypot(0.2, 0.5) * profile(np.hypot(dx, dy))
        assert_allclose(terms[0], expected)

    def test_of_a_setup(self):
        profile = wing_profile(get_setup('scanmap', 'green'))
        terms = profile.terms(9.0, 3.0, flux=2.0, flux_err=0.0).draw()
        assert_allclose(terms[1:], 2.0 * profile.modes(9.0, 3.0))
        none = profile.terms(9.0, 3.0, flux=0.0, flux_err=0.0).draw()
        assert_array_equal(none, 0)

    @pytest.mark.parametrize('name', ['scanmap/green', 'parallel/red', 'mips/24'])
    def test_what_is_not_drawn_is_as_it_were(self, name):
        rng = np.random.default_rng(11)
        dy, dx = np.indices((64, 64)) - np.array([31.2, 31.7])[:, None, None]
        profile = wing_profile(get_setup(setup=name))
        terms = profile.terms(dx, dy, flux=3.0, flux_err=0.2)
        drawn = DrawnTerms(terms.draw())
        assert len(terms) == len(drawn)
        place = rng.integers(0, 64, (2, 90))
        assert_allclose(terms.pick(tuple(place)), drawn.pick(tuple(place)), atol=1e-15)
        amplitudes = rng.normal(size=len(terms))
        scale = terms.scatter()
        error = terms.combine(amplitudes) - drawn.combine(amplitudes)
        assert np.all(np.abs(error) <= 1e-10 * scale.max())
        assert_allclose(scale, drawn.scatter(), rtol=1e-6, atol=1e-9 * scale.max())


@pytest.mark.parametrize('name', ['scanmap/blue', 'parallel/green'])
def test_pixel_profile_is_wider_by_a_pixel(name):
    setup = get_setup(setup=name)
    scale = setup.pixel_scale.to_value(u.arcsec)
    profile = pixel_profile(setup, scale)
    # Against the same PSF, rendered and averaged over all angles.
    image = np.zeros((61, 61))
    psf = lobed_psf(setup)
    for angle in np.linspace(0, 2 * np.pi, 12, endpoint=False):
        options = {'pixel_scale': scale, 'angle': angle, 'oversampling': 9}
        image += psf.render(image.shape, 30, 30, **options) / 12
    r = np.hypot(*(np.indices(image.shape) - 30.0))
    near = r < 8
    assert_allclose(profile(r[near]), image[near], rtol=0.02, atol=2e-4 * image.max())


class TestScaleCutouts:
    @staticmethod
    def make(seed=3):
        rng = np.random.default_rng(seed)
        images = rng.normal(5.0, 2.0, (2, 64, 64))
        missing = np.zeros(images.shape, dtype=bool)
        missing[1, :, 50:] = True
        validity = ~missing
        validity[:, 28:36, 28:36] = False
        wings = np.exp(rng.normal(size=images.shape))
        return images, validity, missing, wings

    def test_number_of_images(self):
        assert list_images('masked', WINGS) == ('map', 'wings')
        assert list_images('masked', {'name': 'robust', 'wings': False}) == ('map',)
        assert list_images('masked', {'name': 'minmax'}) == ('map',)

    def test_without_wings_they_are_not_looked_at(self):
        images, validity, missing, wings = self.make()
        plain = {key: value for key, value in WINGS.items() if key != 'wings'}
        scaled, *_ = scale_cutouts(images, validity, missing, plain, wings=wings)
        other, *_ = scale_cutouts(images, validity, missing, plain)
        assert scaled.shape == (2, 1, 64, 64)
        assert_array_equal(scaled, other)

    def test_wings_come_off(self):
        images, validity, missing, wings = self.make()
        expected, scaling, _ = scale_cutouts(images, validity, missing, WINGS)
        scaled, other, _ = scale_cutouts(
            images + wings, validity, missing, WINGS, wings=wings
        )
        assert scaled.shape == (2, 2, 64, 64)
        assert_allclose(scaled[:, 0], expected[:, 0], atol=1e-9)
        assert_allclose(other.scale, scaling.scale)
        assert_array_equal(expected[:, 1], 0)
        assert np.all(scaled[:, 1][~missing] > 0)
        assert np.all(scaled[:, 1][missing] == 0)

    def test_unit_does_not_matter(self):
        images, validity, missing, wings = self.make()
        expected, *_ = scale_cutouts(images, validity, missing, WINGS, wings=wings)
        scaled, *_ = scale_cutouts(
            1e-7 * images, validity, missing, WINGS, wings=1e-7 * wings
        )
        assert_allclose(scaled, expected, rtol=1e-9, atol=1e-12)

    def test_kriging_tells_odd_wings_from_emission(self):
        images, validity, missing, _ = self.make()
        shape = images.shape[1:]
        dy, dx = np.indices(shape) - 32.0
        setup = get_setup('scanmap', 'green')
        terms = wing_profile(setup).terms(dx, dy, flux=1e4, flux_err=0.0)
        rng = np.random.default_rng(8)
        odd = np.array([terms.combine(rng.normal(size=len(terms))) for _ in range(2)])
        options = {**WINGS, 'kriging': True}
        shared = {'beam': 3.5, 'radius': 4.5}
        wings = np.zeros(images.shape)
        expected, *_ = scale_cutouts(
            images, validity, missing, options, wings=wings, **shared
        )
        given = (images + odd, validity, missing, options)
        scaled, *_ = scale_cutouts(*given, wings=wings, terms=[terms] * 2, **shared)
        plain, *_ = scale_cutouts(*given, wings=wings, **shared)
        near = validity & (np.hypot(dx, dy) < 9)
        for image in (0, 2):
            where = near if image == 0 else near | ~validity
            where = where & ~missing & (np.hypot(dx, dy) < 9)
            error, before = (
                np.abs(one - expected)[:, image][where].mean()
                for one in (scaled, plain)
            )
            assert error < 0.4 * before
