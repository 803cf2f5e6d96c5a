# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: values of maps.
"""

from functools import partial

import numpy as np
from _hostile_case import REFUSED, RIGHT, WARNED, add
from _hostile_scene import (
    METHODS,
    SHAPE,
    TOLERANCE,
    XY,
    check_removal,
    make_data,
    make_remover,
    make_scene,
)

# What counts as zero on a map of zeros, in Jy: float32 is in between.
_TINY = 1e-30

# -- values ------------------------------------------------------------------


def _check_scale(context, *, method, exponent):
    """Fluxes are proportional to the map, however it is scaled."""
    scale = 2.0**exponent
    with np.errstate(all='ignore'):
        data = make_data() * scale
    check_removal(context, method, data, scale=scale, rtol=1e-5)


for _method in METHODS:
    for _exponent in (
        *(-1060, -1020, -1000, -900, -700, -500, -300, -100, -40, -20, -5),
        *(5, 20, 40, 100, 300, 500, 700, 900, 1000, 1015),
    ):
        add(
            'values',
            f'{_method} map times 2**{_exponent}',
            partial(_check_scale, method=_method, exponent=_exponent),
            accept=(RIGHT,) if abs(_exponent) <= 100 else (RIGHT, REFUSED),
            quick=_exponent in (-1000, -40, 40, 1000),
        )


def _check_offset(context, *, method, offset):
    """A constant changes nothing but what its rounding takes."""
    rounding = np.finfo(float).eps * abs(offset) * 1e3
    check_removal(
        context, method, make_data() + offset, rtol=1e-6 + rounding / FAINTEST
    )


FAINTEST = 0.5
for _method in METHODS:
    for _offset in (-1e6, -1e3, -1.0, -2e-3, 1e-3, 1.0, 1e3, 1e6, 1e9):
        add(
            'values',
            f'{_method} map plus {_offset:g}',
            partial(_check_offset, method=_method, offset=_offset),
            accept=(RIGHT,) if abs(_offset) < 1e9 else (RIGHT, REFUSED, WARNED),
            quick=_offset in (-1.0, 1e3),
        )


def _put(value, rows, columns):
    def change(data):
        data[rows, columns] = value
        return data

    return change


def _sprinkle(value, share):
    def change(data):
        chosen = np.random.default_rng(1).random(data.shape) < share
        near = np.hypot(*np.moveaxis(np.indices(SHAPE).T - XY[:, None, None], -1, 0))
        chosen &= near.min(axis=0).T > 12
        data[chosen] = value
        return data

    return change


_PATCH = (slice(90, 100), slice(5, 25))
# A change of the map that the sources need not feel.
_FAR = {
    'NaN patch': _put(np.nan, *_PATCH),
    'inf patch': _put(np.inf, *_PATCH),
    '-inf patch': _put(-np.inf, *_PATCH),
    'NaN border': lambda data: np.pad(
        data[3:-3, 3:-3], 3, mode='constant', constant_values=np.nan
    ),
    'NaN row': _put(np.nan, 3, slice(None)),
    'NaN half': _put(np.nan, slice(104, None), slice(None)),
    'sprinkled NaN': _sprinkle(np.nan, 0.02),
    'sprinkled inf': _sprinkle(np.inf, 0.02),
    'both infinities': lambda data: _put(-np.inf, 2, slice(None))(
        _put(np.inf, 1, slice(None))(data)
    ),
    'a bright pixel': _put(10.0, 100, 10),
    'a pixel of 1e30': _put(1e30, 100, 10),
    'a pixel of 1e300': _put(1e300, 100, 10),
    'a pixel of -1e30': _put(-1e30, 100, 10),
    'a pixel of float32 max': _put(3.4e38, 100, 10),
    'sentinel -999': _put(-999.0, *_PATCH),
    'sentinel -32768': _put(-32768.0, *_PATCH),
    'sentinel 1e20': _put(1e20, *_PATCH),
    'zero patch': _put(0.0, *_PATCH),
    'negative zero patch': _put(-0.0, *_PATCH),
    'denormal patch': _put(5e-324, *_PATCH),
}


def _check_far(context, *, method, change):
    check_removal(context, method, change(make_data()), rtol=0.02)


for _method in METHODS:
    for _name, _change in _FAR.items():
        add(
            'values',
            f'{_method} {_name}',
            partial(_check_far, method=_method, change=_change),
            accept={'sent': (RIGHT, WARNED), 'e300': (RIGHT, REFUSED)}.get(
                'sent' if 'sentinel' in _name else _name[-4:], (RIGHT,)
            ),
            quick=_name in ('NaN patch', 'sprinkled inf', 'a pixel of 1e300'),
        )


def _at_source(value, radius):
    def change(data):
        y, x = np.indices(SHAPE)
        data[np.hypot(x - XY[0, 0], y - XY[0, 1]) <= radius] = value
        return data

    return change


def _check_at_source(context, *, method, radius, value):
    """The source itself is flagged, and the other is right."""
    data = _at_source(value, radius)(make_data())
    result = check_removal(context, method, data, truth=[0.5], rows=[1], rtol=0.02)
    flux = float(result.photometry['flux'][0])
    if np.isfinite(flux) and not 1.0 < flux < 2.2:
        context.fail(f'flux is {flux:.4g}, not 2')
    context.fail('flagged, as it should be')


for _method in METHODS:
    for _value in (np.nan, np.inf):
        for _radius in (0.4, 1.0, 3.0, 8.0, 20.0, 30.0):
            add(
                'values',
                f'{_method} {_value} within {_radius} pixels of a source',
                partial(_check_at_source, method=_method, radius=_radius, value=_value),
                accept=(WARNED,),
                flag='missing_pixels|no_background',
                quick=_radius == 1.0,
            )


def _constant(value):
    return lambda: np.full(SHAPE, value)


def _only_finite():
    data = np.full(SHAPE, np.nan)
    data[41, 36] = 1.0
    return data


_FLAT = {
    'all zero': _constant(0.0),
    'all one': _constant(1.0),
    'all -5': _constant(-5.0),
    'all 1e-300': _constant(1e-300),
    'all 1e300': _constant(1e300),
    'all float max': _constant(np.finfo(float).max),
}


def _check_flat(context, *, method, make):
    """There is nothing to remove."""
    data = make()
    sources = XY.copy()
    context.watch(data, sources)
    result = make_remover(method)(data, sources)
    peak = np.abs(data).max()
    flux = np.asarray(result.photometry['flux'], dtype=float)
    context.compare('flux', flux, np.zeros(2), atol=1e-3 * peak + _TINY)
    context.compare('the map', np.asarray(result.cleaned), data, rtol=1e-5, atol=_TINY)
    for name in result.photometry.colnames:
        if name.endswith('_err') and not np.all(
            np.isfinite(np.asarray(result.photometry[name], dtype=float))
        ):
            context.fail(f'{name} is {result.photometry[name]}')
    _note_flags(context, result)


def _note_flags(context, result):
    """Collect the flags of all rows."""
    from photutils_pconv.photometry import decode_flags

    for names in decode_flags(np.asarray(result.photometry['flags'])):
        context.flags.update(names)


for _method in METHODS:
    for _name, _make in _FLAT.items():
        add(
            'values',
            f'{_method} {_name}',
            partial(_check_flat, method=_method, make=_make),
            accept=(RIGHT, WARNED, REFUSED)
            if _name in ('all 1e-300', 'all 1e300', 'all float max')
            else (RIGHT, WARNED),
            flag='no_scatter|no_background',
            quick=_name == 'all zero',
        )
    for _name, _make in {
        'all NaN': _constant(np.nan),
        'all inf': _constant(np.inf),
        'all masked': lambda: np.ma.masked_all(SHAPE),
        'one finite pixel': _only_finite,
    }.items():
        add(
            'values',
            f'{_method} {_name}',
            partial(
                lambda context, method, make: _check_nan(context, method, make()),
                method=_method,
                make=_make,
            ),
            accept=(REFUSED,) if 'all' in _name else (REFUSED, WARNED),
            flag='missing_pixels|no_background|near_edge',
            quick=_name == 'all NaN',
        )


def _check_nan(context, method, data):
    check_removal(context, method, data, truth=[np.nan, np.nan])
    context.fail('NaN')


def _check_negative(context, *, method):
    """A map upside down has sources of negative flux."""
    check_removal(context, method, -make_data(), scale=-1.0, rtol=0.03)


def _check_noiseless(context, *, method, sky):
    scene = make_scene(noise=0.0, sky=sky)
    check_removal(
        context, method, scene.data.copy(), truth=scene.flux, rtol=TOLERANCE[method]
    )


def _check_noise_only(context, *, method):
    """Without sources nothing is found that its own error would not tell."""
    data = make_scene().empty.copy()
    result = make_remover(method)(context.watch(data), XY.copy())
    table = result.photometry
    for name in ('flux', 'flux_aperture'):
        sigma = np.abs(np.asarray(table[name]) / np.asarray(table[f'{name}_err']))
        context.check(np.all(sigma < 5), f'{name} is {sigma} sigma from 0')


for _method in METHODS:
    add(
        'values',
        f'{_method} negative map',
        partial(_check_negative, method=_method),
        accept=(RIGHT, WARNED),
    )
    add('values', f'{_method} no source', partial(_check_noise_only, method=_method))
    for _sky in (0.0, 2e-3):
        add(
            'values',
            f'{_method} no noise, sky {_sky:g}',
            partial(_check_noiseless, method=_method, sky=_sky),
        )
