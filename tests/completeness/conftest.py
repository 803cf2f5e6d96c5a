# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Fixtures for injection and recovery: noise alone, and what it tells."""

from types import SimpleNamespace

import astropy.units as u
import numpy as np
import pytest

from photutils_pconv import NeuralSourceRemover, get_setup
from photutils_pconv.completeness import measure_completeness
from photutils_pconv.psf import PixelPSF, get_psf
from photutils_pconv.psf.source_images import model_image
from photutils_pconv.psf_photometry.filters import get_filter_bank

SHAPE = (260, 260)
PIXEL_NOISE = 1e-3


@pytest.fixture(scope='package')
def noise_field():
    """
    Return a map of white noise with three real sources, and errors there.

    The best error, ``optimum``, is that of a pixel over the root of the PSF's sum
    of squares (Cramer-Rao). That of a linear filter, ``sigma``, is that of a pixel
    times the norm of its weights; the package has the filter of the smallest.
    """
    rng = np.random.default_rng(11)
    psf = PixelPSF(get_psf('scanmap/green'), 1.6)
    xy = np.array([[60.2, 70.4], [190.1, 60.8], [130.6, 200.3]])
    data = rng.normal(0, PIXEL_NOISE, SHAPE)
    data += model_image(SHAPE, *xy.T, np.array([0.06, 0.04, 0.08]), psf)
    y, x = np.indices((81, 81)) - 40.0
    optimum = PIXEL_NOISE / np.sqrt(np.sum(psf.evaluate(x, y) ** 2))
    beam_fwhm = get_setup('scanmap', 'green').psf_fwhm.to_value(u.arcsec) / 1.6
    bank = get_filter_bank(beam_fwhm)
    template = psf.evaluate(bank.dx, bank.dy)
    norms = [np.linalg.norm(bank.weights(k, [template])) for k in range(len(bank))]
    return SimpleNamespace(
        data=data, xy=xy, sigma=PIXEL_NOISE * min(norms), optimum=optimum
    )


@pytest.fixture(scope='package')
def psf_remover(flat_psf_model):
    """Return a fast remover with a PSF."""
    return NeuralSourceRemover(
        'scanmap', 'green', model=flat_psf_model, error_method='card'
    )


@pytest.fixture(scope='package')
def measure(noise_field, psf_remover):
    """Return a function that measures a few sources on that map, or others."""

    def run(**options):
        options = {
            'data': noise_field.data,
            'sources': noise_field.xy,
            'remover': psf_remover,
            'fluxes': noise_field.sigma * np.array([2.0, 5.0]),
            'n_per_flux': 4,
            'separation': 30.0,
        } | options
        return measure_completeness(
            options.pop('data'), options.pop('sources'), **options
        )

    return run
