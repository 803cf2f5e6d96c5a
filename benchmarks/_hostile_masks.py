# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: masks and errors of maps.
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
from astropy.nddata import (
    CCDData,
    InverseVariance,
    NDData,
    StdDevUncertainty,
    UnknownUncertainty,
    VarianceUncertainty,
)
from astropy.utils.masked import Masked

# Errors of a map, in Jy/pixel.
_SIGMA = 1e-4


def _bad(value=True, dtype=bool):
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
    'bool': _bad,
    'uint8': lambda: _bad(dtype=np.uint8),
    'int of 255': lambda: _bad(255, np.int64),
    'negative int': lambda: _bad(-1, np.int16),
    'big-endian': lambda: _bad(dtype='>i4'),
    'list': lambda: _bad().tolist(),
    'Fortran': lambda: np.asfortranarray(_bad()),
    'read-only': lambda: np.broadcast_to(_bad(), SHAPE),
}


def _check_mask(context, *, method, make, how):
    data, mask, call = _bad_data(), make(), {}
    if how in ('mask', 'coverage_mask'):
        call = {how: mask}
    elif how == 'both':
        call = {'mask': mask, 'coverage_mask': _bad()}
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
    context.check(np.array_equal(missing, _bad()), 'other pixels are missing')
    values = np.asarray(getattr(result.cleaned, 'data', result.cleaned))
    values = np.asarray(getattr(result.cleaned, 'unmasked', values))
    context.check(np.all(values[_bad()] == 1e3), 'masked pixels were changed')


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
            partial(_check_mask, method=_method, make=_bad, how=_how),
            quick=_method == 'psf',
        )

_NO_MASKS = {
    'float': lambda: _bad().astype(float),
    'NaN': lambda: np.full(SHAPE, np.nan),
    'text': lambda: _bad().astype('U5'),
    'object': lambda: _bad().astype(object),
    'complex': lambda: _bad().astype(complex),
    'transposed': lambda: _bad().T,
    'too small': lambda: _bad()[1:],
    '3-D': lambda: _bad()[None],
    '1-D': lambda: _bad().ravel(),
    'empty': lambda: np.zeros((0, 0), dtype=bool),
    'number': lambda: 0,
    'True': lambda: True,
    'all True': lambda: np.ones(SHAPE, dtype=bool),
    'name': lambda: 'MASK',
    'dict': dict,
    'function': lambda: np.isnan,
    'Quantity': lambda: _bad().astype(int) * u.Jy,
    'array of indices': lambda: np.argwhere(_bad()),
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
    ccd = CCDData(make_data(), unit='Jy/pix', mask=_bad())
    check_removal(context, method, ccd, mask=_bad())


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
            fits.ImageHDU(_bad(dtype=np.uint8), name='BAD'),
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

# -- errors ------------------------------------------------------------------


def _give_error(data, error, how):
    """Give the map and the keywords of a call."""
    if how == 'argument':
        return data, {'error': error}
    uncertainty = {
        'StdDev': StdDevUncertainty,
        'Variance': VarianceUncertainty,
        'InverseVariance': InverseVariance,
    }[how]
    with np.errstate(all='ignore'):
        power = {'StdDev': 1, 'Variance': 2, 'InverseVariance': -2}[how]
        ccd = CCDData(data, unit='Jy/pix', uncertainty=uncertainty(error**power))
    return ccd, {}


def _first(column):
    column = np.asarray(getattr(column, 'value', column), dtype=float)
    return column if column.ndim == 1 else column[:, 0]


def _errors(method, error, method_of_errors):
    """Give the flux errors that a sound error map leads to."""
    remover = make_remover(method, error_method=method_of_errors)
    table = remover(make_data(), XY.copy(), error=error).photometry
    return _first(table['flux_err'])


def _check_error(context, *, method, how, factor, error_method):
    """An error map of one value: the flux does not feel it."""
    error = np.full(SHAPE, _SIGMA * factor)
    data, call = _give_error(make_data(), error, how)
    result = check_removal(
        context,
        method,
        data,
        rtol=1e-9,
        options={'error_method': error_method},
        **call,
    )
    flux_err = _first(result.photometry['flux_err'])
    truth = _errors(method, np.full(SHAPE, _SIGMA * factor), error_method)
    context.compare('flux_err', flux_err, truth, rtol=1e-6)


for _method in METHODS:
    for _how in ('argument', 'StdDev', 'Variance', 'InverseVariance'):
        for _factor in (1e-12, 1.0, 1e12):
            for _error_method in ('local', 'card'):
                add(
                    'errors',
                    f'{_method} error of {_factor:g} sigma as {_how}, {_error_method}',
                    partial(
                        _check_error,
                        method=_method,
                        how=_how,
                        factor=_factor,
                        error_method=_error_method,
                    ),
                    quick=(_factor, _error_method, _method) == (1.0, 'local', 'psf'),
                )


def _check_unknown(context, *, method, value, where, how, error_method):
    """Errors that say nothing: flagged, and not smaller than with a sound map."""
    error = np.full(SHAPE, _SIGMA)
    y, x = np.indices(SHAPE)
    distance = np.hypot(x - XY[0, 0], y - XY[0, 1])
    if where == 'at a pixel':
        error[41, 36] = value
    elif where == 'at a source':
        error[distance < 5] = value
    elif where == 'around a source':
        error[distance < 40] = value
    else:
        error[:] = value
    with np.errstate(all='ignore'):
        data, call = _give_error(make_data(), error, how)
    result = check_removal(
        context,
        method,
        data,
        rtol=1e-9,
        options={'error_method': error_method},
        **call,
    )
    flux_err = _first(result.photometry['flux_err'])
    truth = _errors(method, np.full(SHAPE, _SIGMA), error_method)
    if not np.all((flux_err > 0.7 * truth) & (flux_err < 10 * truth)):
        context.fail(f'flux_err is {flux_err}, with a sound map {truth}')
        context.flags.clear()


for _method in METHODS:
    for _value in (np.nan, np.inf, 0.0, 1e300, 1e160):
        for _where in ('at a pixel', 'at a source', 'around a source', 'everywhere'):
            for _how in ('argument', 'StdDev', 'Variance', 'InverseVariance'):
                if _value >= 1e160 and _how in ('Variance', 'InverseVariance'):
                    continue
                _is_zero = _value == 0.0 and _where == 'everywhere'
                for _error_method in ('local', 'card'):
                    if _error_method == 'card' and _how != 'argument':
                        continue
                    add(
                        'errors',
                        f'{_method} error {_value} {_where} as {_how}, {_error_method}',
                        partial(
                            _check_unknown,
                            method=_method,
                            value=_value,
                            where=_where,
                            how=_how,
                            error_method=_error_method,
                        ),
                        accept=(RIGHT, WARNED) if _is_zero else (WARNED,),
                        warning='error' if not _is_zero else '',
                        flag='unknown_error',
                        quick=(_method, _where, _how, _error_method)
                        == ('inpaint', 'at a source', 'argument', 'local'),
                    )


class _OwnStdDev(StdDevUncertainty):
    """A subclass as others make them."""


_FORMS = {
    'float32': lambda error: error.astype('f4'),
    'float16': lambda error: error.astype('f2'),
    'big-endian': lambda error: error.astype('>f8'),
    'integers': lambda error: np.ones(SHAPE, dtype=int),
    'list': lambda error: error.tolist(),
    'Fortran': np.asfortranarray,
    'MaskedArray': lambda error: np.ma.MaskedArray(error, mask=_bad()),
    'subclass': _OwnStdDev,
    'StdDevUncertainty': StdDevUncertainty,
    'uncertainty in Jy/pix': lambda error: StdDevUncertainty(error, unit='Jy/pix'),
}


def _check_form(context, *, method, make):
    check_removal(
        context, method, make_data(), error=make(np.full(SHAPE, _SIGMA)), rtol=1e-9
    )


def _check_own_class(context, *, method):
    uncertainty = _OwnStdDev(np.full(SHAPE, _SIGMA))
    ccd = CCDData(make_data(), unit='Jy/pix', uncertainty=uncertainty)
    result = check_removal(context, method, ccd, rtol=1e-9)
    context.check(
        type(result.cleaned.uncertainty) is _OwnStdDev, 'the class is another one'
    )
    result.write(context.folder / 'out')


for _method in METHODS:
    for _name, _make in _FORMS.items():
        add(
            'errors',
            f'{_method} {_name}',
            partial(_check_form, method=_method, make=_make),
            accept=(RIGHT, REFUSED) if 'Jy/pix' in _name else (RIGHT, WARNED),
            warning='error',
            quick=_name == 'subclass',
        )
    add(
        'errors',
        f'{_method} class of its own',
        partial(_check_own_class, method=_method),
        quick=True,
    )


def _check_error_unit(context, *, unit, factor):
    error = np.full(SHAPE, _SIGMA) * factor << u.Unit(unit)
    data = make_data() << u.Unit('Jy/pix')
    result = check_removal(context, 'inpaint', data, error=error, rtol=1e-9)
    truth = _errors('inpaint', np.full(SHAPE, _SIGMA), 'local')
    context.compare('flux_err', _first(result.photometry['flux_err']), truth, rtol=1e-6)


for _unit, _factor in {'Jy/pix': 1.0, 'mJy/pix': 1e3, 'uJy/pix': 1e6}.items():
    add(
        'errors',
        f'inpaint in {_unit}',
        partial(_check_error_unit, unit=_unit, factor=_factor),
    )
for _unit in ('K', 'Jy2/pix2', 'MJy/sr', 's', ''):
    add(
        'errors',
        f'inpaint in {_unit!r} of a map in Jy/pix',
        partial(_check_error_unit, unit=_unit, factor=1.0),
        accept=(REFUSED,),
        says='error must have the unit|error.*unit',
        quick=_unit == 'K',
    )

_NO_ERRORS = {
    'negative': lambda: np.full(SHAPE, -_SIGMA),
    'one negative': lambda: np.where(_bad(), -_SIGMA, _SIGMA),
    'complex': lambda: np.full(SHAPE, _SIGMA + 0j),
    'text': lambda: np.full(SHAPE, 'a'),
    'object': lambda: np.full(SHAPE, None),
    'bool': lambda: np.ones(SHAPE, dtype=bool),
    'number': lambda: _SIGMA,
    'transposed': lambda: np.full(SHAPE, _SIGMA).T,
    'too small': lambda: np.full(SHAPE, _SIGMA)[1:],
    '3-D': lambda: np.full((1, *SHAPE), _SIGMA),
    'name': lambda: 'stDev',
    'dict': dict,
    'NDData': lambda: NDData(np.full(SHAPE, _SIGMA)),
    'unknown uncertainty': lambda: UnknownUncertainty(np.full(SHAPE, _SIGMA)),
    'empty': lambda: np.zeros((0, 0)),
    'function': lambda: np.std,
    'ragged': lambda: [[1.0], [2.0, 3.0]],
}


def _check_no_error(context, *, make):
    check_removal(context, 'inpaint', make_data(), error=make())


def _check_unknown_class(context, *, method):
    uncertainty = UnknownUncertainty(np.full(SHAPE, _SIGMA))
    check_removal(context, method, NDData(make_data(), uncertainty=uncertainty))


def _check_two_errors(context, *, method):
    uncertainty = StdDevUncertainty(np.full(SHAPE, _SIGMA))
    ccd = CCDData(make_data(), unit='Jy/pix', uncertainty=uncertainty)
    check_removal(context, method, ccd, error=np.full(SHAPE, _SIGMA))


for _name, _make in _NO_ERRORS.items():
    add(
        'errors',
        f'inpaint error is {_name}',
        partial(_check_no_error, make=_make),
        accept=(REFUSED,),
        says='error|uncertainty',
        quick=True,
    )
for _method in METHODS:
    add(
        'errors',
        f'{_method} of unknown kind',
        partial(_check_unknown_class, method=_method),
        accept=(REFUSED,),
        says='uncertainty',
    )
    add(
        'errors',
        f'{_method} given twice',
        partial(_check_two_errors, method=_method),
        accept=(REFUSED,),
        says='error was given',
    )
