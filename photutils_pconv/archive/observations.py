# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Which observations cover a position.
"""

import re

import astropy.units as u
import numpy as np
from astropy.coordinates import Angle, SkyCoord
from astropy.table import MaskedColumn, QTable
from astropy.time import Time

from photutils_pconv._utils.checks import check_choice
from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.archive.bands import BANDS
from photutils_pconv.archive.errors import (
    ArchiveConnectionError,
    ArchiveError,
    NotInArchiveError,
)
from photutils_pconv.archive.esasky import list_esasky_observations, plain, read_bands
from photutils_pconv.archive.footprints import footprint_size, parse_footprint
from photutils_pconv.archive.patience import Patience
from photutils_pconv.archive.positions import parse_position
from photutils_pconv.archive.services import ESASKY, HSA, HsaTap, find_esasky_maps

__all__ = [
    'MODES',
    'find_observations',
    'is_moving',
    'is_public',
    'look_up',
]

#: The modes that make maps.
MODES = ('scanmap', 'parallel')

_TABLE = 'hsa.v_active_observation'
# What the columns are called: as in 2026, then as they were or might be called.
_COLUMNS = {
    'obsid': ('observation_id', 'obsid', 'obs_id'),
    'target': ('target_name', 'target', 'object', ''),
    'ra': ('ra',),
    'dec': ('dec',),
    'footprint': ('polygon_fov', 's_region'),
    'start': ('start_time', 'start', ''),
    'public': ('is_public', ''),
    'until': ('prop_end', ''),
    'status': ('status', ''),
    'image': ('image_2_5_location', ''),
    'moving': ('naif_id', ''),
    'instrument': ('instrument_oid',),
    'mode': ('observing_mode_oid', ''),
}
_INSTRUMENT = {'id': ('instrument_oid',), 'name': ('instrument_name', 'name')}
_MODE = {'id': ('observing_mode_oid', ''), 'name': ('observing_mode_name', 'name', '')}


def find_observations(
    position,
    *,
    radius=None,
    instrument='PACS',
    bands=None,
    mode=None,
    patience=None,
):
    """
    Find the observations that cover a position.

    The footprints of the observations are searched, and not their pointing
    centres, so that a large map whose centre is far away is found.
    There is no limit to the number of rows. Where the Herschel Science Archive does
    not answer, ESASky is asked in its place, with a warning.

    Parameters
    ----------
    position : `~astropy.coordinates.SkyCoord` or str
        The position, or the name of an object or a position in words, such as
        ``'17h56m36.4s +51d29m20s'`` or ``'269.15 51.49'`` (degrees).

    radius : `~astropy.units.Quantity`, optional
        Observations that touch this circle are found, too.

    instrument : str, optional
        The instrument.

    bands : str or sequence of str, optional
        Those of ``'blue'``, ``'green'``, and ``'red'`` of which an observation
        must have one. Observations of which nobody knows the bands are kept.

    mode : {'scanmap', 'parallel'}, optional
        The mode. Observations of which nobody knows it are kept.

    patience : `Patience`, optional
        How long to wait for the archive, and how often to ask.

    Returns
    -------
    table : `~astropy.table.QTable`
        A row for each observation, in the order of ``obsid``, with the columns
        ``obsid``, ``target``, ``mode`` (``'scanmap'``, ``'parallel'``, or what
        the archive calls another one), ``bands`` (such as ``'blue,red'``;
        masked where they are not known), ``level`` (``'2.5'`` or ``'2'``: the
        table does not list level 3; masked if neither is known), ``position``,
        ``size`` (the largest extent of the footprint, arcmin), ``date``, and
        ``public``.

    Raises
    ------
    ArchiveError
        If the archive does not answer, or not as expected.

    TypeError, ValueError
        If an argument is not accepted.
    """
    patience = Patience() if patience is None else patience
    if mode is not None:
        check_choice(mode, 'mode', MODES)
    bands = _parse_wanted(bands)
    if radius is not None:
        try:
            radius = Angle(radius).to(u.deg)
        except (u.UnitsError, ValueError) as exc:
            msg = f'radius must be an angle, such as 5 * u.arcmin, got {radius!r}.'
            raise ValueError(msg) from exc
        if not (radius.isscalar and 0 < radius.value <= 180):
            msg = f'radius must be one angle above 0, got {radius!r}.'
            raise ValueError(msg)
    if not re.fullmatch(r'[A-Za-z]+', str(instrument)):
        msg = f"instrument must be a name such as 'PACS', got {instrument!r}."
        raise ValueError(msg)
    position = parse_position(position).icrs
    known = None
    try:
        rows = _select(
            HsaTap(patience),
            lambda names: _cover(position, radius, names),
            instrument.upper(),
        )
    except ArchiveConnectionError as exc:
        rows, known = _ask_esasky(position, radius, instrument.upper(), patience, exc)
    rows = [row for row in rows if _is_photometry(row)]
    if mode is not None:
        rows = [row for row in rows if parse_mode(row) in (mode, '')]
    if known is None:
        known = _find_bands([row['obsid'] for row in rows], patience)
    if bands:
        rows = [
            row
            for row in rows
            if not known.get(row['obsid']) or bands & set(known[row['obsid']])
        ]
    return _make_table(sorted(rows, key=lambda row: row['obsid']), known)


def look_up(obsid, *, patience):
    """
    Look an observation up in the archive's table.

    Parameters
    ----------
    obsid : str
        The observation.

    patience : `Patience`
        How long to wait for the archive, and how often to ask.

    Returns
    -------
    row : dict
        What the table says of it.

    Raises
    ------
    NotInArchiveError
        If there is no such observation with PACS.
    """
    tap = HsaTap(patience)
    rows = _select(tap, lambda names: f"o.{names['obsid']} = '{obsid}'", None)
    if not rows:
        msg = (
            f'There is no observation {obsid} in the Herschel Science Archive. '
            'find_observations (on the command line: photutils-pconv find) lists those '
            'that cover a position.'
        )
        raise NotInArchiveError(msg)
    pacs = [row for row in rows if 'PACS' in str(row['instrument']).upper()]
    if not pacs:
        others = ', '.join(sorted({str(row['instrument']) for row in rows}))
        msg = f'The observation {obsid} was made with {others}, not with PACS.'
        raise NotInArchiveError(msg)
    return pacs[0]


def parse_mode(row):
    """
    Give the mode of an observation.

    Parameters
    ----------
    row : dict
        What the table says of it.

    Returns
    -------
    mode : str
        ``'scanmap'``, ``'parallel'``, or what the archive calls it.
    """
    name = str(row.get('mode') or '')
    if 'parallel' in name.lower():
        return 'parallel'
    # PacsPhoto; point sources were observed with small scan maps, too
    return 'scanmap' if re.search(r'(?i)phot|scan', name) else name


def _is_photometry(row):
    return not re.search(r'(?i)spec|line|range', str(row.get('mode') or ''))


def _parse_wanted(bands):
    if bands is None:
        return set()
    bands = [bands] if isinstance(bands, str) else list(bands)
    for band in bands:
        check_choice(band, 'bands', tuple(BANDS))
    return set(bands)


def _cover(position, radius, names):
    """The condition that a footprint covers a position or touches a circle."""
    ra, dec = position.ra.deg, position.dec.deg
    footprint = f'o.{names["footprint"]}'
    if radius is None:
        where = f"1=CONTAINS(POINT('ICRS', {ra:.8f}, {dec:.8f}), {footprint})"
    else:
        circle = f"CIRCLE('ICRS', {ra:.8f}, {dec:.8f}, {radius.deg:.8f})"
        where = f'1=INTERSECTS({circle}, {footprint})'
    return f'{footprint} IS NOT NULL AND {where}'


def _select(tap, make_condition, instrument):
    """Get rows of the table of observations, under the names used here."""
    names = tap.find_columns(_TABLE, _COLUMNS)
    instruments = tap.find_columns('hsa.instrument', _INSTRUMENT)
    tables = (
        f'{_TABLE} AS o JOIN hsa.instrument AS i '
        f'ON o.{names["instrument"]} = i.{instruments["id"]}'
    )
    columns = {
        key: f'o.{name} AS {key}_'
        for key, name in names.items()
        if name is not None and key not in ('instrument', 'mode')
    }
    columns['instrument'] = f'i.{instruments["name"]} AS instrument_'
    if names['mode'] is not None:
        modes = tap.find_columns('hsa.observing_mode', _MODE)
        if None in modes.values():
            warn_user(
                f'{HSA} has changed: its table hsa.observing_mode does not give the '
                'modes of observations any more. Spectroscopy is among them.'
            )
        else:
            tables += (
                f' LEFT JOIN hsa.observing_mode AS m '
                f'ON o.{names["mode"]} = m.{modes["id"]}'
            )
            columns['mode'] = f'm.{modes["name"]} AS mode_'
    condition = make_condition(names)
    if instrument is not None:
        condition += f" AND i.{instruments['name']} = '{instrument}'"
        if names['status'] is not None:
            status = f'o.{names["status"]}'
            condition += f" AND ({status} IS NULL OR {status} <> 'FAILED')"
    table = tap.select(columns.values(), tables, condition)
    table.rename_columns(table.colnames, [n.lower().strip('_') for n in table.colnames])
    rows = {}
    for row in table:
        values = {key: plain(row[key]) for key in columns}
        values['obsid'] = str(values['obsid'])
        # A parallel one can be there once an instrument.
        rows.setdefault((values['obsid'], values['instrument']), values)
    return list(rows.values())


def _ask_esasky(position, radius, instrument, patience, error):
    """Ask ESASky instead of an archive that does not answer."""
    try:
        found = list_esasky_observations(
            position, radius, instrument, patience=patience
        )
    except ArchiveError:
        # What is wrong with the first one is what counts.
        raise error from None
    warn_user(
        f'{error} These are the observations that {ESASKY} knows, which has those of '
        'which there are maps, and does not give their levels.'
    )
    return found


def _find_bands(obsids, patience):
    """Ask ESASky for the bands, which the archive's table does not have."""
    if not obsids:
        return {}
    try:
        table = find_esasky_maps(obsids, patience=patience)
    except ArchiveError as exc:
        warn_user(f'The bands of the observations are not known: {exc}')
        return {}
    return {} if table is None else read_bands(table)


def _make_table(rows, bands):
    """Make the table that a user gets."""
    table = QTable()
    table['obsid'] = np.array([row['obsid'] for row in rows], dtype=str)
    table['target'] = np.array([str(row.get('target') or '') for row in rows], str)
    table['mode'] = np.array([parse_mode(row) for row in rows], dtype=str)
    texts = [','.join(bands.get(row['obsid'], ())) for row in rows]
    table['bands'] = MaskedColumn(texts, dtype=str, mask=[not text for text in texts])
    levels = [_find_level(row) for row in rows]
    table['level'] = MaskedColumn(
        levels, dtype=str, mask=[not level for level in levels]
    )
    position = SkyCoord(
        [float(row['ra']) for row in rows] * u.deg,
        [float(row['dec']) for row in rows] * u.deg,
    )
    table['position'] = position
    sizes = []
    for row, lon, lat in zip(rows, position.ra.rad, position.dec.rad, strict=True):
        corners = parse_footprint(row['footprint'], lon, lat)
        sizes.append(np.nan if corners is None else footprint_size(corners))
    table['size'] = (np.array(sizes, dtype=float) * u.rad).to(u.arcmin)
    table['date'] = _parse_dates([row.get('start') for row in rows])
    table['public'] = np.array([is_public(row) for row in rows], dtype=bool)
    return table


def is_public(row):
    """
    Say whether an observation is public.

    Parameters
    ----------
    row : dict
        What the table says of it.

    Returns
    -------
    public : bool
        Whether it is, as far as the table says.
    """
    return str(row.get('public')).lower() not in ('false', 'f', '0')


def is_moving(row):
    """
    Say whether the target of an observation is a body of the solar system.

    Parameters
    ----------
    row : dict
        What the table says of it.

    Returns
    -------
    moving : bool
        Whether it has a number of NAIF's, which are above 0 for all of them.
    """
    return bool(re.fullmatch('0*[1-9][0-9]*', str(row.get('moving'))))


def _find_level(row):
    """The level, by whether there is a picture of 2.5; empty if that is not known."""
    if 'image' not in row:
        return ''
    return '2.5' if row['image'] else '2'


def _parse_dates(values):
    """Read dates: a text, or the milliseconds since 1970."""
    dates = []
    for value in values:
        try:
            if isinstance(value, str):
                dates.append(Time(value.strip().rstrip('Z').replace('T', ' ')).unix)
            else:
                dates.append(float(value) / 1000)
        except (TypeError, ValueError):
            dates.append(0.0)
    known = np.array([value is not None for value in values], dtype=bool)
    dates = Time(np.array(dates, dtype=float), format='unix')
    dates.format = 'isot'
    if not known.all():
        dates[~known] = np.ma.masked
    return dates
