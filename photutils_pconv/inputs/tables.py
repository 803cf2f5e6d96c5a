# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Source tables: reading them, and finding the positions in their columns.
"""

import os
import warnings

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.utils.exceptions import AstropyWarning
from astropy.utils.masked import Masked

__all__ = [
    'ACCEPTED_COLUMNS',
    'find_pixel_columns',
    'find_pixel_positions',
    'find_sky_positions',
    'parse_pixels',
    'pixel_to_sky',
    'read_source_table',
    'sky_to_pixel',
]

_SKY_NAMES = ('sky_center', 'sky_centroid')
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
)
_GALACTIC_PAIRS = (('glon', 'glat'),)
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
ACCEPTED_COLUMNS = (
    'sky_center, sky_centroid or any other SkyCoord column; '
    + ', '.join('/'.join(pair) for pair in _SKY_PAIRS + _GALACTIC_PAIRS)
    + ' (degrees, unless a unit is given); '
    + ', '.join('/'.join(pair) for pair in _PIXEL_PAIRS)
    + ' (pixels, from 0)'
)


def read_source_table(path):
    """
    Read a source table from a file.

    Parameters
    ----------
    path : str or `os.PathLike`
        A CSV, ECSV, VOTable, FITS or plain ASCII table; the format is
        taken from the name's ending and the file's first line.

    Returns
    -------
    table : `~astropy.table.QTable`
        The table.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file does not exist or cannot be read as a table.
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        msg = f'The source table {path!r} does not exist or is not a file.'
        raise FileNotFoundError(msg)
    with open(path, 'rb') as file:
        start = file.read(200).lstrip()
    name = path.lower().removesuffix('.gz')
    if start.startswith(b'# %ECSV') or name.endswith('.ecsv'):
        table_format = 'ascii.ecsv'
    elif name.endswith(('.xml', '.vot', '.votable')):
        table_format = 'votable'
    elif name.endswith(('.fits', '.fit')):
        table_format = 'fits'
    elif name.endswith('.csv'):
        table_format = 'ascii.csv'
    elif name.endswith(('.txt', '.dat', '.cat', '.tbl', '.tsv')):
        table_format = 'ascii'
    else:
        table_format = None
    try:
        with warnings.catch_warnings():
            # about units and the letter of the standard, in columns that
            # have nothing to do with the positions
            warnings.simplefilter('ignore', AstropyWarning)
            return QTable.read(path, format=table_format)
    except Exception as exc:
        # whatever a reader raises on a file that is no such table, without
        # the list of all formats that may follow
        reason = (str(exc).splitlines() or [''])[0]
        msg = (
            f'The source table {path!r} cannot be read as '
            f'{table_format or "a table"}: {reason} Accepted are CSV, ECSV, '
            'VOTable, FITS and ASCII tables with a header line.'
        )
        raise ValueError(msg) from exc


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


def _find_pair(table, pairs):
    """
    The first pair of columns that the table has, whatever their case.
    """
    columns = {}
    for name in table.colnames:
        columns.setdefault(name.lower(), name)
    for pair in pairs:
        if set(pair) <= set(columns):
            # one spelled exactly so goes before one in another case
            return [name if name in table.colnames else columns[name] for name in pair]
    return None


def _to_floats(column, unit, name):
    """
    The values of a column, in a unit and with NaN where masked.
    """
    mask = np.array(getattr(column, 'mask', False))
    if isinstance(column, Masked):
        column = column.unmasked
    column_unit = getattr(column, 'unit', None)
    values = np.array(getattr(column, 'value', column))
    try:
        values = np.array(np.ma.getdata(values), dtype=float)
    except (TypeError, ValueError):
        msg = f'The column {name!r} must hold numbers, got {values[:3]!r}.'
        raise ValueError(msg) from None
    if values.ndim != 1:
        msg = (
            f'The column {name!r} must hold a number a row, got the shape '
            f'{values.shape}.'
        )
        raise ValueError(msg)
    if column_unit not in (None, u.one):
        try:
            values = (values * u.Unit(column_unit)).to_value(unit)
        except (u.UnitConversionError, ValueError, TypeError):
            msg = (
                f'The column {name!r} must have a unit convertible to '
                f'{unit}, got {column_unit}.'
            )
            raise ValueError(msg) from None
    values[np.broadcast_to(mask, values.shape)] = np.nan
    return values


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
    return tuple(_to_floats(table[name], u.pix, name) for name in pair)


def _split_masked_sky(sky):
    """
    Sky positions without their mask, and where they are not usable.
    """
    mask = np.zeros(sky.shape, dtype=bool)
    # masked coordinates came with astropy 7
    if getattr(sky, 'masked', False):
        mask = np.array(sky.mask)
        sky = sky.unmasked
    spherical = sky.spherical
    mask |= ~(np.isfinite(spherical.lon.value) & np.isfinite(spherical.lat.value))
    return sky, mask


def _parse_sexagesimal(columns, names):
    texts = [
        np.array(np.ma.filled(np.ma.asarray(column), '')).astype(str)
        for column in columns
    ]
    given = np.all([np.char.strip(text) != '' for text in texts], axis=0)
    lon, lat = np.full((2, len(given)), np.nan)
    if np.any(given):
        try:
            sky = SkyCoord(texts[0][given], texts[1][given], unit=(u.hourangle, u.deg))
        except ValueError as exc:
            msg = f'The columns {names} hold text that is no position: {exc}'
            raise ValueError(msg) from None
        lon[given], lat[given] = sky.ra.deg, sky.dec.deg
    return lon, lat


def _is_text(column):
    """
    Whether a column holds text that is not that of a number.
    """
    values = (
        np.ma.filled(np.ma.asarray(column), '')
        if getattr(column, 'dtype', np.dtype(float)).kind in 'OSU'
        else None
    )
    if values is None:
        return False
    try:
        np.array(values, dtype=float)
    except (TypeError, ValueError):
        return True
    return False


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
        without a unit are in degrees, text is in hours and degrees.
    """
    others = [name for name in table.colnames if name not in _SKY_NAMES]
    for name in (*_SKY_NAMES, *others):
        if name in table.colnames and isinstance(table[name], SkyCoord):
            return table[name]

    for pairs, frame in ((_SKY_PAIRS, 'icrs'), (_GALACTIC_PAIRS, 'galactic')):
        names = _find_pair(table, pairs)
        if names is None:
            continue
        columns = [table[name] for name in names]
        if frame == 'icrs' and any(map(_is_text, columns)):
            lon, lat = _parse_sexagesimal(columns, names)
        else:
            lon, lat = (
                _to_floats(column, u.deg, name)
                for column, name in zip(columns, names, strict=True)
            )
        try:
            return SkyCoord(lon, lat, unit=u.deg, frame=frame)
        except ValueError as exc:
            msg = f'The columns {names} are no sky positions: {exc}'
            raise ValueError(msg) from None
    return None


def sky_to_pixel(sky, wcs):
    """
    Pixel positions with NaN where there is no finite one.
    """
    sky, bad = _split_masked_sky(sky)
    x, y = np.full((2, len(sky)), np.nan)
    good = np.flatnonzero(~bad)
    if len(good) > 0:
        with warnings.catch_warnings():
            # a distortion cannot be inverted far from the map: the inverse
            # below tells where
            warnings.filterwarnings('ignore', '[\\s\\S]*converge')
            x[good], y[good] = wcs.world_to_pixel(sky[good])
        if getattr(wcs, 'has_distortion', False):
            back = wcs.pixel_to_world(x[good], y[good])
            failed = ~(back.separation(sky[good].transform_to(back)) < 1 * u.arcsec)
            x[good[failed]] = np.nan
    invalid = ~(np.isfinite(x) & np.isfinite(y))
    x[invalid] = y[invalid] = np.nan
    return x, y


def pixel_to_sky(x, y, wcs):
    if wcs is None:
        return None
    if len(x) == 0:
        return SkyCoord([], [], unit=u.deg)
    return wcs.pixel_to_world(x, y)


def parse_pixels(sources):
    """
    Return an array of pixel positions as x and y.
    """
    unit = getattr(sources, 'unit', None)
    if unit not in (None, u.one, u.pix):
        msg = (
            f'An array of positions must be in pixels, got {unit}. Give '
            'sky positions as SkyCoord or in a table.'
        )
        raise ValueError(msg)
    if isinstance(sources, np.ma.MaskedArray):
        sources = np.ma.filled(sources.astype(float), np.nan)
    try:
        xy = np.array(getattr(sources, 'value', sources), dtype=float)
    except (TypeError, ValueError):
        xy = None
    if xy is not None and xy.shape == (0,):
        xy = xy.reshape(0, 2)
    if xy is None or xy.ndim == 0:
        msg = (
            'sources must be a SkyCoord, a Table, the path of a table, or '
            'an (N, 2) array of x, y pixel positions, got '
            f'{type(sources).__name__}.'
        )
        raise TypeError(msg)
    if xy.ndim != 2 or xy.shape[1] != 2:
        msg = (
            'An array of positions must have the shape (N, 2), a row '
            f'(x, y) a source, got {xy.shape}.'
        )
        raise ValueError(msg)
    return xy.T.copy()
