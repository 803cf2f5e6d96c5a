# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Beams of any size cost the same: what counts is their size in pixels."""

import time
import tracemalloc
from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from photutils_pconv import NeuralSourceRemover, ObservingSetup
from photutils_pconv.psf import PixelPSF, get_psf, lobed_psf, sample_psf
from photutils_pconv.psf.profiles import wing_profile
from photutils_pconv.simulation import inject_sources

# Pixel scales, in arcsec, and the FWHM, in pixels.
SCALES = (1.6, 0.013, 103.0)
BEAM = 2.5
XY = np.array([[28.3, 31.8], [70.1, 42.2], [45.7, 71.5]])
FLUX = np.array([1.0, 0.3, 5.0])


def make_setup(scale):
    return ObservingSetup.from_psf(
        BEAM * scale * u.arcsec, pixel_scale=scale, name=f'beam of {scale}'
    )


def make_map(scale):
    rng = np.random.default_rng(17)
    data = 0.01 + 1e-4 * rng.standard_normal((100, 100))
    psf = get_psf(make_setup(scale))
    return inject_sources(data, *XY.T, FLUX, psf=psf, pixel_scale=scale, angle=0.0)


@pytest.fixture(scope='module')
def removed():
    """The photometry and the time, by pixel scale."""
    # What imports and the network's file cost does not count.
    NeuralSourceRemover(setup=make_setup(1.6), error_method='card')(make_map(1.6), XY)
    found = {}
    for scale in SCALES:
        data = make_map(scale)
        # A cached profile would hide what a scale costs.
        wing_profile.cache_clear()
        begin = time.process_time()
        remover = NeuralSourceRemover(setup=make_setup(scale), error_method='card')
        table = remover(data, XY).photometry
        found[scale] = table, time.process_time() - begin
    return found


@pytest.mark.parametrize('scale', SCALES[1:])
def test_any_scale_runs_alike(removed, scale):
    table, seconds = removed[scale]
    known, known_seconds = removed[1.6]
    assert_allclose(table['flux'], known['flux'], rtol=1e-4)
    assert_allclose(table['flux'], FLUX, rtol=0.01)
    assert_allclose(table['hole_radius'], known['hole_radius'])
    assert seconds < 2 * known_seconds + 1


def test_any_scale_needs_the_same_memory():
    """What is made of a PSF: nothing else in a removal depends on the scale."""
    peaks = []
    for scale in SCALES:
        wing_profile.cache_clear()
        tracemalloc.start()
        setup = make_setup(scale)
        PixelPSF(get_psf(setup), scale)
        wing_profile(setup)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert_allclose(peaks[1:], peaks[0], rtol=0.05)
    assert max(peaks) < 100e6


@pytest.mark.parametrize('scale', [0.013, 0.1, 1.6, 103.0])
def test_analytic_psfs_are_bounded(scale):
    """That of a setup without a PSF, too."""
    setup = replace(make_setup(scale), psf=None)
    psf = sample_psf(lobed_psf(setup), setup)
    assert psf.data.shape == (481, 481)
    assert_allclose(psf.data.sum(), 1.0, atol=1e-4)
    radius = BEAM * scale * np.array([0.5, 1.0])
    assert_allclose(psf.encircled_energy(radius), [0.5, 0.9375], atol=0.01)
