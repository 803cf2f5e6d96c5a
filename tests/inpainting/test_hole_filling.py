# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the inpainting engine."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from skimage.restoration import inpaint_biharmonic

from photutils_pconv.geometry.holes import TAPER_WIDTH, draw_holes
from photutils_pconv.inpainting.hole_filling import inpaint
from photutils_pconv.inpainting.reconstruction import Reconstruction
from photutils_pconv.psf.profiles import wing_profile
from photutils_pconv.setups.registry import get_setup
from photutils_pconv.simulation import emission_field

SHAPE = (130, 150)
X = np.array([70.3, 78.9, 20.0, 120.6, 40.5])
Y = np.array([60.8, 64.1, 100.2, 30.0, 20.5])
RADIUS = np.array([10.0, 6.0, 5.0, 13.0, 8.0])
POSITIONS = (X, Y, RADIUS)


@pytest.fixture(params=['flat_model', 'model'])
def any_model(request):
    return request.getfixturevalue(request.param)


def distance(x, y, shape=SHAPE):
    yy, xx = np.indices(shape)
    return np.hypot(xx - x, yy - y)


def expected_weight(x, y, radius, shape=SHAPE, width=TAPER_WIDTH):
    """1 in the hole, then half a period of a cosine, by pixel centres."""
    weight = np.zeros(shape)
    for xc, yc, rc in zip(x, y, radius, strict=True):
        step = np.clip((distance(xc, yc, shape) - rc) / width, 0, 1)
        weight = np.maximum(weight, np.cos(0.5 * np.pi * step) ** 2)
    weight[weight < 1e-30] = 0
    return weight


def local_median(data, i, x=X, y=Y, radius=RADIUS):
    """The median of the usable pixels around the centre of a cutout."""
    usable = np.isfinite(data)
    for xc, yc, rc in zip(x, y, radius, strict=True):
        usable &= distance(xc, yc, data.shape) > rc
    centre = np.ceil(x[i] - 48) + 48, np.ceil(y[i] - 48) + 48
    return np.median(data[usable & (distance(*centre, data.shape) <= 24)])


def same_bits(first, second):
    return (
        np.ascontiguousarray(first).tobytes() == np.ascontiguousarray(second).tobytes()
    )


class TestHoles:
    def test_nothing_else_changes(self, data, any_model):
        data[5:9, 40:60] = np.nan
        before = data.copy()
        result = inpaint(data, *POSITIONS, model=any_model)
        cleaned = result.clean(data)
        assert same_bits(data, before)
        assert same_bits(cleaned[~result.holes], data[~result.holes])
        assert result.filled.all()
        assert np.isfinite(cleaned[result.holes]).all()
        changed = cleaned[draw_holes(SHAPE, *POSITIONS)]
        assert np.all(np.abs(changed) < 50)  # where the sources have 500

    def test_weight(self, data, flat_model):
        result = inpaint(data, *POSITIONS, model=flat_model)
        assert_allclose(result.weight, expected_weight(*POSITIONS), atol=1e-12)
        assert_array_equal(result.holes, expected_weight(*POSITIONS) > 0)
        assert_array_equal(result.emission[~result.holes], 0)

    def test_taper_width(self, data, flat_model):
        hard = inpaint(data, *POSITIONS, model=flat_model, taper_width=0)
        assert_array_equal(hard.holes, draw_holes(SHAPE, *POSITIONS))
        wide = inpaint(data, *POSITIONS, model=flat_model, taper_width=7)
        expected = expected_weight(*POSITIONS, width=7)
        assert_allclose(wide.weight, expected, atol=1e-12)

    def test_taper_blends(self, data, flat_model):
        result = inpaint(data, X[2:3], Y[2:3], RADIUS[2:3], model=flat_model)
        w = result.weight
        rim = (w > 0) & (w < 1)
        median = local_median(data, 0, X[2:3], Y[2:3], RADIUS[2:3])
        assert_allclose(
            result.clean(data)[rim], (w * median + (1 - w) * data)[rim], rtol=1e-12
        )

    def test_bright_source_leaves_no_rounding_error(self):
        data = np.array([[1e12, 1e-6]])
        one = np.ones((1, 2))
        result = Reconstruction(1.23e-7 * one, one, np.array([True]))
        assert_array_equal(result.clean(data), 1.23e-7 * one)

    def test_no_sources(self, data, flat_model):
        result = inpaint(data, [], [], [], model=flat_model)
        assert result.filled.shape == (0,)
        assert not result.holes.any()
        assert same_bits(result.clean(data), data)


class TestReconstruction:
    def test_median_of_the_surroundings(self, data, flat_model):
        result = inpaint(data, *POSITIONS, model=flat_model)
        for i in (2, 3, 4):  # those that do not overlap
            hole = distance(X[i], Y[i]) <= RADIUS[i]
            assert_allclose(result.emission[hole], local_median(data, i), rtol=1e-12)

    @pytest.mark.parametrize('factor', [1.0, 1e-3, 2.7e6])
    def test_paper_normalisation(self, data, make_flat_model, factor):
        """Zero is the middle of the whole cutout's range in Jy/pixel."""
        flat = make_flat_model(name='minmax')
        result = inpaint(
            data, [70.3], [60.8], [10.0], model=flat, to_jy_per_pixel=factor
        )
        cutout = data[13:109, 23:119]
        middle = 0.5 * (cutout.min() + cutout.max() + 1e-7 / factor)
        assert_allclose(result.emission[result.holes], middle, rtol=1e-12)

    def test_unit_of_the_map_does_not_matter(self, data, any_model):
        one = inpaint(data, *POSITIONS, model=any_model)
        scaled = inpaint(data * 1e-9, *POSITIONS, model=any_model, to_jy_per_pixel=12.5)
        assert_allclose(scaled.emission * 1e9, one.emission, rtol=1e-4, atol=1e-5)

    def test_only_the_surroundings_matter(self, data, any_model):
        """Also those of a hole that overlaps another one."""
        result = inpaint(data, *POSITIONS, model=any_model)
        other = data.copy()
        holes = draw_holes(SHAPE, *POSITIONS)
        other[holes] = np.random.default_rng(8).normal(1e4, 1e4, holes.sum())
        changed = inpaint(other, *POSITIONS, model=any_model)
        assert_array_equal(changed.emission, result.emission)

    def test_overlap(self, flat_model):
        """A weighted mean: between the two, nearer to the nearer, smooth."""
        yy, xx = np.indices(SHAPE)
        data = np.where(xx < 74, 1.0, 3.0) + 1e-3 * np.sin(xx * yy)
        x, y, radius = np.array([66.0, 82.0]), np.array([60.0, 60.0]), [10.0, 10.0]
        result = inpaint(data, x, y, radius, model=flat_model)
        left, right = (local_median(data, i, x, y, radius) for i in (0, 1))
        assert right - left > 1.9
        row = result.emission[60, 57:92]
        assert_allclose(row[[0, -1]], [left, right], rtol=1e-12)
        assert np.all(np.diff(row) >= -1e-12)
        assert np.max(np.diff(row)) < 0.2 * (right - left)
        assert_allclose(row[17], 0.5 * (left + right), rtol=1e-12)

    def test_better_than_annulus_and_biharmonic(self, model):
        """On simulated emission, against it without its noise."""
        size, grid = 336, np.arange(36.3, 300, 66)
        x, y = (value.ravel() for value in np.meshgrid(grid, grid))
        radius = np.resize([6.0, 8.0, 10.0, 13.0], x.size)
        errors = []
        for seed, noise in enumerate([0.3, 1.0, 0.3, 1.0]):
            rng = np.random.default_rng([2024, seed])
            emission = emission_field((size, size), beam_fwhm=4.2, rng=rng)
            emission = emission.astype(float)
            rings = [
                (distance(xc, yc, emission.shape) >= 25 / 1.6)
                & (distance(xc, yc, emission.shape) <= 35 / 1.6)
                for xc, yc in zip(x, y, strict=True)
            ]
            spread = np.array([emission[ring].std() for ring in rings])
            data = rng.normal(emission, noise * np.median(spread))
            network = inpaint(data, x, y, radius, model=model).emission
            holes = draw_holes(data.shape, x, y, radius)
            biharmonic = inpaint_biharmonic(data, holes)
            for i, ring in enumerate(rings):
                hole = distance(x[i], y[i], data.shape) <= radius[i]
                fills = network[hole], data[ring].mean(), biharmonic[hole]
                rms = [np.sqrt(np.mean((fill - emission[hole]) ** 2)) for fill in fills]
                errors.append(np.array(rms) / spread[i])
        network, annulus, biharmonic = np.mean(errors, axis=0)
        assert network < annulus
        assert network < biharmonic


class TestOrderAndBatches:
    @pytest.mark.parametrize('batch_size', [1, 3, np.int64(2)])
    def test_any_batch_size(self, data, any_model, batch_size):
        expected = inpaint(data, *POSITIONS, model=any_model)
        result = inpaint(data, *POSITIONS, model=any_model, batch_size=batch_size)
        # Batches of other sizes are summed in another order: each of the network's
        # layers (about 20) may round the brightest values otherwise.
        atol = 20 * np.finfo(np.float32).eps * np.abs(data).max()
        assert_allclose(result.emission, expected.emission, rtol=0, atol=atol)
        assert_array_equal(result.weight, expected.weight)

    @pytest.mark.parametrize('batch_size', [1, 3, 64])
    @pytest.mark.parametrize('seed', [0, 1])
    def test_any_order(self, data, any_model, batch_size, seed):
        options = {'model': any_model, 'batch_size': batch_size}
        x, y, radius = (np.append(v, v[1]) for v in POSITIONS)  # one twice
        expected = inpaint(data, x, y, radius, **options)
        order = np.random.default_rng(seed).permutation(len(x))
        result = inpaint(data, x[order], y[order], radius[order], **options)
        assert same_bits(result.emission, expected.emission)
        assert same_bits(result.weight, expected.weight)
        assert_array_equal(result.filled, expected.filled[order])

    def test_network_is_left_alone(self, data, flat_model):
        before = {k: v.clone() for k, v in flat_model.network.state_dict().items()}
        inpaint(data, *POSITIONS, model=flat_model)
        after = flat_model.network.state_dict()
        assert all((after[name] == tensor).all() for name, tensor in before.items())
        assert not flat_model.network.training

    @pytest.mark.filterwarnings('ignore:.*only emulated')
    def test_half_precision(self, data, model):
        expected = inpaint(data, *POSITIONS, model=model, precision='float32')
        half = inpaint(data, *POSITIONS, model=model, precision='bfloat16')
        holes = expected.holes
        spread = np.std(data[distance(X[0], Y[0]) > 15])
        difference = (half.emission - expected.emission)[holes]
        assert 0 < np.std(difference) < 0.1 * spread

    def test_progress_bar(self, data, flat_model, capsys):
        inpaint(data, *POSITIONS, model=flat_model, batch_size=2, progress_bar=True)
        assert '5/5' in capsys.readouterr().err
        inpaint(data, *POSITIONS, model=flat_model, batch_size=2)
        assert capsys.readouterr().err == ''


class TestEdgesAndGaps:
    @pytest.mark.parametrize(
        ('x', 'y'),
        list(product([-0.4, 0.0, 75.2, 149.0, 149.4], [-0.5, 64.7, 129.4]))[:-1],
    )
    def test_edges_and_corners(self, data, flat_model, x, y):
        x, y, radius = np.array([x]), np.array([y]), np.array([9.0])
        data[draw_holes(SHAPE, x, y, radius)] += 700
        result = inpaint(data, x, y, radius, model=flat_model)
        assert result.filled.all()
        hole = distance(x[0], y[0]) <= 9
        median = local_median(data, 0, x, y, radius)
        assert_allclose(result.clean(data)[hole], median, rtol=1e-12)

    def test_bundled_model_at_the_edge(self, data, model):
        """Emission continues towards the edge without a jump."""
        x, y, radius = np.array([0.3, 149.0]), np.array([64.7, 129.2]), np.full(2, 9.0)
        result = inpaint(data, x, y, radius, model=model)
        cleaned = result.clean(data)
        for i in range(2):
            hole = distance(x[i], y[i]) <= 9
            ring = ~hole & (distance(x[i], y[i]) <= 18)
            offset = cleaned[hole].mean() - data[ring].mean()
            assert abs(offset) < 2 * data[ring].std()

    def test_missing_pixels(self, data, any_model):
        missing = np.zeros(SHAPE, dtype=bool)
        missing[:, :45] = True
        missing[60:62, 66:75] = True  # across a hole
        missing[58, 71] = True
        data[missing] = np.nan
        result = inpaint(data, *POSITIONS, model=any_model)
        cleaned = result.clean(data)
        assert_array_equal(np.isnan(cleaned), missing)
        assert not result.holes[missing].any()
        assert_array_equal(result.emission[missing], 0)

        # What a missing pixel holds does not matter.
        garbage = data.copy()
        garbage[missing] = np.random.default_rng(1).choice(
            [np.inf, 1e30, -1e30, np.nan], missing.sum()
        )
        other = inpaint(garbage, *POSITIONS, model=any_model, missing=missing)
        assert same_bits(other.emission, result.emission)
        assert same_bits(other.weight, result.weight)

    def test_median_beside_missing_pixels(self, data, flat_model):
        data[:, :45] = np.nan
        result = inpaint(data, *POSITIONS, model=flat_model)
        assert_allclose(result.emission[30, 120], local_median(data, 3), rtol=1e-12)

    def test_too_few_valid_pixels(self, data, flat_model):
        """Nothing is invented where nothing is known."""
        cutout = np.s_[52:, :68]
        far = distance(X[2], Y[2]) > RADIUS[2] + 1
        data[cutout][far[cutout]] = np.nan
        result = inpaint(data, *POSITIONS, model=flat_model)
        assert_array_equal(result.filled, [True, True, False, True, True])
        hole = distance(X[2], Y[2]) <= RADIUS[2] + TAPER_WIDTH
        assert not result.holes[hole].any()
        assert same_bits(result.clean(data)[hole], data[hole])

    def test_small_map(self, flat_model):
        rng = np.random.default_rng(4)
        data = rng.normal(5, 1, (17, 12))
        x, y, radius = np.array([6.2]), np.array([8.9]), np.array([4.0])
        result = inpaint(data, x, y, radius, model=flat_model)
        assert result.filled.all()
        assert_allclose(result.emission[9, 6], local_median(data, 0, x, y, radius))
        tiny = inpaint(data[:8, :8], [4], [4], [3], model=flat_model)
        assert_array_equal(tiny.filled, [False])


class TestRefusals:
    @pytest.mark.parametrize('radius', [46.0, 1000.0])
    def test_hole_too_large(self, data, flat_model, radius):
        with pytest.raises(ValueError, match=r'does not fit .* at most 45 pixels'):
            inpaint(data, [70, 20], [60, 30], [5, radius], model=flat_model)
        assert inpaint(data, [70], [60], [45], model=flat_model).filled.all()

    @pytest.mark.parametrize(
        'device', ['gpu', 'cuda:99', 'mps', 'cpu and more', '', None]
    )
    def test_unknown_device(self, data, flat_model, device):
        with pytest.raises(ValueError, match="device must be 'auto' or"):
            inpaint(data, *POSITIONS, model=flat_model, device=device)

    @pytest.mark.parametrize('precision', ['float16', 'double', None])
    def test_unknown_precision(self, data, flat_model, precision):
        with pytest.raises(ValueError, match=r'precision must be .* got'):
            inpaint(data, *POSITIONS, model=flat_model, precision=precision)

    def test_batch_size(self, data, flat_model):
        with pytest.raises(
            ValueError, match='batch_size must be a positive integer, got 0'
        ):
            inpaint(data, *POSITIONS, model=flat_model, batch_size=0)


@pytest.fixture(scope='module')
def make_filled_model():
    """Return a function that makes a model which fills smoothly, or kriges."""
    import torch

    from photutils_pconv.network import FilledUNet, LoadedModel, ModelCard

    def make(**normalisation):
        fill = 'given' if normalisation.get('kriging') else 'smooth'
        channels = 1 + sum(bool(normalisation.get(k)) for k in ('wings', 'kriging'))
        with torch.random.fork_rng(devices=[]):
            network = FilledUNet(width=2, in_channels=channels, fill=fill).eval()
        card = ModelCard(
            name='filled',
            architecture={'class': 'FilledUNet', **network.config},
            normalisation={'name': 'robust', **normalisation},
            cutout_size=64,
        )
        return LoadedModel(network=network, card=card, path=None)

    return make


class TestFilledModels:
    """What an untrained network does is known: nothing but its fill."""

    @pytest.mark.parametrize(
        'normalisation',
        [{}, {'wings': True}, {'kriging': True}, {'wings': True, 'kriging': True}],
    )
    def test_order_batches_and_bits(self, data, make_filled_model, normalisation):
        model = make_filled_model(**normalisation)
        x, y = np.append(X, 75.0), np.append(Y, 60.0)
        # The last hole needs a larger cutout than the others.
        radius = np.append(RADIUS, 30.0)
        profile = wing_profile(get_setup('scanmap', 'green'))
        expected = inpaint(data, x, y, radius, model=model, profile=profile)
        assert expected.filled.all()
        cleaned = expected.clean(data)
        outside = ~expected.holes
        assert same_bits(cleaned[outside], data[outside])
        order = np.random.default_rng(2).permutation(6)
        result = inpaint(
            data,
            x[order],
            y[order],
            radius[order],
            model=model,
            profile=profile,
            batch_size=2,
        )
        assert_allclose(result.emission, expected.emission, rtol=1e-5, atol=1e-5)

    def test_quarter_turns(self, data, make_filled_model):
        import torch

        model = make_filled_model()
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(3)
            model.network.head.weight.normal_(0, 0.02)
        # The middle of a pixel's edge is the middle of its cutout, too. Smaller holes
        # are seen in other cutouts on one turn than on more.
        x, y, radius = [70.5], [60.5], [14.0]
        expected = inpaint(data, x, y, radius, model=model).emission
        nx = data.shape[1]
        turned = inpaint(
            np.rot90(data).copy(), [y[0]], [nx - 1 - x[0]], radius, model=model
        ).emission
        smooth = inpaint(data, x, y, radius, model=make_filled_model()).emission
        change = np.abs(expected - smooth).max()
        assert change > 0.1
        # The normalisation is taken about a pixel, not about its edge.
        assert np.abs(turned - np.rot90(expected)).max() < 0.1 * change
        several = inpaint(data, x, y, radius, model=model, turns=4).emission
        assert np.abs(several - expected).max() > 0.1 * change
        # A network that allows no more than one is not averaged.
        once = inpaint(data, x, y, radius, model=model, turns=1).emission
        model.network.turns = 1
        single = inpaint(data, x, y, radius, model=model, turns=4).emission
        assert_allclose(single, once, rtol=0, atol=1e-6 * change)

    def test_flat_sky(self, make_filled_model):
        model = make_filled_model(kriging=True)
        result = inpaint(np.full(SHAPE, 7.0), *POSITIONS, model=model)
        assert_allclose(result.emission[result.holes], 7.0, rtol=1e-5)

    @pytest.mark.parametrize('kriging', [False, True])
    def test_wings_are_not_taken_for_emission(
        self, make_scene, make_filled_model, kriging
    ):
        scene = make_scene([70.3], [60.8], [30.0], sky=2e-3)
        holes = ([70.3], [60.8], [12.0])
        profile = wing_profile(scene.setup)
        errors = {}
        for wings in (False, True):
            model = make_filled_model(wings=wings, kriging=kriging)
            result = inpaint(scene.data, *holes, model=model, profile=profile)
            hole = result.weight == 1
            errors[wings] = np.abs(result.emission[hole] - 2e-3).mean()
        assert errors[True] < 0.25 * errors[False]

    def test_without_a_profile(self, data, make_filled_model):
        with_wings = make_filled_model(wings=True)
        without = make_filled_model()
        expected = inpaint(data, *POSITIONS, model=without)
        result = inpaint(data, *POSITIONS, model=with_wings)
        assert_allclose(result.emission, expected.emission, rtol=1e-5, atol=1e-5)

    def test_unit_of_the_map_does_not_matter(self, data, make_filled_model):
        model = make_filled_model(wings=True, kriging=True)
        profile = wing_profile(get_setup('scanmap', 'green'))
        one = inpaint(data, *POSITIONS, model=model, profile=profile)
        other = inpaint(
            1e-9 * data, *POSITIONS, model=model, profile=profile, to_jy_per_pixel=12.5
        )
        assert_allclose(1e9 * other.emission, one.emission, rtol=1e-5, atol=1e-5)


class TestSubtractedWings:
    """Wings beyond the holes are taken off, if that is asked for."""

    @staticmethod
    def ring(scene, low, high):
        distance = np.hypot(*(np.indices(scene.data.shape) - 60.0))
        return (distance > low) & (distance < high)

    @pytest.mark.parametrize('kriging', [False, True])
    def test_what_is_left(self, make_scene, make_filled_model, kriging):
        scene = make_scene([60.0], [60.0], [30.0], sky=2e-3, noise=1e-5)
        model = make_filled_model(wings=True, kriging=kriging)
        options = {'model': model, 'profile': wing_profile(scene.setup)}
        holes = ([60.0], [60.0], [12.0])
        plain = inpaint(scene.data, *holes, **options)
        result = inpaint(scene.data, *holes, subtract_wings=True, **options)
        assert plain.wings is None
        assert_array_equal(plain.emission, result.emission)
        assert_array_equal(plain.weight, result.weight)
        assert not np.any(plain.holes & ~result.holes)
        before, after = (one.clean(scene.data) for one in (plain, result))
        hole = plain.weight == 1
        assert_array_equal(before[hole], after[hole])
        # Kriging sees how the lobes differ from the mean of all angles.
        limit = 0.3 if kriging else 0.7
        ring = self.ring(scene, 15, 24)
        left = np.sqrt(np.mean((after - scene.empty)[ring] ** 2))
        assert left < limit * np.sqrt(np.mean((before - scene.empty)[ring] ** 2))

    def test_order_and_batches(self, make_scene, make_filled_model):
        x, y = np.array([60.0, 81.3, 40.2]), np.array([60.0, 90.0, 75.5])
        scene = make_scene(x, y, [30.0, 3.0, 0.5], sky=2e-3, noise=1e-4)
        options = {
            'model': make_filled_model(wings=True, kriging=True),
            'profile': wing_profile(scene.setup),
            'subtract_wings': True,
        }
        radius = np.array([12.0, 9.0, 7.0])
        expected = inpaint(scene.data, x, y, radius, **options)
        order = [2, 0, 1]
        result = inpaint(
            scene.data, x[order], y[order], radius[order], batch_size=1, **options
        )
        assert_array_equal(result.wings, expected.wings)

    def test_missing_pixels_and_the_edge(self, make_scene, make_filled_model):
        scene = make_scene([60.0, 4.0], [60.0, 110.0], [30.0, 5.0], sky=2e-3)
        scene.data[75:90, 60:] = np.nan
        result = inpaint(
            scene.data,
            [60.0, 4.0],
            [60.0, 110.0],
            [12.0, 9.0],
            model=make_filled_model(wings=True, kriging=True),
            profile=wing_profile(scene.setup),
            subtract_wings=True,
        )
        assert np.all(np.isfinite(result.wings))
        missing = np.isnan(scene.data)
        assert_array_equal(result.wings[missing], 0)
        assert_array_equal(np.isnan(result.clean(scene.data)), missing)
