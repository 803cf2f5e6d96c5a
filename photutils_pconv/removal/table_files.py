# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The table of the photometry in files: ECSV, FITS and VOTable.
"""

import io
import json
import textwrap

import astropy.units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.io.votable import from_table
from astropy.io.votable.tree import Info
from astropy.table import QTable

from photutils_pconv._utils.checks import check_choice

__all__ = ['TABLE_FORMATS', 'name_table', 'parse_formats', 'write_table']

#: The formats of tables, and the endings of their files.
TABLE_FORMATS = {'ecsv': '.ecsv', 'fits': '.fits', 'votable': '.vot'}
# The text of a card (FITS standard 4.0, 4.4.2.4).
_CARD_WIDTH = 72
_POSITION = ('pos.eq.ra;meta.main', 'pos.eq.dec;meta.main')


def parse_formats(formats):
    """
    Parse the formats that a table is to be written in.

    Parameters
    ----------
    formats : str or sequence of str
        Some of `TABLE_FORMATS`.

    Returns
    -------
    formats : tuple of str
        Each format once.

    Raises
    ------
    TypeError, ValueError
        If one is not known, or there is none.
    """
    formats = (formats,) if isinstance(formats, str) else tuple(formats)
    for one in formats:
        check_choice(one, 'table_formats', tuple(TABLE_FORMATS))
    if not formats:
        msg = f'table_formats must be some of {", ".join(TABLE_FORMATS)}, got none'
        raise ValueError(msg)
    return tuple(dict.fromkeys(formats))


def name_table(form):
    """
    Name the file of a table.

    Parameters
    ----------
    form : str
        The format.

    Returns
    -------
    name : str
        The name.
    """
    return f'photometry{TABLE_FORMATS[form]}'


def write_table(table, path, form):
    """
    Write a table.

    Parameters
    ----------
    table : `~astropy.table.QTable`
        The table. In FITS and VOTable, its position on the sky is the columns
        ``ra`` and ``dec`` (ICRS, degrees). The descriptions and the UCDs
        of its columns are written in any format; its metadata are
        comments in FITS, and INFO elements in a VOTable.

    path : path-like
        The file.

    form : str
        The format, one of `TABLE_FORMATS`.
    """
    if form == 'ecsv':
        table.write(path, format='ascii.ecsv')
    elif form == 'fits':
        _make_hdus(table).writeto(path)
    else:
        # The writer in C writes a byte too many for rows of 256, 512, ... bytes, and
        # corrupts the memory (astropy issue 20419): rows are written in Python.
        _make_votable(table).to_xml(str(path), _debug_python_based_parser=True)


def _part_positions(table):
    """Give a copy without metadata, with positions as two columns."""
    parted = QTable()
    for name in table.colnames:
        column = table[name]
        if not isinstance(column, SkyCoord):
            parted[name] = column
            continue
        icrs = column.icrs
        for axis, values, ucd in zip(
            ('ra', 'dec'), (icrs.ra, icrs.dec), _POSITION, strict=True
        ):
            parted[axis] = values.to(u.deg)
            info = parted[axis].info
            info.description = f'{column.info.description or name}, {axis} (ICRS)'
            info.meta = {'ucd': ucd}
    return parted


def _list_meta(table):
    """List the metadata as texts, by name."""
    for key, value in table.meta.items():
        yield key, value if isinstance(value, str) else json.dumps(value)


def _make_hdus(table):
    """Make the HDUs of a FITS table."""
    parted = _part_positions(table)
    buffer = io.BytesIO()
    # astropy finds descriptions again, and other programs what follows.
    parted.write(buffer, format='fits')
    hdus = fits.HDUList.fromstring(buffer.getvalue())
    header = hdus[1].header
    hdus[1].name = 'PHOTOMETRY'
    for k, name in enumerate(parted.colnames, start=1):
        info = parted[name].info
        if info.description:
            header.set(f'TCOMM{k}', info.description, after=f'TFORM{k}')
        if info.meta and 'ucd' in info.meta:
            header.set(f'TUCD{k}', info.meta['ucd'], after=f'TFORM{k}')
    for key, value in _list_meta(table):
        for line in textwrap.wrap(f'{key} = {value}', _CARD_WIDTH):
            header.add_comment(line)
    return hdus


def _make_votable(table):
    """Make a VOTable."""
    votable = from_table(_part_positions(table), table_id='photometry')
    inner = votable.get_first_table()
    inner.infos.extend(Info(name=key, value=value) for key, value in _list_meta(table))
    return votable
