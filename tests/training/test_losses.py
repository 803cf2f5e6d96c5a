# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the loss's terms, against the authors' program and analytically.
"""

import json
import zlib

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d

from photutils_pconv.training.features import VGG16Features
from photutils_pconv.training.image_losses import gram_matrix, ssim_loss, style_loss
from photutils_pconv.training.losses import (
    balanced_loss,
    composite,
    hole_l1,
    mean_flux_loss,
    source_loss,
    valid_l1,
)
from photutils_pconv.training.weighted_loss import WeightedLoss

kornia = pytest.importorskip('kornia')

# Convolutions of torchvision's VGG-16 by the name of the authors' slices.
VGG_LAYERS = {
    'enc_1.0': (0, 3, 64),
    'enc_1.2': (2, 64, 64),
    'enc_2.0': (5, 64, 128),
    'enc_2.2': (7, 128, 128),
    'enc_3.0': (10, 128, 256),
    'enc_3.2': (12, 256, 256),
    'enc_3.4': (14, 256, 256),
}


@pytest.fixture
def reference(reference_data):
    """Return the reference arrays, as tensors, and the losses."""
    with np.load(reference_data / 'reference' / 'network_and_losses.npz') as file:
        names = ('loss_pred', 'loss_target', 'mask', 'loss_input')
        tensors = [torch.from_numpy(file[name]) for name in names]
        return tensors, json.loads(str(file['losses'])), int(file['seed'])


def vgg_weights(seed):
    """Make weights in torchvision's format by the reference's rule."""
    state = {}
    for name, (layer, before, after) in VGG_LAYERS.items():
        for kind, shape in (('weight', (after, before, 3, 3)), ('bias', (after,))):
            r = np.random.default_rng([seed, zlib.crc32(f'{name}.{kind}'.encode())])
            if kind == 'bias':
                values = r.normal(0, 0.05, shape)
            else:
                values = r.normal(0, 1, shape).astype(np.float32)
                values = values * np.sqrt(2 / np.prod(shape[1:]))
            tensor = torch.from_numpy(values.astype(np.float32))
            state[f'features.{layer}.{kind}'] = tensor
    return state


def make_images(n=3, size=32, seed=0):
    """Make output, target and validity; every cutout has another hole."""
    rng = np.random.default_rng(seed)
    output, target = torch.from_numpy(rng.normal(size=(2, n, 1, size, size)))
    yy, xx = np.indices((size, size))
    radius = rng.uniform(4, 9, size=(n, 1, 1, 1))
    validity = np.hypot(yy - size / 2, xx - size / 2) > radius
    return output, target, torch.from_numpy(validity.astype(float))


class TestReleased:
    def test_reconstruction(self, reference):
        (output, target, mask, _), losses, _ = reference
        total = hole_l1(output, target, mask) + valid_l1(output, target, mask)
        assert float(total) == pytest.approx(losses['reconstruction'], rel=1e-6)

    def test_style(self, reference):
        (output, target, mask, _), losses, seed = reference
        features = VGG16Features(vgg_weights(seed))
        total = style_loss(output, target, features) + style_loss(
            composite(output, target, mask), target, features
        )
        assert float(total) == pytest.approx(losses['style'], rel=1e-5)

    def test_ssim(self, reference):
        (output, target, _, _), losses, _ = reference
        loss = ssim_loss(output, target, max_val=1.0, halved=True)
        assert float(loss) == pytest.approx(losses['ssim'], rel=1e-6)

    def test_source(self, reference):
        (output, target, mask, _), losses, _ = reference
        loss = source_loss(output, target, mask, composited=True)
        assert float(loss) == pytest.approx(losses['source'], rel=1e-6)

    def test_preset(self, reference):
        (output, target, mask, _), losses, seed = reference
        features = VGG16Features(vgg_weights(seed))
        loss = WeightedLoss('released', features=features)
        total, _ = loss(output, target, mask)
        weights = {'reconstruction': 6, 'style': 120, 'ssim': 0.4, 'source': 1}
        expected = sum(weight * losses[name] for name, weight in weights.items())
        assert float(total) == pytest.approx(expected, rel=1e-5)


class TestL1:
    def test_equation_2(self):
        output, target, validity = (t.numpy() for t in make_images())
        # One image at a time, with N the number of its pixels.
        hole = np.mean(
            [
                np.abs((1 - m) * (o - t)).sum() / o.size
                for o, t, m in zip(output, target, validity, strict=True)
            ]
        )
        valid = np.mean(
            [
                np.abs(m * (o - t)).sum() / o.size
                for o, t, m in zip(output, target, validity, strict=True)
            ]
        )
        tensors = make_images()
        assert float(hole_l1(*tensors)) == pytest.approx(hole, rel=1e-12)
        assert float(valid_l1(*tensors)) == pytest.approx(valid, rel=1e-12)

    def test_region(self):
        output, target, validity = make_images()
        hole = validity == 0
        error = (output - target).abs()
        loss = hole_l1(output, target, validity, mean='region')
        assert float(loss) == pytest.approx(float(error[hole].mean()), rel=1e-12)
        loss = valid_l1(output, target, validity, mean='region')
        assert float(loss) == pytest.approx(float(error[~hole].mean()), rel=1e-12)

    def test_missing_pixels_leave_the_region(self):
        output, target, validity = make_images()
        missing = torch.zeros_like(validity)
        missing[:, :, :, :16] = 1
        validity = validity * (1 - missing)
        hole = (validity == 0) & (missing == 0)
        expected = (output - target).abs()[hole].mean()
        loss = hole_l1(output, target, validity, mean='region', missing=missing)
        assert float(loss) == pytest.approx(float(expected), rel=1e-12)

    def test_limit(self):
        target = torch.zeros(1, 1, 8, 8)
        output = torch.full_like(target, 100.0, requires_grad=True)
        loss = hole_l1(output, target, torch.zeros_like(target), limit=20.0)
        loss.backward()
        assert float(loss.detach()) == 20
        assert float(output.grad.abs().max()) == 0

    def test_no_hole(self):
        output, target, validity = make_images()
        ones = torch.ones_like(validity)
        assert float(hole_l1(output, target, ones, mean='region')) == 0

    def test_bad_mean(self):
        with pytest.raises(ValueError, match='mean must be'):
            hole_l1(*make_images(), mean='all')

    def test_shares_of_a_batch_add_up(self):
        # What two processes compute, each with the mean of both counts.
        output, target, validity = make_images(n=4)
        whole = hole_l1(output, target, validity, mean='region')
        counts = [float((1 - v).sum()) for v in validity.split(2)]

        def reduce(_):
            return torch.tensor(np.mean(counts))

        parts = [
            hole_l1(o, t, v, mean='region', reduce=reduce)
            for o, t, v in zip(
                output.split(2), target.split(2), validity.split(2), strict=True
            )
        ]
        assert counts[0] != counts[1]
        assert float(sum(parts) / 2) == pytest.approx(float(whole), rel=1e-12)


class TestMeanFlux:
    def test_constant_error(self):
        _, target, validity = make_images()
        offsets = torch.tensor([0.5, -2.0, 0.0], dtype=torch.float64)
        output = target + offsets.view(3, 1, 1, 1)
        loss = mean_flux_loss(output, target, validity)
        assert float(loss) == pytest.approx(2.5 / 3, rel=1e-12)

    def test_blind_to_scatter_and_valid_pixels(self):
        _, target, validity = make_images()
        checker = torch.from_numpy(np.indices((32, 32)).sum(axis=0) % 2 * 2.0 - 1)
        hole = torch.zeros_like(validity)
        hole[:, :, 10:20, 10:20] = 1
        output = target + checker * hole + 5 * (1 - hole)
        loss = mean_flux_loss(output, target, 1 - hole)
        assert float(loss) == pytest.approx(0, abs=1e-12)

    def test_missing(self):
        _, target, validity = make_images()
        missing = 1 - validity
        loss = mean_flux_loss(target + 3, target, validity, missing=missing)
        assert float(loss) == 0


class TestStyle:
    def test_gram_of_constants(self):
        features = torch.ones(2, 3, 4, 5) * torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1)
        gram = gram_matrix(features)
        # 20 pixels, K_p = 1 / (3 * 20)
        expected = np.outer([1, 2, 3], [1, 2, 3]) / 3
        np.testing.assert_allclose(gram[1], expected, rtol=1e-6)

    def test_equation_3(self):
        output, target, _ = make_images()

        def features(image):
            return [torch.cat([image, image**2], 1), image[..., ::2, ::2]]

        expected = 0
        for out, wanted in zip(features(output), features(target), strict=True):
            n, c, h, w = out.shape
            a = out.reshape(n, c, h * w).numpy()
            b = wanted.reshape(n, c, h * w).numpy()
            for psi, psi_gt in zip(a, b, strict=True):
                difference = (psi @ psi.T - psi_gt @ psi_gt.T) / (c * h * w)
                expected += np.abs(difference).sum() / c**2 / n
        loss = style_loss(output, target, features)
        assert float(loss) == pytest.approx(expected, rel=1e-10)

    def test_composite(self):
        output, target, validity = make_images()
        image = composite(output, target, validity)
        hole = validity == 0
        assert torch.equal(image[hole], output[hole])
        assert torch.equal(image[~hole], target[~hole])


class TestSSIM:
    @pytest.mark.parametrize('max_val', [1.0, 2.0])
    def test_equations_4_and_5(self, max_val):
        output, target, _ = make_images()
        taps = np.exp(-0.5 * (np.arange(-2, 3) / 1.5) ** 2)
        taps /= taps.sum()

        def blur(image):
            image = correlate1d(image, taps, axis=-1, mode='mirror')
            return correlate1d(image, taps, axis=-2, mode='mirror')

        x, y = output.numpy(), target.numpy()
        mx, my = blur(x), blur(y)
        vx, vy, vxy = blur(x * x) - mx**2, blur(y * y) - my**2, blur(x * y) - mx * my
        c1, c2 = (0.01 * max_val) ** 2, (0.03 * max_val) ** 2
        similarity = (2 * mx * my + c1) * (2 * vxy + c2)
        similarity /= (mx**2 + my**2 + c1) * (vx + vy + c2)
        loss = ssim_loss(output, target, max_val=max_val)
        assert float(loss) == pytest.approx(1 - similarity.mean(), rel=1e-6)

    def test_identical(self):
        output, _, _ = make_images()
        assert float(ssim_loss(output, output)) == pytest.approx(0, abs=1e-6)

    def test_halved(self):
        output, target, _ = make_images()
        whole = ssim_loss(output, target)
        half = ssim_loss(output, target, halved=True)
        assert float(half) == pytest.approx(0.5 * float(whole), rel=1e-9)


class TestSource:
    def test_equation_6(self):
        output, target, _ = make_images()
        image = target + 10 * torch.rand(target.shape, dtype=torch.float64)
        expected = ((image - target) - (image - output)).abs().mean()
        loss = source_loss(output, target)
        assert float(loss) == pytest.approx(float(expected), rel=1e-12)

    def test_composited_is_hole_only(self):
        output, target, validity = make_images()
        loss = source_loss(output, target, validity, composited=True)
        assert float(loss) == float(hole_l1(output, target, validity))

    def test_composited_needs_validity(self):
        output, target, _ = make_images()
        with pytest.raises(ValueError, match='needs validity'):
            source_loss(output, target, composited=True)


class TestWeightedLoss:
    def test_equation_7(self):
        output, target, validity = make_images()
        output, target, validity = (t.float() for t in (output, target, validity))
        loss = WeightedLoss('paper')
        total, terms = loss(output, target, validity)
        features = loss.features
        comp = composite(output, target, validity)
        expected = (
            2 * valid_l1(output, target, validity)
            + 6 * hole_l1(output, target, validity)
            + 120
            * (
                style_loss(output, target, features)
                + style_loss(comp, target, features)
            )
            + 0.4 * ssim_loss(output, target)
            + source_loss(output, target)
        )
        assert float(total) == pytest.approx(float(expected), rel=1e-6)
        assert set(terms) == set(loss.terms)

    def test_default_is_that_of_the_bundled_models(self):
        # Written out.
        output, target, validity = make_images()
        missing = torch.zeros_like(validity)
        missing[:, :, :10] = 1
        validity = validity * (1 - missing)
        difference = (output - target).clamp(-20, 20)
        hole = (1 - validity) * (1 - missing)
        size = hole.sum(dim=(1, 2, 3)).clamp(min=1)
        flux = ((difference * hole).sum(dim=(1, 2, 3)) / size).abs().mean()
        l_hole = (difference.abs() * hole).sum() / hole.sum()
        l_valid = (difference.abs() * validity).sum() / validity.sum()
        total, _ = WeightedLoss()(output, target, validity, missing)
        expected = 6 * l_hole + l_valid + 3 * flux
        assert float(total) == pytest.approx(float(expected), rel=1e-12)

    @pytest.mark.parametrize('preset', ['default', 'paper', 'released'])
    def test_missing_pixels_do_not_count(self, preset):
        output, target, validity = (t.float() for t in make_images())
        missing = torch.zeros_like(validity)
        missing[:, :, :12] = 1
        validity = validity * (1 - missing)
        loss = WeightedLoss(preset)
        output.requires_grad_(True)
        total, _ = loss(output, target, validity, missing)
        total.backward()
        assert float(output.grad[missing > 0].abs().max()) == 0
        assert float(output.grad[missing == 0].abs().max()) > 0
        other = torch.where(missing > 0, 1e6, output.detach())
        assert torch.equal(loss(other, target, validity, missing)[0], total.detach())

    def test_perfect_output(self):
        _, target, validity = (t.float() for t in make_images())
        for preset in ('default', 'paper', 'released'):
            total, _ = WeightedLoss(preset)(target, target, validity)
            assert float(total) == pytest.approx(0, abs=1e-4)

    def test_terms_have_no_gradient(self):
        output, target, validity = (t.float() for t in make_images())
        output.requires_grad_(True)
        total, terms = WeightedLoss('paper')(output, target, validity)
        assert total.requires_grad
        assert not any(term.requires_grad for term in terms.values())

    @pytest.mark.parametrize(
        'names', [('style_raw', 'style_composite'), ('style_raw',)]
    )
    def test_features_of_the_target_are_computed_once(self, names):
        output, target, validity = make_images()
        seen = []

        def features(image):
            seen.append(image)
            return [image, image.square()]

        terms = dict.fromkeys(names, 1.0)
        _, parts = WeightedLoss(None, terms=terms, features=features)(
            output, target, validity
        )
        assert len(seen) == 1 + len(names)
        assert sum(image is target for image in seen) == 1
        for name in names:
            image = composite(output, target, validity) if 'comp' in name else output
            assert parts[name] == style_loss(image, target, features)

    def test_no_extractor_without_style(self):
        assert WeightedLoss('default').features is None
        assert WeightedLoss('default').describe()['preset'] == 'default'

    def test_describe(self):
        described = WeightedLoss(None, terms={'style_raw': 1}).describe()
        assert described == {
            'preset': 'none',
            'terms': {'style_raw': {'weight': 1}},
            'features': 'RandomFeatures',
        }


def test_without_kornia(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, 'kornia.metrics', None)
    output, target, _ = make_images()
    with pytest.raises(ImportError, match=r"pip install 'photutils-pconv\[train\]'"):
        ssim_loss(output, target)


class TestBalancedLoss:
    @staticmethod
    def make(*, n=3, size=64, radius=8.0):
        rng = np.random.default_rng(11)
        target = torch.from_numpy(rng.normal(size=(n, 1, size, size)))
        distance = np.hypot(*(np.indices((size, size)) - (size - 1) / 2))
        validity = torch.from_numpy((distance > radius).astype(float))
        return target, validity.expand(n, 1, size, size), distance

    def test_no_error_no_loss(self):
        target, validity, _ = self.make()
        assert float(balanced_loss(target, target, validity)) == 0

    @pytest.mark.parametrize('power', [0.0, 0.5, 1.0])
    def test_an_offset_over_the_roughness(self, power):
        target, validity, _ = self.make()
        # 0.2 a pixel along one axis, over 6 pixels, and none along the other.
        target = (0.2 * torch.arange(64.0, dtype=float)).expand_as(target)
        loss = balanced_loss(
            target + 0.5,
            target,
            validity,
            valid=0.3,
            flux=0.4,
            aperture=0.2,
            power=power,
            floor=0.4,
        )
        assert float(loss) == pytest.approx(0.5 * 0.9 / 1.0**power)
        rougher = balanced_loss(4 * target + 0.5, 4 * target, validity, power=power)
        plain = balanced_loss(target + 0.5, target, validity, power=power)
        assert float(rougher) == pytest.approx(float(plain) * (0.62 / 2.42) ** power)

    def test_written_out(self):
        target, validity, distance = self.make()
        target = target * torch.tensor([0.1, 1.0, 4.0])[:, None, None, None]
        error = np.random.default_rng(12).normal(size=target.shape)
        found = balanced_loss(target + torch.from_numpy(error), target, validity)
        hole, small = distance <= 8, distance <= 4
        expected = []
        for one, image in zip(error[:, 0], target[:, 0].numpy(), strict=True):
            parts = (
                np.abs(one[hole] - one[hole].mean()).mean()
                + 0.3 * np.abs(one[~hole]).mean()
                + 0.5 * abs(one[hole].mean())
                + 0.5 * abs(one[small].mean())
            )
            known = np.where(hole, np.nan, image)
            steps = [known[6:] - known[:-6], known[:, 6:] - known[:, :-6]]
            roughness = np.nanmean(np.abs(np.concatenate([s.ravel() for s in steps])))
            expected.append(parts / np.sqrt(roughness + 0.02))
        assert float(found) == pytest.approx(np.mean(expected))

    def test_what_is_in_the_hole_has_no_weight(self):
        target, validity, _ = self.make()
        other = torch.where(validity > 0, target, 100 * target)
        expected = balanced_loss(target + 0.3, target, validity)
        found = balanced_loss(other + 0.3, other, validity)
        assert float(found) == pytest.approx(float(expected))

    def test_least_where_the_mean_is_right(self):
        # Half of the pixels are 0.7 too low or lower: L1 would rather add that.
        target, validity, distance = self.make(n=1)
        error = np.random.default_rng(13).exponential(size=target.shape)
        hole = distance <= 8
        error -= error[0, 0][hole].mean()
        options = {'valid': 0.0, 'radius': 8.0}
        shifts = np.linspace(-0.6, 0.6, 25)
        balanced, plain = (
            [float(one(target + torch.from_numpy(error + c))) for c in shifts]
            for one in (
                lambda output: balanced_loss(output, target, validity, **options),
                lambda output: hole_l1(output, target, validity),
            )
        )
        assert shifts[np.argmin(balanced)] == pytest.approx(0, abs=1e-12)
        assert shifts[np.argmin(plain)] > 0.15

    def test_missing_pixels_do_not_count(self):
        target, validity, distance = self.make()
        missing = torch.from_numpy((distance < 3).astype(float)).expand_as(target)
        output = target + 0.1
        expected = balanced_loss(output, target, validity, missing=missing)
        other = torch.where(missing > 0, 99.0, output)
        found = balanced_loss(other, target, validity, missing=missing)
        assert float(found) == pytest.approx(float(expected), rel=1e-6)

    def test_cutouts_without_a_hole_do_not_count(self):
        target, validity, _ = self.make(n=2)
        validity = validity.clone()
        expected = balanced_loss(target[:1] + 1, target[:1], validity[:1])
        validity[1] = 1
        assert float(balanced_loss(target + 1, target, validity)) == pytest.approx(
            float(expected)
        )
        whole = torch.ones_like(validity)
        assert float(balanced_loss(target + 1, target, whole)) == 0

    def test_in_a_weighted_loss(self):
        target, validity, _ = self.make()
        loss = WeightedLoss('balanced')
        total, terms = loss(target + 0.1, target, validity)
        expected = balanced_loss(target + 0.1, target, validity)
        assert float(total) == pytest.approx(float(expected))
        assert list(terms) == ['balanced']

    @pytest.mark.parametrize('lag', [0, 2.5, True])
    def test_lag_is_checked(self, lag):
        with pytest.raises((ValueError, TypeError), match='lag of the loss term'):
            WeightedLoss('balanced', terms={'balanced': {'lag': lag}})
