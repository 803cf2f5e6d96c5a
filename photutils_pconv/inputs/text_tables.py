# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Source tables in plain text: CSV of any separator, VizieR's, and astropy's formats.
"""

import csv
import re

import numpy as np
from astropy.io import ascii as text_formats
from astropy.table import Column, MaskedColumn, Table

from photutils_pconv.inputs.unit_texts import parse_angle_unit

__all__ = ['decode_text', 'parse_text_table']

_MARKS = (
    (b'\xef\xbb\xbf', 'utf-8'),
    (b'\xff\xfe', 'utf-16-le'),
    (b'\xfe\xff', 'utf-16-be'),
)
# In the order in which they are preferred where a line has as many of each.
_SEPARATORS = ('\t', ';', ',', '|')
_DECIMAL_COMMA = re.compile(r'\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*')
_INTEGER = re.compile(r'[+-]?\d{1,18}')
_NUMBER = re.compile(r'[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?')
# A unit that is written behind the name of its column.
_NAME_AND_UNIT = re.compile(r'(.+?)\s*[\[(]([^\])]+)[\])]')
_N_SHOWN = 60


def decode_text(content):
    """
    Decode the bytes of a text file, with or without a byte-order mark.

    Parameters
    ----------
    content : bytes
        The file.

    Returns
    -------
    text : str or `None`
        The text; `None` if it is none.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            try:
                return content[len(mark) :].decode(encoding)
            except UnicodeDecodeError:
                return None
    if b'\0' in content:
        return None
    try:
        return content.decode('utf-8')
    except UnicodeDecodeError:
        text = content.decode('latin-1')
        # control characters are in no catalogue
        return None if re.search('[\x00-\x08\x0e-\x1f\x7f]', text) else text


def parse_text_table(text):
    """
    Parse a table in plain text.

    Parameters
    ----------
    text : str
        The file: CSV with commas, semicolons (then also with decimal
        commas), tabs or bars; VizieR's text, with lines of units and
        dashes below the names; or any other format that
        `astropy.io.ascii` knows.

    Returns
    -------
    table : `~astropy.table.Table`
        The table.

    Raises
    ------
    ValueError
        If it is no table, or there are several.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if text.startswith('# %ECSV'):
        return _read_ecsv(lines)
    if 'Byte-by-byte Description of file' in text:
        return Table.read(text.splitlines(), format='ascii.cds')
    n_comments = next(
        (i for i, line in enumerate(lines) if not line.lstrip().startswith('#')),
        len(lines),
    )
    rows = lines[n_comments:]
    if not rows:
        msg = f'it has no rows but comments, {_show(lines)}' if lines else 'it is empty'
        raise ValueError(msg)
    separator = _find_separator(rows[0])
    dashed = [i for i, line in enumerate(rows) if _is_rule(line)]
    if dashed and dashed[0] > 0:
        return _parse_vizier(rows, dashed, separator)
    if separator == '|' and all(re.fullmatch(r'\s*\|.*\|\s*', row) for row in rows):
        # bars at both ends, and not above the data alone, as IPAC has them
        rows = [row.strip()[1:-1] for row in rows]
        return _parse_separated(rows, separator, [])
    is_guessed = separator is None or rows[0].lstrip().startswith(('|', '\\'))
    if is_guessed or _has_names_above(rows[0], lines[:n_comments]):
        return _guess(lines)
    return _parse_separated(rows, separator, lines[:n_comments])


def _read_ecsv(lines):
    try:
        return Table.read(lines, format='ascii.ecsv')
    except Exception as exc:
        # whatever astropy, or YAML in it, raises
        reason = (str(exc).splitlines() or [''])[0]
        msg = f'its first line says ECSV, but its header cannot be read: {reason}'
        raise ValueError(msg) from exc


def _has_names_above(row, comments):
    """Whether the last comment names the columns of a row that blanks separate."""
    cells = next(csv.reader([row], delimiter=' ', skipinitialspace=True))
    n_names = len(comments[-1].lstrip('# ').split()) if comments else 0
    return len(cells) == n_names > 1 and any(map(_is_number, cells))


def _is_rule(line):
    """Whether a line is of dashes; two of them stand for a masked value."""
    cells = [cell.strip() for cell in re.split(r'[\t;|,]|\s+', line.strip())]
    return all(not cell.strip('-') for cell in cells) and max(map(len, cells)) > 2


def _show(lines):
    line = lines[0].strip()
    return repr(line if len(line) <= _N_SHOWN else line[:_N_SHOWN] + '...')


def _find_separator(line):
    """The separator of a line of names, `None` for blanks."""
    outside = re.sub(r'"[^"]*"', '', line)
    counts = [outside.count(one) for one in _SEPARATORS]
    best = max(counts)
    return _SEPARATORS[counts.index(best)] if best else None


def _guess(lines):
    """Let astropy find the format; what it says of its attempts is too long."""
    try:
        return Table.read(lines, format='ascii')
    except text_formats.InconsistentTableError as exc:
        msg = (
            f'it has no columns that can be told apart; its first line is '
            f'{_show(lines)}'
        )
        raise ValueError(msg) from exc


def _split(lines, separator, rule):
    """Split lines at a separator or, without one, into what is above the dashes."""
    if separator is not None:
        return list(csv.reader(lines, delimiter=separator, skipinitialspace=True))
    spans = [match.span() for match in re.finditer('-+', rule)]
    return [[line[start:end] for start, end in spans] for line in lines]


def _parse_vizier(rows, dashed, separator):
    """Names, units, dashes, then the data."""
    if len(dashed) > 1:
        msg = (
            f'it holds {len(dashed)} tables, as there are as many lines of dashes: '
            'save one of them alone'
        )
        raise ValueError(msg)
    n_head = dashed[0]
    head = _split(rows[:n_head], separator, rows[n_head])
    names = [name.strip() for name in head[0]]
    units = [unit.strip() for unit in head[1]] if n_head > 1 else []
    body = [row for row in rows[n_head + 1 :] if not row.startswith('#')]
    return _make_table(names, units, _split(body, separator, rows[n_head]))


def _parse_separated(rows, separator, comments):
    cells = _split(rows, separator, None)
    if any(map(_is_number, cells[0])):
        # a line of names may be the last comment
        above = _split([line.lstrip('# ') for line in comments[-1:]], separator, None)
        if above and len(above[0]) == len(cells[0]):
            cells = above + cells
        elif all(map(_is_number, cells[0])):
            msg = (
                f'it has no line of names, its first line is {_show(rows)}: add one, '
                f'such as "ra{separator}dec" or "x{separator}y"'
            )
            raise ValueError(msg)
    names, units = [], []
    for name in cells[0]:
        match = _NAME_AND_UNIT.fullmatch(name.strip())
        known = match is not None and parse_angle_unit(match[2]) is not None
        names.append(match[1] if known else name.strip())
        units.append(match[2] if known else '')
    body = cells[1:]
    if body and _is_line_of_units(body[0]):
        pairs = zip(body[0], units, strict=False)
        units = [cell.strip() or unit for cell, unit in pairs]
        body = body[1:]
    if separator == ';' and _has_decimal_commas(body):
        body = [[_to_point(cell) for cell in row] for row in body]
    return _make_table(names, units, body)


def _is_number(text):
    return _NUMBER.fullmatch(text.strip()) is not None


def _is_line_of_units(cells):
    return any(parse_angle_unit(cell) is not None for cell in cells) and not any(
        map(_is_number, cells)
    )


def _has_decimal_commas(rows):
    """Whether numbers have a comma for a point: then none has a point."""
    values = [cell for row in rows for cell in row]
    return any(map(_DECIMAL_COMMA.fullmatch, values))


def _to_point(cell):
    return cell.replace(',', '.') if _DECIMAL_COMMA.fullmatch(cell) else cell


def _make_table(names, units, rows):
    """Make a table of cells, and give its columns the types that they allow."""
    while names and not names[-1]:
        # a separator at the end of the line of names opens no further column
        names.pop()
    names = [name or f'col{i + 1}' for i, name in enumerate(names)]
    if len(set(names)) < len(names):
        double = sorted({name for name in names if names.count(name) > 1})
        msg = f'it has several columns of the name {", ".join(map(repr, double))}'
        raise ValueError(msg)
    for i, row in enumerate(rows):
        while len(row) > len(names) and not row[-1].strip():
            row.pop()
        if len(row) > len(names) or len(row) == 1 < len(names):
            msg = (
                f'its row {i + 1} has {len(row)} columns, the line of names '
                f'{len(names)}: {" ".join(row)[:_N_SHOWN]!r}'
            )
            raise ValueError(msg)
        row.extend([''] * (len(names) - len(row)))
    units = units + [''] * (len(names) - len(units))
    table = Table()
    for i, (name, unit) in enumerate(zip(names, units, strict=False)):
        table[name] = _make_column([row[i].strip() for row in rows])
        if unit:
            # the spellings of units that astropy does not know, too
            table[name].unit = parse_angle_unit(unit) or unit
    return table


def _make_column(cells):
    """Make a column of whole numbers, of floats or of texts; blanks are masked."""
    mask = [not cell for cell in cells]
    given = [cell for cell in cells if cell]
    if given and all(map(_INTEGER.fullmatch, given)):
        values = np.array([int(cell or 0) for cell in cells])
    else:
        try:
            values = np.array([float(cell or 0) for cell in cells], dtype=float)
        except ValueError:
            values = np.array(cells)
    return MaskedColumn(values, mask=mask) if any(mask) else Column(values)
