# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The columns of a source table that hold positions.
"""

import re

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord

from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.inputs.angles import parse_angles, parse_sexagesimal_columns
from photutils_pconv.inputs.column_values import to_plain_floats, to_texts

__all__ = [
    'ACCEPTED_COLUMNS',
    'find_pixel_columns',
    'find_pixel_positions',
    'find_sky_positions',
    'find_unclear_columns',
    'has_positions',
]

_SKY_NAMES = ('sky_center', 'sky_centroid', 'sky_centroid_icrs', 'sky_centroid_win')
# lower case, since the columns are matched whatever their case
_SKY_PAIRS = (
    ('ra', 'dec'),
    ('raj2000', 'dej2000'),
    ('raj2000', 'decj2000'),
    ('_raj2000', '_dej2000'),
    ('ra_icrs', 'de_icrs'),
    ('_ra', '_de'),
    ('ra_deg', 'dec_deg'),
    ('ra_j2000', 'dec_j2000'),
    ('alpha_j2000', 'delta_j2000'),
    ('radeg', 'dedeg'),
    ('radeg', 'decdeg'),
    ('ra_d', 'dec_d'),
    ('ra_icrs', 'dec_icrs'),
    ('_ra_icrs', '_de_icrs'),
    ('_ra.icrs', '_de.icrs'),
    ('ra2000', 'dec2000'),
    ('ra2000', 'de2000'),
    ('ra_2000', 'dec_2000'),
    ('alphawin_j2000', 'deltawin_j2000'),
    ('right_ascension', 'declination'),
    ('right ascension', 'declination'),
    ('rightascension', 'declination'),
)
_GALACTIC_PAIRS = (
    ('glon', 'glat'),
    ('_glon', '_glat'),
    ('gal_lon', 'gal_lat'),
    ('galactic_longitude', 'galactic_latitude'),
    ('l', 'b'),
)
_PIXEL_PAIRS = (
    ('x_center', 'y_center'),
    ('x_centroid', 'y_centroid'),
    ('xcentroid', 'ycentroid'),
    ('x', 'y'),
    ('x_fit', 'y_fit'),
    ('x_0', 'y_0'),
    ('x_init', 'y_init'),
    ('xcenter', 'ycenter'),
    # of find_peaks
    ('x_peak', 'y_peak'),
)
# What astropy's writers make of a SkyCoord in a format that has no such columns.
_COMPONENTS = {'icrs': ('ra', 'dec'), 'galactic': ('l', 'b')}
# Hours, minutes and seconds in columns of their own, as in tables of the CDS.
_HMS = ('rah', 'ram', 'ras')
_DMS = ('ded', 'dem', 'des')
# Names that sky positions have, but that none of the above is.
_LIKE_SKY = re.compile(
    r'(.*[._ -])?_?(ra|dec?|r\.a\.|glon|glat|lon|lat|long|elon|elat|alpha|delta|'
    r'longitude|latitude|right.?asc.*|decl.*|skycoord|coords?|coordinates?|position)'
    r'([._ -].*|j?2000|b?1950|deg|rad|h|d|\d)?|sky_(cent|pos|coord).*|world.*'
)
ACCEPTED_COLUMNS = (
    'sky_center, sky_centroid or any other SkyCoord column, also as two columns '
    'sky_center.ra/sky_center.dec; '
    + ', '.join('/'.join(pair) for pair in _SKY_PAIRS + _GALACTIC_PAIRS)
    + ' (degrees, unless a unit is given); '
    + ', '.join('/'.join(pair) for pair in _PIXEL_PAIRS)
    + ' (pixels, from 0)'
)


def find_pixel_columns(table):
    """
    Find the columns that hold pixel positions.

    Parameters
    ----------
    table : `~astropy.table.Table`
        The table, such as photutils' finders and photometry give.

    Returns
    -------
    names : list of str or `None`
        The names of the columns x and y, as any version of photutils
        spells them; `None` if there are none.
    """
    return _find_pair(table, _PIXEL_PAIRS)


def find_pixel_positions(table):
    """
    Find the pixel positions in a table.

    Parameters
    ----------
    table : `~astropy.table.Table`
        The table.

    Returns
    -------
    xy : tuple of 1D `~numpy.ndarray` or `None`
        The positions x, y (pixels, from 0), `None` if there are no
        columns for them.
    """
    pair = _find_pair(table, _PIXEL_PAIRS)
    if pair is None:
        return None
    return tuple(to_plain_floats(table[name], u.pix, name) for name in pair)


def _find_pair(table, pairs):
    """The first pair of columns that the table has, whatever their case."""
    columns = {}
    for name in table.colnames:
        columns.setdefault(name.strip().lower(), name)
    for pair in pairs:
        if set(pair) <= set(columns):
            # one spelled exactly so goes before one in another case
            return [name if name in table.colnames else columns[name] for name in pair]
    return None


def _find_components(table):
    """The columns, and the frame, of a SkyCoord that was written as two columns."""
    found = {}
    for name in table.colnames:
        for frame, (lon, lat) in _COMPONENTS.items():
            match = re.fullmatch(rf'(.+)([._]){lon}', name.strip(), re.IGNORECASE)
            if match is None:
                continue
            # 'bbox_l' and 'mean_b' are not of a SkyCoord: only its own spelling is
            if frame == 'galactic' and match[2] != '.':
                continue
            pair = _find_pair(table, [(f'{match[1]}{match[2]}{lat}'.lower(),)])
            if pair is not None:
                found.setdefault(match[1].lower(), ([name, pair[0]], frame))
    for name in _SKY_NAMES:
        if name in found:
            return found[name]
    found = {key: value for key, value in found.items() if 'bbox' not in key}
    if len(found) > 1:
        _warn_several([names[0] for names, _ in found.values()])
    return next(iter(found.values()), None)


def _warn_several(names):
    msg = (
        f'The table has several sky positions ({", ".join(names)}): {names[0]} is '
        'taken. Give a table with one of them to choose another.'
    )
    warn_user(msg)


def _find_skycoord(table):
    """The name of the column of sky coordinates."""
    names = [name for name in table.colnames if isinstance(table[name], SkyCoord)]
    for name in _SKY_NAMES:
        if name in names:
            return name
    # corners are no positions
    names = [name for name in names if 'bbox' not in name] or names
    if len(names) > 1:
        _warn_several(names)
    return names[0] if names else None


def _find_sky_texts(table):
    """The name of a column with the text 'longitude,latitude' of a SkyCoord."""
    for name in table.colnames:
        if name.strip().lower() in _SKY_NAMES and to_texts(table[name]) is not None:
            return name
    return None


def _parse_sky_texts(table, name):
    texts = [text or 'nan,nan' for text in to_texts(table[name])]
    try:
        lon, lat = np.array([text.split(',') for text in texts], dtype=float).T
        sky = SkyCoord(lon, lat, unit=u.deg)
    except ValueError:
        msg = (
            f'The column {name!r} must hold SkyCoord, or longitude and latitude in '
            f'degrees with a comma between, got {texts[:2]}.'
        )
        raise ValueError(msg) from None
    msg = (
        f'The column {name!r} holds positions as text, which does not give their '
        'frame: they are taken as ICRS. Formats that keep it are ECSV and FITS.'
    )
    warn_user(msg)
    return sky


def has_positions(table):
    """
    Return whether a table has columns of positions, of whatever kind.

    Parameters
    ----------
    table : `~astropy.table.Table`
        The table.

    Returns
    -------
    found : bool
        Whether it has a `~astropy.coordinates.SkyCoord`, or columns that are known
        by their names.
    """
    return (
        any(isinstance(table[name], SkyCoord) for name in table.colnames)
        or _find_components(table) is not None
        or _find_sky_texts(table) is not None
        or _find_pair(table, (*_SKY_PAIRS, *_GALACTIC_PAIRS, *_PIXEL_PAIRS)) is not None
        or _find_pair(table, [(_HMS[0], _DMS[0])]) is not None
    )


def find_unclear_columns(table):
    """
    List columns whose names are like those of sky positions.

    Parameters
    ----------
    table : `~astropy.table.Table`
        The table.

    Returns
    -------
    names : list of str
        Their names, and those of columns that are a
        `~astropy.coordinates.SkyCoord`.
    """
    return [
        name
        for name in table.colnames
        if _LIKE_SKY.fullmatch(name.strip().lower())
        or isinstance(table[name], SkyCoord)
    ]


def find_sky_positions(table):
    """
    Find the sky positions in a table.

    Parameters
    ----------
    table : `~astropy.table.Table`
        The table.

    Returns
    -------
    sky : `~astropy.coordinates.SkyCoord` or `None`
        The positions, `None` if there are no columns for them. Numbers
        without a unit are in degrees; text with colons, blanks or letters
        is sexagesimal, in hours and degrees.

    Raises
    ------
    ValueError
        If the columns hold something else.
    """
    name = _find_skycoord(table)
    if name is not None:
        return table[name]
    found = None
    for name in _SKY_NAMES:
        if any(one.lower().startswith(f'{name}.') for one in table.colnames):
            found = _find_components(table)
    texts = _find_sky_texts(table)
    if found is None and texts is not None:
        return _parse_sky_texts(table, texts)
    if found is None:
        for pairs, frame in ((_SKY_PAIRS, 'icrs'), (_GALACTIC_PAIRS, 'galactic')):
            names = _find_pair(table, pairs)
            if names is not None:
                found = names, frame
                break
    if found is None and _find_pair(table, [(_HMS[0], _DMS[0])]) is not None:
        return parse_sexagesimal_columns(table, _find_pair)
    if found is None:
        found = _find_components(table)
    if found is None:
        return None
    names, frame = found
    lon, lat = (
        parse_angles(table[name], name, hours=frame == 'icrs' and not is_lat)
        for is_lat, name in enumerate(names)
    )
    try:
        return SkyCoord(lon, lat, unit=u.deg, frame=frame)
    except ValueError as exc:
        msg = f'The columns {names} are no sky positions: {exc}'
        raise ValueError(msg) from None
