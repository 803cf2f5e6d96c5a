# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: files of maps.
"""

import bz2
import gzip
import lzma
import os
import zipfile
from functools import partial

import astropy.units as u
import numpy as np
from _hostile_case import REFUSED, RIGHT, WARNED, add
from _hostile_scene import (
    METHODS,
    SHAPE,
    XY,
    check_removal,
    make_data,
    make_remover,
    make_wcs,
)
from astropy.io import fits

_CARD = 80


def _header(**cards):
    header = make_wcs().to_header()
    header['BUNIT'] = 'Jy/pixel'
    for key, value in cards.items():
        header[key] = value
    return header


def _hdu(data=None, name='image', **cards):
    data = make_data() if data is None else data
    return fits.ImageHDU(data, _header(**cards), name=name)


def _primary(**cards):
    return fits.PrimaryHDU(make_data(), _header(**cards))


def _bytes(hdu=None):
    """Give the bytes of a file."""
    hdu = _primary() if hdu is None else hdu
    return hdu.header.tostring().encode() + _padded(hdu.data.astype('>f8').tobytes())


def _padded(content):
    return content + bytes(-len(content) % 2880)


# -- which image -------------------------------------------------------------


def _other(name, value=7.0):
    return fits.ImageHDU(np.full(SHAPE, value), _header(), name=name)


def _table(name='TAB'):
    return fits.BinTableHDU.from_columns(
        [fits.Column('a', 'E', array=np.zeros(3))], name=name
    )


_FILES = {
    'primary': (lambda: [_primary()], (RIGHT,)),
    'one extension': (lambda: [fits.PrimaryHDU(), _hdu()], (RIGHT,)),
    'without name': (lambda: [fits.PrimaryHDU(), _hdu(name='')], (RIGHT,)),
    'coverage first': (
        lambda: [fits.PrimaryHDU(), _other('coverage'), _hdu()],
        (RIGHT,),
    ),
    'error first': (
        lambda: [fits.PrimaryHDU(), _other('error', 1e-4), _hdu()],
        (RIGHT,),
    ),
    'weight first': (
        lambda: [fits.PrimaryHDU(), _other('WEIGHT'), _hdu(name='SIGNAL')],
        (RIGHT,),
    ),
    'exposure first': (
        lambda: [fits.PrimaryHDU(), _other('EXPOSURE'), _hdu(name='SCI')],
        (RIGHT,),
    ),
    'weight in the primary': (
        lambda: [fits.PrimaryHDU(np.ones(SHAPE), _header(EXTNAME='WEIGHT')), _hdu()],
        (RIGHT,),
    ),
    'table first': (lambda: [fits.PrimaryHDU(), _table(), _hdu()], (RIGHT,)),
    'image and signal': (
        lambda: [fits.PrimaryHDU(), _other('signal'), _hdu(name='image')],
        (RIGHT, WARNED),
    ),
    'two without names': (
        lambda: [fits.PrimaryHDU(), _other(''), _hdu(name='')],
        (REFUSED,),
    ),
    'two of one name': (
        lambda: [fits.PrimaryHDU(), _other('image'), _hdu(name='image')],
        (REFUSED,),
    ),
    'coverage alone': (lambda: [fits.PrimaryHDU(), _other('coverage')], (REFUSED,)),
    'error alone': (lambda: [fits.PrimaryHDU(), _other('ERR')], (REFUSED,)),
    'table alone': (lambda: [fits.PrimaryHDU(), _table()], (REFUSED,)),
    'nothing': (lambda: [fits.PrimaryHDU()], (REFUSED,)),
    'a cube': (
        lambda: [fits.PrimaryHDU(), _hdu(np.stack([make_data()] * 3))],
        (REFUSED,),
    ),
    'a plane of length 1': (
        lambda: [fits.PrimaryHDU(), _hdu(make_data()[None])],
        (RIGHT, WARNED),
    ),
    'a plane of two axes of length 1': (
        lambda: [fits.PrimaryHDU(), _hdu(make_data()[None, None])],
        (RIGHT, WARNED),
    ),
    '1-D': (lambda: [fits.PrimaryHDU(), _hdu(make_data().ravel())], (REFUSED,)),
    'compressed': (
        lambda: [
            fits.PrimaryHDU(),
            fits.CompImageHDU(
                make_data().astype('f4'),
                _header(),
                name='image',
                compression_type='GZIP_1',
                quantize_level=0,
            ),
        ],
        (RIGHT,),
    ),
    'scaled integers': (
        lambda: [fits.PrimaryHDU(), _scaled()],
        (RIGHT,),
    ),
    'unsigned integers': (
        lambda: [
            fits.PrimaryHDU(),
            fits.ImageHDU(
                np.round(make_data() * 1e5).astype(np.uint16),
                _header(BUNIT='10**-5 Jy/pixel'),
                name='image',
            ),
        ],
        (RIGHT,),
    ),
    'PSF beside it': (
        lambda: [fits.PrimaryHDU(), _hdu(), fits.ImageHDU(np.eye(9), name='PSF')],
        (RIGHT,),
    ),
    'EXTNAME a number': (lambda: [fits.PrimaryHDU(), _hdu(name='5')], (RIGHT, WARNED)),
    'unit in the primary alone': (lambda: _inherited(), (RIGHT, WARNED)),
}


def _scaled():
    hdu = fits.ImageHDU(make_data(), _header(), name='image')
    hdu.scale('int32', bscale=1e-8, bzero=0.05)
    return hdu


def _inherited():
    hdu = _hdu()
    del hdu.header['BUNIT']
    hdu.header['INHERIT'] = True
    primary = fits.PrimaryHDU()
    primary.header['BUNIT'] = 'Jy/pixel'
    return [primary, hdu]


def _check_file(context, *, method, make, form):
    hdus = fits.HDUList(make())
    path = context.folder / 'map.fits'
    if form == 'HDUList':
        given = hdus
    else:
        hdus.writeto(path)
        given = str(path) if form == 'text' else path
    result = check_removal(context, method, given, rtol=2e-3)
    context.check(result.photometry['flux'].unit == u.Jy, 'the unit is lost')
    if form != 'HDUList':
        written = result.write(context.folder / 'out')
        again = make_remover(method)(written[0], XY.copy()).photometry
        # Its sources are gone.
        left = np.abs(np.asarray(getattr(again['flux'], 'value', again['flux'])))
        context.check(np.all(left < 0.05), f'the written map has sources of {left}')


for _method in METHODS:
    for _name, (_make, _accept) in _FILES.items():
        for _form in ('path', 'HDUList') if _method == 'inpaint' else ('path',):
            add(
                'files',
                f'{_method} {_name} as {_form}',
                partial(_check_file, method=_method, make=_make, form=_form),
                accept=_accept,
                warning='.',
                quick=_method == 'inpaint' and _form == 'path',
            )

# -- damaged and odd files ---------------------------------------------------


def _replace(card, value):
    """Replace the value of a card in the bytes of a file."""

    def make():
        content = _bytes()
        start = next(
            i
            for i in range(0, len(content), _CARD)
            if content[i : i + 8] == card.ljust(8).encode()
        )
        new = f'{card:8}= {value:>20}'.ljust(_CARD).encode()[:_CARD]
        return content[:start] + new + content[start + _CARD :]

    return make


def _gzip_damaged():
    content = bytearray(gzip.compress(_bytes()))
    content[-6] ^= 0xFF
    return bytes(content)


_CONTENTS = {
    'empty': lambda: b'',
    'one byte': lambda: b'S',
    'text': lambda: b'hello world\n' * 300,
    'HTML': lambda: b'<!DOCTYPE html><html><body>404</body></html>',
    'JSON': lambda: b'{"a": 1}',
    'zeros': lambda: bytes(8640),
    'random': lambda: np.random.default_rng(0).bytes(20000),
    'npy': lambda: b'\x93NUMPY\x01\x00' + bytes(3000),
    'PNG': lambda: b'\x89PNG\r\n\x1a\n' + bytes(3000),
    'CSV named .fits': lambda: b'x,y\n1,2\n',
    **{
        f'cut after {n} bytes': partial(lambda n: _bytes()[:n], n)
        for n in (10, 80, 1000, 2879, 2880, 2881, 5760, 50000, 90000)
    },
    'no END': lambda: _bytes().replace(b'END ' + b' ' * 76, b' ' * 80),
    'NAXIS1 negative': _replace('NAXIS1', -104),
    'NAXIS1 of 0': _replace('NAXIS1', 0),
    'NAXIS1 of 1e9': _replace('NAXIS1', 10**9),
    'NAXIS1 text': _replace('NAXIS1', "'a'"),
    'NAXIS1 float': _replace('NAXIS1', '104.5'),
    'NAXIS of 3': _replace('NAXIS', 3),
    'NAXIS of 1': _replace('NAXIS', 1),
    'NAXIS of 999': _replace('NAXIS', 999),
    'NAXIS negative': _replace('NAXIS', -2),
    'BITPIX of 7': _replace('BITPIX', 7),
    'BITPIX text': _replace('BITPIX', "'a'"),
    'SIMPLE = F': _replace('SIMPLE', 'F'),
    'SIMPLE missing': lambda: _bytes()[80:],
    'gzip cut': lambda: gzip.compress(_bytes())[:5000],
    'gzip of text': lambda: gzip.compress(b'hello' * 1000),
    'gzip twice': lambda: gzip.compress(gzip.compress(_bytes())),
    'bzip2 cut': lambda: bz2.compress(_bytes())[:5000],
}


def _check_content(context, *, make):
    path = context.folder / 'map.fits'
    path.write_bytes(make())
    check_removal(context, 'inpaint', path, rtol=1e-12)


for _name, _make in _CONTENTS.items():
    add(
        'files',
        f'inpaint content: {_name}',
        partial(_check_content, make=_make),
        accept=(RIGHT, REFUSED, WARNED)
        if _name in ('gzip twice', 'SIMPLE = F')
        else (REFUSED,),
        says='FITS|file|header|truncated|shorter|damaged|image|map|NAXIS',
        warning='.',
        quick=_name in ('empty', 'HTML', 'cut after 50000 bytes', 'NAXIS1 negative'),
    )

_GOOD_CONTENTS = {
    'gzip': lambda: gzip.compress(_bytes()),
    'bzip2': lambda: bz2.compress(_bytes()),
    'xz': lambda: lzma.compress(_bytes()),
    'one block more': lambda: _bytes() + bytes(2880),
    'bytes after the end': lambda: _bytes() + b'abc',
    'gzip, wrong checksum': _gzip_damaged,
    'BUNIT float': _replace('CRPIX1', 52.5),
}
for _name, _make in _GOOD_CONTENTS.items():
    add(
        'files',
        f'inpaint content: {_name}',
        partial(_check_content, make=_make),
        accept=(WARNED, REFUSED) if 'wrong' in _name else (RIGHT, WARNED),
        warning='checksum|damaged|gzip' if 'wrong' in _name else '.',
        says='.',
        quick='gzip' in _name,
    )


def _zip(context):
    path = context.folder / 'map.fits.zip'
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('map.fits', _bytes())
    return path


def _link(context):
    path = context.folder / 'a map.fits'
    path.write_bytes(_bytes())
    link = context.folder / 'link'
    link.symlink_to(path)
    return link


def _broken_link(context):
    link = context.folder / 'link.fits'
    link.symlink_to('nowhere')
    return link


def _fifo(context):
    path = context.folder / 'pipe.fits'
    os.mkfifo(path)
    return path


def _named(name):
    def make(context):
        path = context.folder / name
        path.write_bytes(_bytes())
        return path

    return make


def _folder(context):
    path = context.folder / 'folder.fits'
    path.mkdir()
    return path


_PATHS = {
    'a zip': (_zip, (RIGHT, REFUSED)),
    'a link': (_link, (RIGHT,)),
    'a broken link': (_broken_link, (REFUSED,)),
    'a pipe': (_fifo, (REFUSED,)),
    'a folder': (_folder, (REFUSED,)),
    'a name with blanks': (_named('my map.fits'), (RIGHT,)),
    'a name with umlauts': (_named('Ärger.fits'), (RIGHT,)),
    'a name with brackets': (_named('map[1].fits'), (RIGHT,)),
    'a name with stars': (_named('map*?.fits'), (RIGHT,)),
    'a name with percent': (_named('100%s.fits'), (RIGHT,)),
    'a name without suffix': (_named('map'), (RIGHT,)),
    'a name of a number': (_named('5'), (RIGHT,)),
    'a name of a table': (_named('map.csv'), (RIGHT, REFUSED)),
    'a name with a line break': (_named('a\nb.fits'), (RIGHT,)),
    'missing': (lambda context: context.folder / 'none.fits', (REFUSED,)),
    'NUL': (lambda context: 'a\0b.fits', (REFUSED,)),
    'of 5000 letters': (lambda context: 'a' * 5000 + '.fits', (REFUSED,)),
    '/dev/null': (lambda context: '/dev/null', (REFUSED,)),
    'empty': (lambda context: '', (REFUSED,)),
    'dot': (lambda context: '.', (REFUSED,)),
    'a home that is none': (lambda context: '~nobody/no.fits', (REFUSED,)),
    'an address': (lambda context: 'file:///no/map.fits', (REFUSED,)),
}


def _check_path(context, *, make):
    check_removal(context, 'inpaint', make(context), rtol=1e-12)


for _name, (_make, _accept) in _PATHS.items():
    add(
        'files',
        f'inpaint path: {_name}',
        partial(_check_path, make=_make),
        accept=_accept,
        says='file|folder|directory|path|FITS|such',
        quick=_name in ('a pipe', 'missing', 'a name with brackets', 'NUL'),
        seconds=2,
    )

_CHOICES = {
    'number': (1, (RIGHT,)),
    'name': ('image', (RIGHT,)),
    'upper case': ('IMAGE', (RIGHT,)),
    'pair': (('image', 1), (RIGHT,)),
    'negative': (-1, (RIGHT, REFUSED)),
    'numpy': (np.int64(1), (RIGHT,)),
    'missing name': ('none', (REFUSED,)),
    'missing number': (9, (REFUSED,)),
    'missing version': (('image', 7), (REFUSED,)),
    'empty primary': (0, (REFUSED,)),
    'table': ('TAB', (REFUSED,)),
    'float': (1.0, (RIGHT, REFUSED)),
    'half': (1.5, (REFUSED,)),
    'bool': (True, (REFUSED,)),
    'list': ([1], (REFUSED,)),
    'NaN': (np.nan, (REFUSED,)),
    'dict': ({}, (REFUSED,)),
    'triple': (('image', 1, 2), (REFUSED,)),
    'empty text': ('', (REFUSED,)),
    'huge': (10**30, (REFUSED,)),
}


def _check_choice(context, *, value):
    path = context.folder / 'map.fits'
    fits.HDUList([fits.PrimaryHDU(), _hdu(), _table()]).writeto(path)
    check_removal(context, 'inpaint', path, hdu=value, rtol=1e-12)


for _name, (_value, _accept) in _CHOICES.items():
    add(
        'files',
        f'inpaint hdu: {_name}',
        partial(_check_choice, value=_value),
        accept=_accept,
        says='hdu|extension|HDU|image',
        quick=_name in ('half', 'missing name', 'pair'),
    )
