# Licensed under a 3-clause BSD style license - see LICENSE.rst
from dataclasses import fields, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.photometry.signal_to_noise import snr
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation.cutout_configs import SamplerConfig
from photutils_pconv.simulation.masked_cutouts import CutoutSampler

SMALL = SamplerConfig(n_fields=2, n_noise=2, n_stamps=3, field_size=128)
GREEN = get_setup('scanmap', 'green')
RADIUS = np.hypot(*(np.indices((96, 96)) - 48.0))
FILLED = {
    'name': 'robust',
    'radius': 24.0,
    'softening': 3.0,
    'wings': True,
    'kriging': True,
}
RING = (RADIUS >= GREEN.snr_inner_radius) & (RADIUS <= GREEN.snr_outer_radius)


def make_sampler(*, setups=(GREEN,), normalisation=None, seed=7, **ranges):
    config = replace(SMALL, **ranges)
    return CutoutSampler(setups, config=config, normalisation=normalisation, seed=seed)


@pytest.fixture(scope='module')
def sampler():
    return make_sampler()


@pytest.fixture(scope='module')
def batch(sampler):
    return sampler.batch(48, [7, 1])


def assert_same(first, second):
    for field in fields(first):
        if field.name != 'scaling':
            assert_array_equal(getattr(first, field.name), getattr(second, field.name))


class TestSeeds:
    def test_batch_follows_from_its_seed(self, sampler):
        first = sampler.batch(4, [7, 2, 0])
        other = sampler.batch(4, [7, 2, 1])
        # ... whatever was drawn before it ...
        assert_same(sampler.batch(4, [7, 2, 0]), first)
        assert_same(sampler.batch(4, [7, 2, 1]), other)
        assert np.any(first.image != other.image)

    def test_batch_starts_as_a_larger_one(self, sampler):
        small, large = sampler.batch(2, 3), sampler.batch(5, 3)
        assert_array_equal(small.raw, large.raw[:2])

    def test_sampler_follows_from_its_seed(self, sampler):
        assert_same(make_sampler().batch(3, 1), sampler.batch(3, 1))
        other = make_sampler(seed=8).batch(3, 1)
        assert np.any(other.raw != sampler.batch(3, 1).raw)


class TestArrays:
    def test_shapes_and_types(self, batch):
        for name in ('image', 'target', 'validity', 'missing', 'hole', 'raw'):
            assert getattr(batch, name).shape == (48, 96, 96)
        assert batch.image.dtype == batch.target.dtype == np.float32
        for name in ('validity', 'missing', 'hole'):
            assert getattr(batch, name).dtype == bool
        assert batch.radius.shape == batch.snr.shape == (48,)

    def test_all_is_finite(self, batch):
        for field in fields(batch):
            if field.name != 'scaling':
                assert np.all(np.isfinite(getattr(batch, field.name)))

    def test_target_is_the_scaled_emission(self, batch):
        assert_allclose(
            batch.scaling.invert(batch.target.astype(float)),
            batch.emission,
            rtol=1e-4,
            atol=1e-4 * np.abs(batch.emission).max(),
        )

    def test_image_is_the_scaled_input_where_not_missing(self, batch):
        scaled = batch.scaling.apply(batch.raw)
        here = ~batch.missing
        assert_allclose(batch.image[here], scaled[here], rtol=1e-5, atol=1e-5)
        assert np.all(batch.image[batch.missing] == 0)

    def test_minmax_normalisation(self):
        sampler = make_sampler(normalisation={'name': 'minmax'}, missing=0.0)
        image = sampler.batch(4, 2).image
        assert_allclose(image.min(axis=(1, 2)), -1, atol=1e-6)
        assert_allclose(image.max(axis=(1, 2)), 1, atol=1e-6)


class TestHoles:
    def test_holes_are_not_valid(self, batch):
        assert not np.any(batch.validity & batch.hole)
        assert not np.any(batch.validity & batch.missing)
        assert batch.validity.any(axis=(1, 2)).all()

    def test_hole_is_a_disc_near_the_centre(self, batch):
        for hole, radius in zip(batch.hole, batch.radius, strict=True):
            # Its centre is the nominal position, up to a pixel below 48.
            assert not hole[RADIUS > radius + np.sqrt(2)].any()
            assert hole[RADIUS < radius - np.sqrt(2)].all()
            assert_allclose(hole.sum(), np.pi * radius**2, rtol=0.12)

    def test_snr_is_that_of_masks(self, batch):
        expected = [snr(raw, 48.0, 48.0, setup=GREEN)[0] for raw in batch.raw]
        assert_allclose(batch.snr, expected, rtol=1e-9)

    def test_radius_is_that_of_table_3(self, batch):
        assert set(batch.radius) <= set(GREEN.hole_radii)
        # One in ten is drawn at random.
        agree = batch.radius == GREEN.hole_radius(batch.snr)
        assert 0.75 < agree.mean() <= 1

    def test_neighbours_have_holes_of_their_own(self):
        batch = make_sampler(neighbours=1.0, missing=0.0).batch(12, 4)
        others = ~batch.validity & ~batch.hole
        assert np.mean(others.any(axis=(1, 2))) > 0.6
        alone = make_sampler(neighbours=0.0, missing=0.0).batch(12, 4)
        assert_array_equal(alone.validity, ~alone.hole)


class TestContent:
    """The image is emission, noise and sources, each taken alone."""

    def test_source(self):
        batch = make_sampler(
            log_noise=(-9.0, -9.0), log_peak=(2.0, 2.0, 2.0), neighbours=0.0
        ).batch(8, 1)
        source = batch.raw - batch.emission
        # The peak is a hundred times the scatter around it.
        spread = batch.emission[:, RING].std(axis=1)
        assert_allclose(source.max(axis=(1, 2)), 100 * spread, rtol=1e-5)
        assert np.all(source > -1e-6 * spread[:, None, None])
        # Within the position error and the rounding of the position.
        peak_at = [RADIUS.flat[image.argmax()] for image in source]
        assert max(peak_at) < np.hypot(3, 3) + 0.5

    def test_source_has_the_flux_of_its_psf(self):
        batch = make_sampler(
            log_noise=(-9.0, -9.0), log_peak=(3.0, 3.0, 3.0), neighbours=0.0
        ).batch(8, 2)
        source = batch.raw - batch.emission
        for image in source:
            y, x = np.unravel_index(image.argmax(), image.shape)
            r = 1.6 * np.hypot(*(np.indices(image.shape) - [[[y]], [[x]]]))
            ratio = image[r <= 9].sum() / image[r <= 18].sum()
            # The PSF's parameters are tested elsewhere, against the table.
            assert_allclose(ratio, GREEN.eef(9) / GREEN.eef(18), rtol=0.03)

    @pytest.mark.parametrize('level', [-1.0, 0.0, 0.8])
    def test_noise(self, level):
        batch = make_sampler(
            log_noise=(level, level), log_peak=(-9.0, -9.0, -9.0), neighbours=0.0
        ).batch(8, 3)
        noise = (batch.raw - batch.emission)[:, RING].std(axis=1)
        spread = batch.emission[:, RING].std(axis=1)
        assert_allclose(np.median(noise / spread), 10**level, rtol=0.25)

    def test_emission_comes_from_the_fields(self, sampler, batch):
        # Flips and turns keep the set of values: the extreme of a crop is
        # a value of one of the fields.
        values = np.ravel(sampler._fields)
        for emission in batch.emission[:8]:
            assert np.isin(np.float32([emission.min(), emission.max()]), values).all()

    def test_missing(self):
        never = make_sampler(missing=0.0).batch(10, 1)
        assert not never.missing.any()
        always = make_sampler(missing=1.0).batch(24, 1)
        share = always.missing.mean(axis=(1, 2))
        assert np.mean(share > 0) > 0.5
        assert share.max() <= 0.85


def test_setups_share_the_fields():
    blue = get_setup('scanmap', 'blue')
    sampler = make_sampler(setups=(blue, GREEN))
    radii = sampler.batch(40, 5).radius
    # 12 pixels is a radius of blue alone, 13 and 8 of green alone.
    assert set(radii) <= {*blue.hole_radii, *GREEN.hole_radii}
    assert set(radii) & (set(blue.hole_radii) - set(GREEN.hole_radii))
    assert set(radii) & (set(GREEN.hole_radii) - set(blue.hole_radii))


class TestWingsAndKriging:
    """The input of models that take wings off and krige first."""

    def make(self, **ranges):
        options = {'size': 64, 'neighbours': 0.0, 'missing': 0.0, **ranges}
        return make_sampler(normalisation=FILLED, **options)

    def test_images(self):
        batch = self.make().batch(6, 3)
        image, wings, filled = np.moveaxis(batch.image, 1, 0)
        assert image.shape == (6, 64, 64)
        assert np.all(np.isfinite(batch.image))
        assert_array_equal(filled[batch.validity], image[batch.validity])
        # They are nothing but what sources add, on the whole.
        assert np.all(wings.mean(axis=(1, 2)) > 0)

    def test_wings_are_gone_around_bright_sources(self):
        options = {'log_peak': (3.0, 3.0, 3.0), 'log_noise': (-2.0, -2.0)}
        # Knots in the emission would pass for what is left of them.
        options['realistic'] = False
        batch = self.make(**options, position_error=0.05).batch(12, 5)
        left = batch.image[:, 0] - batch.target
        scale = batch.scaling.scale[:, 0, 0]
        for i in range(12):
            distance = np.hypot(*(np.indices((64, 64)) - 31.5))
            ring = (distance > batch.radius[i] + 1) & (distance < batch.radius[i] + 5)
            source = (batch.raw - batch.emission)[i][ring].mean() / scale[i]
            # The mean is told by the core, to some percent, and kriging
            # tells the lobes.
            assert abs(np.median(left[i][ring])) < 0.1 * source
            assert np.std(left[i][ring]) < 0.2 * source

    def test_kriging_is_nearer_than_the_ring(self):
        batch = self.make(log_noise=(-1.7, -1.0), log_peak=(0.4, 0.8, 0.8)).batch(24, 6)
        errors = []
        for i in range(24):
            hole = batch.hole[i]
            ring = batch.validity[i] & (np.hypot(*(np.indices((64, 64)) - 32)) < 16)
            filled, truth = batch.image[i, 2], batch.target[i]
            flat = batch.image[i, 0][ring].mean()
            errors.append(
                [np.std(filled[hole] - truth[hole]), np.std(flat - truth[hole])]
            )
        kriging, flat = np.median(errors, axis=0)
        assert kriging < 0.6 * flat


class TestOptions:
    def test_defaults_draw_what_they_drew(self):
        # Nothing of the new options takes part in the default's random draws.
        plain = make_sampler().batch(3, 5)
        explicit = make_sampler(size=96, any_radius=0.0, empty=0.0, width=0.0)
        assert_same(explicit.batch(3, 5), plain)

    def test_empty_holes(self):
        batch = make_sampler(empty=1.0, neighbours=0.0, log_noise=(-9.0, -9.0)).batch(
            6, 2
        )
        assert_allclose(batch.raw, batch.emission, atol=1e-6)

    def test_any_radius(self):
        radius = make_sampler(any_radius=1.0).batch(24, 2).radius
        assert radius.min() >= 3
        assert radius.max() <= 15
        assert len(set(radius)) == 24

    def test_far_positions(self):
        options = {
            'neighbours': 0.0,
            'log_noise': (-9.0, -9.0),
            'log_peak': (3.0, 3.0, 3.0),
            'n_stamps': 24,
        }
        near = make_sampler(**options, position_error=0.0)
        far = make_sampler(**options, position_error=0.0, far_position=1.0)

        def offsets(sampler):
            batch = sampler.batch(24, 3)
            source = batch.raw - batch.emission
            places = [np.unravel_index(one.argmax(), one.shape) for one in source]
            return np.abs(np.array(places) - 47.5).max(axis=1)

        assert offsets(near).max() <= 0.5
        assert 1.0 < offsets(far).max() <= 3

    def test_all_psfs_and_emission(self):
        sampler = make_sampler(all_psfs=True, all_emission=True, width=0.02)
        batch = sampler.batch(6, 1)
        assert np.all(np.isfinite(batch.image))
        assert np.any(batch.raw != make_sampler().batch(6, 1).raw)
