# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: the bytes and the paths of files of maps.
"""

import bz2
import gzip
import lzma
import os
import zipfile
from functools import cache, partial

import numpy as np
from _hostile_case import REFUSED, RIGHT, WARNED, add
from _hostile_scene import check_removal, make_data, make_wcs
from astropy.io import fits

_CARD = 80


@cache
def _bytes():
    """Give the bytes of a file with a map."""
    header = make_wcs().to_header()
    header['BUNIT'] = 'Jy/pixel'
    hdu = fits.PrimaryHDU(make_data(), header)
    return hdu.header.tostring().encode() + _padded(hdu.data.astype('>f8').tobytes())


def _padded(content):
    return content + bytes(-len(content) % 2880)


# -- damaged and odd contents ------------------------------------------------


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


# -- paths -------------------------------------------------------------------


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
