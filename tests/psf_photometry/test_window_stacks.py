# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the windows of many fits.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf_photometry.fit_windows import solve_window
from photutils_pconv.psf_photometry.fitting import fit_psf
from photutils_pconv.psf_photometry.window_stacks import WindowStack
from photutils_pconv.setups.registry import get_setup

SHAPE = (70, 90)
# In the middle, at edges, at a corner, and beyond the map.
X = np.array([40.3, 2.1, 88.6, 50.0, 0.4, 130.0])
Y = np.array([33.8, 30.5, 65.0, 69.4, 0.2, 20.0])
RADIUS = 9.0


@pytest.fixture(scope='module')
def missing():
    missing = np.random.default_rng(1).random(SHAPE) < 0.05
    missing[30:36, 42:50] = True
    return missing


@pytest.fixture(scope='module')
def psf():
    setup = get_setup(setup='scanmap/green')
    return PixelPSF(get_psf(setup), setup.pixel_scale.to_value('arcsec'), angle=0.4)


@pytest.mark.parametrize('degree', [None, 0, 2])
def test_windows_are_those_of_single_fits(missing, psf, degree):
    data = np.random.default_rng(2).normal(3.0, 1.0, SHAPE)
    rows, columns = np.indices(SHAPE)
    n_terms = {None: 0, 0: 1, 2: 6}[degree]
    stack = WindowStack.around(X, Y, RADIUS, missing)
    drawn = stack.draw([psf] * len(X), X + 0.3, Y - 0.2, gradient=True)
    images = [stack.cut(data), *drawn, *stack.terms(degree)]
    enough, brightest = stack.has_enough(degree), stack.find_brightest(data)
    for k, (x, y) in enumerate(zip(X, Y, strict=True)):
        seen = (np.hypot(columns - x, rows - y) <= RADIUS) & ~missing
        n_pixels = np.count_nonzero(seen)
        assert stack.n_pixels[k] == n_pixels
        assert enough[k] == (n_pixels > 10 + 2 * n_terms)
        if n_pixels == 0:
            assert brightest[k] == np.inf
            continue
        dx, dy = columns[seen] - x, rows[seen] - y
        u, v = dx / RADIUS, dy / RADIUS
        terms = [np.ones(n_pixels), u, v, u * u, u * v, v * v][:n_terms]
        dx, dy = dx - 0.3, dy + 0.2
        values = data[seen]
        expected = [values, psf.evaluate(dx, dy), *psf.gradient(dx, dy), *terms]
        used = stack.used[k].ravel()
        assert len(images) == len(expected)
        for n, (one, other) in enumerate(zip(images, expected, strict=True)):
            tolerance = (1e-3 if n in (2, 3) else 1e-4) * psf.peak
            assert_allclose(one[k, used], other, atol=tolerance if n else 0)
            assert_array_equal(one[k, ~used], 0)
        assert brightest[k] == pytest.approx(2.0 * np.ptp(values), rel=1e-6)
    assert not enough[-1]


def test_selected_windows(missing):
    stack = WindowStack.around(X[:5], Y[:5], RADIUS, missing)
    places = np.array([3, 0])
    part = stack.select(places)
    whole = WindowStack.around(X[places], Y[places], RADIUS, missing)
    assert_array_equal(part.used, whole.used)
    assert_array_equal(part.squares.origins, whole.squares.origins)
    assert_array_equal(part.x, X[places])


def test_scatter(missing):
    data = np.random.default_rng(3).normal(50.0, 2.0, SHAPE)
    stack = WindowStack.around(X[:5], Y[:5], RADIUS, missing)
    values = stack.cut(data)
    found = stack.scatter(values)
    for k, used in enumerate(stack.used.reshape(len(values), -1)):
        assert found[k] == pytest.approx(np.std(values[k, used]), rel=1e-12)


def test_many_solutions_are_those_of_single_fits():
    rng = np.random.default_rng(4)
    values, templates = rng.normal(size=(3, 30)), rng.normal(size=(3, 4, 30))
    # Nothing of a template is seen: its matrix is singular.
    templates[1, 3] = 0.0
    found = solve_window(values, templates)
    for k in range(3):
        for one, other in zip(
            found, solve_window(values[k], templates[k]), strict=True
        ):
            assert_allclose(one[k], other, rtol=1e-9)
    assert found[0][1, 3] == 0


def test_sources_do_not_depend_on_whom_they_are_fitted_with(psf):
    rng = np.random.default_rng(5)
    shape, n = (200, 260), 60
    cells = np.stack(np.meshgrid(np.arange(10), np.arange(6)), axis=-1).reshape(-1, 2)
    x, y = (20.0 + 25.0 * cells + rng.uniform(-2, 2, (n, 2))).T
    data = rng.normal(0.0, 1.0, shape)
    for one in zip(x, y, rng.uniform(300.0, 3000.0, n), strict=True):
        data += one[2] * psf.draw((slice(0, 200), slice(0, 260)), *one[:2])
    move = rng.random(n) < 0.5
    options = {'n_iterations': 1, 'fit_position': move}
    together = fit_psf(data, x, y, psf, **options)
    for k in (0, 17, 59):
        part = slice(k, k + 2)
        options['fit_position'] = move[part]
        alone = fit_psf(data, x[part], y[part], psf, **options)
        assert_allclose(alone.flux, together.flux[part], rtol=1e-10)
        assert_allclose(alone.flux_err, together.flux_err[part], rtol=1e-10)
