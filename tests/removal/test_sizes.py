# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of the removal of resolved sources.
"""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import WCS
from scipy.ndimage import gaussian_filter

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.photometry import SourceFlags
from photutils_pconv.psf import PixelPSF, SourcePSFs, SourceSizes, get_psf
from photutils_pconv.psf.source_images import model_image

SHAPE = (200, 200)
X, Y = np.array([50.2, 149.7, 50.4, 150.1]), np.array([50.1, 50.3, 149.8, 150.4])
MAJOR, MINOR = np.array([1.0, 2.0, 2.5, 1.5]), np.array([1.0, 1.4, 2.5, 1.2])
ANGLE = np.array([0.0, 30.0, 0.0, 120.0])
FLUX = np.array([1.0, 3.0, 4.0, 2.0])


@pytest.fixture(scope='module')
def scene():
    """Return a map of four sources, three of them resolved, and its emission."""
    rng = np.random.default_rng(4)
    psf = PixelPSF(get_psf('scanmap/green'), 1.6, angle=0.4)
    sizes = SourceSizes(MAJOR, MINOR, np.radians(ANGLE), np.full(4, np.nan))
    emission = 1e-2 * gaussian_filter(rng.standard_normal(SHAPE), 6.0)
    emission += 1e-4 * rng.standard_normal(SHAPE)
    sources = model_image(SHAPE, X, Y, FLUX, SourcePSFs(psf, sizes))
    return emission + sources, emission, psf.fwhm


def make_table(fwhm, *, angle='theta', turn=0.0):
    columns = {'x': X, 'y': Y, 'fwhm_major': MAJOR * fwhm, 'fwhm_minor': MINOR * fwhm}
    return Table(columns | {angle: ANGLE + turn})


def remove(data, table, **options):
    remover = NeuralSourceRemover('scanmap', 'green', error_method='local', **options)
    return remover(u.Quantity(data, u.Jy / u.pix), table)


@pytest.mark.parametrize('method', ['psf', 'inpaint'])
def test_sizes_of_the_catalogue(scene, method):
    data, _, fwhm = scene
    result = remove(data, make_table(fwhm), method=method)
    table = result.photometry
    np.testing.assert_allclose(table['flux_aperture'].value, FLUX, rtol=0.06)
    np.testing.assert_allclose(table['flux'].value, FLUX, rtol=0.06)
    np.testing.assert_allclose(
        table['fwhm_fit'].value / 1.6, np.sqrt(MAJOR * MINOR) * fwhm, rtol=1e-6
    )
    ratio = table['aperture_radius'] / table['aperture_radius'][0]
    np.testing.assert_allclose(ratio.value, np.sqrt(MAJOR * MINOR), rtol=1e-6)
    assert not np.any(table['flags'] & SourceFlags.RESOLVED)


def test_the_map_keeps_the_emission(scene):
    data, emission, fwhm = scene
    told = remove(data, make_table(fwhm))
    hidden = remove(data, np.stack([X, Y], axis=1), method='inpaint')
    near = np.hypot(*(np.indices(SHAPE) - np.array([[[150]], [[50]]]))) < 15
    error = [np.std((one.cleaned.value - emission)[near]) for one in (told, hidden)]
    assert error[0] < error[1]


@pytest.mark.parametrize('fit_sizes', [True, False])
def test_sizes_that_nobody_told(scene, fit_sizes):
    data, _, fwhm = scene
    result = remove(data, np.stack([X, Y], axis=1), fit_sizes=fit_sizes)
    table = result.photometry
    np.testing.assert_array_equal(
        (table['flags'] & SourceFlags.RESOLVED) > 0, MAJOR > 1
    )
    np.testing.assert_allclose(table['flux'].value, FLUX, rtol=0.08)
    size = table['fwhm_fit'].value / 1.6 / fwhm
    np.testing.assert_allclose(size, np.sqrt(MAJOR * MINOR), rtol=0.06)
    assert np.all(np.isfinite(table['fwhm_err'].value[MAJOR > 1]))
    # Ellipses are seen as such, and their axes found.
    for name, axis in (('fwhm_major_fit', MAJOR), ('fwhm_minor_fit', MINOR)):
        np.testing.assert_allclose(table[name].value / 1.6 / fwhm, axis, rtol=0.06)
    elongated = MAJOR > MINOR
    turn = (table['orientation_fit'].value - ANGLE + 90.0)[elongated] % 180.0 - 90.0
    # The lobes of the PSF, whose angle is not known, turn weak ellipses.
    np.testing.assert_allclose(turn, 0.0, atol=6.0)
    assert not np.any(table['flags'] & SourceFlags.POOR_FIT)


def test_position_angles_follow_the_sky(scene):
    """East is left: position angles start at the y axis."""
    data, _, fwhm = scene
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = 'RA---TAN', 'DEC--TAN'
    wcs.wcs.crval, wcs.wcs.crpix = (80.0, 10.0), (100, 100)
    wcs.wcs.cdelt = -1.6 / 3600, 1.6 / 3600
    theta = remove(data, make_table(fwhm)).photometry
    north = make_table(fwhm, angle='pa', turn=-90.0)
    remover = NeuralSourceRemover('scanmap', 'green', error_method='local')
    for call in ({}, {'wcs': wcs}):
        found = remover(u.Quantity(data, u.Jy / u.pix), north, **call).photometry
        np.testing.assert_allclose(found['flux'].value, theta['flux'].value, rtol=1e-3)


def test_sources_that_are_not_compact_warn(scene):
    data, _, fwhm = scene
    table = Table({'x': X, 'y': Y, 'fwhm': [5 * fwhm, fwhm, fwhm, fwhm]})
    with pytest.warns(AstropyUserWarning, match='1 of 4 sources are larger than 3'):
        remove(data, table)


def test_no_columns_without_sizes(scene):
    table = remove(scene[0], np.array([[50.2, 50.1]])).photometry
    assert not {'fwhm_fit', 'fwhm_err', 'aperture_radius'} & set(table.colnames)
