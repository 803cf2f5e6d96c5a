# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Lists of maps for a training set, and what is known of each.
"""

from dataclasses import dataclass
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.nddata import CCDData

from photutils_pconv._utils.checks import check_choice, check_count
from photutils_pconv.inputs.fits import read_fits_map
from photutils_pconv.inputs.tables import read_source_table
from photutils_pconv.simulation._checks import as_pair

__all__ = ['MapField', 'read_field', 'read_map_fields']

_COLUMNS = ('map', 'field', 'sources', 'unit', 'min_flux', 'max_flux', 'n_sources')
_COLUMNS += ('split',)


@dataclass(frozen=True, kw_only=True)
class MapField:
    """
    A map of a training set, and what is known of it.

    Parameters
    ----------
    path : path-like
        The FITS file.

    name : str, optional
        The field's name; by default that of the file. Maps of one piece of
        sky must have one name.

    sources : path-like, optional
        The list of the sources that are on the map. They are masked.
        Without it, places that look like sources are avoided.

    unit : str, optional
        The unit, instead of the header's.

    flux_range : pair of float, optional
        The lowest and the highest flux, in mJy; by default those whose peaks
        are 3 and 600 times the scatter on a typical place of the map.

    n_sources : int, optional
        The number of sources a simulation.

    split : {'train', 'valid', 'test'}, optional
        Where the field belongs; by default its complexity decides.
    """

    path: Path
    name: str = ''
    sources: Path | None = None
    unit: str | None = None
    flux_range: tuple | None = None
    n_sources: int | None = None
    split: str | None = None

    def __post_init__(self):
        object.__setattr__(self, 'path', Path(self.path).expanduser())
        if not self.name:
            object.__setattr__(self, 'name', self.path.name.split('.')[0])
        if self.flux_range is not None:
            pair = as_pair(self.flux_range, 'flux_range', low=0)
            object.__setattr__(self, 'flux_range', pair)
        if self.n_sources is not None:
            check_count(self.n_sources, 'n_sources')
        if self.split is not None:
            check_choice(self.split, 'split', ('train', 'valid', 'test'))


def read_map_fields(path):
    """
    Read a list of maps.

    Parameters
    ----------
    path : path-like
        A table (CSV, ECSV and so on) with the column ``map``, the file,
        relative to the list, and as far as they are known ``field``,
        ``sources`` (a file), ``unit``, ``min_flux`` and ``max_flux`` (mJy),
        ``n_sources`` and ``split``, as in the paper's Tables A.1 to A.4.

    Returns
    -------
    fields : list of `MapField`
        The fields.

    Raises
    ------
    ValueError
        If there is no column ``map``, or a value is not accepted.
    """
    path = Path(path).expanduser()
    table = read_source_table(path)
    if 'map' not in table.colnames:
        msg = (
            f"{path} must have the column 'map'; known are {', '.join(_COLUMNS)}, got "
            f'{", ".join(table.colnames)}'
        )
        raise ValueError(msg)

    def get(row, name):
        if name not in table.colnames:
            return None
        value = row[name]
        value = getattr(value, 'value', value)
        text = str(value).strip()
        return None if value is np.ma.masked or text in ('', 'nan', '--') else value

    fields = []
    for row in table:
        fluxes = [get(row, f'{end}_flux') for end in ('min', 'max')]
        if fluxes.count(None) == 1:
            msg = f'{path} must have both min_flux and max_flux of {row["map"]}'
            raise ValueError(msg)
        listed, number = get(row, 'sources'), get(row, 'n_sources')
        fields.append(
            MapField(
                path=path.parent / str(row['map']),
                name=str(get(row, 'field') or ''),
                sources=None if listed is None else path.parent / str(listed),
                unit=get(row, 'unit') and str(get(row, 'unit')),
                flux_range=None if None in fluxes else tuple(map(float, fluxes)),
                n_sources=None if number is None else int(number),
                split=get(row, 'split') and str(get(row, 'split')),
            )
        )
    return fields


def read_field(one):
    """
    Read the map of a field, with its own unit or the one that is given.

    Parameters
    ----------
    one : `MapField`
        The field.

    Returns
    -------
    image : `~astropy.nddata.CCDData` or `~numpy.ndarray`
        The map.
    """
    image = read_fits_map(one.path)
    if one.unit is None:
        return image
    wcs = getattr(image, 'wcs', None)
    mask = getattr(image, 'mask', None)
    data = getattr(image, 'data', image)
    return CCDData(np.asarray(data), unit=u.Unit(one.unit), wcs=wcs, mask=mask)
