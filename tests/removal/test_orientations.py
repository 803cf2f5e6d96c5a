# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Tests of a PSF that is turned from one source to the next.
"""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable, Table
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import WCS
from scipy.ndimage import gaussian_filter

from photutils_pconv import NeuralSourceRemover
from photutils_pconv.psf import (
    GriddedPSF,
    PixelPSF,
    SourcePSFs,
    SourceSizes,
    get_psf,
)
from photutils_pconv.psf.varying import see_sources

SHAPE = (200, 200)
X, Y = np.array([50.2, 149.7, 50.4, 150.1]), np.array([50.1, 50.3, 149.8, 150.4])
TURN = np.array([10.0, 75.0, -40.0, 130.0])
FLUX = np.array([30.0, 20.0, 40.0, 25.0])


def make_map():
    """Make a map of bright sources, the PSF of each turned by another angle."""
    rng = np.random.default_rng(8)
    psf = get_psf('scanmap/green')
    emission = 1e-2 * gaussian_filter(rng.standard_normal(SHAPE), 6.0)
    emission += 1e-4 * rng.standard_normal(SHAPE)
    sources = sum(
        flux * psf.render(SHAPE, x, y, pixel_scale=1.6, angle=np.radians(turn))
        for x, y, turn, flux in zip(X, Y, TURN, FLUX, strict=True)
    )
    return emission + sources, emission


def remove(data, table, *, setup=('scanmap', 'green'), **options):
    remover = NeuralSourceRemover(*setup, error_method='local', **options)
    return remover(u.Quantity(data, u.Jy / u.pix), table)


@pytest.fixture(scope='module')
def scene():
    return make_map()


@pytest.fixture(scope='module')
def ring_errors(scene):
    """Return a function: the RMS of what is left in the lobes of the sources."""
    _, emission = scene
    rows, columns = np.indices(SHAPE)
    distance = np.min(
        [np.hypot(columns - x, rows - y) for x, y in zip(X, Y, strict=True)], axis=0
    )
    near = (distance > 4) & (distance < 12)
    return lambda result: np.std((result.cleaned.value - emission)[near])


@pytest.mark.parametrize('method', ['psf', 'inpaint'])
def test_told_angles_take_the_lobes_off(scene, ring_errors, method):
    data, _ = scene
    table = Table({'x': X, 'y': Y})
    plain = remove(data, table, method=method, psf='setup')
    table['psf_angle'] = TURN
    told = remove(data, table, method=method, psf='setup')
    assert ring_errors(told) < (0.5 if method == 'psf' else 1.01) * ring_errors(plain)
    np.testing.assert_allclose(told.photometry['flux'].value, FLUX, rtol=0.02)


def test_position_angles(scene):
    """The same angles east of north, on a map that is turned and one that is not."""
    data, _ = scene
    table = Table({'x': X, 'y': Y, 'psf_angle': TURN})
    expected = remove(data, table).photometry['flux']
    # Without a WCS north is up.
    table = Table({'x': X, 'y': Y, 'psf_pa': TURN})
    np.testing.assert_allclose(remove(data, table).photometry['flux'], expected)
    roll = 35.0
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = 'RA---TAN', 'DEC--TAN'
    wcs.wcs.crval, wcs.wcs.crpix = (10.0, 0.0), (100.5, 100.5)
    wcs.wcs.cdelt = -1.6 / 3600, 1.6 / 3600
    cos, sin = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    wcs.wcs.pc = [[cos, -sin], [sin, cos]]
    sky = wcs.pixel_to_world(X, Y)
    # What lies `roll` counter-clockwise of the map's y axis is north.
    north = wcs.world_to_pixel(sky[0].directional_offset_by(0 * u.deg, 10 * u.arcsec))
    seen = np.degrees(np.arctan2(north[1] - Y[0], north[0] - X[0])) - 90.0
    remover = NeuralSourceRemover('scanmap', 'green', error_method='local')
    fluxes = []
    for name, angle in (('psf_angle', TURN), ('psf_pa', TURN - seen)):
        table = QTable({'sky': sky, name: angle * u.deg})
        _, photometry = remover(u.Quantity(data, u.Jy / u.pix), table, wcs=wcs)
        fluxes.append(photometry['flux'].value)
    # Angles are rounded to the same 0.1 degrees.
    np.testing.assert_allclose(*fluxes, rtol=1e-8)


def test_an_angle_that_is_not_known(scene, ring_errors):
    data, _ = scene
    nowhere = Table({'x': X, 'y': Y, 'psf_angle': np.full(4, np.nan)})
    plain = remove(data, Table({'x': X, 'y': Y}))
    result = remove(data, nowhere)
    np.testing.assert_array_equal(result.cleaned, plain.cleaned)
    some = nowhere.copy()
    some['psf_angle'][:2] = TURN[:2]
    everywhere = remove(data, Table({'x': X, 'y': Y, 'psf_angle': TURN}))
    rms = [ring_errors(one) for one in (everywhere, remove(data, some), plain)]
    assert rms[0] < rms[1] < rms[2]


def test_a_psf_that_is_not_turned(scene):
    data, _ = scene
    images = np.stack([get_psf('scanmap/green').data] * 2)
    positions, scale = [(50, 50), (150, 50)], get_psf('scanmap/green').pixel_scale
    psf = GriddedPSF(images, positions, scale)
    table = Table({'x': X, 'y': Y})
    plain = remove(data, table, psf=psf).photometry['flux']
    table['psf_angle'] = TURN
    with pytest.warns(AstropyUserWarning, match='The PSF of a grid is not turned'):
        result = remove(data, table, psf=psf)
    np.testing.assert_array_equal(result.photometry['flux'], plain)


def test_two_columns_of_angles(scene):
    data, _ = scene
    table = Table({'x': X, 'y': Y, 'psf_angle': TURN, 'PSF_PA': TURN})
    with pytest.raises(
        ValueError, match='several angles of the PSF: psf_angle, PSF_PA'
    ):
        remove(data, table)


def test_resolved_sources_are_turned():
    """A source drawn with the turned PSF and a size is measured with both."""
    sizes = SourceSizes(
        np.array([1.5, 1.0]), np.array([1.2, 1.0]), np.zeros(2), np.full(2, np.nan)
    )
    psf = get_psf('scanmap/green')
    seen = see_sources(psf, 1.6, sizes=sizes, angles=np.radians([45.0, 45.0]))
    point = PixelPSF(psf, 1.6, angle=np.radians(45.0))
    offsets = np.array([0.0, 3.0, -5.0]), np.array([0.0, 4.0, 2.0])
    expected = SourcePSFs(point, sizes)
    for index in range(2):
        np.testing.assert_allclose(
            seen.of(index).evaluate(*offsets),
            expected.of(index).evaluate(*offsets),
            rtol=1e-6,
        )
    np.testing.assert_allclose(
        seen.select([1]).of(0).evaluate(*offsets), point.evaluate(*offsets), rtol=1e-6
    )


def test_resolved_sources_of_a_grid_have_the_psf_of_their_place():
    narrow, wide = get_psf('scanmap/blue'), get_psf('scanmap/red')
    images = np.stack([narrow.data, wide.data])
    psf = GriddedPSF(images, [(0, 0), (100, 0)], narrow.pixel_scale)
    point = PixelPSF(psf.at(100, 0), 1.6, angle=0.0)
    mean = PixelPSF(psf, 1.6, angle=0.0)
    # As large on the map as 1.5 times the mean PSF, which the wide one is beyond.
    size = np.array([1.5, 1.0])
    sizes = SourceSizes(size, size, np.zeros(2), np.full(2, np.nan))
    seen = see_sources(psf, 1.6, positions=([100, 100], [0, 0]), sizes=sizes)
    expected = SourcePSFs(point, sizes.in_other_units(mean.fwhm / point.fwhm))
    offsets = np.array([0.0, 3.0, -5.0]), np.array([0.0, 4.0, 2.0])
    np.testing.assert_allclose(
        seen.of(0).evaluate(*offsets), expected.of(0).evaluate(*offsets), rtol=1e-6
    )
