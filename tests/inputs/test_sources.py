# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the parser of source lists: positions, and real maps."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import ICRS, SkyCoord
from astropy.io import fits
from astropy.nddata import NDDataRef
from astropy.table import MaskedColumn, QTable, Table
from astropy.wcs import WCS, Sip
from numpy.testing import assert_allclose, assert_array_equal

from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.sources import parse_sources
from tests.inputs.conftest import X, Y, check_sources

# ---- SkyCoord ------------------------------------------------------------


@pytest.mark.parametrize('frame', ['icrs', 'galactic', 'fk5', 'fk4'])
def test_skycoord(sky, map_wcs, frame):
    parsed = parse_sources(sky.transform_to(frame), wcs=map_wcs)
    check_sources(parsed, sky, atol=1e-5)
    assert parsed.sky.frame.name == frame
    assert parsed.table is None


def test_skycoord_scalar(sky, map_wcs):
    parsed = parse_sources(sky[1], wcs=map_wcs)
    assert len(parsed) == 1
    assert_allclose([parsed.x[0], parsed.y[0]], [X[1], Y[1]], atol=1e-6)
    assert parsed.sky.shape == (1,)


def test_frame_object(sky, map_wcs):
    check_sources(parse_sources(ICRS(sky.ra, sky.dec), wcs=map_wcs), sky)


def test_skycoord_2d(sky, map_wcs):
    with pytest.raises(ValueError, match='must be a scalar or 1-D'):
        parse_sources(sky.reshape(2, 2), wcs=map_wcs)


@pytest.mark.parametrize('form', ['skycoord', 'table', 'columns'])
def test_sky_without_wcs(sky, form):
    sources = {
        'skycoord': sky,
        'table': QTable({'sky_center': sky}),
        'columns': Table({'ra': sky.ra.deg, 'dec': sky.dec.deg}),
    }[form]
    with pytest.raises(ValueError, match='no celestial WCS: give wcs'):
        parse_sources(sources)
    with pytest.raises(ValueError, match='no celestial WCS: give wcs'):
        parse_sources(sources, wcs=WCS(naxis=2))


def test_not_finite(map_wcs):
    """Rows without a position keep their place."""
    given = SkyCoord([83.8, np.nan, 83.8, 263.8], [-5.4, 0, np.nan, 5.4], unit='deg')
    parsed = parse_sources(given, wcs=map_wcs)
    assert_array_equal(np.isfinite(parsed.x), [True, False, False, False])
    assert_array_equal(np.isfinite(parsed.y), [True, False, False, False])
    assert_allclose([parsed.x[0], parsed.y[0]], [19.5, 14.5])


def test_masked_skycoord(sky, map_wcs):
    table = Table(
        {
            'ra': MaskedColumn(sky.ra.deg, mask=[0, 1, 0, 0]),
            'dec': MaskedColumn(sky.dec.deg, mask=[0, 0, 0, 1]),
        }
    )
    parsed = parse_sources(table, wcs=map_wcs)
    assert_array_equal(np.isnan(parsed.x), [False, True, False, True])
    assert_allclose(parsed.x[[0, 2]], X[[0, 2]], atol=1e-6)


def test_distorted_wcs():
    """Where a distortion cannot be inverted there is no position."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = 'RA---TAN-SIP', 'DEC--TAN-SIP'
    wcs.wcs.crval = 83.8, -5.4
    wcs.wcs.crpix = 50, 50
    wcs.wcs.cdelt = -1.6 / 3600, 1.6 / 3600
    a = np.zeros((4, 4))
    a[0, 2] = a[2, 0] = 1e-4
    wcs.sip = Sip(a, a, None, None, wcs.wcs.crpix)
    near = wcs.pixel_to_world(60.0, 70.0)
    far = SkyCoord([near.ra.deg, 84.3], [near.dec.deg, -8.8], unit='deg')
    parsed = parse_sources(far, wcs=wcs)
    assert_allclose([parsed.x[0], parsed.y[0]], [60, 70], atol=1e-3)
    assert np.isnan(parsed.x[1])
    assert np.isnan(parsed.y[1])


def test_sliced_wcs(sky, map_wcs):
    wcs = NDDataRef(np.ones((30, 40)), wcs=map_wcs)[5:, 7:].wcs
    parsed = parse_sources(sky, wcs=wcs)
    assert_allclose(parsed.x, X - 7, atol=1e-6)
    assert_allclose(parsed.y, Y - 5, atol=1e-6)


# ---- arrays of pixels ----------------------------------------------------


@pytest.mark.parametrize(
    'convert',
    [
        np.array,
        np.ndarray.tolist,
        lambda xy: list(map(tuple, xy)),
        lambda xy: xy * u.pix,
        lambda xy: xy.astype('>f8'),
        np.ma.MaskedArray,
    ],
)
def test_pixels(convert):
    check_sources(parse_sources(convert(np.transpose([X, Y]))))


def test_pixels_integer():
    parsed = parse_sources(np.array([[1, 2], [3, 4]], dtype=np.int16))
    assert_array_equal(parsed.x, [1.0, 3.0])
    assert_array_equal(parsed.y, [2.0, 4.0])


def test_pixels_with_wcs(sky, map_wcs):
    check_sources(parse_sources(np.transpose([X, Y]), wcs=map_wcs), sky)


def test_pixels_nan(map_wcs):
    parsed = parse_sources([[1, 2], [np.nan, 3], [4, np.inf]], wcs=map_wcs)
    assert_array_equal(parsed.x, [1, np.nan, 4])
    assert_array_equal(parsed.y, [2, 3, np.inf])
    assert len(parsed.sky) == 3
    masked = np.ma.MaskedArray([[1, 2], [3, 4]], mask=[[0, 0], [1, 0]])
    assert_array_equal(parse_sources(masked).x, [1, np.nan])


def test_pixels_are_copied():
    given = np.transpose([X, Y])
    parse_sources(given).x[:] = 0
    assert_array_equal(given[:, 0], X)


@pytest.mark.parametrize(
    ('given', 'error', 'match'),
    [
        (np.zeros(2), ValueError, r'shape \(N, 2\)'),
        (np.zeros((2, 3)), ValueError, r'shape \(N, 2\)'),
        (np.zeros((2, 2)) * u.deg, ValueError, 'must be in pixels, got deg'),
        (3.0, TypeError, 'sources must be a SkyCoord, a Table'),
        (None, TypeError, 'sources must be a SkyCoord, a Table'),
        (object(), TypeError, 'sources must be a SkyCoord, a Table'),
        ([['a', 'b']], TypeError, 'sources must be a SkyCoord, a Table'),
        ([[1, 2], [3]], TypeError, 'sources must be a SkyCoord, a Table'),
    ],
)
def test_bad_arrays(given, error, match):
    with pytest.raises(error, match=match):
        parse_sources(given)


# ---- nothing -------------------------------------------------------------


@pytest.mark.parametrize('with_wcs', [False, True])
@pytest.mark.parametrize(
    'sources',
    [
        [],
        np.empty((0, 2)),
        Table(),
        Table({'ra': [], 'dec': []}),
        Table(names=['x', 'y']),
        Table({'ra': np.array([], 'U3'), 'dec': []}),
        QTable({'sky_center': SkyCoord([], [], unit='deg')}),
    ],
    ids=['list', 'array', 'no columns', 'ra', 'x', 'text', 'sky'],
)
def test_empty(sources, with_wcs, map_wcs):
    parsed = parse_sources(sources, wcs=map_wcs if with_wcs else None)
    assert len(parsed) == 0
    assert parsed.x.dtype == parsed.y.dtype == np.dtype(float)
    assert (parsed.sky is not None) == with_wcs
    if with_wcs:
        assert len(parsed.sky) == 0


def test_empty_skycoord(map_wcs):
    parsed = parse_sources(SkyCoord([], [], unit='deg'), wcs=map_wcs)
    assert len(parsed) == len(parsed.sky) == 0


# ---- real maps -----------------------------------------------------------


def test_standard_stars(real_data, reference_data):
    """The catalogue position of a standard star falls on its peak."""
    stars = Table.read(reference_data / 'facts/standard_stars.csv')
    names = list(stars['name'])
    for name, file in (
        ('gam Dra', 'gamma_dra_blue_jscanam.fits.gz'),
        ('gam Dra', 'gamma_dra_blue_unimap.fits.gz'),
        ('eta Dra', 'eta_dra_blue_photproject.fits'),
    ):
        row = stars[names.index(name) : names.index(name) + 1]
        row = Table({'ra': row['ra_deg'], 'dec': row['dec_deg']})
        parsed_map = parse_map(real_data / 'pacs' / file)
        parsed = parse_sources(row, wcs=parsed_map.wcs)
        peak = np.unravel_index(np.nanargmax(parsed_map.data), parsed_map.shape)
        # the positions are tabulated to 3 decimals; pointing adds its own
        offset = np.hypot(parsed.x[0] - peak[1], parsed.y[0] - peak[0])
        assert offset * parsed_map.pixel_scale < 6 * u.arcsec
    # the path of the table itself serves, too
    parsed = parse_sources(
        reference_data / 'facts/standard_stars.csv', wcs=parsed_map.wcs
    )
    assert len(parsed) == len(stars)


def test_equals_fits_wcs(reference_data):
    """Positions agree with those of the reference, in all six setups."""
    data = np.load(reference_data / 'reference/masks_and_photometry.npz')
    for mode in ('scanmap', 'parallel'):
        for band in ('blue', 'green', 'red'):
            scale = 1.6 if mode == 'scanmap' and band != 'red' else 3.2
            wcs = WCS(
                fits.Header(
                    {
                        'CTYPE1': 'RA---TAN',
                        'CTYPE2': 'DEC--TAN',
                        'CRPIX1': 160,
                        'CRPIX2': 160,
                        'CRVAL1': 83.8,
                        'CRVAL2': -5.4,
                        'CDELT1': -scale / 3600,
                        'CDELT2': scale / 3600,
                    }
                )
            )
            ra, dec = data[f'{mode}_{band}_radec'].T
            parsed = parse_sources(Table({'ra': ra, 'dec': dec}), wcs=wcs)
            assert_allclose(
                np.transpose([parsed.x, parsed.y]), data[f'{mode}_{band}_xy'], atol=1e-6
            )


class TestMovedTo:
    def test_sky_follows_in_the_frame_of_the_input(self, map_wcs):
        sky = SkyCoord([83.8, 83.801], [-5.4, -5.401], unit='deg').galactic
        sources = parse_sources(sky, wcs=map_wcs)
        x = sources.x + np.array([0.0, 1.5])
        moved = sources.moved_to(x, sources.y, wcs=map_wcs)
        assert moved.sky.frame.name == 'galactic'
        assert moved.sky[0].separation(sky[0]).arcsec == 0
        # 1.5 pixels of 1.6 arcsec.
        assert_allclose(moved.sky[1].separation(sky[1]).arcsec, 2.4, rtol=1e-3)

    def test_unusable_sources_keep_their_sky(self, map_wcs):
        sky = SkyCoord([83.8, 263.8], [-5.4, 5.4], unit='deg')
        sources = parse_sources(sky, wcs=map_wcs)
        assert np.isnan(sources.x[1])
        moved = sources.moved_to(sources.x + 1, sources.y, wcs=map_wcs)
        assert_allclose(moved.sky[1].ra.deg, 263.8)
        assert moved.sky[0].separation(sky[0]).arcsec > 1
