# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The point-source catalogues of PACS: on a map, and beside what was measured.
"""

import os
import re

import astropy.units as u
import numpy as np
from astropy.coordinates import Angle, SkyCoord
from astropy.nddata import NDData
from astropy.table import Column, MaskedColumn, QTable, Table
from astropy.wcs import WCS

from photutils_pconv._utils.checks import check_choice
from photutils_pconv._utils.warnings import quiet
from photutils_pconv.archive.bands import BANDS
from photutils_pconv.archive.errors import ArchiveFormatError, NotInArchiveError
from photutils_pconv.archive.map_checks import open_image
from photutils_pconv.archive.patience import Patience
from photutils_pconv.archive.services import VIZIER, make_vizier, query_vizier

__all__ = ['CATALOGUES', 'fetch_catalogue', 'match_catalogue']

#: What the catalogues are called at the CDS, and their reference.
CATALOGUES = {
    'marton2024': ('J/A+A/688/A203', 'Marton et al. 2024, A&A 688, A203'),
    'hppsc': ('VIII/106', 'Marton et al. 2017, HPPSC, VizieR VIII/106'),
}
# Tables of such names hold what the authors do not take for point sources.
_NOT_POINT_SOURCES = re.compile(r'(?i)rej|ext|esl|rsl')
_REJECTED = re.compile(r'(?i)reject|extended source')
_POSITIONS = (
    ('raj2000', 'dej2000'),
    ('ra_icrs', 'de_icrs'),
    ('ra', 'dec'),
    ('radeg', 'dedeg'),
    ('_raj2000', '_dej2000'),
)
# Added to the circle, so that a source at a map's edge is not lost to rounding.
_MARGIN = 1 * u.arcsec


def fetch_catalogue(data, *, band, catalogue='marton2024', table=None, patience=None):
    """
    Fetch the sources of a catalogue that lie on a map.

    All rows and all columns are fetched, flags included; those whose position
    lies on a pixel that was not observed are left out.

    Parameters
    ----------
    data : `~photutils_pconv.archive.FetchedMap`, path-like, `~astropy.nddata.NDData`
        The map: a file, or an object with a WCS.

    band : {'blue', 'green', 'red'}
        The band.

    catalogue : {'marton2024', 'hppsc'}, optional
        The catalogue: Marton et al. 2024, A&A 688, A203, the paper's, or the first
        Herschel/PACS Point Source Catalogue (2017, VizieR VIII/106).

    table : str, optional
        The catalogue's table at VizieR, should it not be found by its name.

    patience : `Patience`, optional
        How long to wait for VizieR, and how often to ask.

    Returns
    -------
    sources : `~astropy.table.QTable`
        The sources, as `~photutils_pconv.NeuralSourceRemover` takes them: the
        catalogue's columns after ``sky_center``. ``meta`` has the ``catalogue``, the
        ``table`` and the ``reference``.

    Raises
    ------
    ArchiveError
        If VizieR does not answer, or not as expected.

    NotInArchiveError
        If the catalogue has no source on the map.

    TypeError, ValueError
        If an argument is not accepted.
    """
    check_choice(band, 'band', tuple(BANDS))
    check_choice(catalogue, 'catalogue', tuple(CATALOGUES))
    patience = Patience() if patience is None else patience
    pixels, wcs = _read_map(data)
    centre, radius = _circle(pixels.shape, wcs)
    name, reference = CATALOGUES[catalogue]
    vizier = make_vizier(patience)
    tables = query_vizier(vizier, centre, radius, name, patience=patience)
    key, found = _choose_table(tables, name, band, table)
    sources = None if found is None else _with_positions(found, key)
    if sources is not None:
        sources = sources[_is_observed(sources['sky_center'], pixels, wcs)]
    if not sources:
        where = centre.icrs.to_string('hmsdms', precision=0)
        msg = (
            f'The catalogue {catalogue} ({reference}) has no {band} source on the map '
            f'around {where}. Give a list of sources of your own, or take another '
            f'catalogue: {", ".join(key for key in CATALOGUES if key != catalogue)}.'
        )
        raise NotInArchiveError(msg)
    sources.meta = {
        'catalogue': catalogue,
        'table': key,
        'reference': reference,
        'band': band,
    }
    return sources


def match_catalogue(result, catalogue, *, max_separation):
    """
    Put the sources of a catalogue beside those that were measured.

    A pair are each other's nearest neighbours, and not farther apart than allowed.

    Parameters
    ----------
    result : `~photutils_pconv.removal.SourceRemovalResult` or `~astropy.table.Table`
        The result of a removal, or its photometry: a table with ``sky_center``.

    catalogue : `~astropy.table.Table`
        The catalogue: a table with ``sky_center``, such as that of `fetch_catalogue`.

    max_separation : `~astropy.units.Quantity`
        The largest separation.

    Returns
    -------
    matched : `~astropy.table.QTable`
        A row for each row of the photometry, with all its columns, then
        ``catalogue_index`` (-1 where there is no match), ``catalogue_separation``
        (arcsec), and the catalogue's numbers, texts, quantities and positions with
        ``catalogue_`` before their names, masked or NaN where there is no match.

    Raises
    ------
    TypeError, ValueError
        If a table has no ``sky_center``, or the separation is no angle.
    """
    photometry = getattr(result, 'photometry', result)
    for name, table in (('result', photometry), ('catalogue', catalogue)):
        if not isinstance(table, Table):
            msg = f'{name} must be a table, got {type(table).__name__}.'
            raise TypeError(msg)
        if 'sky_center' not in table.colnames:
            msg = (
                f'{name} must have the column sky_center, got: '
                f'{", ".join(table.colnames)}. Without a WCS there is none.'
            )
            raise ValueError(msg)
    try:
        limit = Angle(max_separation).to(u.arcsec)
    except (u.UnitsError, ValueError, TypeError) as exc:
        msg = (
            'max_separation must be an angle, such as 3 * u.arcsec, got '
            f'{max_separation!r}.'
        )
        raise ValueError(msg) from exc
    if not (limit.isscalar and limit.value > 0):
        msg = f'max_separation must be one angle above 0, got {max_separation!r}.'
        raise ValueError(msg)
    index, separation = _match(photometry['sky_center'], catalogue['sky_center'], limit)
    matched = QTable(photometry, copy=True)
    matched['catalogue_index'] = index
    matched['catalogue_separation'] = separation
    found = index >= 0
    for name in catalogue.colnames:
        column = _take(catalogue[name], index, found)
        if column is not None:
            matched[f'catalogue_{name}'] = column
    return matched


def _match(ours, theirs, limit):
    """The mutual nearest neighbours within a limit."""
    index = np.full(len(ours), -1)
    separation = np.full(len(ours), np.nan) * u.arcsec
    usable = np.flatnonzero(np.isfinite(ours.ra.deg) & np.isfinite(ours.dec.deg))
    if not len(usable) or not len(theirs):
        return index, separation
    theirs = theirs.transform_to(ours.frame)
    nearest, distance, _ = ours[usable].match_to_catalog_sky(theirs)
    back, _, _ = theirs.match_to_catalog_sky(ours[usable])
    good = (back[nearest] == np.arange(len(usable))) & (distance <= limit)
    index[usable[good]] = nearest[good]
    separation[usable[good]] = distance[good].to(u.arcsec)
    return index, separation


def _take(column, index, found):
    """Rows of a column, with nothing in those without a match."""
    if len(column) == 0:
        return _take_nothing(column, len(found))
    taken = column[np.where(found, index, 0)]
    if isinstance(taken, SkyCoord):
        # A SkyCoord has no mask.
        frame = taken.icrs
        lon, lat = frame.ra.copy(), frame.dec.copy()
        lon[~found] = lat[~found] = np.nan * u.deg
        return SkyCoord(lon, lat)
    if isinstance(taken, u.Quantity):
        taken = taken.astype(float)
        taken[~found] = np.nan
        return taken
    if isinstance(taken, Column | np.ndarray):
        mask = np.ma.getmaskarray(taken) | ~found
        return MaskedColumn(taken, mask=mask)
    return None


def _take_nothing(column, number):
    """A column of an empty catalogue beside so many rows."""
    nothing = np.full(number, np.nan)
    if isinstance(column, SkyCoord):
        return SkyCoord(nothing * u.deg, nothing * u.deg)
    if isinstance(column, u.Quantity):
        return nothing * column.unit
    if isinstance(column, Column | np.ndarray):
        return MaskedColumn(np.zeros(number, column.dtype), mask=True)
    return None


def _read_map(data):
    """The pixels of a map, NaN where there is nothing, and its WCS."""
    if isinstance(data, str | os.PathLike):
        return open_image(os.fspath(data))
    if isinstance(data, NDData):
        if data.wcs is None or not isinstance(data.wcs, WCS):
            msg = 'The map has no WCS, so that nobody knows where it lies on the sky.'
            raise ValueError(msg)
        pixels = np.array(data.data, dtype=float)
        if data.mask is not None:
            pixels[np.broadcast_to(data.mask, pixels.shape)] = np.nan
        return pixels, data.wcs.celestial
    msg = (
        'data must be the path of a FITS file, or an NDData with a WCS, got '
        f'{type(data).__name__}.'
    )
    raise TypeError(msg)


def _circle(shape, wcs):
    """A circle around a map."""
    ny, nx = shape
    centre = wcs.pixel_to_world((nx - 1) / 2, (ny - 1) / 2)
    if not np.isfinite(centre.spherical.lon + centre.spherical.lat):
        msg = "The WCS has no place on the sky for the map's centre."
        raise ValueError(msg)
    x = np.concatenate([np.linspace(-0.5, nx - 0.5, 9)] * 2 + [[-0.5, nx - 0.5] * 9])
    sides = np.repeat(np.linspace(-0.5, ny - 0.5, 9), 2)
    y = np.concatenate([np.full(9, -0.5), np.full(9, ny - 0.5), sides])
    rim = wcs.pixel_to_world(x, y)
    radius = np.nanmax(centre.separation(rim)) + _MARGIN
    return centre, radius.to(u.deg)


def _choose_table(tables, name, band, wanted):
    """The table of a catalogue that holds the point sources of a band, and its name."""
    own = {key: table for key, table in tables.items() if _belongs(key, name)}
    if wanted is not None:
        chosen = [key for key in own if wanted in (key, key.rpartition('/')[2])]
        # Tables without a source within the circle do not come.
        return (chosen[0], own[chosen[0]]) if chosen else (wanted, None)
    own = {key: t for key, t in own.items() if _has_point_sources(key, t)}
    if not own:
        return None, None
    # The catalogue's own number, A203 or 106, says nothing of a band.
    names = {key: key.removeprefix(name) for key in own}
    captions = {key: str(t.meta.get('description') or '') for key, t in own.items()}
    for texts in (names, captions):
        bands = {key: _named_bands(text) for key, text in texts.items()}
        if not any(bands.values()):
            continue
        chosen = [key for key in own if bands[key] == {band}]
        if len(chosen) == 1:
            return chosen[0], own[chosen[0]]
        if not chosen and all(bands.values()):
            return None, None
    if len(own) == 1:
        ((key, table),) = own.items()
        rows = _rows_of_band(table, band)
        if rows is not None:
            return key, table[rows]
    msg = (
        f'None of the tables that {VIZIER} has of {name} is certainly that of the '
        f'{band} band: {", ".join(own)}. Name one (table=).'
    )
    raise ArchiveFormatError(msg)


def _has_point_sources(key, table):
    """Whether neither the name nor the caption of a table says that it has others."""
    caption = str(table.meta.get('description') or '')
    return not (_NOT_POINT_SOURCES.search(key) or _REJECTED.search(caption))


def _belongs(key, name):
    return key == name or key.startswith(f'{name}/')


def _named_bands(text):
    """The bands that a name or a caption speaks of: hppsc070, blue."""
    return {
        band
        for band, wavelength in BANDS.items()
        if re.search(
            rf'(?i)(?<!\d)0?{wavelength}(?!\d)|(?<![a-z]){band}(?![a-z])', text
        )
    }


def _rows_of_band(table, band):
    """The rows of a band, in a table of all of them; None if it has no such column."""
    for column in table.colnames:
        if re.fullmatch(r'(?i)band|filter|lambda|wavelength|wave', column):
            bands = [_named_bands(str(value)) for value in table[column]]
            if all(bands):
                return [number for number, one in enumerate(bands) if band in one]
    return None


def _with_positions(table, name):
    """A catalogue's table with its positions in the first column."""
    known = {column.lower(): column for column in table.colnames}
    pair = next((p for p in _POSITIONS if p[0] in known and p[1] in known), None)
    if pair is None:
        msg = (
            f'{VIZIER} has changed: the table {name} has no columns RAJ2000 and '
            f'DEJ2000 any more. It has: {", ".join(table.colnames)}.'
        )
        raise ArchiveFormatError(msg)
    columns = [table[known[key]] for key in pair]
    angles = [_to_angle(column, i == 0) for i, column in enumerate(columns)]
    with quiet():
        sources = QTable(table, copy=True)
    sources.add_column(SkyCoord(*angles, frame='icrs'), name='sky_center', index=0)
    return sources


def _to_angle(column, is_longitude):
    if column.dtype.kind in 'US':
        return Angle(list(column), u.hourangle if is_longitude else u.deg).to(u.deg)
    values = np.ma.filled(np.ma.asarray(column, dtype=float), np.nan)
    return np.asarray(values) * (column.unit or u.deg)


def _is_observed(sky, pixels, wcs):
    """Whether positions lie on pixels that were observed."""
    with np.errstate(invalid='ignore'):
        x, y = wcs.world_to_pixel(sky)
        known = np.isfinite(x) & np.isfinite(y)
        column = np.where(known, np.round(x), -1).astype(int)
        row = np.where(known, np.round(y), -1).astype(int)
    ny, nx = pixels.shape
    inside = known & (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
    observed = np.isfinite(pixels) & (pixels != 0)
    inside[inside] = observed[row[inside], column[inside]]
    return inside
