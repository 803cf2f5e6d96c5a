# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Tests of catalogues as text: separators, marks, units, and what is none."""

import bz2
import gzip
import io
import lzma
import zipfile

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable, Table
from numpy.testing import assert_allclose

from photutils_pconv.inputs import parse_sources, read_source_table

X = np.array([3.25, 20.5, 30.0, 11.75])
Y = np.array([4.0, 25.5, 10.25, 7.5])


@pytest.fixture
def sky(map_wcs):
    """Return the sky positions of X and Y."""
    return map_wcs.pixel_to_world(X, Y)


def check(parsed, atol=1e-3):
    """Compare pixel positions with the true ones."""
    assert_allclose(parsed.x, X, atol=atol)
    assert_allclose(parsed.y, Y, atol=atol)


def make_rows(sky, separator, *, names=('ra', 'dec', 'name'), decimal='.'):
    """Return the lines of a table."""
    rows = [separator.join(names)]
    for i, (ra, dec) in enumerate(zip(sky.ra.deg, sky.dec.deg, strict=True)):
        cells = [f'{ra:.9f}', f'{dec:.9f}']
        cells = [cell.replace('.', decimal) for cell in cells]
        rows.append(separator.join([*cells, f's{i}']))
    return rows


@pytest.mark.parametrize('separator', [',', ';', '\t', '|', ' '])
@pytest.mark.parametrize(
    'encoding', ['utf-8', 'utf-8-sig', 'utf-16', 'latin-1', 'utf-16-be with mark']
)
@pytest.mark.parametrize('end', ['\n', '\r\n', '\r'])
def test_separators_and_marks(tmp_path, sky, map_wcs, separator, encoding, end):
    """What spreadsheets of any country write."""
    text = end.join([*make_rows(sky, separator), ''])
    if encoding == 'latin-1':
        text = text.replace('s3', 'Mädler')
    content = (
        b'\xfe\xff' + text.encode('utf-16-be')
        if encoding.startswith('utf-16-be')
        else text.encode(encoding)
    )
    path = tmp_path / 's.csv'
    path.write_bytes(content)
    check(parse_sources(path, wcs=map_wcs))


@pytest.mark.parametrize('ending', ['csv', 'txt', 'dat', 'tsv', 'ecsv', 'fits', ''])
def test_content_tells(tmp_path, sky, map_wcs, ending):
    """The ending of the name does not."""
    path = tmp_path / f's.{ending}'
    path.write_text('\n'.join(make_rows(sky, ',')))
    check(parse_sources(path, wcs=map_wcs))
    path.unlink()
    QTable({'sky_center': sky}).write(path, format='fits')
    check(parse_sources(path, wcs=map_wcs))
    path.unlink()
    path.write_bytes(gzip.compress('\n'.join(make_rows(sky, ';')).encode()))
    check(parse_sources(path, wcs=map_wcs))


@pytest.mark.parametrize('tail', ['', ';', ';;'])
def test_decimal_commas(tmp_path, sky, map_wcs, tail):
    rows = make_rows(sky, ';', decimal=',')
    path = tmp_path / 's.csv'
    path.write_text('\n'.join(row + tail for row in rows))
    check(parse_sources(path, wcs=map_wcs))


@pytest.mark.parametrize('separator', ['\t', ';', '|', ',', 'spans'])
@pytest.mark.parametrize('with_units', [True, False])
@pytest.mark.parametrize('kind', ['deg', 'text'])
def test_vizier(tmp_path, sky, map_wcs, separator, with_units, kind):
    """Comments, names, units, dashes and then the data."""
    if kind == 'deg':
        ra, dec = ([f'{v:+.7f}' for v in one.deg] for one in (sky.ra, sky.dec))
        units = ['deg', 'deg', 'mJy']
    else:
        ra = sky.ra.to_string(u.hour, sep=' ', precision=4, pad=True)
        dec = sky.dec.to_string(sep=' ', precision=3, pad=True, alwayssign=True)
        units = ['"h:m:s"', '"d:m:s"', 'mJy']
    rows = [['RAJ2000', 'DEJ2000', 'F100']]
    rows += [units] if with_units else []
    rows += [['-' * 14] * 3]
    rows += [list(row) for row in zip(ra, dec, ['  12.0'] * 4, strict=True)]
    if separator == 'spans':
        lines = [' '.join(f'{cell:14s}' for cell in row) for row in rows]
    else:
        lines = [separator.join(row) for row in rows]
    head = ['#', '#   VizieR Astronomical Server', '#Column\tRAJ2000\t(F10.6)', '']
    path = tmp_path / 'v.tsv'
    path.write_text('\n'.join([*head, *lines, '', '']))
    check(parse_sources(path, wcs=map_wcs), atol=0.02)


def test_vizier_of_two_tables(tmp_path, sky):
    rows = ['ra\tdec', '-----\t-----', '1.0\t2.0', '']
    path = tmp_path / 'v.tsv'
    path.write_text('\n'.join(rows * 2))
    with pytest.raises(ValueError, match='holds 2 tables'):
        read_source_table(path)


DEGREES = [
    *('deg', 'degree', 'degrees', 'Degrees', 'DEGREE', 'DEG', '[deg]', '(deg)'),
    *("'deg'", 'deg.', '°', 'degs'),
]
UNITS = [
    *((text, 1.0) for text in DEGREES),
    *((text, np.pi / 180) for text in ('RADIANS', 'rad', 'radian', '[rad]')),
    *((text, 60.0) for text in ('arcmin', 'ARCMIN')),
    *((text, 3600.0) for text in ('arcsec', 'ARCSEC')),
]


@pytest.mark.parametrize(('unit', 'factor'), UNITS)
@pytest.mark.parametrize('form', ['fits', 'table', 'csv name', 'csv line', 'vizier'])
def test_units(tmp_path, sky, map_wcs, unit, factor, form):
    ra, dec = sky.ra.deg * factor, sky.dec.deg * factor
    path = tmp_path / 's.any'
    lines = [f'{a:.10f},{b:.10f}' for a, b in zip(ra, dec, strict=True)]
    if form == 'fits':
        if not unit.isascii():
            pytest.skip('FITS headers are ASCII')
        columns = [
            fits.Column(name, 'D', unit=unit, array=array)
            for name, array in (('RA', ra), ('DEC', dec))
        ]
        fits.BinTableHDU.from_columns(columns).writeto(path)
        check(parse_sources(path, wcs=map_wcs))
        return
    if form == 'table':
        table = Table({'RA': ra, 'DEC': dec})
        table['RA'].unit = table['DEC'].unit = u.Unit(unit, parse_strict='silent')
        check(parse_sources(table, wcs=map_wcs))
        return
    if form == 'csv name':
        bare = unit.strip('[]()')
        head = [f'ra [{bare}],dec ({bare})']
    elif form == 'csv line':
        head = ['ra,dec', f'{unit},{unit}']
    else:
        head = ['ra,dec', f'{unit},{unit}', '-------,-------']
    path.write_text('\n'.join([*head, *lines]), encoding='utf-8')
    check(parse_sources(path, wcs=map_wcs))


@pytest.mark.parametrize('unit', ['h', 'hr', 'hours', '[h]', 'hourangle', 'HOURS'])
def test_hours(tmp_path, sky, map_wcs, unit):
    table = Table({'ra': sky.ra.hour, 'dec': sky.dec.deg})
    table['ra'].unit = u.Unit(unit, parse_strict='silent')
    check(parse_sources(table, wcs=map_wcs))


@pytest.mark.parametrize('unit', ['Jy', 'furlong', 's', 'pix'])
def test_wrong_units(map_wcs, unit):
    table = Table({'ra': X, 'dec': Y})
    table['ra'].unit = u.Unit(unit, parse_strict='silent')
    with pytest.raises(ValueError, match=f"'ra' must have a unit .* got {unit}"):
        parse_sources(table, wcs=map_wcs)


@pytest.mark.parametrize('blank', ['', ' ', 'nan', '--', 'N/A', 'null'])
@pytest.mark.parametrize('form', ['csv', 'texts', 'objects'])
def test_blank_among_degrees(tmp_path, sky, map_wcs, blank, form):
    """A column of degrees with a gap is not read as hours."""
    ra = [f'{value:.9f}' for value in sky.ra.deg]
    dec = [f'{value:.9f}' for value in sky.dec.deg]
    ra[2] = dec[2] = blank
    if form == 'csv':
        given = tmp_path / 's.csv'
        rows = [f'{a},{b},x' for a, b in zip(ra, dec, strict=True)]
        given.write_text('\n'.join(['ra,dec,n', *rows]))
    elif form == 'texts':
        given = Table({'ra': ra, 'dec': dec})
    else:
        columns = [[None if v == blank else v for v in one] for one in (ra, dec)]
        given = Table({'ra': np.array(columns[0], object), 'dec': columns[1]})
    parsed = parse_sources(given, wcs=map_wcs)
    assert np.isnan(parsed.x[2])
    keep = [0, 1, 3]
    assert_allclose(parsed.x[keep], X[keep], atol=1e-3)
    assert_allclose(parsed.y[keep], Y[keep], atol=1e-3)


@pytest.mark.parametrize('unit', [None, 'deg'])
def test_decimal_beside_sexagesimal(sky, map_wcs, unit):
    """Each column is read on its own."""
    table = Table({'ra': sky.ra.deg, 'dec': sky.dec.to_string(sep=':', precision=5)})
    table['ra'] = [f'{value:.9f}' for value in sky.ra.deg]
    if unit:
        table['ra'].unit = unit
    check(parse_sources(table, wcs=map_wcs))


@pytest.mark.parametrize('unit', [None, 'deg', 'd:m:s'])
def test_sexagesimal_degrees(sky, map_wcs, unit):
    """Right ascensions of more than 24 hours are degrees, and only if so said."""
    table = Table({'ra': sky.ra.to_string(u.deg, sep=':', precision=6)})
    table['dec'] = sky.dec.deg
    table['ra'].unit = None if unit is None else u.Unit(unit, parse_strict='silent')
    if unit is None:
        with pytest.raises(ValueError, match='is taken for hours'):
            parse_sources(table, wcs=map_wcs)
    else:
        check(parse_sources(table, wcs=map_wcs))


def test_two_kinds_in_a_column(map_wcs):
    table = Table({'ra': ['83.8', '05:35:12'], 'dec': [-5.4, -5.4]})
    with pytest.raises(ValueError, match=r"some are decimal.*'83.8' and '05:35:12'"):
        parse_sources(table, wcs=map_wcs)


@pytest.mark.parametrize('parts', [3, 2])
@pytest.mark.parametrize('sign', ['column', 'number'])
@pytest.mark.parametrize('form', ['table', 'mrt', 'csv'])
def test_columns_of_the_cds(tmp_path, parts, sign, form):
    """RAh to DEs, against sums by hand."""
    table = Table({'RAh': [5, 23], 'RAm': [35, 0]})
    table['RAs'] = [12.5, 59.25]
    if sign == 'column':
        table['DE-'] = ['-', '+']
        table['DEd'] = [0, 70]
    else:
        table['DEd'] = [-3, 70]
    table['DEm'], table['DEs'] = [24, 6], [36.0, 0.0]
    dec = [-(0.0 + 24 / 60 + 36 / 3600), 70.1]
    # the writer of MRT loses the sign of -0
    dec[0] -= 3 if sign == 'number' or form == 'mrt' else 0
    ra = [15 * (5 + 35 / 60 + 12.5 / 3600), 15 * (23 + 59.25 / 3600)]
    if parts == 2:
        if form == 'mrt':
            pytest.skip('of astropy, its own columns')
        del table['RAs'], table['DEs']
        ra[0], ra[1] = 15 * (5 + 35 / 60), 15 * 23
        dec[0] += 36 / 3600
    given = table
    if form == 'csv':
        given = tmp_path / 's.csv'
        table.write(given, format='ascii.csv')
    elif form == 'mrt':
        given = tmp_path / 's.mrt'
        from astropy.coordinates import SkyCoord

        QTable({'c': SkyCoord(ra, dec, unit='deg')}).write(given, format='ascii.mrt')
    sky = parse_sources(given, wcs=_all_sky()).sky
    assert_allclose(sky.ra.deg, ra, atol=1e-5)
    assert_allclose(sky.dec.deg, dec, atol=1e-5)


def _all_sky():
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = 'RA---CAR', 'DEC--CAR'
    return wcs


def test_cds_of_another_equinox():
    table = Table({'RAh': [5], 'DEd': [3]})
    table['RAh'].description = 'Hour of Right Ascension (B1950)'
    with pytest.raises(ValueError, match='another equinox than J2000'):
        parse_sources(table, wcs=_all_sky())


def _zip_file():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, 'w') as file:
        file.writestr('xl/workbook.xml', 'x')
    return stream.getvalue()


def _npy():
    stream = io.BytesIO()
    np.save(stream, X)
    return stream.getvalue()


NO_CATALOGUES = {
    'empty': (b'', 'it is empty'),
    'blank lines': (b'\n\n  \n', 'it is empty'),
    'a mark alone': (b'\xef\xbb\xbf', 'it is empty'),
    'comments': (b'# one\n# two\n', "no rows but comments, '# one'"),
    'HTML': (b'<!DOCTYPE html>\n<html><body>404</body></html>', 'it is an HTML page'),
    'html in capitals': (b'\n<HTML><HEAD>', 'it is an HTML page'),
    'XML': (b'<?xml version="1.0"?><error/>', 'tags without a VOTable'),
    'JSON': (b'{"ra": [1.0], "dec": [2.0]}', 'it is JSON'),
    'JSON list': (b'[{"ra": 1.0}]', 'it is JSON'),
    'spreadsheet': (_zip_file(), 'a zip file or a spreadsheet'),
    'old spreadsheet': (b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1' + bytes(99), 'spreadsheet'),
    'PDF': (b'%PDF-1.4\n', 'it is a PDF'),
    'PostScript': (b'%!PS-Adobe-3.0\n', 'it is PostScript'),
    'rich text': (b'{\\rtf1 {a}}', 'a text of a word processor'),
    'settings': (b'[section]\nkey=1\n', r'no columns with .* has: \[section\]'),
    'bzip2': (bz2.compress(b'ra,dec\n1,2\n'), 'packed by bzip2 or xz, unpack it'),
    'xz': (lzma.compress(b'ra,dec\n1,2\n'), 'packed by bzip2 or xz, unpack it'),
    'half an ECSV': (b'# %ECSV 1.0\n# ---\n# datatype:\n', 'its first line says ECSV'),
    'a failed query': (
        b'<?xml version="1.0"?><VOTABLE version="1.3"><RESOURCE type="results">'
        b'<INFO name="QUERY_STATUS" value="ERROR"/></RESOURCE></VOTABLE>',
        'cannot be read as VOTable: it holds no table',
    ),
    'npy': (_npy(), 'an array of numpy'),
    'binary': (bytes(range(256)), 'no text, its first bytes'),
    'words': (b'these are no sources\n', 'no columns with positions'),
    'more words': (b'no sources\nat all\n', 'no columns with positions; it has: no'),
    'a number': (b'42\n', 'no columns with positions'),
    'numbers': (b'83.8,-5.4\n83.9,-5.3\n', "no line of names.*'83.8,-5.4'"),
    'names of others': (b'a,b\n', 'no columns with positions; it has: a, b'),
    'rows of others': (b'a,b\n1,2\n', 'no columns with positions; it has: a, b'),
    'a row too long': (b'ra,dec\n1,2,3\n', 'row 1 has 3 columns, the line of names 2'),
    'a row too short': (b'ra,dec\n1,2\nTotal\n', 'row 2 has 1 columns'),
    'two of a name': (b'ra,ra,dec\n1,2,3\n', "several columns of the name 'ra'"),
}


@pytest.mark.parametrize(
    ('content', 'match'), NO_CATALOGUES.values(), ids=NO_CATALOGUES
)
@pytest.mark.parametrize('ending', ['csv', 'txt', 'ecsv', 'fits', 'xml'])
@pytest.mark.parametrize('compressed', [False, True])
def test_no_catalogue(tmp_path, map_wcs, content, match, ending, compressed):
    """An error says what was seen, and never are there 0 sources."""
    path = tmp_path / f's.{ending}'
    path.write_bytes(gzip.compress(content) if compressed else content)
    with pytest.raises(ValueError, match=match):
        parse_sources(path, wcs=map_wcs)


@pytest.mark.parametrize('name', ['', 'folder', 'folder/nothing.csv'])
def test_no_file(tmp_path, map_wcs, name):
    (tmp_path / 'folder').mkdir()
    with pytest.raises(FileNotFoundError, match='does not exist or is not a file'):
        parse_sources(tmp_path / name, wcs=map_wcs)


@pytest.mark.parametrize('unit', ['deg', 'arcsec', None])
def test_more_than_a_circle(map_wcs, unit):
    """Arcseconds without their unit are not wrapped in silence; none is infinite."""
    table = Table({'ra': [83.8 * 3600, np.inf], 'dec': [-5.4, -5.4]})
    table['ra'].unit = unit
    if unit == 'arcsec':
        parsed = parse_sources(table, wcs=map_wcs)
        assert np.isfinite(parsed.x).tolist() == [True, False]
        return
    with pytest.raises(ValueError, match="'ra' is taken for angles in deg.* than 360"):
        parse_sources(table, wcs=map_wcs)


def test_header_alone(tmp_path, map_wcs):
    """A catalogue without sources is one, if it has the columns."""
    for text in ('ra,dec\n', 'name;ra;dec\n', 'x y\n'):
        path = tmp_path / 's.csv'
        path.write_text(text)
        assert len(parse_sources(path, wcs=map_wcs)) == 0


@pytest.mark.parametrize('cut', [100, 2880, 2880 * 2 + 50])
def test_truncated_fits_table(tmp_path, cut):
    path = tmp_path / 's.fits'
    Table({'ra': np.arange(400.0), 'dec': np.arange(400.0) / 10}).write(path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ValueError, match='cannot be read as FITS'):
        read_source_table(path)
