# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Fixtures for the tests of photometry."""

import numpy as np
import pytest


class RoundPSF:
    """A Gaussian core with a fifth of the light in Moffat wings, in pixels."""

    def __init__(self, fwhm):
        self.sigma = fwhm / np.sqrt(8 * np.log(2))
        self.wing = 3 * self.sigma

    def eef(self, radius):
        core = 1 - np.exp(-0.5 * (radius / self.sigma) ** 2)
        wings = 1 - 1 / (1 + (radius / self.wing) ** 2)
        return 0.8 * core + 0.2 * wings

    def brightness(self, r2):
        core = np.exp(-0.5 * r2 / self.sigma**2) / (2 * np.pi * self.sigma**2)
        wings = 1 / (np.pi * self.wing**2 * (1 + r2 / self.wing**2) ** 2)
        return 0.8 * core + 0.2 * wings

    def image(self, shape, x, y, *, oversampling=7):
        """Render pixels as the mean of the PSF over their area."""
        fine = (np.arange(oversampling) + 0.5) / oversampling - 0.5
        xx = (np.arange(shape[1])[:, np.newaxis] + fine).ravel() - x
        yy = (np.arange(shape[0])[:, np.newaxis] + fine).ravel() - y
        values = self.brightness(xx**2 + yy[:, np.newaxis] ** 2)
        blocks = (shape[0], oversampling, shape[1], oversampling)
        return values.reshape(blocks).mean(axis=(1, 3))


@pytest.fixture
def round_psf():
    """Return the class of a PSF whose encircled energy is known."""
    return RoundPSF


@pytest.fixture
def scene():
    """A noisy map with gaps, and positions on and near its edge."""
    rng = np.random.default_rng(11)
    data = rng.normal(3.0, 1.0, (90, 110))
    missing = rng.random(data.shape) < 0.03
    x = np.array([50.3, 20.8, 60.0, 1.4, 109.2])
    y = np.array([40.9, 55.5, 45.0, 88.8, 30.1])
    return data, missing, x, y
