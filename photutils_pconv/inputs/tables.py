# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Source tables on disk and in memory.
"""

import gzip
import io
import os
import re

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.io.votable import parse as parse_votable
from astropy.table import Column, QTable, Table

from photutils_pconv._utils.warnings import hold_filters
from photutils_pconv.inputs.columns import ACCEPTED_COLUMNS, has_positions
from photutils_pconv.inputs.fits_files import check_structure
from photutils_pconv.inputs.hdus import describe_hdus, find_hdu
from photutils_pconv.inputs.text_tables import decode_text, parse_text_table
from photutils_pconv.inputs.unit_texts import parse_angle_unit

__all__ = ['frame_to_table', 'is_data_frame', 'read_source_table', 'to_qtable']

# What a file is whose first bytes are not those of a table.
_SEEN = (
    (rb'\s*(<!doctype html|<html|<head|<body)', 'an HTML page'),
    (rb'\{\\rtf', 'a text of a word processor'),
    (rb'\s*[\[{]\s*(["\[{\]}\d-]|true|false|null)', 'JSON'),
    (rb'BZh|\xfd7zXZ', 'packed by bzip2 or xz, unpack it'),
    (rb'%!PS', 'PostScript'),
    (rb'PK\x03\x04', 'a zip file or a spreadsheet'),
    (rb'\xd0\xcf\x11\xe0', 'a spreadsheet'),
    (rb'%PDF', 'a PDF'),
    (rb'\x89PNG|\xff\xd8\xff|GIF8', 'a picture'),
    (rb'\x93NUMPY', 'an array of numpy'),
    (rb'\x89HDF', 'HDF5'),
    (rb'PAR1', 'Parquet'),
    (rb'SQLite', 'a database'),
)
_ACCEPTED = 'Accepted are CSV, ECSV, VOTable, FITS and ASCII tables with a header line.'


@hold_filters
def read_source_table(path, *, hdu=None, table_id=None):
    """
    Read a source table from a file.

    What the file is its content decides, whatever its name.

    Parameters
    ----------
    path : str or `os.PathLike`
        A CSV, ECSV, VOTable, FITS or plain ASCII table, also as VizieR and
        the CDS write them, and packed by gzip.

    hdu : int, str or tuple, optional
        The HDU of a FITS file: its number, its name, or a pair of name and
        version. By default the only table that has positions.

    table_id : int or str, optional
        The table of a VOTable: its number from 0, its ID or its name. By
        default the only one that has positions.

    Returns
    -------
    table : `~astropy.table.QTable`
        The table.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file does not exist, cannot be read as a table, or holds
        several tables of positions.
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        msg = f'The source table {path!r} does not exist or is not a file.'
        raise FileNotFoundError(msg)
    kind = 'a table'
    try:
        with open(path, 'rb') as file:
            content = file.read()
        if content.startswith(b'\x1f\x8b'):
            content = gzip.decompress(content)
        kind = _find_kind(content)
        if hdu is not None and kind != 'FITS':
            msg = f'hdu is for FITS tables, and it is {kind}.'
            raise ValueError(msg)
        if table_id is not None and kind != 'VOTable':
            msg = f'table_id is for VOTables, and it is {kind}.'
            raise ValueError(msg)
        if kind == 'FITS':
            check_structure(io.BytesIO(content), path)
            table = _read_fits(content, path, hdu)
        elif kind == 'VOTable':
            table = _read_votable(content, path, table_id)
        else:
            table = parse_text_table(decode_text(content))
        return to_qtable(table)
    except _AmbiguousTableError:
        raise
    except Exception as exc:
        # whatever a reader raises on a file that is no such table, without
        # the list of all formats that may follow
        reason = (str(exc).splitlines() or [''])[0].rstrip('.')
        msg = (
            f'The source table {path!r} cannot be read as {kind}: {reason}. {_ACCEPTED}'
        )
        raise ValueError(msg) from exc


class _AmbiguousTableError(ValueError):
    """Several tables of a file can be the one that is meant."""


def _find_kind(content):
    """Decide what a file is by its content."""
    if content.startswith(b'SIMPLE  ='):
        return 'FITS'
    start = content[:4096].lower()
    if b'<votable' in start or (
        start.lstrip().startswith(b'<?xml') and (b'<votable' in content[:65536].lower())
    ):
        return 'VOTable'
    if not content.strip():
        msg = 'it is empty'
        raise ValueError(msg)
    for pattern, seen in _SEEN:
        if re.match(pattern, content[:256], re.IGNORECASE):
            msg = f'it is {seen}'
            raise ValueError(msg)
    if decode_text(content) is None:
        msg = f'it is no text, its first bytes are {content[:8]!r}'
        raise ValueError(msg)
    if start.lstrip().startswith(b'<'):
        first = content.lstrip()[:40].decode('latin-1')
        msg = f'it is a document of tags without a VOTable, it starts with {first!r}'
        raise ValueError(msg)
    return 'text'


def _read_fits(content, path, hdu):
    with fits.open(io.BytesIO(content)) as hdus:
        if hdu is not None:
            index = find_hdu(hdus, path, hdu)
            if hdus[index].is_image:
                msg = f'the HDU {hdu!r} is an image and no table'
                raise ValueError(msg)
        else:
            tables = {}
            for i, one in enumerate(hdus):
                if not one.is_image and one.data is not None:
                    tables[i] = Table.read(one, unit_parse_strict='silent')
            index = _choose(
                tables,
                path,
                lambda some: describe_hdus(hdus, some),
                'hdu=, on the command line with --catalogue-hdu',
            )
            return tables[index]
        return Table.read(hdus[index], unit_parse_strict='silent')


def _choose(tables, path, describe, how):
    """Choose the only table that has positions, ask if there are several."""
    if not tables:
        msg = 'it holds no table'
        raise ValueError(msg)
    some = [key for key, table in tables.items() if has_positions(table)]
    if len(tables) == 1 or len(some) == 1:
        return (some or list(tables))[0]
    which = 'several tables of positions' if some else 'several tables'
    rows = ', '.join(str(len(tables[key])) for key in some or tables)
    msg = (
        f'The source table {path!r} holds {which}: {describe(some or list(tables))}, '
        f'of {rows} rows. Choose one with {how}.'
    )
    if not some:
        msg += f' Positions are looked for in: {ACCEPTED_COLUMNS}.'
    raise _AmbiguousTableError(msg)


def _read_votable(content, path, table_id):
    # verify: what is wrong in columns that are not used is no news
    votable = parse_votable(io.BytesIO(content), verify='ignore')
    every = list(votable.iter_tables())
    tables = {}
    for i, one in enumerate(every):
        table = one.to_table()
        if not has_positions(table):
            named = one.to_table(use_names_over_ids=True)
            table = named if has_positions(named) else table
        tables[i] = table
    names = [f'{i} {one.ID or one.name or ""!s}'.strip() for i, one in enumerate(every)]
    if table_id is None:
        index = _choose(
            tables,
            path,
            lambda some: '; '.join(names[i] for i in some),
            'table_id=, on the command line with --table-id',
        )
        return tables[index]
    found = [i for i, one in enumerate(every) if str(table_id) in (one.ID, one.name)]
    if not found and str(table_id).isdigit() and int(table_id) < len(every):
        found = [int(table_id)]
    if len(found) != 1:
        msg = (
            f'there is no single table {table_id!r}; its tables are: {"; ".join(names)}'
        )
        raise ValueError(msg)
    return tables[found[0]]


@hold_filters
def to_qtable(table):
    """
    Copy a table into a QTable, without the warnings on odd units.

    Parameters
    ----------
    table : `~astropy.table.Table`
        The table.

    Returns
    -------
    table : `~astropy.table.QTable`
        The copy. Units of angles are those meant, whatever their spelling;
        text keeps no unit.
    """
    table = table.copy()
    for name in table.colnames:
        column = table[name]
        if not isinstance(column, Column) or column.unit is None:
            continue
        unit = column.unit
        if isinstance(unit, u.UnrecognizedUnit):
            unit = parse_angle_unit(unit) or unit
        if column.dtype.kind in 'iuf' and not isinstance(unit, u.UnrecognizedUnit):
            column.unit = unit
            continue
        # What QTable cannot make a Quantity of, it warns of.
        column.unit = None
        column.info.meta = {**(column.info.meta or {}), 'unit': str(unit)}
    return QTable(table, copy=False)


def is_data_frame(data):
    """
    Return whether data are a table of pandas, polars or pyarrow.

    Parameters
    ----------
    data : object
        The data.

    Returns
    -------
    is_frame : bool
        Whether they are.
    """
    return (
        not isinstance(data, Table)
        and hasattr(data, 'columns')
        and (hasattr(data, '__dataframe__') or hasattr(data, 'iloc'))
    )


def frame_to_table(frame):
    """
    Make a table of a data frame, by the names of its columns.

    Parameters
    ----------
    frame : object
        A DataFrame of pandas, or what is like it.

    Returns
    -------
    table : `~astropy.table.Table`
        The table, without the index.

    Raises
    ------
    ValueError
        If the names of the columns are of several levels, are there twice,
        or the positions are in the index.
    """
    keys = list(getattr(frame, 'column_names', None) or frame.columns)
    if any(isinstance(key, tuple) for key in keys):
        msg = (
            'The columns of the DataFrame have names of several levels, such as '
            f'{keys[0]!r}: give them names of one level, such as x and y.'
        )
        raise ValueError(msg)
    names = [str(key) for key in keys]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f'The DataFrame has several columns of the name {twice[0]!r}.'
        raise ValueError(msg)
    table = Table()
    for name, key in zip(names, keys, strict=True):
        values = np.asarray(frame[key])
        if values.ndim == 1:
            table[name] = values
    index = [
        name
        for name in getattr(getattr(frame, 'index', None), 'names', ())
        if name is not None
    ]
    if index and not has_positions(table):
        msg = (
            f'The DataFrame has the columns {names} without positions, and the index '
            f'{index}, which is not read: reset_index() makes columns of it.'
        )
        raise ValueError(msg)
    return table
