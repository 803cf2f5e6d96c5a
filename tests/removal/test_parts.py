# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests that a large map, of which only parts are worked on, gives what a whole one does.
"""

import tracemalloc

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData, StdDevUncertainty
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.sources import parse_sources
from photutils_pconv.psf import PixelPSF, get_psf
from photutils_pconv.removal.assembly import assemble
from photutils_pconv.removal.pipeline import remove_sources, run_removal
from photutils_pconv.removal.settings import RemovalSettings
from photutils_pconv.setups import get_setup

SETUP = 'scanmap/green'
# Two that blend, one whose position is fitted, some at edges, one at a corner, and a
# faint one near missing pixels.
X = np.array([150.3, 162.1, 480.0, 3.2, 310.4, 625.0, 140.7])
Y = np.array([130.8, 135.0, 300.6, 520.1, 1.5, 632.6, 380.2])
FLUX = np.array([2.0, 0.6, 8.0, 1.0, 1.0, 3.0, 0.1])
SIDE = 640


@pytest.fixture(scope='module')
def data():
    rng = np.random.default_rng(8)
    rough = rng.normal(size=(SIDE // 8, SIDE // 8))
    data = 0.02 + 0.002 * np.kron(rough, np.ones((8, 8)))
    data += rng.normal(0.0, 0.002, data.shape)
    psf = PixelPSF(get_psf(get_setup(setup=SETUP)), 1.6)
    for x, y, flux in zip(X, Y, FLUX, strict=True):
        region = tuple(
            slice(max(int(one) - 59, 0), min(int(one) + 59, SIDE)) for one in (y, x)
        )
        data[region] += flux * psf.draw(region, x, y)
    data[375:378, 145:160] = np.nan
    return data.astype(np.float32)


def make_settings(**options):
    return RemovalSettings.from_arguments(setup=SETUP, **options)


def remove_both(settings, data):
    """Remove sources from the whole of a map, and by parts."""
    given = parse_map(data), parse_sources(np.stack([X, Y], axis=1))
    whole = remove_sources(settings, *given)
    parts = remove_sources(settings, *given, by_parts=True)
    assert whole.parts is None
    assert parts.parts.known.size < 0.7 * SIDE**2
    return assemble(settings, given[0], whole), run_removal(settings, *given)


def compare(whole, parts):
    table, expected = parts.photometry, whole.photometry
    assert table.colnames == expected.colnames
    assert_array_equal(table['flags'], expected['flags'])
    assert_allclose(
        table['flux_err'].value, expected['flux_err'].value, rtol=1e-6, equal_nan=True
    )
    for name in ('flux', 'flux_aperture', 'flux_annulus'):
        error = expected['flux_err'].value
        change = (table[name] - expected[name]).value / error
        assert_allclose(change, 0.0, atol=1e-6)
    for name in ('x_fit', 'y_fit', 'hole_radius', 'snr', 'qfit', 'aperture_correction'):
        assert_allclose(table[name], expected[name], rtol=1e-7, equal_nan=True)
    assert_array_equal(parts.holes, whole.holes)


@pytest.fixture(scope='module')
def both(data):
    error = np.full(data.shape, 0.002)
    ccd = CCDData(data, unit=u.Jy / u.pix, uncertainty=StdDevUncertainty(error))
    return remove_both(make_settings(), ccd)


def test_table_and_maps(both):
    whole, parts = both
    compare(whole, parts)
    for name in ('cleaned', 'sources'):
        one, other = (getattr(result, name) for result in (parts, whole))
        assert one.data.dtype == np.float32
        assert_allclose(one.data, other.data, atol=1e-8, equal_nan=True)
        assert_allclose(one.uncertainty.array, other.uncertainty.array, rtol=1e-6)
    assert_allclose(parts.emission, whole.emission, atol=1e-8)
    assert_allclose(parts.reconstruction, whole.reconstruction, atol=1e-8)


def test_what_is_far_stays(both, data):
    result = both[1]
    far = ~result.holes
    assert np.count_nonzero(far) > 0.9 * SIDE**2
    assert_array_equal(result.cleaned.data[far], data[far])
    assert not np.any(result.sources.data[far])


def test_draws(both):
    whole, parts = both
    (one,), (other,) = (list(result.draw(1, seed=4)) for result in (parts, whole))
    assert np.any(one.data[whole.holes] != whole.cleaned.data[whole.holes])
    assert_allclose(one.data, other.data, atol=1e-7, equal_nan=True)


def test_resolved_sources(data):
    # The fit finds sizes, for which more of the map is taken.
    x, y = np.meshgrid(np.arange(420, 541), np.arange(241, 362))
    data = data.copy()
    sigma = 3.0
    blob = np.exp(-0.5 * ((x - X[2]) ** 2 + (y - Y[2]) ** 2) / sigma**2)
    data[241:362, 420:541] += 8.0 * blob / blob.sum()
    whole, parts = remove_both(make_settings(error_method='local'), data)
    compare(whole, parts)
    assert_allclose(parts.photometry['fwhm_fit'], whole.photometry['fwhm_fit'])
    assert parts.photometry['fwhm_fit'][2] > 1.1 * parts.photometry['fwhm_fit'][0]


def test_inpainting(data):
    settings = make_settings(method='inpaint', psf='setup', subtract_wings=True)
    compare(*remove_both(settings, data))


def test_memory_follows_the_sources():
    # Of a large map there are three copies at most, results included.
    rng = np.random.default_rng(3)
    data = np.tile(rng.normal(size=(100, 100)).astype(np.float32), (25, 25))
    psf = PixelPSF(get_psf(get_setup(setup=SETUP)), 1.6)
    region = np.s_[1200:1301, 700:801]
    data[region] += 3000.0 * psf.draw(region, 750.4, 1250.2).astype(np.float32)
    given = parse_sources([(750.4, 1250.2)])
    settings = make_settings(error_method='local')
    run_removal(
        settings, parse_map(data[1100:1400, 600:900]), parse_sources([(150, 150)])
    )
    tracemalloc.start()
    try:
        result = run_removal(settings, parse_map(data), given)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result.photometry['flux'][0] == pytest.approx(3000.0, rel=0.02)
    # What is near the source takes some 10 MB.
    assert peak < 3 * data.nbytes + 30e6
