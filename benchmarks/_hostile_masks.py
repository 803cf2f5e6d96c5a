# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: masks of maps.
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
    make_wcs,
)
from astropy.io import fits
from astropy.nddata import (
    CCDData,
    NDData,
)
from astropy.utils.masked import Masked


def make_patch(value=True, dtype=bool):
    """Give a mask of a patch that is far from the sources."""
    mask = np.zeros(SHAPE, dtype=dtype)
    mask[95:105, 5:20] = value
    return mask


def _bad_data():
    """Give a map whose patch is nonsense that a mask must hide."""
    data = make_data()
    data[95:105, 5:20] = 1e3
    return data


# -- masks -------------------------------------------------------------------

_MASKS = {
    'bool': make_patch,
    'uint8': lambda: make_patch(dtype=np.uint8),
    'int of 255': lambda: make_patch(255, np.int64),
    'negative int': lambda: make_patch(-1, np.int16),
    'big-endian': lambda: make_patch(dtype='>i4'),
    'list': lambda: make_patch().tolist(),
    'Fortran': lambda: np.asfortranarray(make_patch()),
    'read-only': lambda: np.broadcast_to(make_patch(), SHAPE),
}


def _check_mask(context, *, method, make, how):
    data, mask, call = _bad_data(), make(), {}
    if how in ('mask', 'coverage_mask'):
        call = {how: mask}
    elif how == 'both':
        call = {'mask': mask, 'coverage_mask': make_patch()}
    elif how == 'MaskedArray':
        data = np.ma.MaskedArray(data, mask=np.asarray(mask).astype(bool))
    elif how == 'Masked':
        data = Masked(data, mask=np.asarray(mask).astype(bool))
    elif how == 'NDData':
        data = NDData(data, mask=np.asarray(mask))
    else:
        data = CCDData(data, unit='Jy/pix', mask=np.asarray(mask))
    result = check_removal(context, method, data, rtol=0.01, **call)
    missing = result.map_input.missing
    context.check(np.array_equal(missing, make_patch()), 'other pixels are missing')
    values = np.asarray(getattr(result.cleaned, 'data', result.cleaned))
    values = np.asarray(getattr(result.cleaned, 'unmasked', values))
    context.check(np.all(values[make_patch()] == 1e3), 'masked pixels were changed')


for _method in METHODS:
    for _name, _make in _MASKS.items():
        for _how in ('mask', 'coverage_mask', 'both', 'NDData', 'CCDData'):
            add(
                'masks',
                f'{_method} {_name} as {_how}',
                partial(_check_mask, method=_method, make=_make, how=_how),
                quick=(_method, _name) == ('inpaint', 'uint8'),
            )
    for _how in ('MaskedArray', 'Masked'):
        add(
            'masks',
            f'{_method} {_how}',
            partial(_check_mask, method=_method, make=make_patch, how=_how),
            quick=_method == 'psf',
        )

_NO_MASKS = {
    'float': lambda: make_patch().astype(float),
    'NaN': lambda: np.full(SHAPE, np.nan),
    'text': lambda: make_patch().astype('U5'),
    'object': lambda: make_patch().astype(object),
    'complex': lambda: make_patch().astype(complex),
    'transposed': lambda: make_patch().T,
    'too small': lambda: make_patch()[1:],
    '3-D': lambda: make_patch()[None],
    '1-D': lambda: make_patch().ravel(),
    'empty': lambda: np.zeros((0, 0), dtype=bool),
    'number': lambda: 0,
    'True': lambda: True,
    'all True': lambda: np.ones(SHAPE, dtype=bool),
    'name': lambda: 'MASK',
    'dict': dict,
    'function': lambda: np.isnan,
    'Quantity': lambda: make_patch().astype(int) * u.Jy,
    'array of indices': lambda: np.argwhere(make_patch()),
}


def _check_no_mask(context, *, how, make):
    check_removal(context, 'inpaint', make_data(), **{how: make()})


for _name, _make in _NO_MASKS.items():
    for _how in ('mask', 'coverage_mask'):
        add(
            'masks',
            f'inpaint {_name} as {_how}',
            partial(_check_no_mask, how=_how, make=_make),
            accept=(REFUSED,),
            says='mask|usable pixel',
            quick=_how == 'mask',
        )


def _check_plain_mask(context, *, method, mask):
    check_removal(context, method, make_data(), mask=mask, rtol=0.0)


def _check_two_masks(context, *, method):
    ccd = CCDData(make_data(), unit='Jy/pix', mask=make_patch())
    check_removal(context, method, ccd, mask=make_patch())


def _check_masked_source(context, *, method, radius):
    """A masked source is flagged; the other one is right."""
    y, x = np.indices(SHAPE)
    mask = np.hypot(x - XY[0, 0], y - XY[0, 1]) < radius
    check_removal(
        context, method, make_data(), mask=mask, truth=[0.5], rows=[1], rtol=0.02
    )
    context.fail('flagged, as it should be')


def _check_checkerboard(context, *, method):
    """Half of all pixels are missing."""
    y, x = np.indices(SHAPE)
    check_removal(context, method, make_data(), mask=(x + y) % 2 == 1, rtol=0.05)


for _method in METHODS:
    for _name, _mask in {
        'None': None,
        'nomask': np.ma.nomask,
        'False': False,
        'all False': np.zeros(SHAPE, dtype=bool),
    }.items():
        add(
            'masks',
            f'{_method} {_name}',
            partial(_check_plain_mask, method=_method, mask=_mask),
        )
    add(
        'masks',
        f'{_method} mask given twice',
        partial(_check_two_masks, method=_method),
        accept=(REFUSED,),
        says='mask was given',
        quick=True,
    )
    for _radius in (1.5, 4, 10, 25, 45):
        add(
            'masks',
            f'{_method} masked within {_radius} pixels of a source',
            partial(_check_masked_source, method=_method, radius=_radius),
            accept=(WARNED,),
            flag='missing_pixels|no_background',
            quick=_radius == 4,
        )
    add(
        'masks',
        f'{_method} checkerboard',
        partial(_check_checkerboard, method=_method),
        accept=(RIGHT, WARNED),
        flag='missing_pixels|no_background',
    )


def _check_file_mask(context, *, kind):
    """An extension MASK that others wrote, as HELP does: 1 is a low depth."""
    header = make_wcs().to_header()
    data = make_data()
    mask = np.ones(SHAPE, dtype=np.uint8)
    mask[20:90, 15:85] = 0
    extra = fits.ImageHDU(mask, name='MASK')
    if kind == 'table':
        extra = fits.BinTableHDU.from_columns(
            [fits.Column('x', 'E', array=np.zeros(3))], name='MASK'
        )
    elif kind == 'other shape':
        extra = fits.ImageHDU(mask[::2, ::2], name='MASK')
    elif kind == 'float':
        extra = fits.ImageHDU(mask.astype(float), name='MASK')
    elif kind == 'empty':
        extra = fits.ImageHDU(name='MASK')
    path = context.folder / 'map.fits'
    fits.HDUList(
        [fits.PrimaryHDU(), fits.ImageHDU(data, header, 'image'), extra]
    ).writeto(path)
    check_removal(context, 'inpaint', path, rtol=1e-12)


for _kind in ('low depth', 'table', 'other shape', 'float', 'empty'):
    add(
        'masks',
        f'inpaint extension MASK: {_kind}',
        partial(_check_file_mask, kind=_kind),
        accept=(RIGHT, WARNED) if _kind == 'empty' else (WARNED,),
        warning='MASK',
        quick=True,
    )


def _check_named_mask(context, *, name):
    path = context.folder / 'map.fits'
    fits.HDUList(
        [
            fits.PrimaryHDU(_bad_data(), make_wcs().to_header()),
            fits.ImageHDU(make_patch(dtype=np.uint8), name='BAD'),
        ]
    ).writeto(path)
    check_removal(context, 'inpaint', path, hdu=0, mask=name, rtol=0.01)


for _name in ('BAD', 'bad', 1):
    add('masks', f'inpaint mask={_name!r}', partial(_check_named_mask, name=_name))
for _name in ('NOTHING', 7, 'PRIMARY', 0, ''):
    add(
        'masks',
        f'inpaint mask={_name!r}',
        partial(_check_named_mask, name=_name),
        accept=(REFUSED,),
    )
