# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What ESASky knows of the observations of Herschel: their footprints and bands.
"""

import re

import numpy as np

from photutils_pconv.archive.bands import BANDS, parse_bands
from photutils_pconv.archive.errors import ArchiveFormatError
from photutils_pconv.archive.services import ESASKY, find_esasky_region

__all__ = ['list_esasky_observations', 'plain', 'read_bands']

# What the columns are called, or might be; the last name '' means that it may be
# missing.
_COLUMNS = {
    'obsid': ('observation_id', 'obsid'),
    'target': ('target_name', 'target', ''),
    'ra': ('ra_deg', 'ra'),
    'dec': ('dec_deg', 'dec'),
    'footprint': ('stc_s', 's_region', 'fov', ''),
    'start': ('start_time', ''),
    'instrument': ('instrument', 'instrument_name', ''),
    'mode': ('observing_mode_name', ''),
}


def list_esasky_observations(position, radius, instrument, *, patience):
    """
    Find observations by ESASky's footprints.

    Parameters
    ----------
    position : `~astropy.coordinates.SkyCoord`
        The position.

    radius : `~astropy.coordinates.Angle` or `None`
        The radius of the circle around it that a footprint may touch.

    instrument : str
        The instrument, in capitals.

    patience : `~photutils_pconv.archive.Patience`
        How long to wait, and how often to ask.

    Returns
    -------
    rows, bands : list of dict, and dict of list of str
        What ESASky says of each observation, and the bands by obsid.

    Raises
    ------
    ArchiveFormatError
        If a column is gone; the message lists those that there are.
    """
    table = find_esasky_region(position, radius, patience=patience)
    if table is None:
        return [], {}
    names = {}
    for key, choices in _COLUMNS.items():
        names[key] = next((name for name in choices if name in table.colnames), None)
        if names[key] is None and '' not in choices:
            msg = (
                f'{ESASKY} has changed: its table of Herschel maps has no column '
                f'{choices[0]!r} any more. It has: '
                f'{", ".join(sorted(table.colnames))}.'
            )
            raise ArchiveFormatError(msg)
    rows = {}
    for row in table:
        values = {
            key: None if name is None else plain(row[name])
            for key, name in names.items()
        }
        values['obsid'] = str(values['obsid'])
        if instrument in str(values['instrument'] or instrument).upper():
            rows.setdefault(values['obsid'], values)
    return list(rows.values()), read_bands(table)


def read_bands(table):
    """
    Read the bands of observations.

    Parameters
    ----------
    table : `~astropy.table.Table`
        ESASky's table of maps.

    Returns
    -------
    bands : dict of list of str
        The bands by obsid, of those of which there are some.
    """
    if 'observation_id' not in table.colnames:
        return {}
    names = [n for n in table.colnames if re.search('filter|band|wavelength', n)]
    found = {}
    for row in table:
        obsid = str(plain(row['observation_id']))
        text = ' '.join(str(plain(row[name])) for name in names)
        found.setdefault(obsid, set()).update(parse_bands(text))
    return {
        obsid: [band for band in BANDS if band in bands]
        for obsid, bands in found.items()
        if bands
    }


def plain(value):
    """
    Make a plain value of one of a table.

    Parameters
    ----------
    value : object
        The value.

    Returns
    -------
    value : object
        `None` if it is masked or empty.
    """
    if value is np.ma.masked or np.ma.is_masked(value):
        return None
    if isinstance(value, bytes):
        value = value.decode()
    return None if isinstance(value, str) and not value.strip() else value
