# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: types and byte orders of maps.
"""

from functools import partial

import astropy.units as u
import numpy as np
from _hostile_case import REFUSED, RIGHT, add
from _hostile_scene import (
    METHODS,
    SHAPE,
    XY,
    check_removal,
    make_data,
    make_wcs,
)
from astropy.io import fits
from astropy.nddata import CCDData, NDData, NDDataRef
from astropy.utils.masked import Masked

# Counts of an integer map, in Jy/pixel: 16 bits hold the peak.
_STEP = 1e-5
_HALF = {'f2': 2e-3, 'f4': 2e-6}


class _Array(np.ndarray):
    """A subclass as others make them."""


def _contain(name, data):
    """Put an array into a container."""
    if name == 'array':
        return data
    if name == 'Quantity':
        return u.Quantity(data, 'Jy/pix', dtype=data.dtype)
    if name == 'MaskedArray':
        return np.ma.MaskedArray(data)
    if name == 'Masked':
        return Masked(data)
    if name == 'CCDData':
        return CCDData(data, unit='Jy/pix')
    if name == 'NDData':
        return NDData(data)
    if name == 'HDU':
        return fits.ImageHDU(data, make_wcs().to_header(), name='image')
    if name == 'pair':
        return data, make_wcs().to_header()
    msg = f'no container {name}'
    raise ValueError(msg)


def _check_dtype(context, *, method, dtype, container):
    dtype = np.dtype(dtype)
    data = make_data()
    scale, rtol = 1.0, _HALF.get(dtype.str[1:], 1e-9)
    if dtype.kind in 'iu':
        scale = 1.0 / _STEP
        data, rtol = np.round(data * scale), 2e-3
    given = _contain(container, data.astype(dtype))
    result = check_removal(
        context,
        method,
        given,
        scale=scale,
        rtol=rtol,
        map_scale=None if dtype.kind in 'iu' else scale,
    )
    # Pixels outside of the holes are as they were.
    values = np.asarray(getattr(result.cleaned, 'data', result.cleaned))
    kept = ~result.holes
    if hasattr(result.cleaned, 'unmasked'):
        values = np.asarray(result.cleaned.unmasked)
    if isinstance(result.cleaned, u.Quantity):
        values = result.cleaned.value
    # Two passes take the wings off, too.
    if method == 'inpaint':
        context.compare(
            'a pixel outside', values[kept].astype(float), data.astype(dtype)[kept]
        )


_DTYPES = ('i2', 'i4', 'i8', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8')
_CONTAINERS = (
    'array',
    'Quantity',
    'MaskedArray',
    'Masked',
    'CCDData',
    'NDData',
    'pair',
)
for _method in METHODS:
    for _dtype in (*_DTYPES, 'longdouble'):
        for _container in _CONTAINERS:
            add(
                'types',
                f'{_method} {_dtype} {_container}',
                partial(
                    _check_dtype, method=_method, dtype=_dtype, container=_container
                ),
                quick=(_method, _container) == ('inpaint', 'CCDData')
                or (_method, _dtype) == ('psf', 'f4'),
            )
    for _dtype in ('i2', 'i4', 'i8', 'u2', 'f2', 'f4', 'f8'):
        for _order in '<>':
            for _container in ('array', 'CCDData', 'HDU'):
                if _container == 'HDU' and _dtype == 'f2':
                    continue
                add(
                    'byte orders',
                    f'{_method} {_order}{_dtype} {_container}',
                    partial(
                        _check_dtype,
                        method=_method,
                        dtype=_order + _dtype,
                        container=_container,
                    ),
                    quick=_order == '>' and _container == 'array',
                )


def _check_orders(context, *, method):
    data = make_data()
    check_removal(
        context,
        method,
        data.astype('>f8'),
        XY.astype('>f8'),
        mask=np.zeros(SHAPE, dtype='>i2'),
        error=np.full(SHAPE, 1e-4, dtype='>f4'),
        rtol=1e-12,
    )


for _method in METHODS:
    add(
        'byte orders',
        f'{_method} all inputs big-endian',
        partial(_check_orders, method=_method),
        quick=True,
    )

# -- memory layouts and containers of others ---------------------------------


def _read_only(data):
    data.setflags(write=False)
    return data


def _strided(data):
    wide = np.zeros((data.shape[0], 3 * data.shape[1]))
    wide[:, ::3] = data
    return wide[:, ::3]


_LAYOUTS = {
    'Fortran order': np.asfortranarray,
    'read-only': _read_only,
    'strided': _strided,
    'negative strides': lambda data: data[::-1, ::-1].copy()[::-1, ::-1],
    'transposed twice': lambda data: data.T.copy().T,
    'subclass': lambda data: data.view(_Array),
    'list of lists': lambda data: data.tolist(),
    'tuple of rows': tuple,
    'list of rows': list,
    'memoryview': memoryview,
    'NDDataRef': NDDataRef,
    'Masked Quantity': lambda data: Masked(data << u.Unit('Jy/pix')),
    'nomask': lambda data: np.ma.MaskedArray(data, mask=np.ma.nomask),
    'hard mask': lambda data: np.ma.MaskedArray(data, hard_mask=True),
    'masked with fill': lambda data: np.ma.MaskedArray(data, fill_value=np.nan),
    'CCDData of float32 mask': lambda data: CCDData(
        data, unit='Jy/pix', mask=np.zeros(data.shape, dtype=np.uint8)
    ),
    'structured view': lambda data: (
        data.view([('a', float)]).view(float).reshape(SHAPE)
    ),
    'broadcast': lambda data: np.broadcast_to(data, (1, *SHAPE))[0],
    'object of floats': lambda data: data.astype(object),
    'torch tensor': lambda data: __import__('torch').from_numpy(data),
    'matrix': lambda data: data.view(np.matrix),
}


def _check_layout(context, *, method, make):
    check_removal(context, method, make(make_data()), rtol=0.0)


for _method in METHODS:
    for _name, _make in _LAYOUTS.items():
        _odd = _name in ('object of floats', 'torch tensor', 'matrix', 'memoryview')
        add(
            'types',
            f'{_method} {_name}',
            partial(_check_layout, method=_method, make=_make),
            accept=(RIGHT, REFUSED) if _odd else (RIGHT,),
            quick=_method == 'inpaint',
        )


def _check_memmap(context, *, method):
    path = context.folder / 'map.npy'
    np.save(path, make_data())
    check_removal(context, method, np.load(path, mmap_mode='r'), rtol=0.0)


for _method in METHODS:
    add('types', f'{_method} memmap', partial(_check_memmap, method=_method))


def _square(value):
    return lambda: np.full(SHAPE, value)


_NONSENSE = {
    'None': lambda: None,
    'number': lambda: 3.0,
    'bool': lambda: True,
    'complex array': lambda: make_data() * (1 + 0j),
    'complex imaginary': lambda: make_data() * (1 + 1j),
    'bool array': lambda: make_data() > 0.1,
    'text array': lambda: make_data().astype('U8'),
    'bytes array': lambda: make_data().astype('S8'),
    'object array': _square(None),
    'array of text objects': lambda: np.full(SHAPE, 'a', dtype=object),
    'dates': lambda: np.zeros(SHAPE, dtype='datetime64[s]'),
    'durations': lambda: np.zeros(SHAPE, dtype='timedelta64[s]'),
    'structured': lambda: np.zeros(SHAPE, dtype=[('a', float), ('b', float)]),
    'void': lambda: np.zeros(SHAPE, dtype='V8'),
    'dict': lambda: {'data': make_data()},
    'set': lambda: {1.0, 2.0},
    'generator': lambda: (row for row in make_data()),
    'range': lambda: range(5),
    'function': lambda: make_data,
    'class': lambda: np.ndarray,
    'module': lambda: np,
    'bytes': lambda: b'map.fits',
    'empty text': lambda: '',
    'empty list': list,
    'ragged list': lambda: [[1.0, 2.0], [3.0]],
    'list of text': lambda: [['a', 'b'], ['c', 'd']],
    'empty tuple': lambda: (),
    'triple': lambda: (make_data(), make_wcs(), None),
    'pair with text': lambda: (make_data(), 'header'),
    'pair of None': lambda: (None, None),
    'pair of header and array': lambda: (make_wcs().to_header(), make_data()),
    'header alone': lambda: make_wcs().to_header(),
    'WCS alone': make_wcs,
    'table HDU': lambda: fits.BinTableHDU.from_columns(
        [fits.Column('a', 'E', array=np.zeros(3))]
    ),
    'empty HDUList': fits.HDUList,
    'HDU without data': lambda: fits.PrimaryHDU(),
    'NDData of text': lambda: NDData(np.full(SHAPE, 'a')),
    'NDData complex': lambda: NDData(make_data() * 1j),
    'unit': lambda: u.Jy,
    'Quantity complex': lambda: make_data() * 1j * u.Jy,
    'map twice': lambda: [make_data(), make_data()],
}


def _check_nonsense(context, *, method, make):
    check_removal(context, method, make())


for _name, _make in _NONSENSE.items():
    for _method in METHODS:
        add(
            'types',
            f'{_method} {_name}',
            partial(_check_nonsense, method=_method, make=_make),
            accept=(REFUSED,),
            quick=_method == 'inpaint',
        )
