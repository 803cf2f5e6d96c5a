# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of draws of what is not known behind sources."""

from types import SimpleNamespace

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import gaussian_filter
from scipy.stats import iqr

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.geometry.holes import Holes, draw_holes, draw_taper
from photutils_pconv.removal.draws import DrawModel
from photutils_pconv.removal.structure import local_scales, split_scales
from photutils_pconv.removal.texture_models import (
    cut_residuals,
    cut_surroundings,
    fit_textures,
)
from photutils_pconv.setups.registry import get_setup

SHAPE = (260, 280)
SMOOTHING = 1.2


def field(seed, shape=SHAPE):
    """Gaussian noise of standard deviation 1 with a known correlation."""
    rng = np.random.default_rng(seed)
    image = gaussian_filter(rng.standard_normal(shape), SMOOTHING, mode='wrap')
    return image / image.std()


def correlation(lag):
    """The field's autocorrelation at a lag along an axis."""
    return np.exp(-(lag**2) / (4 * SMOOTHING**2))


def measured_correlation(image, use, lag):
    both = use[:, lag:] & use[:, :-lag]
    return np.mean((image[:, lag:] * image[:, :-lag])[both]) / np.mean(image[use] ** 2)


def lost_in(x, y, radius):
    """What a hole without any observed pixel lacks: in its taper not all."""
    weight = draw_taper(Holes(x, y, radius, SHAPE), width=2.0)
    return np.sqrt(weight * (2.0 - weight))


def draw_in(models, x, y, radius, scales, seed, *, usable=True):
    """A draw in holes."""
    lost = np.where(usable, lost_in(x, y, radius), 0.0)
    model = DrawModel(models, x, y, radius, scales, lost)
    return model.draw(np.random.default_rng(seed))


@pytest.fixture(scope='module')
def places():
    """Positions on a grid, of holes of two radii."""
    x, y = np.meshgrid(np.arange(25.0, 260, 38), np.arange(25.0, 240, 38))
    x, y = x.ravel() + 0.3, y.ravel() - 0.2
    radius = np.where(np.arange(x.size) % 2, 8.0, 12.0)
    return x, y, radius


@pytest.fixture(scope='module')
def drawn(places):
    """The texture that is drawn after the example of a known field."""
    residual = 0.2 * field(1)
    scales = np.full((2, places[0].size), 0.1)
    stamps = cut_residuals(residual, *places, scales)
    models = fit_textures(stamps)
    texture = draw_in(models, *places, scales, 2)
    return SimpleNamespace(stamps=stamps, models=models, texture=texture, scales=scales)


class TestModel:
    def test_a_model_for_each_radius(self, drawn):
        assert [model.radius for model in drawn.models] == [8.0, 12.0]
        for model in drawn.models:
            assert_allclose(np.sum(model.kernels**2, axis=(1, 2)), 1.0)
            # Both parts vary evenly from the centre to the rim.
            assert np.all(model.amplitudes.std(axis=1) < 0.15)

    def test_stamps(self, drawn, places):
        stamp = drawn.stamps[0]
        n_pixels = draw_holes(SHAPE, *(value[:1] for value in places)).sum()
        assert np.isfinite(stamp.parts[0]).sum() == n_pixels
        assert_allclose(np.nanstd(stamp.parts.sum(axis=0)), 2.0, rtol=0.3)

    def test_profile(self, places):
        """A residual that grows towards the centre is drawn like that."""
        x, y, radius = places
        rows, columns = np.indices(SHAPE)
        distance = np.min(
            [
                np.hypot(columns - a, rows - b) / c
                for a, b, c in zip(*places, strict=True)
            ],
            axis=0,
        )
        residual = field(3) * np.clip(1.5 - distance, 0, None)
        scales = np.ones((2, x.size))
        models = fit_textures(cut_residuals(residual, x, y, radius, scales))
        texture = draw_in(models, *places, scales, 4)
        for inner, outer in ((0.0, 0.5), (0.5, 0.8), (0.8, 1.0)):
            ring = (distance >= inner) & (distance < outer)
            expected = np.sqrt(np.mean((1.5 - distance[ring]) ** 2))
            assert_allclose(texture[ring].std(), expected, rtol=0.15)

    def test_outliers_and_offsets(self, drawn, places):
        """A source in an empty hole, and a constant offset, do not count."""
        residual = 0.2 * field(1) + 0.7
        residual[15:35, 15:35] += 50.0
        stamps = cut_residuals(residual, *places, drawn.scales)
        for model, before in zip(fit_textures(stamps), drawn.models, strict=True):
            assert_allclose(model.amplitudes, before.amplitudes, rtol=0.08)

    def test_rare_radii(self, drawn):
        # Three of each radius, then four of one of them.
        (pooled,) = fit_textures(drawn.stamps[:6])
        assert pooled.radius == 10.0
        (own,) = fit_textures(drawn.stamps[:7])
        assert own.radius == drawn.stamps[6].radius
        assert fit_textures([]) == []

    def test_no_residual(self, places):
        stamps = cut_residuals(np.zeros(SHAPE), *places, np.ones((2, places[0].size)))
        models = fit_textures(stamps)
        texture = draw_in(models, *places, np.ones((2, places[0].size)), 0)
        assert np.abs(texture).max() < 1e-10

    def test_surroundings(self):
        x, y = np.array([80.0, 200.0]), np.array([90.0, 180.0])
        holes = draw_holes(SHAPE, x, y, 9.0)
        parts = split_scales(field(8), holes)
        scales = local_scales(parts, x, y, [9.0, 9.0])
        (model,) = fit_textures(cut_surroundings(parts, x, y, [9.0, 9.0], scales))
        assert_allclose(model.amplitudes[0], 1.0, rtol=0.1)
        assert model.amplitudes[1].max() < 1e-9


class TestDraw:
    def test_variance_and_spectrum(self, drawn, places):
        inside = draw_holes(SHAPE, *places)
        assert_allclose(drawn.texture[inside].std(), 0.2, rtol=0.04)
        for lag in (1, 2, 3):
            found = measured_correlation(drawn.texture, inside, lag)
            # That of the example, which 49 holes know no better than this.
            example = measured_correlation(field(1), inside, lag)
            assert_allclose(found, example, atol=0.06)
            assert_allclose(found, correlation(lag), atol=0.1)

    def test_it_is_another_field(self, drawn, places):
        inside = draw_holes(SHAPE, *places)
        assert abs(np.corrcoef(drawn.texture[inside], field(1)[inside])[0, 1]) < 0.1

    def test_taper_keeps_the_variance(self, drawn, places):
        """The blend of map and texture has the map's variance."""
        x, y, radius = places
        rows, columns = np.indices(SHAPE)
        for kind in (8.0, 12.0):
            weights, total = [], []
            for a, b in zip(x[radius == kind], y[radius == kind], strict=True):
                r = np.hypot(columns - a, rows - b)
                ring = (r > kind + 0.7) & (r < kind + 1.3)
                # Half a cosine over two pixels.
                w = 0.5 * (1 + np.cos(np.pi * (r[ring] - kind) / 2))
                total.append((1 - w) * 0.2 * field(7)[ring] + drawn.texture[ring])
                weights.append(w)
            assert 0.3 < np.concatenate(weights).mean() < 0.7
            assert_allclose(np.concatenate(total).std(), 0.2, rtol=0.08)

    def test_zero_beyond(self, drawn, places):
        x, y, radius = places
        assert_array_equal(drawn.texture[~draw_holes(SHAPE, x, y, radius + 2)], 0)
        scales = drawn.scales.copy()
        scales[0, 0] = np.nan
        usable = np.ones(SHAPE, dtype=bool)
        usable[:40] = False
        other = draw_in(drawn.models, *places, scales, 2, usable=usable)
        assert_array_equal(other[:40], 0)
        assert_array_equal(other[60:], drawn.texture[60:])

    def test_order(self, drawn, places):
        reverse = tuple(value[::-1] for value in places)
        other = draw_in(drawn.models, *reverse, drawn.scales, 2)
        assert_array_equal(other, drawn.texture)


class TestRemover:
    @pytest.fixture(autouse=True)
    def _once(self, textured):
        self.run = textured

    def test_statistics(self):
        """The spread within the holes is the map's own again."""
        truth, inside = self.run.scene.empty, self.run.inside
        smooth = self.run.plain.cleaned.value[inside]
        full = self.run.textured.cleaned.value[inside]
        for measure in (np.std, iqr):
            assert measure(smooth) < 0.7 * measure(truth[inside])
            assert_allclose(measure(full), measure(truth[inside]), rtol=0.1)

    def test_photometry_does_not_change(self):
        plain, textured = self.run.plain.photometry, self.run.textured.photometry
        for name in plain.colnames:
            assert_array_equal(plain[name], textured[name])
        assert_array_equal(
            self.run.plain.sources.value, self.run.textured.sources.value
        )

    def test_only_holes_change(self):
        plain, textured = self.run.plain, self.run.textured
        assert plain.drawn is None
        assert_array_equal(plain.holes, textured.holes)
        assert_array_equal(textured.drawn[~textured.holes], 0)
        assert_allclose(
            textured.cleaned.value - textured.drawn,
            plain.cleaned.value,
            atol=1e-12,
        )
        assert textured.photometry.meta['fill'] == 'draw'
        assert plain.photometry.meta['fill'] == 'mean'

    def test_seed(self):
        again = self.run.remove(fill='draw')
        assert_array_equal(again.drawn, self.run.textured.drawn)
        other = self.run.remove(fill='draw', draw_seed=5)
        assert np.abs(other.drawn - again.drawn).max() > 1e-5

    def test_draws(self):
        """Several draws: the first is that of the fill, their spread the error."""
        truth, inside = self.run.scene.empty, self.run.inside
        maps = [one.value for one in self.run.plain.draw(12, 0)]
        assert_allclose(maps[0], self.run.textured.cleaned.value, atol=1e-12)
        same = [one.value for one in self.run.textured.draw(2, 0)]
        assert_allclose(same, maps[:2], atol=1e-12)
        outside = ~self.run.plain.holes
        assert all(np.array_equal(one[outside], maps[0][outside]) for one in maps)
        error = (self.run.plain.cleaned.value - truth)[inside]
        spread = np.sqrt(np.mean(np.var(maps, axis=0, ddof=1)[inside]))
        assert_allclose(spread, np.sqrt(np.mean(error**2)), rtol=0.1)

    @pytest.mark.parametrize(
        ('n', 'seed', 'error', 'match'),
        [
            (0, 0, ValueError, 'at least 1, got 0'),
            (2.5, 0, TypeError, 'integer, got 2.5'),
            (True, 0, TypeError, 'integer, got True'),
            (2, 'x', TypeError, 'seed must be'),
        ],
    )
    def test_bad_draws(self, n, seed, error, match):
        with pytest.raises(error, match=match):
            self.run.plain.draw(n, seed)

    def test_draws_need_empty_holes(self):
        result = self.run.remove(error_method='card')
        with pytest.raises(ValueError, match="error_method='empty_apertures'"):
            result.draw(1)

    def test_too_few_free_positions(self, flat_model):
        scene = self.run.scene
        part = scene.data[36:84, 36:84] * u.Jy / u.pix
        xy = scene.xy[:1] - 36
        remover = NeuralSourceRemover(
            setup=scene.setup, model=flat_model, fill='draw', error_method='local'
        )
        with pytest.warns(UserWarning, match='free positions for only'):
            result = remover(part, xy)
        inside = draw_holes(part.shape, *xy.T, result.photometry['hole_radius'])
        # White noise less its mean over 1.5 pixels.
        assert_allclose(result.drawn[inside].std(), 0.94e-4, rtol=0.25)


@pytest.fixture(scope='module')
def textured(make_scene, flat_model):
    """A noisy map cleaned with and without a draw, by a smooth model."""
    x, y = (value.ravel() for value in np.meshgrid(*[np.arange(60.0, 300, 70)] * 2))
    scene = make_scene(x, y, 0.02, shape=(320, 320), noise=1e-4, setup='scanmap/green')

    def remove(**options):
        remover = NeuralSourceRemover(
            setup=get_setup(setup='scanmap/green'), model=flat_model, **options
        )
        return remover(scene.data * u.Jy / u.pix, scene.xy)

    plain, textured = remove(), remove(fill='draw')
    inside = draw_holes(scene.data.shape, x, y, plain.photometry['hole_radius'])
    return SimpleNamespace(
        scene=scene, remove=remove, plain=plain, textured=textured, inside=inside
    )
