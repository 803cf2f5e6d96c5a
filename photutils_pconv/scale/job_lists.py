# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Lists of jobs: tables with a row per map, and folders.
"""

import os
from pathlib import Path

import numpy as np
from astropy.table import Table

from photutils_pconv._utils.warnings import hold_filters
from photutils_pconv.inputs.map_files import find_pairs, map_name
from photutils_pconv.inputs.text_tables import decode_text, parse_text_table
from photutils_pconv.removal.options import removal_options
from photutils_pconv.scale.jobs import PLANE_OPTIONS, RemovalJob, remover_options

__all__ = ['read_jobs']

_YES, _NO = ('true', 'yes', 'on', '1'), ('false', 'no', 'off', '0')
# Options that are always files, and those that are files or names.
_FILES = ('mask', 'coverage_mask', 'error')
_FILES_OR_NAMES = ('model', 'psf', 'aperture_corrections')


def read_jobs(source, *, options=None):
    """
    Read a list of maps to clean.

    Parameters
    ----------
    source : path-like or `~astropy.table.Table`
        A table, or its file, with the columns ``map`` and ``catalogue``, and,
        where wanted, ``name`` (by default the name of the map's file without
        endings) and any of the options of `RemovalJob`; an empty cell leaves an
        option out, and lists are parted by spaces. Paths are relative to
        the table's file. Or a folder of maps with catalogues of the same name,
        such as ``a.fits`` and ``a.csv``.

    options : dict, optional
        Options of all maps whose row does not say otherwise.

    Returns
    -------
    jobs : list of `RemovalJob`
        The jobs, in the order of the rows or by name.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder, or no pair in the folder.

    ValueError
        If the file is no such table, a value is not accepted, or two maps
        have the same name.
    """
    options = {} if options is None else options
    if isinstance(source, Table):
        jobs = _read_rows(source, Path.cwd(), options)
    else:
        path = Path(source).expanduser().absolute()
        if path.is_dir():
            jobs = [
                RemovalJob(
                    map=one, catalogue=other, name=map_name(one), options=options
                )
                for one, other in find_pairs(path)
            ]
        else:
            jobs = _read_rows(_read_table(path), path.parent, options)
    check_names(jobs)
    return jobs


def check_names(jobs):
    """
    Refuse jobs whose results would go to one folder.

    Parameters
    ----------
    jobs : list of `RemovalJob`
        The jobs.

    Raises
    ------
    ValueError
        If two have the same name.
    """
    # Some file systems ignore capitals.
    names = [job.name.lower() for job in jobs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = (
            f'{len(twice)} names stand for more than one map ({", ".join(twice[:5])}): '
            'give each map a name of its own, in the column "name".'
        )
        raise ValueError(msg)


@hold_filters
def _read_table(path):
    if not path.is_file():
        msg = f'the list of maps {str(path)!r} does not exist'
        raise FileNotFoundError(msg)
    try:
        if path.suffix.lower() in ('.fits', '.fit', '.xml', '.vot'):
            return Table.read(path)
        return parse_text_table(decode_text(path.read_bytes()))
    except Exception as exc:
        # Readers raise whatever they like on a file that is no table.
        reason = (str(exc).splitlines() or [''])[0]
        msg = f'the list of maps {str(path)!r} cannot be read as a table: {reason}'
        raise ValueError(msg) from exc


def _read_rows(table, folder, options):
    missing = [name for name in ('map', 'catalogue') if name not in table.colnames]
    if missing:
        msg = (
            f'the list of maps needs the columns map and catalogue, and has '
            f'{", ".join(table.colnames)}.'
        )
        raise ValueError(msg)
    known = ('map', 'catalogue', 'name', *remover_options(), *PLANE_OPTIONS)
    unknown = [name for name in table.colnames if name not in known]
    if unknown:
        msg = (
            f'the list of maps has columns that are no options: {", ".join(unknown)}. '
            f'There are {", ".join(known)}.'
        )
        raise ValueError(msg)
    jobs = []
    for number, row in enumerate(table, start=1):
        values = {name: _take(row[name]) for name in table.colnames}
        values = {name: value for name, value in values.items() if value is not None}
        try:
            jobs.append(_make_job(values, folder, options))
        except (TypeError, ValueError) as exc:
            msg = f'row {number} of the list of maps: {exc}'
            raise ValueError(msg) from exc
    if not jobs:
        msg = 'the list of maps is empty'
        raise ValueError(msg)
    return jobs


def _take(cell):
    """Return the value of a cell; None for an empty one."""
    if cell is np.ma.masked:
        return None
    cell = np.asarray(cell).tolist()
    if isinstance(cell, bytes):
        cell = cell.decode()
    if isinstance(cell, str):
        return cell.strip() or None
    return None if cell != cell else cell


def _make_job(values, folder, options):
    for name in ('map', 'catalogue'):
        if name not in values:
            msg = f'{name} is empty'
            raise ValueError(msg)
    path = folder / os.path.expanduser(str(values.pop('map')))
    catalogue = folder / os.path.expanduser(str(values.pop('catalogue')))
    name = values.pop('name', None)
    return RemovalJob(
        map=path,
        catalogue=catalogue,
        name=map_name(path) if name is None else str(name),
        options={
            **_without_rivals(options, values),
            **{key: _parse(key, value, folder) for key, value in values.items()},
        },
    )


def _without_rivals(options, values):
    """Leave out what a row says in other words."""
    rivals = {
        'setup': ('mode', 'band'),
        'mode': ('setup',),
        'band': ('setup',),
        'mask': ('mask_hdu',),
        'mask_hdu': ('mask',),
        'error': ('error_hdu',),
        'error_hdu': ('error',),
    }
    out = {one for key in values for one in rivals.get(key, ())}
    return {key: value for key, value in options.items() if key not in out}


def _parse(name, value, folder):
    """Give the value of an option, which may stand in a text."""
    about = removal_options().get(name, {'kind': str, 'many': False})
    if name == 'beam':
        about = {'kind': float, 'many': True}
    kind = about['kind']
    try:
        if about['many']:
            parts = value.split() if isinstance(value, str) else np.ravel(value)
            return [float(part) for part in parts]
        if kind is bool and not isinstance(value, bool):
            text = str(value).lower()
            if text not in (*_YES, *_NO):
                raise ValueError
            return text in _YES
        if kind is int and int(value) != float(value):
            raise ValueError
        value = kind(value)
    except (TypeError, ValueError):
        what = 'numbers' if about['many'] else kind.__name__
        msg = f'{name} must be {what}, got {value!r}'
        raise ValueError(msg) from None
    return _find_file(name, value, folder)


def _find_file(name, value, folder):
    """Give files their whole path: workers are elsewhere."""
    path = str(folder / os.path.expanduser(value)) if isinstance(value, str) else value
    is_file = name in _FILES or (name in _FILES_OR_NAMES and os.path.isfile(path))
    return path if is_file else value
