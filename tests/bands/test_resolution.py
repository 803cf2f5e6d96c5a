# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of maps of one resolution, against images of the target's PSF."""

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv import get_setup
from photutils_pconv.bands import remove_bands
from photutils_pconv.bands.resolution import BandMap, match_resolution
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.psf import PixelPSF, get_psf


def make_map(band, wcs=None, *, x, y, shape, scale, unit=None, sky=0.0, missing=None):
    """A source of flux 1 on a flat sky, seen in a band; per arcsec^2."""
    psf = get_psf(f'scanmap/{band}')
    rows, columns = np.indices(shape)
    data = PixelPSF(psf, scale).evaluate(columns - x, rows - y) + sky * scale**2
    if missing is not None:
        data[missing] = np.nan
    given = data if unit is None else data << u.Unit(unit)
    setup = get_setup('scanmap', band)
    map_input = parse_map(given, wcs=wcs, pixel_scale=setup.pixel_scale)
    return BandMap(map_input, data, psf, scale)


@pytest.fixture
def maps(make_scene):
    """A source in blue and red; the red map is smaller, and turned by a degree."""
    blue = make_scene([], [], [], shape=(140, 140))
    red = make_scene([], [], [], setup='scanmap/red', shape=(60, 60))
    c, s = np.cos(np.radians(1.0)), np.sin(np.radians(1.0))
    red.wcs.wcs.pc = [[c, -s], [s, c]]
    red.wcs.wcs.set()
    sky = blue.wcs.pixel_to_world(70.3, 68.8)
    x, y = red.wcs.world_to_pixel(sky)
    common = {'unit': 'Jy/pix', 'sky': 1e-4}
    return {
        'blue': make_map(
            'blue', blue.wcs, x=70.3, y=68.8, shape=(140, 140), scale=1.6, **common
        ),
        'red': make_map('red', red.wcs, x=x, y=y, shape=(60, 60), scale=3.2, **common),
    }


def test_a_source_becomes_the_target_s(maps):
    """To 0.2 percent of its peak, on the grid of the red map, in MJy/sr."""
    matched = match_resolution(maps)
    red = (maps['red'].data * u.Jy / (3.2 * u.arcsec) ** 2).to(u.MJy / u.sr)
    assert_allclose(matched['red'].data, red.value, rtol=1e-6)
    peak = red.value.max()
    assert matched['blue'].unit == matched['red'].unit == u.MJy / u.sr
    assert_allclose(matched['blue'].data, red.value, atol=0.002 * peak)
    for one in matched.values():
        assert one.wcs is maps['red'].map_input.wcs
        assert not one.mask.any()
        assert one.meta['RESOLUT'][0] == 'red'
        assert_allclose(one.meta['FWHM'][0], maps['red'].fwhm, atol=1e-3)


def test_grid_of_the_finer_map(maps):
    """The resolution is still that of the red map; the flux stays."""
    matched = match_resolution(maps, grid='blue')
    assert matched['red'].shape == matched['blue'].shape == (140, 140)
    # beyond the red map there is nothing
    assert matched['red'].mask[:5].all()
    assert not matched['blue'].mask.any()
    inside = ~matched['red'].mask
    blue, red = (matched[band].data[inside] for band in ('blue', 'red'))
    assert_allclose(blue, red, atol=0.003 * blue.max())


def test_missing_pixels(maps):
    """Small gaps are missing all the same; there is nothing else around them."""
    missing = np.zeros((140, 140), dtype=bool)
    missing[20:50, 20:50] = True
    missing[100, 100] = True
    wcs = maps['blue'].map_input.wcs
    gap = make_map(
        'blue',
        wcs,
        x=70.3,
        y=68.8,
        shape=(140, 140),
        scale=1.6,
        unit='Jy/pix',
        sky=1e-4,
        missing=missing,
    )
    whole = match_resolution(maps, grid='blue')['blue']
    found = match_resolution({'blue': gap, 'red': maps['red']}, grid='blue')['blue']
    assert found.mask[35, 35]
    assert found.mask[100, 100]
    assert np.isnan(found.data[found.mask]).all()
    assert not found.mask[:15].any()
    assert_allclose(
        found.data[~found.mask], whole.data[~found.mask], atol=0.01 * whole.data.max()
    )


def test_without_unit_and_wcs():
    """On one grid a WCS is not needed; values are per pixel."""
    common = {'x': 40.2, 'y': 39.7, 'shape': (81, 81), 'scale': 1.6}
    maps = {band: make_map(band, **common) for band in ('blue', 'green')}
    matched = match_resolution(maps)
    green = maps['green'].data
    assert_array_equal(matched['green'].data, green)
    assert matched['blue'].unit == u.dimensionless_unscaled
    assert_allclose(matched['blue'].data, green, atol=0.002 * green.max())


def test_refused(maps):
    with pytest.raises(ValueError, match='red has a FWHM of .* cannot be brought to'):
        match_resolution(maps, target='blue')
    with pytest.raises(ValueError, match="got 'pink'"):
        match_resolution(maps, grid='pink')
    other = make_map('green', x=5, y=5, shape=(30, 30), scale=1.6)
    with pytest.raises(ValueError, match='both have a unit'):
        match_resolution(maps | {'green': other})
    other = make_map('green', x=5, y=5, shape=(30, 30), scale=1.6, unit='Jy/pix')
    with pytest.raises(ValueError, match='no WCS'):
        match_resolution(maps | {'green': other})


@pytest.mark.filterwarnings('ignore:1 of 4 sources lie outside the map')
def test_of_a_result(field, removers):
    """The cleaned maps are flat: of sources of 1 Jy hardly a trace is left."""
    result = remove_bands(field.maps, field.catalogue, removers=removers)
    matched = result.match_resolution()
    assert {one.shape for one in matched.values()} == {field.maps['red'].shape}
    peak = (field.maps['red'].data.max() * u.Jy / (3.2 * u.arcsec) ** 2).to('MJy/sr')
    for one in matched.values():
        assert np.abs(one.data[~one.mask]).max() < 0.02 * peak.value
