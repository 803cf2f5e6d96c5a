# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Units as files spell them: of maps, and of angles in catalogues.
"""

import re

import astropy.units as u

from photutils_pconv._utils.warnings import hold_filters

__all__ = [
    'ACCEPTED_UNITS',
    'format_unit',
    'is_brightness',
    'parse_angle_unit',
    'parse_map_unit',
]

ACCEPTED_UNITS = (
    'Jy/pixel (or Jy, taken as Jy/pixel), Jy/sr, Jy/arcsec2 and '
    'Jy/beam, each with any prefix or as another unit of flux '
    'density, or no unit'
)
_NO_UNIT = ('', 'none', 'unknown', 'dimensionless')
# Without a stroke the unit after Jy needs its power: Jy pix is none of a map.
_BRIGHTNESS = re.compile(
    r'(?i:(p|n|u|k|m|g|)jy\s*(?:/|per|\s(?=.*-1$))\s*'
    r'(pixel|pix|px|beam|sr|arcsec)(?:\^|\*\*)?(-1|2|)'
    r'|(p|n|u|k|m|g|)jy)'
)
# Spellings of FITS tables, VOTables and text tables that astropy does not know.
_ANGLES = {
    u.deg: ('deg', 'degs', 'degree', 'degrees', 'deg.', '°', 'd:m:s', 'dms'),
    u.rad: ('rad', 'rads', 'radian', 'radians'),
    u.hourangle: (
        *('h', 'hr', 'hrs', 'hour', 'hours', 'hourangle', 'hms'),
        *('h:m:s', 'h:m', 'hh:mm:ss'),
    ),
    u.arcmin: ('arcmin', 'arcmins', 'arcminute', 'arcminutes'),
    u.arcsec: ('arcsec', 'arcsecs', 'asec', 'arcsecond', 'arcseconds'),
    u.mas: ('mas', 'milliarcsec'),
}
_ANGLE_OF = {text: unit for unit, texts in _ANGLES.items() for text in texts}
# Prefixes with which a unit that holds a factor may be written without it.
_OVER = (u.one, u.pix, u.sr, u.arcsec**2, u.beam)
_PREFIXED = ('Jy', 'mJy', 'uJy', 'nJy', 'pJy', 'kJy', 'MJy', 'GJy')


@hold_filters
def parse_map_unit(text):
    """
    Parse a map's unit, also in the spellings that FITS files have.

    Parameters
    ----------
    text : str or `None`
        The unit.

    Returns
    -------
    unit : `~astropy.units.Unit` or `None`
        The unit; `None` for none.

    Raises
    ------
    ValueError
        If it is no unit.
    """
    given = text
    text = '' if text is None else text
    if isinstance(text, str):
        text = text.strip()
        if text.lower() in _NO_UNIT:
            return None
        match = _BRIGHTNESS.fullmatch(text)
        if match is not None:
            prefix = match[1] or match[4] or ''
            # the case separates mega from milli, and means nothing elsewhere
            prefix = prefix if prefix in 'mM' else prefix.lower().replace('g', 'G')
            over = (match[2] or '').lower()
            over = {'pixel': 'pix', 'px': 'pix'}.get(over, over)
            power = '2' if match[3] == '2' else ''
            text = f'{prefix}Jy' + (f' / {over}{power}' if over else '')
        try:
            return u.Unit(text)
        except (ValueError, TypeError):
            pass
    msg = (
        f'The unit {given!r} of the FITS file cannot be understood; '
        f'accepted are {ACCEPTED_UNITS}. Read the map yourself and '
        'give it as CCDData with a unit.'
    )
    raise ValueError(msg)


def is_brightness(text):
    """
    Return whether a text is the unit of a map.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    is_brightness : bool
        Whether it is a unit of flux density, also per pixel, solid angle or beam.
    """
    try:
        unit = parse_map_unit(text)
    except ValueError:
        return False
    return unit is not None and any(
        unit.is_equivalent(one)
        for one in (u.Jy, u.Jy / u.pix, u.Jy / u.sr, u.Jy / u.beam)
    )


@hold_filters
def parse_angle_unit(unit):
    """
    Parse the unit of an angle, also as catalogues spell it.

    Parameters
    ----------
    unit : str or `~astropy.units.Unit`
        The unit, such as ``'[deg]'``, ``'DEGREE'`` or ``'"h:m:s"'``.

    Returns
    -------
    unit : `~astropy.units.Unit` or `None`
        The unit, `None` if it is none of an angle.
    """
    if isinstance(unit, u.UnitBase) and not isinstance(unit, u.UnrecognizedUnit):
        # an hour of time is what tables of hour angles state
        unit = u.hourangle if unit == u.hour else unit
        return unit if unit.is_equivalent(u.deg) else None
    text = str(unit).strip().strip('"\'[](){} ').lower()
    if text in _ANGLE_OF:
        return _ANGLE_OF[text]
    try:
        found = u.Unit(text)
    except (ValueError, TypeError):
        return None
    return found if found.is_equivalent(u.deg) else None


@hold_filters
def format_unit(unit):
    """
    Format a map's unit so that FITS allows it and it can be read again.

    Parameters
    ----------
    unit : `~astropy.units.Unit` or `None`
        The unit.

    Returns
    -------
    text : str
        The unit, one of FITS; empty for none.

    factor : float
        What the map's values are to be multiplied with for that unit: 1, but
        for units such as ``3 Jy / pix``, which FITS has no words for.
    """
    if unit is None:
        return '', 1.0
    if getattr(unit, 'scale', 1.0) != 1.0:
        for over in _OVER:
            for name in _PREFIXED:
                same = u.Unit(name) / over
                if unit.is_equivalent(same) and abs(unit.to(same) - 1) < 1e-12:
                    return same.to_string(), 1.0
    for style in ('generic', 'fits'):
        try:
            text = unit.to_string(style)
            if u.Unit(text, format='fits') == unit:
                return text, 1.0
        except ValueError:
            # not one of the standard's units, or a factor that is no power of 10
            continue
    plain = next(u.Jy / over for over in _OVER if unit.is_equivalent(u.Jy / over))
    return plain.to_string(), float(unit.to(plain))
