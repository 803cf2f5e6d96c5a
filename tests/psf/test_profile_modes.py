# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the wing_modes module.
"""

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.lobed import lobed_psf
from photutils_pconv.psf.profile_modes import wing_modes
from photutils_pconv.psf.profiles import wing_profile
from photutils_pconv.setups.registry import get_setup, list_setups

SIDE = 61
DY, DX = np.indices((SIDE, SIDE)) - SIDE // 2


def draw_wings(setup, rng):
    """Draw the wings of a source that is one of many."""
    make = (lobed_psf, get_psf)[rng.integers(2)]
    scale = setup.pixel_scale.to_value(u.arcsec)
    middle = SIDE // 2 + rng.normal(0.0, 0.3, 2)
    return make(setup).render(
        (SIDE, SIDE),
        *middle,
        pixel_scale=scale * np.exp(rng.normal(0.0, 0.02)),
        angle=rng.uniform(0.0, 2 * np.pi),
        stretch=np.exp(rng.uniform(-0.05, 0.05)),
    )


@pytest.mark.parametrize('name', list_setups(instrument='PACS'))
def test_modes_describe_wings(name):
    setup = get_setup(setup=name)
    profile = wing_profile(setup)
    modes = profile.modes(DX, DY)
    radius = np.hypot(DX, DY)
    ring = (radius > 7) & (radius < 14)
    rng = np.random.default_rng(4)
    before, after = [], []
    for _ in range(12):
        # In units of the wings: far from a bright source they matter, too.
        level = profile(radius[ring])
        difference = (draw_wings(setup, rng) - profile(radius))[ring] / level
        shapes = modes[:, ring] / level
        fit, *_ = np.linalg.lstsq(shapes.T, difference, rcond=None)
        before.append(np.std(difference))
        after.append(np.std(difference - fit @ shapes))
    # They hold most of it, and that is worth it.
    assert np.mean(after) < 0.3 * np.mean(before)
    assert np.mean(before) > 0.1


@pytest.mark.parametrize('name', ['scanmap/blue', 'parallel/red'])
def test_expected_amplitudes(name):
    setup = get_setup(setup=name)
    profile = wing_profile(setup)
    radius = np.hypot(DX, DY)
    expected = np.sum(profile.modes(DX, DY) ** 2, axis=0)
    rng = np.random.default_rng(5)
    found = [(draw_wings(setup, rng) - profile(radius)) ** 2 for _ in range(40)]
    for inner, outer in ((6, 9), (9, 13)):
        ring = (radius > inner) & (radius < outer)
        ratio = np.sqrt(np.mean(found, axis=0)[ring].mean() / expected[ring].mean())
        assert 0.5 < ratio < 1.5


def test_any_angle_is_as_likely():
    modes = wing_profile(get_setup('scanmap', 'green')).modes
    radius = np.linspace(1.0, 40.0, 30)
    expected = np.sum(modes(radius, 0.0 * radius) ** 2, axis=0)
    for angle in (0.3, 1.7, 4.0):
        found = modes(radius * np.cos(angle), radius * np.sin(angle))
        assert_allclose(np.sum(found**2, axis=0), expected, rtol=1e-9)


def test_ends():
    modes = wing_profile(get_setup('scanmap', 'green')).modes
    assert_array_equal(modes(60.0, 0.0), 0)
    assert np.all(np.isfinite(modes(0.0, 0.0)))


def test_a_single_round_psf():
    """Width, stretch and position alone: harmonics 0, 2 and 1."""

    class Gaussian:
        def render(self, shape, x, y, *, pixel_scale, angle=0.0, stretch=1.0, **_):
            dy, dx = np.indices(shape).astype(float)
            dx, dy = (dx - x) * pixel_scale, (dy - y) * pixel_scale
            cos, sin = np.cos(angle), np.sin(angle)
            r2 = ((cos * dx + sin * dy) / stretch) ** 2
            r2 += ((-sin * dx + cos * dy) * stretch) ** 2
            return np.exp(-0.5 * r2 / 36.0) / (72.0 * np.pi) * pixel_scale**2

    def mean(radius):
        return np.exp(-0.5 * radius**2 / 36.0) / (72.0 * np.pi)

    modes = wing_modes([Gaussian()], mean=mean, pixel_scale=1.0)
    size = np.sum(modes.radial**2, axis=1)
    assert size[np.isin(modes.order, [0, 1, 2])].sum() > 0.99 * size.sum()
    # A shift by half a pixel: the derivative of the Gaussian.
    first = modes.radial[modes.order == 1]
    r = 0.5 * np.arange(first.shape[1])
    near = (r > 3) & (r < 15)
    size = np.sqrt(np.sum(first**2, axis=0))
    expected = 0.5 * r / 36.0 * mean(r)
    assert_allclose(size[near], expected[near], rtol=0.05)
