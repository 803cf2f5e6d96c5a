# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of the parser of source lists."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import ICRS, SkyCoord
from astropy.io import fits
from astropy.nddata import NDDataRef
from astropy.table import MaskedColumn, QTable, Table
from astropy.wcs import WCS, Sip
from numpy.testing import assert_allclose, assert_array_equal
from photutils.detection import DAOStarFinder

from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.sources import SourceInput, parse_sources

X = np.array([3.25, 20.0, 35.5, -4.0])
Y = np.array([5.5, 14.0, 0.25, 40.0])


@pytest.fixture
def sky(map_wcs):
    """Return the positions X, Y on the sky, by trigonometry of our own."""
    (ra0, dec0), (xc, yc) = map_wcs.wcs.crval, map_wcs.wcs.crpix
    xi = np.radians(-1.6 / 3600 * (X + 1 - xc))
    eta = np.radians(1.6 / 3600 * (Y + 1 - yc))
    ra0, dec0 = np.radians([ra0, dec0])
    # the inverse of the gnomonic projection
    below = np.cos(dec0) - eta * np.sin(dec0)
    ra = ra0 + np.arctan2(xi, below)
    dec = np.arctan2(np.sin(dec0) + eta * np.cos(dec0), np.hypot(xi, below))
    return SkyCoord(ra, dec, unit=u.rad)


def check(parsed, sky=None, *, atol=1e-6):
    assert isinstance(parsed, SourceInput)
    assert len(parsed) == len(X)
    assert parsed.x.dtype == parsed.y.dtype == np.dtype(float)
    assert_allclose(parsed.x, X, atol=atol)
    assert_allclose(parsed.y, Y, atol=atol)
    if sky is None:
        assert parsed.sky is None
    else:
        assert parsed.sky.shape == X.shape
        assert np.all(parsed.sky.icrs.separation(sky) < 1e-3 * u.arcsec)


# ---- SkyCoord ------------------------------------------------------------


@pytest.mark.parametrize('frame', ['icrs', 'galactic', 'fk5', 'fk4'])
def test_skycoord(sky, map_wcs, frame):
    parsed = parse_sources(sky.transform_to(frame), wcs=map_wcs)
    check(parsed, sky, atol=1e-5)
    assert parsed.sky.frame.name == frame
    assert parsed.table is None


def test_skycoord_scalar(sky, map_wcs):
    parsed = parse_sources(sky[1], wcs=map_wcs)
    assert len(parsed) == 1
    assert_allclose([parsed.x[0], parsed.y[0]], [X[1], Y[1]], atol=1e-6)
    assert parsed.sky.shape == (1,)


def test_frame_object(sky, map_wcs):
    check(parse_sources(ICRS(sky.ra, sky.dec), wcs=map_wcs), sky)


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
    check(parse_sources(convert(np.transpose([X, Y]))))


def test_pixels_integer():
    parsed = parse_sources(np.array([[1, 2], [3, 4]], dtype=np.int16))
    assert_array_equal(parsed.x, [1.0, 3.0])
    assert_array_equal(parsed.y, [2.0, 4.0])


def test_pixels_with_wcs(sky, map_wcs):
    check(parse_sources(np.transpose([X, Y]), wcs=map_wcs), sky)


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


# ---- tables --------------------------------------------------------------


@pytest.mark.parametrize('cls', [Table, QTable])
@pytest.mark.parametrize('name', ['sky_center', 'sky_centroid', 'position'])
def test_sky_column(cls, name, sky, map_wcs):
    # what is in the other columns does not matter
    table = cls({'flux': X * u.Jy, name: sky, 'x': X + 100, 'y': ['a'] * 4})
    parsed = parse_sources(table, wcs=map_wcs)
    check(parsed, sky)
    assert isinstance(parsed.table, QTable)
    assert parsed.table.colnames == table.colnames
    parsed.table['x'] = 0
    assert table['x'][0] == X[0] + 100


def test_sky_column_order(sky, map_wcs):
    other = SkyCoord(sky.ra + 1 * u.deg, sky.dec)
    table = QTable(
        {
            'target': other,
            'ra': other.ra,
            'dec': other.dec,
            'sky_centroid': other,
            'sky_center': sky,
        }
    )
    check(parse_sources(table, wcs=map_wcs), sky)


@pytest.mark.parametrize(
    'names',
    [
        ('ra', 'dec'),
        ('RA', 'DEC'),
        ('Ra', 'Dec'),
        ('RAJ2000', 'DEJ2000'),
        ('_RAJ2000', '_DEJ2000'),
        ('RA_ICRS', 'DE_ICRS'),
        ('ALPHA_J2000', 'DELTA_J2000'),
    ],
)
@pytest.mark.parametrize('form', ['number', 'deg', 'rad', 'hours', 'text', 'float32'])
def test_ra_dec(names, form, sky, map_wcs):
    ra, dec = {
        'number': (sky.ra.deg, sky.dec.deg),
        'deg': (sky.ra, sky.dec),
        'rad': (sky.ra.to(u.rad), sky.dec.to(u.rad)),
        'hours': (sky.ra.hourangle * u.hourangle, sky.dec),
        'text': (
            sky.ra.to_string(u.hour, sep=':', precision=6),
            sky.dec.to_string(u.deg, sep=':', precision=5),
        ),
        'float32': (sky.ra.deg.astype('f4'), sky.dec.deg.astype('f4')),
    }[form]
    table = Table({'id': range(4), names[1]: dec, names[0]: ra})
    parsed = parse_sources(table, wcs=map_wcs)
    if form == 'float32':
        assert_allclose(parsed.x, X, atol=0.02)
    else:
        check(parsed, sky, atol=1e-4)


def test_text_of_numbers(sky, map_wcs):
    """Degrees that were read as text are not taken for hours."""
    table = Table(
        {
            'ra': [f'{value:.9f}' for value in sky.ra.deg],
            'dec': [f'{value:.9f}' for value in sky.dec.deg],
        }
    )
    check(parse_sources(table, wcs=map_wcs), sky, atol=1e-4)


def test_galactic_columns(sky, map_wcs):
    table = Table({'GLON': sky.galactic.l.deg, 'GLAT': sky.galactic.b.deg})
    check(parse_sources(table, wcs=map_wcs), sky, atol=1e-4)


@pytest.mark.parametrize(
    'names',
    [
        ('x_center', 'y_center'),
        ('x_centroid', 'y_centroid'),
        ('xcentroid', 'ycentroid'),
        ('x', 'y'),
        ('X', 'Y'),
        ('x_fit', 'y_fit'),
        ('x_0', 'y_0'),
        ('x_init', 'y_init'),
    ],
)
@pytest.mark.parametrize('unit', [None, u.pix])
def test_pixel_columns(names, unit):
    table = Table({'id': range(4), names[0]: X, names[1]: Y})
    for name in names:
        table[name].unit = unit
    check(parse_sources(table))
    check(parse_sources(QTable(table)))


def test_pixel_column_order():
    """Photutils' PSFPhotometry has initial and fitted positions."""
    table = Table({'x_init': X + 9, 'y_init': Y, 'x_fit': X, 'y_fit': Y})
    check(parse_sources(table))
    table['x_center'] = X + 1
    table['y_center'] = Y
    assert_array_equal(parse_sources(table).x, X + 1)


def test_pixel_columns_without_wcs(sky):
    """Both positions and no WCS: the pixels may be those of another map."""
    table = QTable({'sky_center': sky, 'x_center': X, 'y_center': Y})
    with pytest.raises(ValueError, match='these two alone'):
        parse_sources(table)
    check(parse_sources(table['x_center', 'y_center']))


def test_photutils_table(map_wcs):
    """What photutils' finders give is taken as it is."""
    y, x = np.mgrid[:30, :40]
    data = np.exp(-((x - 20.3) ** 2 + (y - 14.6) ** 2) / 8)
    found = DAOStarFinder(threshold=0.1, fwhm=4.7)(data)
    parsed = parse_sources(found, wcs=map_wcs)
    assert_allclose([parsed.x[0], parsed.y[0]], [20.3, 14.6], atol=0.1)


def test_row_and_structured_array(sky, map_wcs):
    table = Table({'x': X, 'y': Y})
    parsed = parse_sources(table[2])
    assert_array_equal([parsed.x, parsed.y], [[X[2]], [Y[2]]])
    check(parse_sources(table.as_array()))


@pytest.mark.parametrize(
    ('table', 'match'),
    [
        (
            Table({'a': [1], 'ra': [2]}),
            r'it has: a, ra\. Accepted are: sky_center, .*ra/dec.*x_center/y_center',
        ),
        (Table({'x': ['a'], 'y': ['b']}), "column 'x' must hold numbers"),
        (
            Table({'x': [1] * u.deg, 'y': [1]}),
            "'x' must have a unit convertible to pix",
        ),
        (Table({'ra': [1] * u.Jy, 'dec': [1]}), "'ra' must have a unit convertible"),
        (Table({'ra': [1], 'dec': [91]}), 'are no sky positions'),
        (Table({'ra': ['here'], 'dec': ['there']}), 'text that is no position'),
        (Table({'x': [[1, 2]], 'y': [[1, 2]]}), 'must hold a number per row'),
    ],
)
def test_bad_tables(table, match, map_wcs):
    with pytest.raises(ValueError, match=match):
        parse_sources(table, wcs=map_wcs)


def test_masked_and_text_columns(sky, map_wcs):
    table = Table({'x': MaskedColumn(X, mask=[0, 0, 1, 0]), 'y': Y})
    for given in (table, QTable(table)):
        assert_array_equal(np.isnan(parse_sources(given).x), [0, 0, 1, 0])
    table = Table(
        {
            'ra': MaskedColumn(sky.ra.to_string(u.hour, sep=' '), mask=[0, 1, 0, 0]),
            'dec': sky.dec.to_string(sep=' '),
        }
    )
    table['dec'][3] = ''
    parsed = parse_sources(table, wcs=map_wcs)
    assert_array_equal(np.isnan(parsed.x), [0, 1, 0, 1])
    assert_allclose(parsed.x[[0, 2]], X[[0, 2]], atol=1e-3)


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


# ---- files ---------------------------------------------------------------

FORMATS = [
    ('csv', 'ascii.csv'),
    ('ecsv', 'ascii.ecsv'),
    ('csv', 'ascii.ecsv'),
    ('vot', 'votable'),
    ('xml', 'votable'),
    ('fits', 'fits'),
    ('fits.gz', 'fits'),
    ('txt', 'ascii.commented_header'),
    ('dat', 'ascii.basic'),
    ('none', 'ascii.ecsv'),
    ('ECSV', 'ascii.ecsv'),
]


@pytest.mark.parametrize(('ending', 'table_format'), FORMATS)
@pytest.mark.parametrize('kind', ['ra', 'x'])
@pytest.mark.parametrize('as_str', [False, True])
def test_file(tmp_path, sky, map_wcs, ending, table_format, kind, as_str):
    if kind == 'ra':
        table = Table({'id': range(4), 'ra': sky.ra.deg, 'dec': sky.dec.deg})
    else:
        table = Table({'id': range(4), 'x': X, 'y': Y})
    path = tmp_path / f'sources.{ending}'
    table.write(path, format=table_format)
    parsed = parse_sources(str(path) if as_str else path, wcs=map_wcs)
    check(parsed, sky)
    assert_array_equal(parsed.table['id'], range(4))


@pytest.mark.parametrize(
    ('ending', 'table_format'),
    [('ecsv', 'ascii.ecsv'), ('csv', 'ascii.ecsv'), ('fits', 'fits')],
)
def test_file_with_sky_column(tmp_path, sky, map_wcs, ending, table_format):
    """A SkyCoord column, in the formats that can hold one."""
    path = tmp_path / f'sources.{ending}'
    table = QTable({'sky_center': sky, 'flux': X * u.Jy})
    table.write(path, format=table_format)
    check(parse_sources(path, wcs=map_wcs), sky)


def test_file_with_units(tmp_path, sky, map_wcs):
    path = tmp_path / 'sources.ecsv'
    QTable({'ra': sky.ra.to(u.rad), 'dec': sky.dec.to(u.arcmin)}).write(path)
    check(parse_sources(path, wcs=map_wcs), sky)


def test_file_empty(tmp_path, map_wcs):
    path = tmp_path / 'sources.csv'
    path.write_text('ra,dec\n')
    assert len(parse_sources(path, wcs=map_wcs)) == 0


def test_file_csv_with_gaps(tmp_path, sky, map_wcs):
    path = tmp_path / 'sources.csv'
    path.write_text(f'name,ra,dec\na,{sky.ra.deg[0]:.9f},{sky.dec.deg[0]:.9f}\nb,,\n')
    parsed = parse_sources(path, wcs=map_wcs)
    assert_allclose(parsed.x, [X[0], np.nan], atol=1e-4)


def test_file_votable_with_odd_units(tmp_path, sky, map_wcs):
    """Units as VizieR has them, which astropy does not know."""
    path = tmp_path / 'sources.vot'
    rows = ''.join(
        f'<TR><TD>{ra:.9f}</TD><TD>{dec:.9f}</TD><TD>1</TD></TR>'
        for ra, dec in zip(sky.ra.deg, sky.dec.deg, strict=True)
    )
    path.write_text(
        '<?xml version="1.0"?><VOTABLE version="1.4" '
        'xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>'
        '<FIELD name="RAJ2000" datatype="double" unit="deg"/>'
        '<FIELD name="DEJ2000" datatype="double" unit="deg"/>'
        '<FIELD name="n" datatype="int" unit="furlongs per pixel"/>'
        f'<DATA><TABLEDATA>{rows}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>'
    )
    check(parse_sources(path, wcs=map_wcs), sky, atol=1e-4)


@pytest.mark.parametrize(
    'name', ['sources.ecsv', 'sources.fits', 'sources.xml', 'sources.png']
)
def test_file_unreadable(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b'\x89PNG\x00 nothing of the kind')
    with pytest.raises(ValueError, match='cannot be read as'):
        parse_sources(path)


def test_file_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match='does not exist'):
        parse_sources(tmp_path / 'sources.csv')


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
