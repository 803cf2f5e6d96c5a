# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: errors of maps.
"""

from functools import partial

import astropy.units as u
import numpy as np
from _hostile_case import REFUSED, RIGHT, WARNED, add
from _hostile_masks import make_patch
from _hostile_scene import (
    METHODS,
    SHAPE,
    XY,
    check_removal,
    make_data,
    make_remover,
    take_first,
)
from astropy.nddata import (
    CCDData,
    InverseVariance,
    NDData,
    StdDevUncertainty,
    UnknownUncertainty,
    VarianceUncertainty,
)

# Errors of a map, in Jy/pixel.
_SIGMA = 1e-4


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


def _errors(method, error, method_of_errors):
    """Give the flux errors that a sound error map leads to."""
    remover = make_remover(method, error_method=method_of_errors)
    table = remover(make_data(), XY.copy(), error=error).photometry
    return take_first(table['flux_aperture_err'])


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
    flux_err = take_first(result.photometry['flux_aperture_err'])
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
    flux_err = take_first(result.photometry['flux_aperture_err'])
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
    'MaskedArray': lambda error: np.ma.MaskedArray(error, mask=make_patch()),
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
    context.compare(
        'flux_err', take_first(result.photometry['flux_aperture_err']), truth, rtol=1e-6
    )


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
    'one negative': lambda: np.where(make_patch(), -_SIGMA, _SIGMA),
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
