# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of fitted sizes, on maps of known sources.
"""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.resolved import SourcePSFs
from photutils_pconv.psf.source_images import model_image
from photutils_pconv.psf.source_sizes import SourceSizes
from photutils_pconv.psf_photometry.fitting import fit_psf
from photutils_pconv.psf_photometry.size_fits import find_resolved, fit_sizes

SHAPE = (260, 260)


@pytest.fixture(scope='module')
def scene():
    """Return a map of point-like and resolved sources on emission."""
    rng = np.random.default_rng(3)
    psf = PixelPSF(get_psf('scanmap/green'), 1.6, radius=40.0)
    x, y = (one.ravel() + 0.3 for one in np.meshgrid([40, 130, 220], [40, 130, 220]))
    major = np.array([1.0, 1.5, 2.0, 1.0, 2.5, 1.3, 1.0, 1.8, 1.0])
    sizes = SourceSizes(major, major.copy(), np.zeros(9), np.full(9, np.nan))
    flux = 500.0 * major**2
    emission = 20.0 * gaussian_filter(rng.standard_normal(SHAPE), 8.0)
    data = rng.standard_normal(SHAPE) + emission
    data += model_image(SHAPE, x, y, flux, SourcePSFs(psf, sizes))
    return psf, x, y, sizes, flux, data


@pytest.fixture(scope='module')
def fitted(scene):
    psf, x, y, _, _, data = scene
    chosen = np.ones(len(x), dtype=bool)
    missing = np.zeros(SHAPE, dtype=bool)
    sizes = SourceSizes.of_points(len(x))
    return fit_sizes(
        data, x, y, psf, sizes, missing=missing, chosen=chosen, fit_position=chosen
    )


def test_found(scene):
    psf, x, y, sizes, _, data = scene
    missing = np.zeros(SHAPE, dtype=bool)
    fit = fit_psf(data, x, y, psf)
    chosen = np.ones(len(x), dtype=bool)
    chosen[1] = False
    found = find_resolved(data, fit, psf, missing=missing, chosen=chosen)
    np.testing.assert_array_equal(found, sizes.is_resolved & chosen)


def test_sizes(scene, fitted):
    sizes = scene[3]
    pull = (fitted.major - sizes.major) / (fitted.error * fitted.major)
    assert np.all(np.abs(pull) < 3.5)
    np.testing.assert_allclose(fitted.major, sizes.major, rtol=0.1)


def test_fluxes_with_fitted_sizes(scene, fitted):
    psf, x, y, _, flux, data = scene
    fit = fit_psf(data, x, y, SourcePSFs(psf, fitted))
    np.testing.assert_allclose(fit.flux, flux, rtol=0.12)
    # Without them most of the flux of large sources is left.
    plain = fit_psf(data, x, y, psf)
    assert plain.flux[4] < 0.6 * flux[4]


def test_others_stay(scene):
    psf, x, y, sizes, _, data = scene
    chosen = np.zeros(len(x), dtype=bool)
    chosen[4] = True
    missing = np.zeros(SHAPE, dtype=bool)
    found = fit_sizes(
        data, x, y, psf, sizes, missing=missing, chosen=chosen, fit_position=chosen
    )
    np.testing.assert_array_equal(found.major[~chosen], sizes.major[~chosen])
    assert np.isfinite(found.error[4])
    assert np.isnan(found.error[~chosen]).all()
