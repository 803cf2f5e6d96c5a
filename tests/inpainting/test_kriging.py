# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of kriging, and of the covariances that it chooses from.
"""

import numpy as np
import pytest
from astropy.stats import gaussian_fwhm_to_sigma
from numpy.testing import assert_allclose, assert_array_equal
from threadpoolctl import threadpool_info, threadpool_limits

from photutils_pconv.evaluation.methods.known_covariance import kriging
from photutils_pconv.inpainting import kriging as kriging_fill
from photutils_pconv.inpainting.covariances import choose_covariance
from photutils_pconv.inpainting.kriging import krige_cutout, krige_cutouts
from photutils_pconv.psf.wing_terms import DrawnTerms
from photutils_pconv.simulation import fractional_brownian_motion

BEAM = 3.5
SIZE = 64
RADIUS = np.hypot(*(np.indices((SIZE, SIZE)) - SIZE / 2 + 0.5))


def make_hole(radius):
    return RADIUS > radius


def make_fields(n, slope, noise, *, seed=3):
    """Make cutouts of Gaussian fields, what is behind, and the covariance."""
    rng = np.random.default_rng(seed)
    side = 256
    k = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side))
    k[0, 0] = np.inf
    sigma = BEAM * gaussian_fwhm_to_sigma
    power = k**slope * np.exp(-((2 * np.pi * k * sigma) ** 2))
    covariance = np.fft.irfft2(power, s=(side, side))
    # In units of the scatter within 20 pixels, as the bank counts the noise.
    unit = covariance[0, 0] - covariance[0, 20]
    emission = []
    for _ in range(n):
        modes = np.fft.rfft2(rng.standard_normal((side, side)))
        field = np.fft.irfft2(modes * np.sqrt(power / unit), s=(side, side))
        y, x = rng.integers(side - SIZE, size=2)
        emission.append(field[y : y + SIZE, x : x + SIZE])
    emission = np.array(emission)
    noisy = emission + noise * rng.standard_normal(emission.shape)
    reach = np.arange(-48, 49)
    return noisy, emission, covariance[reach[:, None], reach] / unit


@pytest.mark.parametrize(('slope', 'noise'), [(-2.6, 0.1), (-3.2, 0.03), (-2.6, 1.0)])
@pytest.mark.parametrize('radius', [6.0, 10.0])
def test_near_the_optimum_of_known_covariance(slope, noise, radius):
    noisy, emission, covariance = make_fields(24, slope, noise)
    hole = ~make_hole(radius)
    validity = np.broadcast_to(~hole, noisy.shape)
    filled, _ = krige_cutouts(noisy, validity, beam=BEAM, radius=radius)
    # The cutouts, one on the other, make one map.
    y = SIZE * (np.arange(len(noisy)) + 0.5) - 0.5
    best = kriging(
        noisy.reshape(-1, SIZE),
        np.full(len(y), SIZE / 2 - 0.5),
        y,
        hole_radius=radius,
        covariance=covariance,
        noise=noise,
        half=20,
    ).background.reshape(noisy.shape)
    rms, optimum = (
        np.sqrt(np.mean((image - emission)[:, hole] ** 2)) for image in (filled, best)
    )
    flat = np.sqrt(np.mean((np.median(noisy) - emission)[:, hole] ** 2))
    # Of two dozen cutouts, one that is not the best may come out ahead.
    assert 0.95 * optimum < rms < 1.25 * optimum
    assert rms < 0.8 * flat


@pytest.mark.parametrize('slope', [-2.0, -2.6, -3.8])
@pytest.mark.parametrize('noise', [0.03, 0.3, 4.0])
def test_chosen_covariance(slope, noise):
    noisy, _, _ = make_fields(40, slope, noise)
    found = [choose_covariance(one, make_hole(8), beam=BEAM) for one in noisy]
    slopes, noises, variances = np.array(found).T
    assert_allclose(np.median(np.log(variances)), 0, atol=0.7)
    assert_allclose(np.median(np.log(noises)), np.log(noise), atol=0.7)
    if noise < 1:
        assert abs(np.median(slopes) - slope) <= 0.65


class TestProperties:
    image = make_fields(1, -2.6, 0.1)[0][0]
    validity = make_hole(8.0)

    def fill(self, image, **options):
        options = {'beam': BEAM, 'radius': 8.0, **options}
        return krige_cutout(image, self.validity, **options)[0]

    def test_usable_pixels_stay(self):
        filled = self.fill(self.image)
        assert_array_equal(filled[self.validity], self.image[self.validity])
        assert np.all(np.isfinite(filled))

    def test_values_in_the_hole_have_no_influence(self):
        other = np.where(self.validity, self.image, 1.0e5)
        assert_array_equal(self.fill(other), self.fill(self.image))

    def test_scale_and_offset(self):
        expected = 1.0e-3 * self.fill(self.image) + 7.0
        assert_allclose(self.fill(1.0e-3 * self.image + 7.0), expected, rtol=1e-9)

    def test_turned_and_flipped(self):
        expected = self.fill(self.image)
        assert_allclose(self.fill(np.rot90(self.image)), np.rot90(expected), atol=1e-9)
        assert_allclose(self.fill(self.image[::-1]), expected[::-1], atol=1e-9)

    def test_flat(self):
        flat = np.full((SIZE, SIZE), 5.0)
        assert_allclose(self.fill(flat), 5.0)

    def test_missing_pixels_are_filled_too(self):
        validity = self.validity.copy()
        validity[:, 50:] = False
        filled, _ = krige_cutout(self.image, validity, beam=BEAM, radius=8.0)
        expected = self.fill(self.image)
        # What is far away tells little.
        assert_allclose(filled[RADIUS < 8], expected[RADIUS < 8], atol=0.02)

    def test_nothing_to_go_by(self):
        validity = np.zeros((SIZE, SIZE), dtype=bool)
        filled, _ = krige_cutout(self.image, validity, beam=BEAM, radius=8.0)
        assert_array_equal(filled, 0)
        validity[:4, :4] = True
        filled, _ = krige_cutout(self.image, validity, beam=BEAM, radius=8.0)
        assert_array_equal(filled[~validity], np.median(self.image[validity]))


@pytest.mark.parametrize('radius', [20.0, 40.0])
def test_large_holes_are_filled_on_coarser_pixels(radius):
    size = 128
    fields, slope = [], -3.2
    rng = np.random.default_rng(5)
    for _ in range(8):
        fields.append(fractional_brownian_motion((size, size), slope, rng=rng))
    fields = np.array(fields)
    distance = np.hypot(*(np.indices((size, size)) - size / 2 + 0.5))
    validity = np.broadcast_to(distance > radius, fields.shape)
    filled, _ = krige_cutouts(fields, validity, beam=2.0, radius=radius)
    hole = distance <= radius
    rms = np.sqrt(np.mean((filled - fields)[:, hole] ** 2))
    ring = (distance > radius) & (distance < radius + 8)
    flat = fields[:, ring].mean(axis=1)[:, None] - fields[:, hole]
    assert rms < 0.9 * np.sqrt(np.mean(flat**2))
    assert_array_equal(filled[validity], fields[validity])


def test_many_are_filled_as_one_by_one():
    noisy, _, _ = make_fields(4, -2.6, 0.1)
    beam, radius = np.array([3.5, 3.5, 2.0, 3.5]), np.array([6.0, 10.0, 8.0, 20.0])
    validity = np.array([make_hole(one) for one in radius])
    validity[1, :20] = False
    terms = [DrawnTerms(np.stack([0.1 * noisy[0], 0.05 * noisy[1]]))] * 4
    found = krige_cutouts(noisy, validity, beam=beam, radius=radius, terms=terms)
    for i in range(4):
        expected = krige_cutout(
            noisy[i], validity[i], beam=beam[i], radius=radius[i], terms=terms[i]
        )
        for one, other in zip(found, expected, strict=True):
            assert_allclose(one[i], other, rtol=1e-9, atol=1e-12)


AROUND_TERMS = {'beam': BEAM, 'radius': 8.0}


@pytest.mark.parametrize(('noise', 'tolerance'), [(0.03, 1e-7), (1.0, 3e-3)])
@pytest.mark.parametrize('brightness', [0.0, 100.0])
def test_generalised_least_squares(noise, tolerance, brightness):
    """
    All that is asked of the equations, solved with the whole covariance: that of
    emission, noise and terms, the mean by Lagrange's multiplier. With much noise they
    are solved in single precision, which these terms, nearly alike around the hole,
    turn into some thousandths of the noise.
    """
    rng = np.random.default_rng(7)
    hole = ~make_hole(7.0)
    near = (RADIUS <= 7.5 + kriging_fill._RING) & ~hole
    image = fractional_brownian_motion((SIZE, SIZE), -2.6, rng=rng)
    image = (image - image.mean()) / image.std()
    terms = np.exp(-0.5 * (RADIUS / np.array([8.0, 14.0])[:, None, None]) ** 2)
    image += 0.7 * brightness * terms[0]
    variance = 2.3
    found = krige_cutout(
        image,
        ~hole,
        beam=BEAM,
        radius=7.0,
        terms=DrawnTerms(brightness * terms) if brightness else None,
        member=(-2.6, noise, variance),
    )
    _, _, covariance = make_fields(1, -2.6, noise)

    def covary(one, other):
        first, second = (np.array(np.nonzero(part)) for part in (one, other))
        offset = first[:, :, None] - second[:, None] + 48
        return variance * covariance[tuple(offset)]

    known = brightness * terms[:, near]
    matrix = covary(near, near) + known.T @ known
    matrix += variance * noise**2 * np.eye(near.sum())
    n = near.sum()
    bordered = np.ones((n + 1, n + 1))
    bordered[:n, :n], bordered[n, n] = matrix, 0.0
    right = np.ones((n + 1, hole.sum()))
    right[:n] = covary(near, hole)
    weights = np.linalg.solve(bordered, right)[:n]
    level = np.median(image[~hole])
    expected = (image[near] - level) @ weights + level
    assert_allclose(found[0][hole], expected, atol=tolerance)


@pytest.mark.parametrize('noise', [0.01, 1.0])
@pytest.mark.parametrize('brightness', [1e6, 1e9, 1e12])
def test_terms_of_any_brightness(noise, brightness):
    """
    The emission is told from terms, two of them equal, as far as rounding allows.
    """
    terms = np.exp(-0.5 * (RADIUS / np.array([8.0, 8.0, 14.0])[:, None, None]) ** 2)
    filled, contribution = krige_cutout(
        5.0 + brightness * terms[0],
        make_hole(7.0),
        beam=BEAM,
        radius=7.0,
        terms=DrawnTerms(brightness * terms),
        member=(-2.6, noise, 1.0),
    )
    assert np.isfinite(contribution).all()
    assert np.abs(filled[RADIUS < 7.0] - 5.0).max() < 1e-2 + 1e-12 * brightness


class TestTerms:
    """A contribution of known shape beside the emission."""

    image = make_fields(1, -2.6, 0.1)[0][0]
    validity = make_hole(8.0)
    dy, dx = np.indices((SIZE, SIZE)) - SIZE / 2 + 0.5
    # Lobes that fall as the wings of a source do.
    terms = 300.0 * np.array([dx**3 - 3 * dx * dy**2, 3 * dx**2 * dy - dy**3])
    terms /= np.maximum(RADIUS, 4.0) ** 6

    @pytest.mark.parametrize('amplitude', [3.0, 30.0])
    def test_told_from_emission(self, amplitude):
        share = amplitude * np.array([1.0, -0.5])
        terms = amplitude * self.terms
        there = np.tensordot(share / amplitude, terms, axes=1)
        expected, _ = krige_cutout(self.image, self.validity, **AROUND_TERMS)
        filled, found = krige_cutout(
            self.image + there, self.validity, terms=DrawnTerms(terms), **AROUND_TERMS
        )
        ring = (RADIUS > 8) & (RADIUS < 12)
        assert np.std((found - there)[ring]) < 0.35 * np.std(there[ring]) + 0.02
        hole = RADIUS <= 8
        plain, _ = krige_cutout(self.image + there, self.validity, **AROUND_TERMS)
        errors = [np.std((one - expected)[hole]) for one in (filled, plain)]
        assert errors[0] < 0.6 * errors[1]

    def test_nothing_there(self):
        expected, none = krige_cutout(self.image, self.validity, beam=BEAM, radius=8.0)
        assert_array_equal(none, 0)
        filled, found = krige_cutout(
            self.image,
            self.validity,
            terms=DrawnTerms(0.0 * self.terms),
            **AROUND_TERMS,
        )
        assert_allclose(filled, expected, atol=1e-9)
        assert_array_equal(found, 0)

    def test_usable_pixels_lose_the_contribution_alone(self):
        filled, found = krige_cutout(
            self.image, self.validity, terms=DrawnTerms(self.terms), **AROUND_TERMS
        )
        assert_array_equal(filled[self.validity], (self.image - found)[self.validity])

    def test_large_hole(self):
        size, radius = 128, 20.0
        rng = np.random.default_rng(5)
        field = fractional_brownian_motion((size, size), -3.2, rng=rng)
        dy, dx = np.indices((size, size)) - size / 2 + 0.5
        distance = np.hypot(dy, dx)
        terms = (1e4 * dx / np.maximum(distance, 10.0) ** 4)[None]
        there = 1.2 * terms[0]
        validity = distance > radius
        _, found = krige_cutout(
            field + there, validity, beam=2.0, radius=radius, terms=DrawnTerms(terms)
        )
        ring = validity & (distance < radius + 6)
        assert np.std((found - there)[ring]) < 0.4 * np.std(there[ring])


def test_uncertain_wings_do_not_choose_the_covariance():
    noisy, _, _ = make_fields(1, -2.6, 0.1)
    validity = make_hole(8)
    wings = 100.0 * np.exp(-((RADIUS / 5.0) ** 2))
    expected = choose_covariance(noisy[0], validity & (wings < 0.1), beam=BEAM)
    found = choose_covariance(noisy[0] + wings, validity, beam=BEAM, uncertain=wings)
    assert found[:2] == expected[:2]


def test_one_thread(monkeypatch):
    """Several wait for each other when the machine is busy; the user's stay."""

    def n_threads():
        pools = threadpool_info()
        return {one['num_threads'] for one in pools if one['user_api'] == 'blas'}

    seen = []

    def krige(image, *_, **__):
        seen.append(n_threads())
        return image, image

    monkeypatch.setattr(kriging_fill, 'krige_cutout', krige)
    with threadpool_limits(3, user_api='blas'):
        image = np.zeros((1, SIZE, SIZE))
        krige_cutouts(image, image == 0, beam=BEAM, radius=6.0)
        assert seen == [{1}]
        assert n_threads() == {3}
