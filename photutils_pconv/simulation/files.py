# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The files of a simulated observation.

Their names and the columns of the list are those of the paper's authors.
"""

import os
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.nddata import CCDData
from astropy.table import Table

from photutils_pconv._utils.checks import to_bool
from photutils_pconv._utils.writing import check_output, write_together
from photutils_pconv.inputs.headers import make_map_hdu
from photutils_pconv.inputs.maps import parse_map
from photutils_pconv.inputs.unit_texts import format_unit
from photutils_pconv.inputs.wcs_headers import make_wcs_header, make_wcs_tables
from photutils_pconv.simulation._checks import as_integer, as_plane, check_path

__all__ = ['simulation_paths', 'write_simulation']


def simulation_paths(directory, obsid, number):
    """
    Name the files of a simulation as the paper's authors do.

    Parameters
    ----------
    directory : path-like
        The folder.

    obsid : str or int
        The identifier of the observation, or another name of the field.

    number : int
        The number of the simulation.

    Returns
    -------
    image, sources : `pathlib.Path`
        ``{obsid}_L2_5_sim{number}.fits`` and ``.csv`` in the folder.

    Raises
    ------
    TypeError, ValueError
        If the identifier cannot be part of a file's name, the number is none,
        or the folder no path.
    """
    check_path(directory, 'directory')
    number = as_integer(number, 'number')
    if not isinstance(obsid, str | int) or isinstance(obsid, bool):
        msg = f'obsid must be a str or an integer, got {obsid!r}.'
        raise TypeError(msg)
    obsid = str(obsid).strip()
    if not obsid or set(obsid) & {'/', os.sep, '\0'}:
        msg = f'obsid must be a word that can stand in a file name, got {obsid!r}.'
        raise ValueError(msg)
    stem = f'{obsid}_L2_5_sim{number}'
    return tuple(Path(directory) / f'{stem}{end}' for end in ('.fits', '.csv'))


def write_simulation(
    ccd,
    sources,
    directory,
    *,
    number,
    obsid=None,
    coverage=None,
    emission=None,
    overwrite=False,
):
    """
    Write a simulation: a FITS map and the CSV list of its sources.

    The map is in the form of a product of the Herschel Science Archive,
    with the extensions ``image`` and ``coverage``; missing pixels are NaN
    and have the coverage 0. Each file is written whole or not at all, and
    the list does not appear before the map is complete.

    Parameters
    ----------
    ccd : `~astropy.nddata.CCDData`
        The map.

    sources : `~astropy.table.QTable`
        The sources, with the columns ``ra``, ``dec`` and ``flux``.

    directory : path-like
        The folder, which is made if needed.

    number : int
        The number of the simulation.

    obsid : str or int, optional
        The identifier of the observation. By default that of the map's
        header, ``OBSID001``.

    coverage : 2D array_like, optional
        The coverage. By default it is 1 where the map has data.

    emission : 2D array_like, optional
        The extended emission alone, in the map's unit, for a further
        extension.

    overwrite : bool, optional
        Whether to replace files.

    Returns
    -------
    image, sources : `pathlib.Path`
        The files.

    Raises
    ------
    FileExistsError
        If a file exists and ``overwrite`` is False.

    TypeError, ValueError
        If there is no identifier, a further extension has another shape than
        the map, the list lacks a column, or an argument is of another type.
    """
    overwrite = to_bool(overwrite, 'overwrite')
    if not isinstance(ccd, CCDData):
        msg = f'ccd must be a CCDData, got {type(ccd).__name__}.'
        raise TypeError(msg)
    columns = _parse_columns(sources)
    map_input = parse_map(ccd)
    obsid = ccd.meta.get('OBSID001') if obsid is None else obsid
    if obsid is None:
        msg = 'The header of the map has no OBSID001: give obsid, a name for the files.'
        raise ValueError(msg)
    coverage = 1.0 if coverage is None else _to_plane(coverage, map_input, 'coverage')
    planes = {'coverage': (np.where(map_input.missing, 0.0, coverage), '')}
    unit, factor = format_unit(map_input.unit)
    if emission is not None:
        planes['emission'] = (
            factor * _to_plane(emission, map_input, 'emission'),
            unit,
        )
    if map_input.error is not None:
        planes['error'] = (factor * map_input.error, unit)

    paths = simulation_paths(directory, obsid, number)
    check_output(paths, overwrite=overwrite)
    header = make_wcs_header(map_input.wcs)
    image = make_map_hdu(ccd, header, unit, factor=factor)
    # JScanam's maps are 0 without coverage, but a masked pixel may be
    # covered: only NaN says in any reader that there is nothing.
    values = np.where(map_input.missing, np.nan, image.data).astype(image.data.dtype)
    primary = fits.PrimaryHDU()
    primary.header['OBSID001'] = (obsid, 'observation, or name of the field')
    primary.header['CREATOR'] = ('photutils-pconv', 'sources are simulated')
    hdus = fits.HDUList([primary, fits.ImageHDU(values, image.header)])
    hdus[1].header['EXTNAME'] = 'image'
    for name, (plane, plane_unit) in planes.items():
        hdu = fits.ImageHDU(plane.astype(np.float32), header)
        hdu.header['EXTNAME'] = name
        if plane_unit:
            hdu.header['BUNIT'] = plane_unit
        hdus.append(hdu)
    hdus.extend(make_wcs_tables(map_input.wcs))

    table = Table(columns)

    Path(directory).mkdir(parents=True, exist_ok=True)
    write_together(
        {
            paths[0]: hdus.writeto,
            paths[1]: lambda name: table.write(name, format='ascii.csv'),
        }
    )
    return paths


def _parse_columns(sources):
    """
    Return ra and dec (deg) and flux (mJy) of the sources.
    """
    if not isinstance(sources, Table):
        msg = f'sources must be a table, got {type(sources).__name__}.'
        raise TypeError(msg)
    columns = {}
    for name, unit in (('ra', u.deg), ('dec', u.deg), ('flux', u.mJy)):
        if name not in sources.colnames:
            msg = (
                "sources must have the columns 'ra', 'dec' and 'flux', got "
                f'{sources.colnames}.'
            )
            raise ValueError(msg)
        try:
            columns[name] = u.Quantity(sources[name], unit, dtype=float).value
        except (TypeError, ValueError) as exc:
            msg = f'the column {name!r} of sources must be numbers in {unit}: {exc}'
            raise ValueError(msg) from exc
    return columns


def _to_plane(plane, map_input, name):
    plane = as_plane(plane, name)
    if plane.shape != map_input.shape:
        msg = f"{name} must have the map's shape {map_input.shape}, got {plane.shape}."
        raise ValueError(msg)
    return plane
