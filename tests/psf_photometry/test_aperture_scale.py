# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the normalisation of PSF fluxes to an aperture.
"""

import numpy as np
import pytest

from photutils_pconv.psf.library import get_psf
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.source_images import model_image
from photutils_pconv.psf_photometry.aperture_scale import (
    aperture_fraction,
    aperture_ratio,
)
from photutils_pconv.psf_photometry.fitting import PSFFit

SHAPE = (120, 130)
X, Y = np.array([30.2, 90.7]), np.array([40.6, 80.1])


@pytest.mark.parametrize('name', ['scanmap/blue', 'scanmap/red', 'parallel/green'])
@pytest.mark.parametrize('radius', [2.5, 4.0])
def test_fraction_equals_the_encircled_energy(name, radius):
    psf = get_psf(name)
    scale = 1.6 if name == 'scanmap/blue' else 3.2
    expected = psf.encircled_energy(radius * scale, pixel_scale=scale)
    found = aperture_fraction(PixelPSF(psf, scale), radius)
    assert found == pytest.approx(float(expected), rel=5e-3)


def _ratio(true, flux, snr, *, x=X, y=Y, emission=True):
    """Measure sources of a true PSF whose fluxes are taken to be ``flux``."""
    psf = PixelPSF(get_psf('scanmap/green'), 1.6)
    data = true(psf)
    residual = data - model_image(SHAPE, x, y, flux, psf)
    n = len(x)
    fit = PSFFit(np.array(flux), np.ones(n), x, y, np.full(n, 253))
    windows = [
        ((int(a) - 12, int(b) - 12), np.zeros((25, 25)))
        for a, b in zip(x, y, strict=True)
    ]
    return aperture_ratio(
        residual,
        fit,
        np.array(flux),
        psf,
        np.zeros(SHAPE, dtype=bool),
        windows if emission else [None] * n,
        aperture_radius=4.0,
        snr=np.array(snr),
    )


def test_bright_sources_tell_the_ratio():
    # The sources have 2 percent more than the fluxes say.
    ratio, ratio_err = _ratio(
        lambda psf: model_image(SHAPE, X, Y, [102.0, 51.0], psf),
        [100.0, 50.0],
        [900.0, 500.0],
    )
    assert ratio == pytest.approx(1.02, abs=1.5e-3)
    # Twice 0.003, and what is left of 0.5 over the SNR.
    assert ratio_err == pytest.approx(0.003 / np.sqrt(2), rel=0.05)


def test_faint_sources_hardly_move_it():
    ratio, ratio_err = _ratio(
        lambda psf: model_image(SHAPE, X, Y, [120.0, 60.0], psf),
        [100.0, 50.0],
        [5.0, 5.0],
    )
    # 1.2 has a weight of 1 / 0.1**2 twice, the prior one of 1 / 0.03**2.
    assert ratio == pytest.approx(1.0 + 0.2 * 200 / (200 + 1 / 0.03**2), rel=3e-3)
    assert ratio_err == pytest.approx((200 + 1 / 0.03**2) ** -0.5, rel=3e-3)


@pytest.mark.parametrize('reason', ['pair', 'no emission', 'no sources'])
def test_without_sources_to_tell_it_is_one(reason):
    x, y, flux, snr = X, Y, [100.0, 50.0], [900.0, 500.0]
    if reason == 'pair':
        x, y = X[:1] + np.array([0.0, 15.0]), Y[:1] + np.array([0.0, 2.0])
    if reason == 'no sources':
        flux = [np.nan, np.nan]
    ratio, ratio_err = _ratio(
        lambda psf: model_image(SHAPE, x, y, [120.0, 60.0], psf),
        flux,
        snr,
        x=x,
        y=y,
        emission=reason != 'no emission',
    )
    assert ratio == 1.0
    assert ratio_err == pytest.approx(
        0.01 if reason == 'no emission' or reason == 'pair' else 0.03
    )
