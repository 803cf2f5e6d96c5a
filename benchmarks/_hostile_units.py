# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Hostile cases: units and beams of maps.
"""

from functools import partial

import astropy.units as u
import numpy as np
from _hostile_case import REFUSED, RIGHT, add
from _hostile_scene import (
    METHODS,
    XY,
    check_removal,
    make_data,
    make_remover,
    make_wcs,
    plain,
)
from astropy.io import fits
from astropy.nddata import CCDData

# Solid angle of a pixel (sr), and of a beam of 6.8 arcsec, from their definitions.
_ARCSEC = np.pi / 180 / 3600
_PIXEL = (1.6 * _ARCSEC) ** 2
_FWHM = 6.8
_BEAM = np.pi / (4 * np.log(2)) * (_FWHM * _ARCSEC) ** 2

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
