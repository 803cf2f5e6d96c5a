# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: values and units of maps.
"""

from functools import partial

import astropy.units as u
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
    make_wcs,
    plain,
)
from astropy.io import fits
from astropy.nddata import CCDData

# Solid angle of a pixel (sr), and of a beam of 6.8 arcsec, from their definitions.
_ARCSEC = np.pi / 180 / 3600
_PIXEL = (1.6 * _ARCSEC) ** 2
_FWHM = 6.8
# What counts as zero on a map of zeros, in Jy: float32 is in between.
_TINY = 1e-30
_BEAM = np.pi / (4 * np.log(2)) * (_FWHM * _ARCSEC) ** 2

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
            accept=(RIGHT, WARNED) if 'sentinel' in _name else (RIGHT,),
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
            if _name in ('all 1e300', 'all float max')
            else (RIGHT, WARNED),
            flag='unknown_error|no_background',
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
    names = ['flux'] if method == 'inpaint' else ['flux', 'flux_psf']
    for name in names:
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

# -- units -------------------------------------------------------------------

#: Each unit, and how many of it are 1 Jy/pixel on these maps.
_UNITS = {
    'Jy/pix': 1.0,
    'Jy': 1.0,
    'mJy/pix': 1e3,
    'uJy/pix': 1e6,
    'nJy/pix': 1e9,
    'kJy/pix': 1e-3,
    'MJy/sr': 1e-6 / _PIXEL,
    'Jy/sr': 1.0 / _PIXEL,
    'kJy/sr': 1e-3 / _PIXEL,
    'mJy/arcsec2': 1e3 / 1.6**2,
    'Jy/arcsec2': 1.0 / 1.6**2,
    'Jy/arcmin2': 3600.0 / 1.6**2,
    'Jy/deg2': 3600.0**2 / 1.6**2,
    'W / (m2 Hz sr)': 1e-26 / _PIXEL,
    'erg / (s cm2 Hz sr)': 1e-23 / _PIXEL,
    'W / (m2 Hz pix)': 1e-26,
    'erg / (s cm2 Hz pix)': 1e-23,
    'Jy/beam': _BEAM / _PIXEL,
    'mJy/beam': 1e3 * _BEAM / _PIXEL,
}
_NO_UNITS = (
    'K',
    'm',
    's',
    'deg',
    'count',
    'electron / s',
    'adu',
    'Jy m',
    'Jy2 / pix',
    'Jy pix',
    '1 / Jy',
    'Jy / s',
    'W / m2',
    'solLum',
    'ph / (s cm2)',
    'Jy / pix2',
    'Jy / (pix sr)',
    'mag',
    'dex',
    'Jy / rad',
    'mm',
    'MJy / deg',
)


def _check_unit(context, *, method, unit, container):
    scale = _UNITS[unit]
    data = make_data() * scale
    call = {'beam': _FWHM} if 'beam' in unit else {}
    if container == 'Quantity':
        given = data * u.Unit(unit)
        # Without a WCS the pixels are those of the setup: 1.6 arcsec.
    elif container == 'CCDData':
        given = CCDData(data, unit=unit, wcs=make_wcs())
    else:
        header = make_wcs().to_header()
        header['BUNIT'] = unit
        if 'beam' in unit:
            header['BMAJ'] = header['BMIN'] = _FWHM / 3600
            call = {}
        given = fits.PrimaryHDU(data, header)
    result = check_removal(context, method, given, rtol=1e-6, **call)
    found = result.photometry['flux'].unit
    context.check(found == u.Jy, f'the unit of flux is {found}')
    cleaned = plain(method)[2] * scale
    context.compare(
        'the cleaned map',
        getattr(result.cleaned, 'value', getattr(result.cleaned, 'data', None)),
        cleaned,
        rtol=1e-6,
        atol=1e-6 * cleaned.max(),
    )
    unit = result.cleaned.unit
    context.check(
        unit is not None and unit.is_equivalent(given.unit)
        if hasattr(given, 'unit')
        else True,
        f'the unit of the map is {unit}',
    )


def _check_no_unit(context, *, method, unit, container):
    data = make_data()
    if container == 'Quantity':
        unit = u.Unit(unit)
        given = unit(data) if hasattr(unit, 'physical_unit') else data * unit
    elif container == 'CCDData':
        given = CCDData(data, unit=unit, wcs=make_wcs())
    else:
        header = make_wcs().to_header()
        header['BUNIT'] = unit
        given = fits.PrimaryHDU(data, header)
    check_removal(context, method, given)


for _method in METHODS:
    for _container in ('Quantity', 'CCDData', 'HDU'):
        for _unit in _UNITS:
            add(
                'units',
                f'{_method} {_unit} {_container}',
                partial(_check_unit, method=_method, unit=_unit, container=_container),
                quick=(_method, _container) == ('inpaint', 'HDU')
                and _unit in ('MJy/sr', 'mJy/pix', 'Jy/beam'),
            )
        for _unit in _NO_UNITS:
            if _method == 'psf' and _container != 'Quantity':
                continue
            add(
                'units',
                f'{_method} {_unit} {_container}',
                partial(
                    _check_no_unit, method=_method, unit=_unit, container=_container
                ),
                accept=(REFUSED,),
                says=r'unit.*|Jy/pix',
                quick=_method == 'inpaint' and _unit in ('K', 'mag', 'Jy2 / pix'),
            )


def _logarithmic(make_unit):
    return lambda: make_unit(np.abs(make_data()))


_LOGARITHMIC = {
    'mag(AB)': lambda data: data * u.ABmag,
    'mag(Jy)': lambda data: data * u.mag(u.Jy),
    'dex(Jy)': lambda data: data * u.dex(u.Jy),
    'dB(Jy)': lambda data: data * u.dB(u.Jy),
    'mag(Jy/pix)': lambda data: data * u.mag(u.Jy / u.pix),
    'dex(Jy/sr)': lambda data: data * u.dex(u.Jy / u.sr),
}
for _method in METHODS:
    for _name, _make in _LOGARITHMIC.items():
        add(
            'units',
            f'{_method} {_name}',
            partial(
                lambda context, method, make: check_removal(
                    context, method, make(make_data())
                ),
                method=_method,
                make=_make,
            ),
            accept=(REFUSED,),
            says='unit|logarithm|magnitude',
            quick=_name == 'mag(AB)',
        )

#: Spellings of BUNIT that stand in files, and how many are 1 Jy/pixel; 0 where
#: nobody can know.
_SPELLINGS = {
    'JY/PIXEL': 1.0,
    'jy/pixel': 1.0,
    'Jy/PIX': 1.0,
    'Jy pixel-1': 1.0,
    'Jy pix-1': 1.0,
    'Jy pixel^-1': 1.0,
    'Jy/px': 1.0,
    'Jy/pixel ': 1.0,
    ' Jy/pixel': 1.0,
    'Jansky/pixel': 1.0,
    'Jy per pixel': 1.0,
    'JY': 1.0,
    'MJY/SR': 1e-6 / _PIXEL,
    'MJy/sr': 1e-6 / _PIXEL,
    'MJy sr-1': 1e-6 / _PIXEL,
    'MJy.sr-1': 1e-6 / _PIXEL,
    'MJy*sr^-1': 1e-6 / _PIXEL,
    'MJy/ster': 1e-6 / _PIXEL,
    'MJy/steradian': 1e-6 / _PIXEL,
    'JY/BEAM': _BEAM / _PIXEL,
    'Jy beam-1': _BEAM / _PIXEL,
    'Jy/bm': _BEAM / _PIXEL,
    'mJy/Beam': 1e3 * _BEAM / _PIXEL,
    '10**-3 Jy/pixel': 1e3,
    '10^-3 Jy/pixel': 1e3,
    '1e-3 Jy/pixel': 1e3,
    '0.001 Jy/pixel': 1e3,
    '10**(-3)Jy/pixel': 1e3,
    'W m-2 Hz-1 sr-1': 1e-26 / _PIXEL,
    'erg/s/cm^2/Hz/sr': 1e-23 / _PIXEL,
    'Jy/arcsec^2': 1.0 / 1.6**2,
    'Jy/arcsec**2': 1.0 / 1.6**2,
    'Jy/sqarcsec': 1.0 / 1.6**2,
    'counts/s': 0.0,
    'DN': 0.0,
    'UNCALIB': 0.0,
    'see header': 0.0,
    '???': 0.0,
    'Jy/pixel (calibrated)': 0.0,
    'Jy/': 0.0,
    '/pixel': 0.0,
    'Jy//pixel': 0.0,
    'Jy/pixel/pixel': 0.0,
}


def _check_spelling(context, *, method, text):
    scale = _SPELLINGS[text]
    header = make_wcs().to_header()
    header['BUNIT'] = text
    header['BMAJ'] = header['BMIN'] = _FWHM / 3600
    data = make_data() * (scale or 1.0)
    result = check_removal(
        context, method, fits.PrimaryHDU(data, header), scale=1.0, rtol=1e-6
    )
    if result.photometry['flux'].unit != u.Jy:
        context.fail(f'the unit of flux is {result.photometry["flux"].unit}')
    # What was read is written, and read again.
    again = make_remover(method)
    paths = result.write(context.folder / 'out')
    table = again(paths[0], XY.copy()).photometry
    context.check(
        'flux' in table.colnames and table['flux'].unit == u.Jy,
        'the unit is lost in the written file',
    )


for _text in _SPELLINGS:
    add(
        'units',
        f'inpaint BUNIT {_text!r}',
        partial(_check_spelling, method='inpaint', text=_text),
        accept=(RIGHT, REFUSED) if _SPELLINGS[_text] else (REFUSED,),
        says='unit',
        quick=_text in ('JY/PIXEL', '10**-3 Jy/pixel', 'DN'),
    )


def _check_bunit_value(context, *, value):
    header = make_wcs().to_header()
    header['BUNIT'] = value
    check_removal(context, 'inpaint', fits.PrimaryHDU(make_data(), header), rtol=1e-6)


for _value in (1, 1.5, True, '1', '', ' '):
    add(
        'units',
        f'inpaint BUNIT {_value!r}',
        partial(_check_bunit_value, value=_value),
        accept=(RIGHT, REFUSED) if str(_value).strip() in ('', '1') else (REFUSED,),
        says='unit',
        quick=_value == 1.5,
    )

_BEAMS = {
    'of 7, in degrees': 7.0,
    'of zero': 0.0,
    'negative': -6.8 / 3600,
    'NaN': np.nan,
    'infinite': np.inf,
    'text': '6.8 arcsec',
    'list': [6.8, 6.8, 6.8],
    'tiny': 1e-12,
    'huge': 90.0,
    'bool': True,
    'half the setup': 1.0 / 3600,
    'five of the setup': 34.0 / 3600,
}


def _check_beam(context, *, value, where):
    data = make_data() * _BEAM / _PIXEL
    header = make_wcs().to_header()
    header['BUNIT'] = 'Jy/beam'
    if where == 'header':
        header['BMAJ'] = value if np.isscalar(value) and value == value else 'NaN'
        header['BMIN'] = header['BMAJ']
        return check_removal(context, 'inpaint', fits.PrimaryHDU(data, header))
    factor = 3600.0 if isinstance(value, float) else 1
    beam = value if isinstance(value, bool | list | str) else value * factor
    return check_removal(
        context, 'inpaint', fits.PrimaryHDU(data, header), beam=beam, rtol=1e-6
    )


for _name, _value in _BEAMS.items():
    for _where in ('header', 'argument'):
        if _where == 'header' and _name in ('list', 'infinite'):
            continue
        add(
            'units',
            f'inpaint beam {_name} in the {_where}',
            partial(_check_beam, value=_value, where=_where),
            accept=(RIGHT, REFUSED) if _value == '6.8 arcsec' else (REFUSED,),
            says='beam|BMAJ',
            quick=_name in ('of 7, in degrees', 'of zero'),
        )


def _check_no_beam(context, *, method, container):
    data = make_data() * _BEAM / _PIXEL
    given = data * u.Unit('Jy/beam')
    if container == 'CCDData':
        given = CCDData(given, wcs=make_wcs())
    check_removal(context, method, given)


def _check_beam_arguments(context, *, beam):
    data = make_data() * _BEAM / _PIXEL * u.Unit('Jy/beam')
    check_removal(context, 'inpaint', data, rtol=1e-6, beam=beam)


for _method in METHODS:
    for _container in ('Quantity', 'CCDData'):
        add(
            'units',
            f'{_method} Jy/beam without beam {_container}',
            partial(_check_no_beam, method=_method, container=_container),
            accept=(REFUSED,),
            says='beam',
        )
for _name, _beam in {
    'number': _FWHM,
    'pair': (_FWHM, _FWHM),
    'array': np.array([_FWHM, _FWHM]),
    'Quantity': _FWHM * u.arcsec,
    'Quantity in arcmin': _FWHM / 60 * u.arcmin,
    'pair of Quantities': (_FWHM * u.arcsec, _FWHM * u.arcsec),
    'integer-like pair': (np.float32(_FWHM), _FWHM),
}.items():
    add(
        'units',
        f'inpaint beam as {_name}',
        partial(_check_beam_arguments, beam=_beam),
    )
