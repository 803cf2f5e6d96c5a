# Licensed under a 3-clause BSD style license - see LICENSE.rst
from functools import partial

import numpy as np
import pytest
from astropy.stats import gaussian_fwhm_to_sigma
from numpy.testing import assert_allclose, assert_array_equal
from photutils.aperture import CircularAperture, aperture_photometry
from scipy.spatial.distance import pdist

from photutils_pconv.psf.lobed import LobedPSF, lobed_psf
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation import inject_sources, random_positions

GREEN = get_setup('scanmap', 'green')
PSF = lobed_psf(GREEN)
SCALE = GREEN.pixel_scale.value
NARROW = LobedPSF((6.0 * gaussian_fwhm_to_sigma,), (1.0,), (0.0,))

inject = partial(inject_sources, psf=PSF, pixel_scale=SCALE)


class TestInjectSources:
    @pytest.mark.parametrize('position', [(150, 150), (150.37, 149.5), (149.9, 150.1)])
    def test_flux_is_conserved(self, position):
        image = inject(np.zeros((301, 301)), *position, 2.5)
        assert_allclose(image.sum(), 2.5, rtol=2e-4)
        assert image.min() >= 0

    @pytest.mark.parametrize('radius', [7.0, 12.0, 30.0])
    @pytest.mark.parametrize(
        ('name', 'rtol'), [('scanmap/green', 0.01), ('parallel/blue', 0.035)]
    )
    def test_aperture_sees_the_encircled_energy(self, name, rtol, radius):
        setup = get_setup(setup=name)
        psf, scale = lobed_psf(setup), setup.pixel_scale.value
        image = inject_sources(
            np.zeros((121, 121)), 60.3, 59.8, 4.0, psf=psf, pixel_scale=scale, angle=0.5
        )
        aperture = CircularAperture((60.3, 59.8), radius / scale)
        flux = aperture_photometry(image, aperture)['aperture_sum'][0]
        # The map is an average over pixels, which blurs the edge of the
        # aperture: that matters for small apertures on large pixels.
        assert_allclose(flux, 4.0 * psf.encircled_energy(radius), rtol=rtol)

    def test_stamps_equal_a_rendering_of_the_whole_map(self):
        x, y, flux = [30.2, 71.0], [40.5, 88.9], [1.0, 12.0]
        image = inject(np.zeros((90, 80)), x, y, flux, angle=0.4)
        expected = sum(
            f
            * PSF.render(
                image.shape, a, b, pixel_scale=SCALE, angle=0.4, oversampling=15
            )
            for a, b, f in zip(x, y, flux, strict=True)
        )
        assert_allclose(image, expected, atol=1e-4 * expected.max())
        assert_allclose(image, expected, rtol=3e-3, atol=1e-6 * expected.max())

    def test_wings_reach_sixty_arcsec_even_for_a_narrow_psf(self):
        image = inject_sources(
            np.zeros((161, 161)), 80, 80, 1.0, psf=NARROW, pixel_scale=SCALE
        )
        assert_allclose(image.sum(), 1, rtol=1e-5)
        image = inject(np.zeros((161, 161)), 80, 80, 1.0)
        assert image[80, 80 + int(60 / SCALE)] > 0

    def test_adds_to_the_map_and_leaves_it_alone(self):
        rng = np.random.default_rng(1)
        data = rng.normal(size=(60, 70))
        before = data.copy()
        image = inject(data, [20, 50], [30, 10], [3.0, 1.0])
        assert_array_equal(data, before)
        sources = inject(np.zeros(data.shape), [20, 50], [30, 10], [3.0, 1.0])
        assert_allclose(image - data, sources, atol=1e-14)

    def test_one_flux_for_all(self):
        zeros = np.zeros((40, 40))
        assert_array_equal(
            inject(zeros, [10, 30], [10, 30], 2.0),
            inject(zeros, [10, 30], [10, 30], [2.0, 2.0]),
        )

    def test_order_does_not_matter(self):
        rng = np.random.default_rng(2)
        x, y = rng.uniform(0, 60, (2, 6))
        flux = rng.uniform(0.1, 3, 6)
        first = inject(np.zeros((60, 60)), x, y, flux)
        other = inject(np.zeros((60, 60)), x[::-1], y[::-1], flux[::-1])
        assert_allclose(first, other, rtol=1e-12)

    def test_source_beyond_the_edge_leaves_its_wings(self):
        large = inject(np.zeros((121, 121)), 60, 60, 1.0)
        # The same source, 10 pixels left of the map and 4 above it.
        part = inject(np.zeros((50, 40)), -10.0, 53.0, 1.0)
        assert_allclose(part, large[7:57, 70:110], rtol=1e-9)
        far = inject(np.zeros((50, 40)), 4000, 20, 1.0)
        assert not far.any()

    def test_angle_turns_counter_clockwise(self):
        image = inject(np.zeros((61, 61)), 30, 30, 1.0)
        turned = inject(np.zeros((61, 61)), 30, 30, 1.0, angle=np.pi / 2)
        # Rows go up: what rot90 turns clockwise there, it turns back.
        assert_allclose(turned, np.rot90(image, -1), rtol=1e-9)
        assert not np.allclose(turned, image, rtol=1e-2)

    @pytest.mark.parametrize(
        ('dtype', 'expected'),
        [('f4', 'f4'), ('f8', 'f8'), ('i2', 'f8'), ('u1', 'f8')],
    )
    def test_dtype(self, dtype, expected):
        image = inject(np.ones((20, 20), dtype=dtype), 10, 10, 1.0)
        assert image.dtype == expected
        assert image.min() > 1

    def test_missing_pixels_stay_missing(self):
        data = np.zeros((30, 30))
        data[12:15, 9] = np.nan
        image = inject(data, 10, 13, 1.0)
        assert_array_equal(np.isnan(image), np.isnan(data))

    def test_no_source(self):
        data = np.arange(12.0).reshape(3, 4)
        image = inject(data, [], [], [])
        assert_array_equal(image, data)
        assert image is not data

    @pytest.mark.parametrize(
        ('data', 'x', 'y', 'flux', 'scale', 'match'),
        [
            (np.zeros(5), 1, 1, 1, 1.6, '2-D map, got 1 dimensions'),
            (np.zeros((5, 5)), [1, 2], [1], 1, 1.6, 'one length'),
            (np.zeros((5, 5)), [1, 2], [1, 2], [1, 2, 3], 1.6, 'one for each of the 2'),
            (np.zeros((5, 5)), [1, np.nan], [1, 2], 1, 1.6, r'x must be finite.*\[1\]'),
            (np.zeros((5, 5)), 1, 2, np.inf, 1.6, 'flux must be finite'),
            (np.zeros((5, 5)), 1, 2, 1, 0.0, 'pixel_scale must be positive'),
            (np.zeros((5, 5)), 1, 2, 1, np.nan, 'pixel_scale must be positive'),
        ],
    )
    def test_bad_input(self, data, x, y, flux, scale, match):
        with pytest.raises(ValueError, match=match):
            inject_sources(data, x, y, flux, psf=PSF, pixel_scale=scale)


class TestRandomPositions:
    @pytest.mark.parametrize(
        ('n', 'separation', 'margin'),
        [(0, 9, 0), (1, 9, 5.5), (60, 12, 8), (900, 0, 0)],
    )
    def test_constraints(self, n, separation, margin):
        rng = np.random.default_rng(3)
        x, y = random_positions(
            (100, 160), n, rng=rng, separation=separation, margin=margin
        )
        assert x.shape == y.shape == (n,)
        if n == 0:
            return
        assert x.min() >= margin - 0.5
        assert y.min() >= margin - 0.5
        assert x.max() <= 159.5 - margin
        assert y.max() <= 99.5 - margin
        assert n == 1 or pdist(np.stack([x, y], axis=1)).min() >= separation

    def test_many_on_a_large_map(self):
        # More than the candidates that are compared at once.
        rng = np.random.default_rng(4)
        x, y = random_positions((900, 800), 6000, rng=rng, separation=6.5)
        assert pdist(np.stack([x, y], axis=1)).min() >= 6.5

    def test_uniform(self):
        rng = np.random.default_rng(5)
        x, y = random_positions((50, 80), 1500, rng=rng, separation=0)
        for values, size in ((x, 80), (y, 50)):
            counts, _ = np.histogram(values, bins=5, range=(-0.5, size - 0.5))
            assert_allclose(counts, 300, atol=4 * np.sqrt(300))
            # ... within the pixel, too
            assert_allclose(np.std(values - np.round(values)), 12**-0.5, rtol=0.05)

    def test_mask(self):
        rng = np.random.default_rng(6)
        mask = rng.random((60, 60)) < 0.7
        x, y = random_positions((60, 60), 200, rng=rng, separation=1.5, mask=mask)
        assert not mask[np.round(y).astype(int), np.round(x).astype(int)].any()

    def test_seed(self):
        def draw(seed):
            rng = np.random.default_rng(seed)
            return np.stack(random_positions((50, 50), 9, rng=rng, separation=5))

        assert_array_equal(draw(1), draw(1))
        assert np.any(draw(1) != draw(2))

    @pytest.mark.parametrize(
        ('n', 'kwargs'),
        [
            (50, {'separation': 20}),
            (1, {'separation': 0, 'margin': 31}),
            (1, {'separation': 0, 'mask': np.ones((60, 60), dtype=bool)}),
            (4000, {'separation': 0}),
        ],
    )
    def test_does_not_fit(self, n, kwargs):
        rng = np.random.default_rng(7)
        with pytest.raises(ValueError, match=rf'Only \d+ of {n} positions fit'):
            random_positions((60, 60), n, rng=rng, **kwargs)

    @pytest.mark.parametrize(
        ('n', 'kwargs', 'match'),
        [
            (-1, {}, 'must not be negative'),
            (1, {'separation': -2}, 'must not be negative'),
            (1, {'margin': -2}, 'must not be negative'),
            (1, {'mask': np.zeros((60, 60))}, 'mask must be boolean'),
            (1, {'mask': np.zeros((6, 6), dtype=bool)}, r'of the shape \(60, 60\)'),
        ],
    )
    def test_bad_input(self, n, kwargs, match):
        options = {'separation': 1, **kwargs}
        rng = np.random.default_rng(8)
        with pytest.raises(ValueError, match=match):
            random_positions((60, 60), n, rng=rng, **options)
