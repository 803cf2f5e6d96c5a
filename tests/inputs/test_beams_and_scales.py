# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the pixel area where the map is, and of beams, against sums by hand."""

import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.utils.exceptions import AstropyUserWarning
from astropy.wcs import WCS

from photutils_pconv import get_setup
from photutils_pconv.inputs import parse_map

SHAPE = (20, 24)
ARCSEC2 = (np.pi / 180 / 3600) ** 2


def make_wcs(
    projection='TAN', *, center=(0.0, 0.0), offset=(0.0, 0.0), scale=1.6, frame='RA'
):
    """Return a WCS whose reference position is off the map by degrees."""
    names = {'RA': ('RA--', 'DEC-'), 'GLON': ('GLON', 'GLAT')}[frame]
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [f'{name}-{projection}' for name in names]
    wcs.wcs.crval = center
    wcs.wcs.cdelt = -scale / 3600, scale / 3600
    middle = np.array([(SHAPE[1] + 1) / 2, (SHAPE[0] + 1) / 2])
    wcs.wcs.crpix = middle - np.array(offset) / wcs.wcs.cdelt
    if frame == 'RA':
        wcs.wcs.radesys = 'ICRS'
    wcs.wcs.set()
    return wcs


def true_factor(projection, offset, scale=1.6):
    """Jy/pixel in MJy/sr from the projection's formula (FITS WCS paper II)."""
    nominal = 1e6 * scale**2 * ARCSEC2
    plane = np.radians(np.hypot(*offset))
    if projection == 'TAN':  # r = tan(theta): the area shrinks with cos^3
        return nominal * np.cos(np.arctan(plane)) ** 3
    if projection == 'SIN':  # r = sin(theta)
        return nominal / np.cos(np.arcsin(plane))
    if projection in ('ZEA', 'CEA'):  # of equal areas
        return nominal
    return nominal * np.cos(np.radians(offset[1]))  # CAR


@pytest.mark.parametrize('projection', ['TAN', 'SIN', 'ZEA'])
@pytest.mark.parametrize('offset', [(0, 0), (0.2, 0), (0, 3), (-2, 2), (4, 4), (0, 7)])
@pytest.mark.parametrize('frame', ['RA', 'GLON'])
def test_area_far_from_centre(projection, offset, frame):
    """The area is that of the pixels of the map, where they are still square."""
    wcs = make_wcs(projection, center=(80, 10), offset=offset, frame=frame)
    distance = np.hypot(*offset)
    ccd = CCDData(np.ones(SHAPE) + np.eye(*SHAPE), unit='MJy/sr', wcs=wcs)
    # both projections stretch along and across the radius by other factors
    square = np.cos(np.radians(distance)) > 0.99
    if projection == 'ZEA':
        square = distance < 8
    if not square:
        with pytest.raises(ValueError, match='not square'):
            parse_map(ccd)
        return
    parsed = parse_map(ccd)
    expected = true_factor(projection, offset)
    assert parsed.jy_per_pixel == pytest.approx(expected, rel=1.1e-3)
    side = np.sqrt(expected / 1e6 / ARCSEC2)
    assert parsed.pixel_scale.value == pytest.approx(side, rel=1.1e-3)


@pytest.mark.parametrize('latitude', [0.0, 2.0, 7.0, 20.0, 40.0, -40.0, 80.0])
@pytest.mark.parametrize('stretched', [False, True])
def test_plate_carree(latitude, stretched):
    """A part of a mosaic of the sky; stretched, its pixels are square there."""
    wcs = make_wcs('CAR', offset=(0, latitude), frame='GLON')
    shrink = np.cos(np.radians(latitude))
    if stretched:
        wcs.wcs.cdelt = -1.6 / 3600 / shrink, 1.6 / 3600
        wcs.wcs.set()
    ccd = CCDData(np.ones(SHAPE) + np.eye(*SHAPE), unit='MJy/sr', wcs=wcs)
    if not stretched and shrink < 0.99:
        with pytest.raises(ValueError, match='not square: .* Reproject'):
            parse_map(ccd)
        return
    shrink = 1 if stretched else shrink
    expected = 1e6 * 1.6**2 * ARCSEC2 * shrink
    assert parse_map(ccd).jy_per_pixel == pytest.approx(expected, rel=1.1e-3)


@pytest.mark.parametrize(
    ('width', 'warns'), [(0.5, False), (5.0, False), (9.0, True), (15.0, True)]
)
def test_area_varies(width, warns):
    """A wide map: its pixels are not all of one area (here cos^3 of the distance)."""
    scale = width * 3600 / SHAPE[1]
    ccd = CCDData(
        np.ones(SHAPE) + np.eye(*SHAPE), unit='Jy/pix', wcs=make_wcs(scale=scale)
    )
    if not warns:
        assert parse_map(ccd).pixel_scale.value == pytest.approx(scale, rel=1e-6)
        return
    with pytest.warns(AstropyUserWarning, match=r'area of the pixels varies .* 0\.\d+'):
        parse_map(ccd)


def test_near_the_centre_is_the_header():
    """A pixel scale that the header states is taken to the last bit."""
    parsed = parse_map(np.eye(*SHAPE), wcs=make_wcs(center=(83.8, -5.4)))
    assert parsed.pixel_scale.to_value(u.arcsec) == pytest.approx(1.6, rel=1e-15)


def test_sip_changes_the_area():
    """The linear part of a distortion counts, too."""
    header = make_wcs(center=(83.8, -5.4)).to_header()
    header['CTYPE1'], header['CTYPE2'] = 'RA---TAN-SIP', 'DEC--TAN-SIP'
    header['A_ORDER'] = header['B_ORDER'] = 2
    header['A_1_0'] = header['B_0_1'] = 0.02
    parsed = parse_map((np.eye(*SHAPE) * u.MJy / u.sr, header))
    expected = 1e6 * 1.6**2 * ARCSEC2 * 1.02**2
    assert parsed.jy_per_pixel == pytest.approx(expected, rel=1e-6)


def polar_map(latitude, unit, shape=SHAPE, scale=1.6):
    """Return a map whose pixels are square at its centre, and smaller polewards."""
    wcs = make_wcs('CAR', frame='GLON')
    shrink = np.cos(np.radians(latitude))
    wcs.wcs.cdelt = -scale / 3600 / shrink, scale / 3600
    wcs.wcs.crpix = (shape[1] + 1) / 2, (shape[0] + 1) / 2 - latitude * 3600 / scale
    wcs.wcs.set()
    values = np.ones(shape) + np.eye(*shape)
    return CCDData(values, unit=unit, wcs=wcs, meta={'BMAJ': 7 / 3600})


@pytest.mark.parametrize('unit', ['MJy/sr', 'mJy/arcsec2', 'Jy/beam', 'Jy/pix', 'Jy'])
@pytest.mark.parametrize('latitude', [30.0, -75.0])
def test_factor_at_positions(unit, latitude):
    """A beam and a steradian have more pixels where these are smaller."""
    given = polar_map(latitude, unit, shape=(300, 40))
    x, y = np.array([3.0, 20.0, 38.0]), np.array([10.0, 149.5, 290.0])
    parsed = parse_map(given)
    area = np.cos(given.wcs.pixel_to_world(x, y).b.rad) / np.cos(np.radians(latitude))
    if unit.startswith('Jy') and 'beam' not in unit:
        area = np.ones(3)
    factor = parsed.jy_per_pixel_at(x, y)
    # below 0.1 percent over the whole map, one factor serves
    tolerance = 1e-7 if latitude == -75.0 else 1.3e-3
    np.testing.assert_allclose(factor / parsed.jy_per_pixel, area, rtol=tolerance)


@pytest.mark.parametrize('projection', ['TAN', 'SIN', 'STG', 'ARC', 'SFL', 'AIT'])
@pytest.mark.parametrize('rotation', [0.0, 33.0])
def test_factor_of_projections(projection, rotation):
    """Against the area of the pixel's corners by Girard's theorem."""
    wcs = make_wcs(projection, offset=(1.0, 2.0), scale=120.0)
    angle = np.radians(rotation)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wcs.wcs.pc = turn
    wcs.wcs.set()
    ccd = CCDData(np.ones((200, 200)) + np.eye(200), unit='MJy/sr', wcs=wcs)
    x, y = np.array([5.0, 180.0, 100.0]), np.array([7.0, 20.0, 190.0])
    corners = [
        wcs.pixel_to_world(x + dx, y + dy).cartesian.xyz.value.T
        for dx, dy in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))
    ]
    expected = 1e6 * (
        triangle_area(*corners[:3]) + triangle_area(*corners[2:], corners[0])
    )
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', AstropyUserWarning)
        parsed = parse_map(ccd)
    np.testing.assert_allclose(parsed.jy_per_pixel_at(x, y), expected, rtol=1.2e-3)


def triangle_area(a, b, c):
    """Return the solid angle of triangles (Oosterom and Strackee 1983)."""
    volume = np.abs(np.sum(a * np.cross(b, c), axis=-1))
    dots = [np.sum(p * q, axis=-1) for p, q in ((a, b), (b, c), (c, a))]
    return 2 * np.arctan2(volume, 1 + sum(dots))


def test_factor_without_a_place():
    """A position that has none on the sky takes the factor of the map."""
    parsed = parse_map(polar_map(-75.0, 'MJy/sr', shape=(300, 40)))
    factor = parsed.jy_per_pixel_at(np.array([np.nan, 20.0]), np.array([np.nan, 149.5]))
    assert factor[0] == parsed.jy_per_pixel
    assert factor[1] == pytest.approx(factor[0], rel=1e-6)


def test_sides_vary():
    """Equal areas are no equal sides, which a warning tells, too."""
    ccd = CCDData(
        np.ones(SHAPE) + np.eye(*SHAPE), unit='Jy/pix', wcs=make_wcs('CEA', scale=4000)
    )
    with pytest.warns(
        AstropyUserWarning, match=r'their sides differ by up to \d+\.\d%'
    ):
        parse_map(ccd)


# ---- beams ---------------------------------------------------------------


def beam_map(**cards):
    """Return a map in Jy/beam of 1.6 arcsec pixels."""
    wcs = make_wcs(center=(83.8, -5.4))
    return CCDData(np.eye(*SHAPE), unit='Jy/beam', wcs=wcs, meta=fits.Header(cards))


@pytest.mark.parametrize(('major', 'minor'), [(7, 7), (14, 7), (1.7, 1.7), (31, 20)])
@pytest.mark.parametrize('where', ['header', 'argument', 'swapped'])
def test_beam(major, minor, where):
    factor = 1.6**2 / (np.pi / 4 / np.log(2) * major * minor)
    if where == 'argument':
        parsed = parse_map(beam_map(), beam=(major, minor))
    else:
        pair = (minor, major) if where == 'swapped' else (major, minor)
        parsed = parse_map(beam_map(BMAJ=pair[0] / 3600, BMIN=pair[1] / 3600))
    assert parsed.jy_per_pixel == pytest.approx(factor, rel=1e-9)


@pytest.mark.parametrize('where', ['header', 'argument'])
@pytest.mark.parametrize(
    ('major', 'minor'),
    [(7 * 3600, 7 * 3600), (0.002, 0.002), (1.5, 1.5), (33, 33), (7, 0.5), (40, 7)],
)
def test_implausible_beam(where, major, minor):
    """Arcsec in the place of degrees or radians; both numbers are told."""
    if where == 'header':
        given, beam = beam_map(BMAJ=major / 3600, BMIN=minor / 3600), None
    else:
        given, beam = beam_map(), (major, minor)
    match = rf'FWHM of {major:.5g}\d* arcsec by {minor:.5g}.*pixels are of 1\.6 arcsec'
    with pytest.raises(ValueError, match=match):
        parse_map(given, beam=beam)


@pytest.mark.parametrize(
    'bad', [0.0, -7 / 3600, '7.0', '', True, np.nan, np.inf, None, 'BMAJ']
)
@pytest.mark.parametrize('keyword', ['BMAJ', 'BMIN'])
@pytest.mark.parametrize('kind', [dict, fits.Header])
def test_beam_that_is_none(bad, keyword, kind):
    if kind is fits.Header and isinstance(bad, float) and not np.isfinite(bad):
        pytest.skip('a header cannot hold it')
    meta = kind({'BMAJ': 7 / 3600, 'BMIN': 7 / 3600} | {keyword: bad})
    ccd = beam_map()
    ccd = CCDData(ccd.data, unit=ccd.unit, wcs=ccd.wcs, meta=meta)
    match = 'BMAJ and BMIN' if bad is not None or keyword == 'BMIN' else 'no BMAJ'
    with pytest.raises(ValueError, match=match):
        parse_map(ccd)


@pytest.mark.parametrize(
    ('fwhm', 'right'), [(3, False), (4, True), (13, True), (15, False)]
)
@pytest.mark.parametrize('where', ['header', 'argument'])
def test_beam_unlike_the_setup(fwhm, right, where):
    """The setup scanmap/green has 6.9 arcsec."""
    expected = get_setup('scanmap', 'green').psf_fwhm
    header = {'BMAJ': fwhm / 3600} if where == 'header' else {}
    beam = None if where == 'header' else fwhm
    if right:
        parse_map(beam_map(**header), beam=beam, setup_fwhm=expected)
        return
    with pytest.raises(
        ValueError, match=rf'FWHM of {fwhm} .* expects {expected.value:.4g}'
    ):
        parse_map(beam_map(**header), beam=beam, setup_fwhm=expected)
