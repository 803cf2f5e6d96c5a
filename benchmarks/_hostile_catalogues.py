# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: files of sources.
"""

import gzip
import io
import zipfile
from functools import partial

import astropy.units as u
import numpy as np
from _hostile_case import REFUSED, RIGHT, WARNED, add
from _hostile_scene import XY, check_removal, make_data, make_wcs, plain
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.nddata import CCDData
from astropy.table import QTable, Table

_RA, _DEC = make_wcs().all_pix2world(*XY.T, 0)
_SKY = SkyCoord(_RA, _DEC, unit='deg')
_FLUXES = (1.0, 2.0)


def _text(*names, columns=(_RA, _DEC), comma=',', end='\n', before='', after=''):
    """Give a text table."""
    rows = [comma.join(map(str, row)) for row in zip(*columns, strict=True)]
    return before + end.join([comma.join(names), *rows]) + end + after


def _sexagesimal(sep):
    return (
        _SKY.ra.to_string(u.hour, sep=sep, precision=6, pad=True),
        _SKY.dec.to_string(sep=sep, precision=5, pad=True, alwayssign=True),
    )


def _tsv_of_vizier():
    lines = [
        '#',
        '#   VizieR Astronomical Server vizier.cds.unistra.fr',
        '#Coosys\tJ2000:\teq_FK5 J2000',
        '#Column\t_RAJ2000\t(F10.6)\tRight ascension',
        '',
        '_RAJ2000\t_DEJ2000\tFlux',
        'deg\tdeg\tJy',
        '----------\t----------\t----',
        *(f'{a:.8f}\t{d:.8f}\t1.0' for a, d in zip(_RA, _DEC, strict=True)),
        '',
    ]
    return '\n'.join(lines)


def _hmsdms_columns():
    ra, dec = _SKY.ra.hms, _SKY.dec.signed_dms
    return Table(
        {
            'RAh': ra.h.astype(int),
            'RAm': ra.m.astype(int),
            'RAs': ra.s,
            'DE-': np.where(dec.sign < 0, '-', '+'),
            'DEd': dec.d.astype(int),
            'DEm': dec.m.astype(int),
            'DEs': dec.s,
        }
    )


def _written(table, **options):
    """Give the bytes of a table as astropy writes it."""
    handle = io.StringIO()
    table.write(handle, **options)
    return handle.getvalue()


#: Files that are read, and the verdicts that are right.
_GOOD = {
    'CSV': lambda: _text('ra', 'dec'),
    'CSV in capitals': lambda: _text('RA', 'DEC'),
    'CSV of pixels': lambda: _text('x', 'y', columns=XY.T),
    'CSV with a byte-order mark': lambda: '\ufeff' + _text('ra', 'dec'),
    'CSV with CRLF': lambda: _text('ra', 'dec', end='\r\n'),
    'CSV with CR': lambda: _text('ra', 'dec', end='\r'),
    'CSV with blanks': lambda: _text('ra', 'dec', comma=' , '),
    'CSV with quotes': lambda: _text('"ra"', '"dec"'),
    'CSV with comments': lambda: _text('ra', 'dec', before='# a comment\n'),
    'CSV with a blank line at the end': lambda: _text('ra', 'dec', after='\n\n'),
    'CSV without a line break at the end': lambda: _text('ra', 'dec').rstrip(),
    'semicolons': lambda: _text('ra', 'dec', comma=';'),
    'semicolons and decimal commas': lambda: _text('ra', 'dec', comma=';').replace(
        '.', ','
    ),
    'tabs': lambda: _text('ra', 'dec', comma='\t'),
    'bars': lambda: _text('ra', 'dec', comma='|'),
    'blanks': lambda: _text('ra', 'dec', comma=' '),
    'many blanks': lambda: _text('ra', 'dec', comma='     '),
    'more columns': lambda: _text(
        'name', 'ra', 'dec', 'flux', columns=(['a', 'b'], _RA, _DEC, _FLUXES)
    ),
    'a comma in a quoted name': lambda: _text(
        'name', 'ra', 'dec', columns=(['"a, b"', '"c, d"'], _RA, _DEC)
    ),
    'dec before ra': lambda: _text('dec', 'ra', columns=(_DEC, _RA)),
    'y before x': lambda: _text('y', 'x', columns=XY.T[::-1]),
    'sexagesimal with colons': lambda: _text('ra', 'dec', columns=_sexagesimal(':')),
    'sexagesimal with letters': lambda: _text(
        'ra', 'dec', columns=_sexagesimal('hms')[:1] + _sexagesimal('dms')[1:]
    ),
    'sexagesimal with blanks': lambda: _text('ra', 'dec', columns=_sexagesimal(' ')),
    'exponents': lambda: _text(
        'ra', 'dec', columns=([f'{a:.12e}' for a in _RA], [f'{d:.12e}' for d in _DEC])
    ),
    'D exponents': lambda: _text(
        'ra',
        'dec',
        columns=(
            [f'{a:.12e}'.replace('e', 'D') for a in _RA],
            [f'{d:.12e}'.replace('e', 'D') for d in _DEC],
        ),
    ),
    'plus signs': lambda: _text(
        'ra', 'dec', columns=([f'+{a}' for a in _RA], [f'{d:+}' for d in _DEC])
    ),
    'sky columns of another map': lambda: _text(
        'x_center',
        'y_center',
        'sky_center.ra',
        'sky_center.dec',
        columns=(XY[:, 0] + 100, XY[:, 1] - 50, _RA, _DEC),
    ),
    'ECSV': lambda: _written(Table({'ra': _RA, 'dec': _DEC}), format='ascii.ecsv'),
    'ECSV with units': lambda: _written(
        QTable({'ra': _RA * u.deg, 'dec': _DEC * u.deg}), format='ascii.ecsv'
    ),
    'ECSV in radians': lambda: _written(
        QTable({'ra': _SKY.ra.to(u.rad), 'dec': _SKY.dec.to(u.rad)}),
        format='ascii.ecsv',
    ),
    'ECSV of a SkyCoord': lambda: _written(
        QTable({'sky_center': _SKY}), format='ascii.ecsv'
    ),
    'CSV of a SkyCoord': lambda: _written(
        QTable({'sky_center': _SKY}), format='ascii.csv'
    ),
    'galactic': lambda: _text(
        'glon', 'glat', columns=(_SKY.galactic.l.deg, _SKY.galactic.b.deg)
    ),
    'IPAC': lambda: _written(Table({'ra': _RA, 'dec': _DEC}), format='ascii.ipac'),
    'fixed width': lambda: _written(
        Table({'ra': _RA, 'dec': _DEC}), format='ascii.fixed_width'
    ),
    'commented header': lambda: _written(
        Table({'ra': _RA, 'dec': _DEC}), format='ascii.commented_header'
    ),
    'TSV of VizieR': _tsv_of_vizier,
    'columns of the CDS': lambda: _written(_hmsdms_columns(), format='ascii.csv'),
    'machine-readable': lambda: _written(
        Table({'ra': _RA, 'dec': _DEC}), format='ascii.mrt'
    ),
    'units in the second line': lambda: _text('ra', 'dec').replace(
        '\n', '\ndeg,deg\n', 1
    ),
    'VOTable': lambda: _votable(Table({'ra': _RA, 'dec': _DEC})),
    'VOTable with units': lambda: _votable(
        QTable({'RAJ2000': _RA * u.deg, 'DEJ2000': _DEC * u.deg})
    ),
    'no header': lambda: '\n'.join(f'{a} {d}' for a, d in zip(*XY.T, strict=True)),
    'regions of DS9': lambda: (
        'icrs\n'
        + ''.join(f'circle({a},{d},5")\n' for a, d in zip(_RA, _DEC, strict=True))
    ),
}
_UNSURE = (
    'no header',
    'CSV with CR',
    'D exponents',
    'units in the second line',
    'machine-readable',
    'sexagesimal with blanks',
    'bars',
)


def _votable(table):
    handle = io.BytesIO()
    from_table(table).to_xml(handle)
    return handle.getvalue().decode()


def _check(context, *, make, suffix='.csv', encoding='utf-8', **options):
    path = context.folder / f'sources{suffix}'
    content = make()
    path.write_bytes(
        content if isinstance(content, bytes) else content.encode(encoding)
    )
    ccd = CCDData(make_data(), unit='Jy/pix', wcs=make_wcs())
    result = check_removal(
        context, 'inpaint', ccd, path, truth=plain('inpaint')[0], rtol=1e-4, **options
    )
    context.compare('x_center', result.photometry['x_center'], XY[:, 0], atol=0.02)


for _name, _make in _GOOD.items():
    for _suffix in ('.csv', '.txt', ''):
        add(
            'catalogues',
            f'{_name} in sources{_suffix}',
            partial(_check, make=_make, suffix=_suffix),
            accept=(RIGHT, REFUSED, WARNED) if _name in _UNSURE else (RIGHT, WARNED),
            warning='.',
            says='sources|table|column|catalogue|position',
            quick=_suffix == '.csv',
        )
for _encoding in ('utf-16', 'utf-8-sig', 'latin-1', 'utf-32'):
    add(
        'catalogues',
        f'in {_encoding}',
        partial(
            _check,
            make=lambda: _text('name', 'ra', 'dec', columns=(['Ä', 'ß'], _RA, _DEC)),
            encoding=_encoding,
        ),
        accept=(RIGHT, REFUSED),
        says='sources|UTF|text|encod|table',
        quick=True,
    )

_JUNK = {
    'empty': lambda: b'',
    'blank lines': lambda: b'\n\n  \n',
    'one word': lambda: b'hello',
    'words': lambda: b'the quick brown fox\njumps over the dog\n',
    'one number': lambda: b'5',
    'a line of numbers': lambda: b'1 2 3 4 5 6 7',
    'HTML': lambda: b'<!DOCTYPE html>\n<html><body>404 not found</body></html>',
    'JSON': lambda: b'[{"ra": 1.0, "dec": 2.0}]',
    'XML': lambda: b'<?xml version="1.0"?><a><b/></a>',
    'a VOTable of an error': lambda: (
        b'<?xml version="1.0"?><VOTABLE version="1.4">'
        b'<RESOURCE type="results"><INFO name="QUERY_STATUS" value="ERROR">no</INFO>'
        b'</RESOURCE></VOTABLE>'
    ),
    'a VOTable cut': lambda: _votable(Table({'ra': _RA, 'dec': _DEC})).encode()[:700],
    'zeros': lambda: bytes(3000),
    'random': lambda: np.random.default_rng(0).bytes(5000),
    'PDF': lambda: b'%PDF-1.7\n' + bytes(500),
    'a spreadsheet': lambda: _zipped('xl/workbook.xml', b'<workbook/>'),
    'a zip of a CSV': lambda: _zipped('a.csv', _text('ra', 'dec').encode()),
    'Python': lambda: b'import numpy\nprint(1)\n',
    'a map': lambda: (
        fits.PrimaryHDU(np.zeros((9, 9))).header.tostring().encode() + bytes(2880)
    ),
    'FITS cut': lambda: _fits(Table({'ra': _RA, 'dec': _DEC}))[:5770],
    'FITS without a table': lambda: fits.PrimaryHDU().header.tostring().encode(),
    'a table without positions': lambda: b'a,b\n1,2\n3,4\n',
    'ra alone': lambda: b'ra,flux\n1,2\n',
    'rows of different lengths': lambda: b'ra,dec\n1,2\n3\n4,5,6\n',
    'words in a column': lambda: b'ra,dec\n1,2\nx,y\n',
    'dec of 95': lambda: b'ra,dec\n10,95\n',
    'unit of Jy': lambda: _written(
        QTable({'ra': _RA * u.Jy, 'dec': _DEC * u.Jy}), format='ascii.ecsv'
    ).encode(),
    'ECSV with broken YAML': lambda: b'# %ECSV 1.0\n# ---\n# {a: [\nra dec\n1 2\n',
    'three hours of 61 minutes': lambda: b'ra,dec\n03:61:00,+10:00:00\n',
    'twice the same column': lambda: b'ra,dec,ra\n1,2,3\n',
}


def _zipped(name, content):
    handle = io.BytesIO()
    with zipfile.ZipFile(handle, 'w') as archive:
        archive.writestr(name, content)
    return handle.getvalue()


def _fits(*tables):
    handle = io.BytesIO()
    hdus = [fits.PrimaryHDU(), *(fits.BinTableHDU(one) for one in tables)]
    fits.HDUList(hdus).writeto(handle)
    return handle.getvalue()


for _name, _make in _JUNK.items():
    for _suffix in ('.csv', '.fits', '.xml', ''):
        add(
            'catalogues',
            f'junk: {_name} in sources{_suffix}',
            partial(_check, make=_make, suffix=_suffix),
            accept=(RIGHT, REFUSED) if _name == 'twice the same column' else (REFUSED,),
            says='sources|table|column|catalogue|position|FITS|VOTable|ra\\b|dec\\b',
            quick=_suffix == '.csv',
        )


def _ldac():
    header = fits.BinTableHDU.from_columns(
        [fits.Column('Field Header Card', '80A', array=['a'])], name='LDAC_IMHEAD'
    )
    table = fits.BinTableHDU(
        Table({'ALPHA_J2000': _RA, 'DELTA_J2000': _DEC}), name='LDAC_OBJECTS'
    )
    handle = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), header, table]).writeto(handle)
    return handle.getvalue()


_SKY_TABLE = Table({'ra': _RA, 'dec': _DEC})
_OTHER_TABLE = Table({'a': [1, 2], 'b': [3, 4]})
for _name, (_make, _accept) in {
    'FITS': (lambda: _fits(_SKY_TABLE), (RIGHT,)),
    'FITS in capitals': (
        lambda: _fits(Table({'RA': _RA, 'DEC': _DEC})),
        (RIGHT,),
    ),
    'FITS of units': (
        lambda: _fits(QTable({'ra': _RA * u.deg, 'dec': _DEC * u.deg})),
        (RIGHT,),
    ),
    'FITS of two tables': (lambda: _fits(_OTHER_TABLE, _SKY_TABLE), (RIGHT,)),
    'FITS of two catalogues': (lambda: _fits(_SKY_TABLE, _SKY_TABLE), (REFUSED,)),
    'LDAC': (_ldac, (RIGHT,)),
    'FITS gzipped': (lambda: gzip.compress(_fits(_SKY_TABLE)), (RIGHT,)),
    'CSV gzipped': (
        lambda: gzip.compress(_text('ra', 'dec').encode()),
        (RIGHT, REFUSED),
    ),
}.items():
    for _suffix in ('.fits', '.csv', '.cat'):
        add(
            'catalogues',
            f'{_name} in sources{_suffix}',
            partial(_check, make=_make, suffix=_suffix),
            accept=_accept,
            says='table|hdu|HDU|sources',
            quick=_suffix == '.fits',
        )
