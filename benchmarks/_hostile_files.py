# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: files with several images, or with images of odd kinds.
"""

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
