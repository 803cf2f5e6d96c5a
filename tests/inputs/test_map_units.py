# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the units, beams, and pixel scales of maps."""

import astropy.units as u
import numpy as np
import pytest
from astropy.nddata import CCDData, NDData, NDDataRef
from astropy.wcs import WCS

from photutils_pconv.inputs.maps import parse_map
from tests.inputs.conftest import make_values

ARCSEC2 = (np.pi / 180 / 3600) ** 2  # sr


@pytest.mark.parametrize(
    ('unit', 'factor'),
    [
        ('Jy', 1),
        ('mJy', 1e-3),
        ('Jy/pix', 1),
        ('mJy/pix', 1e-3),
        ('uJy/pix', 1e-6),
        ('MJy/sr', 1e6 * 1.6**2 * ARCSEC2),
        ('Jy/sr', 1.6**2 * ARCSEC2),
        ('Jy/arcsec2', 1.6**2),
        ('mJy/arcmin2', 1e-3 * 1.6**2 / 3600),
        ('W / (m2 Hz sr)', 1e26 * 1.6**2 * ARCSEC2),
    ],
)
def test_units(unit, factor, map_wcs):
    parsed = parse_map(make_values() * u.Unit(unit), wcs=map_wcs)
    assert parsed.unit == u.Unit(unit)
    assert parsed.flux_unit == u.Jy
    assert parsed.jy_per_pixel == pytest.approx(factor, rel=1e-9)


@pytest.mark.parametrize('unit', ['K', 'adu', 'mag', 'Jy km / s', 'cm-2', '%'])
def test_wrong_units(unit, map_wcs):
    with pytest.raises(ValueError, match='is not accepted; accepted are Jy/pixel'):
        parse_map(CCDData(make_values(), unit=unit, wcs=map_wcs))


@pytest.mark.parametrize(
    'given',
    [make_values() * u.one, CCDData(make_values(), unit=''), NDData(make_values())],
)
def test_no_unit(given):
    parsed = parse_map(given)
    assert parsed.unit is None
    assert parsed.flux_unit is None
    assert parsed.jy_per_pixel == 1


def test_pixel_scale_fallback(map_wcs):
    given = make_values() * u.Unit('MJy/sr')
    with pytest.raises(ValueError, match='has no pixel area: give wcs'):
        parse_map(given)
    parsed = parse_map(given, pixel_scale=3.2)
    assert parsed.jy_per_pixel == pytest.approx(1e6 * 3.2**2 * ARCSEC2)
    assert parsed.pixel_scale is None
    # the WCS knows better
    parsed = parse_map(given, wcs=map_wcs, pixel_scale=3.2)
    assert parsed.jy_per_pixel == pytest.approx(1e6 * 1.6**2 * ARCSEC2)


@pytest.mark.parametrize(
    ('header', 'beam', 'axes'),
    [
        ({'BMAJ': 12 / 3600, 'BMIN': 6 / 3600}, None, (12, 6)),
        ({'BMAJ': 12 / 3600}, None, (12, 12)),
        ({'bmaj': 12 / 3600, 'bmin': 6 / 3600}, None, (12, 6)),
        ({}, 14, (14, 14)),
        ({}, (12, 6), (12, 6)),
        ({}, 0.1 * u.arcmin, (6, 6)),
        ({'BMAJ': 1.0}, [12, 6] * u.arcsec, (12, 6)),
    ],
)
def test_beam(header, beam, axes, map_wcs):
    """A point source of 1 Jy has a peak of 1 Jy/beam and sums to 1 Jy."""
    given = CCDData(make_values(), unit='mJy/beam', wcs=map_wcs, meta=header)
    parsed = parse_map(given, beam=beam)
    sigma_x, sigma_y = np.array(axes) / 2.3548200450309493 / 1.6
    y, x = np.mgrid[-40:41, -40:41]
    source = 1e3 * np.exp(-0.5 * ((x / sigma_x) ** 2 + (y / sigma_y) ** 2))
    assert np.sum(source) * parsed.jy_per_pixel == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize('beam', [-1, (1, 2, 3), 'small', 3 * u.Jy, 0])
def test_bad_beam(beam, map_wcs):
    with pytest.raises(ValueError, match="beam must be the beam's FWHM"):
        parse_map(make_values() * u.Jy / u.beam, wcs=map_wcs, beam=beam)


def test_beam_unknown(map_wcs):
    with pytest.raises(ValueError, match='no BMAJ and BMIN: give beam'):
        parse_map(make_values() * u.Jy / u.beam, wcs=map_wcs)


@pytest.mark.parametrize('scale', [1.0, 1.6, 3.2])
@pytest.mark.parametrize('angle', [0, 30, 90])
def test_pixel_scale(scale, angle):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = 'GLON-TAN', 'GLAT-TAN'
    wcs.wcs.crval = 10, 80
    wcs.wcs.cdelt = -scale / 3600, 1.008 * scale / 3600
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    wcs.wcs.pc = [[c, -s], [s, c]]
    parsed = parse_map(make_values(), wcs=wcs)
    assert parsed.pixel_scale.value == pytest.approx(scale * np.sqrt(1.008))


@pytest.mark.parametrize('kind', ['oblong', 'skewed'])
def test_pixels_not_square(kind, map_wcs):
    if kind == 'oblong':
        map_wcs.wcs.cdelt = -1.6 / 3600, 1.65 / 3600
    else:
        map_wcs.wcs.pc = [[1, 0.3], [0, 1]]
    with pytest.raises(ValueError, match='not square.*Reproject'):
        parse_map(make_values(), wcs=map_wcs)


def test_sliced_wcs(map_wcs):
    """NDDataRef wraps the WCS of a part of a map."""
    given = NDDataRef(make_values(), unit='MJy/sr', wcs=map_wcs)[5:, 7:]
    assert not isinstance(given.wcs, WCS)
    parsed = parse_map(given)
    assert parsed.pixel_scale.value == pytest.approx(1.6, rel=1e-4)
    expected = map_wcs.pixel_to_world(7, 5)
    assert parsed.wcs.pixel_to_world(0, 0).separation(expected) < 1e-6 * u.arcsec


def test_wcs_of_more_axes():
    wcs = WCS(naxis=3)
    wcs.wcs.ctype = 'RA---TAN', 'DEC--TAN', 'FREQ'
    wcs.wcs.cdelt = -1.6 / 3600, 1.6 / 3600, 1e9
    parsed = parse_map(make_values(), wcs=wcs)
    assert parsed.wcs.naxis == 2
    assert parsed.pixel_scale.value == pytest.approx(1.6)
