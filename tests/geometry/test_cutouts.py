# Licensed under a 3-clause BSD style license - see LICENSE.rst
import numpy as np
import pytest
from astropy.nddata import Cutout2D
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

from photutils_pconv.geometry.cutouts import CUTOUT_SIZE, cutout_origin, extract_cutout
from photutils_pconv.geometry.holes import taper_weight
from photutils_pconv.inpainting.scaling import Scaling, normalise

SETUPS = [
    f'{mode}_{band}'
    for mode in ('scanmap', 'parallel')
    for band in ('blue', 'green', 'red')
]


@pytest.fixture
def image():
    return np.random.default_rng(1).normal(2.0, 0.5, (200, 220))


@pytest.fixture
def stamps():
    """Three cutouts of faint structure, with holes, and their validity."""
    rng = np.random.default_rng(2)
    images = rng.normal(5.0, 0.2, (3, 96, 96))
    images += np.linspace(0, 1, 96)
    validity = np.ones(images.shape, dtype=bool)
    validity[:, 40:56, 40:56] = False
    return images, validity


class TestGeometry:
    @pytest.mark.parametrize('size', [96, 48, 33])
    def test_origin_is_that_of_cutout2d(self, image, size):
        rng = np.random.default_rng(3)
        x = np.append(rng.uniform(-14, 230, 50), [100, 100.5, 99.999999, 0, -0.5])
        y = np.append(rng.uniform(-14, 210, 50), [90, 90.5, 90.000001, 0, 199.5])
        x0, y0 = cutout_origin(x, y, size=size)
        assert x0.dtype.kind == y0.dtype.kind == 'i'
        for i in range(len(x)):
            expected = Cutout2D(
                image, (x[i], y[i]), size, mode='partial', fill_value=np.nan
            )
            # Partial cutouts count from the part on the map.
            origin = [
                expected.origin_original[k] - expected.origin_cutout[k] for k in (0, 1)
            ]
            assert (x0[i], y0[i]) == tuple(origin)

    def test_origin_follows_the_rule_of_the_reference(self):
        # ceil(position - 48): the source is on (48, 48) or less than a
        # pixel below it.
        position = np.linspace(100, 102, 41)
        x0, _ = cutout_origin(position, position)
        assert_array_equal(x0, np.ceil(position - 48))
        inside = position - x0
        assert np.all((inside <= 48) & (inside > 47))
        assert_array_equal(x0 + 48, np.ceil(position))

    def test_scalar(self):
        assert tuple(map(int, cutout_origin(50, 60.2))) == (2, 13)

    @pytest.mark.parametrize(
        'position', [(100, 90), (10.3, 5.5), (215.2, 199.0), (-30, 90), (3, 230)]
    )
    def test_extract_equals_cutout2d(self, image, position):
        origin = cutout_origin(*position)
        cutout = extract_cutout(image, *map(int, origin), fill_value=-7.0)
        expected = Cutout2D(image, position, 96, mode='partial', fill_value=-7.0)
        assert_array_equal(cutout, expected.data)

    def test_extract_beyond_the_map(self, image):
        cutout = extract_cutout(image > 0, 500, 0, fill_value=True)
        assert cutout.shape == (CUTOUT_SIZE, CUTOUT_SIZE)
        assert cutout.dtype == bool
        assert cutout.all()

    def test_extract_from_a_smaller_map(self):
        small = np.arange(20.0).reshape(4, 5)
        cutout = extract_cutout(small, -3, -2, size=12)
        assert_array_equal(cutout[2:6, 3:8], small)
        assert cutout.sum() == small.sum()

    def test_extract_copies(self, image):
        before = image.copy()
        extract_cutout(image, 10, 10)[:] = 0
        assert_array_equal(image, before)


@pytest.mark.parametrize('name', SETUPS)
class TestReference:
    """Equality with the paper authors' own program."""

    @pytest.fixture
    def case(self, name, reference_data):
        with np.load(reference_data / 'reference' / 'masks_and_photometry.npz') as file:
            return {
                what: file[f'{name}_{what}']
                for what in ('image', 'xy', 'norm_cutouts', 'masks', 'mask', 'minmax')
            }

    @staticmethod
    def cut(case, image, fill_value):
        x0, y0 = cutout_origin(*case['xy'].T)
        return np.stack(
            [
                extract_cutout(image, x, y, fill_value=fill_value)
                for x, y in zip(x0, y0, strict=True)
            ]
        )

    def test_place(self, case):
        holes = self.cut(case, case['mask'], 0)[:4]
        # Their cutouts' masks have all sources' holes.
        assert_array_equal(holes, case['masks'][:, 0])

    def test_minmax(self, case):
        images = self.cut(case, case['image'].astype(float), np.nan)
        missing = ~np.isfinite(images)
        scaled, scaling = normalise(images, ~missing, name='minmax', missing=missing)
        low = scaling.centre - scaling.scale
        assert_allclose(low.ravel(), case['minmax'][:, 0], rtol=1e-6, atol=1e-9)
        high = scaling.centre + scaling.scale - 1e-7
        assert_allclose(high.ravel(), case['minmax'][:, 1], rtol=1e-6, atol=1e-9)
        here = ~missing[:4]
        assert_allclose(
            scaled[:4][here], case['norm_cutouts'][:, 0][here], rtol=1e-5, atol=2e-6
        )


class TestNormalise:
    @pytest.mark.parametrize(
        'options',
        [
            {'name': 'minmax'},
            {'name': 'robust'},
            {'name': 'robust', 'radius': 12.0, 'softening': 1.0},
            {'name': 'robust', 'softening': None},
        ],
    )
    def test_invert(self, stamps, options):
        images, validity = stamps
        images[0, 48, 48] = 400.0
        scaled, scaling = normalise(images, validity, **options)
        assert_allclose(scaling.apply(images), scaled)
        assert_allclose(scaling.invert(scaled), images, rtol=1e-9)

    def test_minmax_spans_all_pixels(self, stamps):
        images, validity = stamps
        images[1, 48, 48] = 30.0  # in a hole
        scaled, _ = normalise(images, validity, name='minmax')
        assert_allclose(scaled.min(axis=(1, 2)), -1, atol=1e-12)
        assert_allclose(scaled.max(axis=(1, 2)), 1, atol=1e-6)
        assert scaled[1].argmax() == 48 * 96 + 48
        # (x - min) / (max - min + 1e-7) * 2 - 1
        low, high = images[1].min(), images[1].max()
        expected = (images[1] - low) / (high - low + 1e-7) * 2 - 1
        assert_allclose(scaled[1], expected, atol=1e-12)

    def test_minmax_of_a_flat_cutout(self):
        images = np.full((1, 96, 96), 3.0)
        scaled, scaling = normalise(images, images > 0, name='minmax')
        assert_allclose(scaled, -1)
        assert_allclose(scaling.invert(scaled), 3.0)

    def test_robust_is_of_order_one(self, stamps):
        images, validity = stamps
        scaled, scaling = normalise(images, validity, softening=None)
        for k in range(3):
            part = scaled[k][validity[k]]
            near = np.hypot(*(np.indices((96, 96)) - 48)) <= 24
            values = images[k][validity[k] & near]
            assert_allclose(scaling.centre[k], np.median(values))
            mad = np.median(np.abs(values - np.median(values)))
            assert_allclose(scaling.scale[k], mad / norm.ppf(0.75))
            assert 0.5 < part.std() < 3

    @pytest.mark.parametrize('flux', [1e2, 1e6, -1e6])
    def test_robust_does_not_see_a_source_in_a_hole(self, stamps, flux):
        images, validity = stamps
        before, scaling = normalise(images.copy(), validity)
        images[:, 45:52, 45:52] += flux
        after, other = normalise(images, validity)
        assert_array_equal(scaling.centre, other.centre)
        assert_array_equal(scaling.scale, other.scale)
        assert_array_equal(before[validity], after[validity])
        # ... where min-max leaves nothing of the background.
        squeezed, _ = normalise(images, validity, name='minmax')
        assert squeezed[validity].std() < 0.05 * after[validity].std()

    def test_robust_hardly_sees_a_source_without_a_hole(self, stamps):
        images, validity = stamps
        _, scaling = normalise(images.copy(), validity)
        images[:, 58:64, 58:64] += 1e5
        _, other = normalise(images, validity)
        assert_allclose(other.scale, scaling.scale, rtol=0.1)
        assert_allclose(other.centre, scaling.centre, atol=0.1 * scaling.scale.max())

    def test_softening_compresses_bright_pixels_alone(self, stamps):
        images, validity = stamps
        images[0, 10, 10] = 5e4
        linear, _ = normalise(images, validity, softening=None)
        soft, _ = normalise(images, validity, softening=3.0)
        faint = np.abs(linear) < 0.5
        assert_allclose(soft[faint], linear[faint], rtol=0.005, atol=1e-12)
        assert linear[0, 10, 10] > 1e4
        assert soft[0, 10, 10] < 40

    def test_invert_of_a_wild_prediction_is_finite(self):
        scaling = Scaling(np.zeros((1, 1, 1)), np.ones((1, 1, 1)), 3.0)
        with np.errstate(all='raise'):
            assert np.all(np.isfinite(scaling.invert(np.full((1, 2, 2), 1e9))))

    @pytest.mark.parametrize('name', ['minmax', 'robust'])
    @pytest.mark.parametrize('value', [np.nan, np.inf, 1e9])
    def test_missing_pixels_may_hold_anything(self, stamps, name, value):
        images, validity = stamps
        missing = np.zeros(images.shape, dtype=bool)
        missing[:, :, 80:] = True
        validity &= ~missing
        expected, _ = normalise(images.copy(), validity, name=name, missing=missing)
        images[missing] = value
        scaled, _ = normalise(images, validity, name=name, missing=missing)
        assert_array_equal(scaled, expected)
        assert np.all(scaled[missing] == 0)

    @pytest.mark.parametrize('name', ['minmax', 'robust'])
    def test_nothing_usable(self, name):
        images = np.full((2, 96, 96), np.nan)
        nowhere = np.zeros(images.shape, dtype=bool)
        scaled, scaling = normalise(images, nowhere, name=name, missing=~nowhere)
        assert_array_equal(scaled, 0)
        assert np.all(np.isfinite(scaling.invert(scaled)))

    def test_robust_takes_far_pixels_if_there_are_none_near(self, stamps):
        images, validity = stamps
        validity[:] = False
        validity[:, :, :5] = True
        _, scaling = normalise(images, validity)
        for k in range(3):
            assert_allclose(scaling.centre[k], np.median(images[k, :, :5]))

    def test_robust_of_mostly_equal_pixels(self):
        images = np.zeros((2, 96, 96))
        images[0, 48, 40:44] = 1.0
        scaled, _ = normalise(images, np.ones(images.shape, dtype=bool))
        assert np.all(np.isfinite(scaled))
        assert np.all(scaled[1] == 0)

    @pytest.mark.parametrize(
        ('value', 'dtype'),
        [(1.0, float), (-3e-9, float), (1e12, float), (0.0, float), (1e-9, 'f4')],
    )
    def test_flat_map_is_reconstructed_flat(self, model, value, dtype):
        from photutils_pconv.inpainting.hole_filling import inpaint

        # The source must not count, nor may it overflow.
        data = np.full((120, 130), value, dtype=dtype)
        data[55:58, 60:63] += 1.0 if value == 0 else 1e3 * abs(value)
        hole = [[61.0], [56.0], [8.0]]
        with np.errstate(over='raise', invalid='raise'):
            emission = inpaint(data, *map(np.array, hole), model=model).emission
        inside = np.hypot(*(np.indices(data.shape).T - (56, 61)).T) < 7
        assert_allclose(emission[inside], value, rtol=1e-5, atol=1e-30)

    @pytest.mark.parametrize('unit', [1e-6, 1e6])
    def test_robust_scales_with_the_unit(self, stamps, unit):
        images, validity = stamps
        expected, _ = normalise(images, validity)
        scaled, _ = normalise(images * unit, validity)
        assert_allclose(scaled, expected, rtol=1e-6, atol=1e-9)

    def test_unknown_name(self, stamps):
        with pytest.raises(ValueError, match=r"\('minmax', 'robust'\), got 'zscale'"):
            normalise(*stamps, name='zscale')


class TestTaper:
    def test_shape(self):
        weight = taper_weight([0, 5, 6, 7, 8, 9, 50], 6.0, width=2.0)
        assert_allclose(weight, [1, 1, 1, 0.5, 0, 0, 0])
        assert np.all(weight[4:] == 0)

    def test_is_smooth_and_falls(self):
        distance = np.linspace(0, 12, 1201)
        weight = taper_weight(distance, 6.0, width=3.0)
        steps = np.diff(weight)
        assert np.all(steps <= 0)
        # A half cosine is nowhere steeper than pi / 2 over its width.
        assert steps.min() >= -np.pi / 2 * 0.01 / 3.0 - 1e-9
        assert_array_equal(weight > 0, distance < 9.0)

    def test_no_width(self):
        weight = taper_weight(np.array([0, 5.99, 6, 6.01]), 6.0, width=0)
        assert_array_equal(weight, [1, 1, 1, 0])
