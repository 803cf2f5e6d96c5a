# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
One parser for every accepted source list.
"""

import os
from dataclasses import dataclass, replace

import numpy as np
from astropy.coordinates import (
    BaseCoordinateFrame,
    SkyCoord,
    UnitSphericalRepresentation,
)
from astropy.table import QTable, Row, Table

from photutils_pconv._utils.warnings import hold_filters
from photutils_pconv.inputs.columns import (
    ACCEPTED_COLUMNS,
    find_pixel_columns,
    find_pixel_positions,
    find_sky_positions,
    find_unclear_columns,
    has_positions,
)
from photutils_pconv.inputs.orientations import PSFAngles, find_psf_angles
from photutils_pconv.inputs.positions import parse_pixels, pixel_to_sky, sky_to_pixel
from photutils_pconv.inputs.regions import (
    get_excluded,
    has_regions,
    is_regions,
    read_regions,
    regions_to_mask,
    regions_to_table,
)
from photutils_pconv.inputs.sizes import CatalogueSizes, find_sizes
from photutils_pconv.inputs.tables import (
    frame_to_table,
    is_data_frame,
    read_source_table,
    to_qtable,
)
from photutils_pconv.inputs.units import celestial_wcs

__all__ = [
    'SourceInput',
    'mask_excluded',
    'parse_sources',
    'read_sources',
]


@dataclass(eq=False)
class SourceInput:
    """
    A source list in the form that the package works on.

    `parse_sources` makes it. The order is that of the input.

    Parameters
    ----------
    x, y : 1D float64 `~numpy.ndarray`
        The pixel positions, from 0; NaN where the input has none.

    sky : `~astropy.coordinates.SkyCoord` or `None`
        The sky positions, in the frame of the input; `None` if pixel
        positions were given for a map without WCS.

    table : `~astropy.table.QTable` or `None`
        A copy of the table, where one was given.

    sizes : `~photutils_pconv.inputs.CatalogueSizes` or `None`
        The sizes, where a table has columns of them.

    psf_angles : `~photutils_pconv.inputs.PSFAngles` or `None`
        How the PSF is turned at each source, where a table has a column of it.

    excluded : tuple of region
        The regions of a region file in which the map is not to be used, those
        with a minus sign in DS9.
    """

    x: np.ndarray
    y: np.ndarray
    sky: SkyCoord | None
    table: QTable | None
    sizes: CatalogueSizes | None = None
    psf_angles: PSFAngles | None = None
    excluded: tuple = ()

    def __len__(self):
        return len(self.x)

    @hold_filters
    def moved_to(self, x, y, *, wcs=None):
        """
        Give the same sources at other pixel positions.

        Parameters
        ----------
        x, y : 1D `~numpy.ndarray`
            The new positions; those that are equal to the old ones keep
            their sky position.

        wcs : WCS, optional
            The celestial WCS of the map.

        Returns
        -------
        sources : `SourceInput`
            The moved sources, with sky positions in the frame of these.
        """
        sky = self.sky
        moved = (x != self.x) | (y != self.y)
        moved &= np.isfinite(x) & np.isfinite(y)
        if sky is not None and np.any(moved):
            new = pixel_to_sky(x[moved], y[moved], celestial_wcs(wcs))
            new = new.transform_to(sky.frame)
            # Items of a SkyCoord can only be set from one with the very
            # same attributes, which a transformed one need not have.
            longitude = sky.spherical.lon.copy()
            latitude = sky.spherical.lat.copy()
            longitude[moved] = new.spherical.lon
            latitude[moved] = new.spherical.lat
            sky = SkyCoord(
                sky.frame.realize_frame(
                    UnitSphericalRepresentation(longitude, latitude)
                )
            )
        return replace(self, x=x, y=y, sky=sky)


@hold_filters
def parse_sources(sources, *, wcs=None):
    """
    Bring a source list of any accepted form to pixel positions.

    Parameters
    ----------
    sources : SkyCoord, Table, DataFrame, Regions, str, PathLike or (N, 2) array_like
        The sources: a `~astropy.coordinates.SkyCoord` in any frame, a
        `~astropy.table.Table` or `~astropy.table.QTable`, a DataFrame (of
        which the index is not read), a dictionary of columns, the path of a
        table (`read_source_table`) or of a region file (``.reg`` of DS9), the
        regions of astropy's package ``regions``, or an array of pixel positions
        (x, y), from 0.

        Of regions, points and circles are sources, at their centres, and the
        areas of those that are excluded (a minus sign in DS9) are masked.

        In a table, the positions are looked for in this order: a
        SkyCoord column (``sky_center`` and ``sky_centroid`` first), also
        written as two columns (``sky_center.ra``, ``sky_center.dec``);
        ``ra`` and ``dec`` or another usual pair (ICRS; degrees unless a
        unit is given, sexagesimal text in hours and degrees), ``glon`` and
        ``glat``; the pixel columns ``x_center``, ``x_centroid``,
        ``xcentroid``, ``x``, ``x_fit``, ``x_0``, ``x_init`` and their
        counterparts in y. The pixels of a table that has sky positions,
        too, are never used: they may be those of another map.

        Sizes are looked for, too: the FWHM that a fit of a Gaussian to the map
        finds, ``fwhm`` or ``fwhm_major``, ``fwhm_minor`` and ``pa`` (degrees, east
        of north) or ``theta`` (counter-clockwise from the x axis), also as Hyper,
        getsf, CuTEx and tables at the CDS spell them. Without a unit they are in
        arcsec in a table with sky positions, else in pixels. ``psf_angle`` (degrees,
        counter-clockwise on the map) or ``psf_pa`` (degrees, east of north) says how
        the PSF is turned at each source.

    wcs : WCS, optional
        The celestial WCS of the map, needed for sky positions.

    Returns
    -------
    source_input : `SourceInput`
        The positions. Those that are masked, not finite, or have no
        counterpart on the map's projection are NaN.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If there are no positions, or sky positions and no WCS.
    """
    wcs = celestial_wcs(wcs)
    table = sky = xy = sizes = psf_angles = None
    excluded = ()
    if isinstance(sources, str | os.PathLike):
        sources = read_sources(sources)
    if is_regions(sources):
        excluded = tuple(get_excluded(sources))
        sources = regions_to_table(sources, wcs=wcs)
    elif isinstance(sources, Row):
        sources = sources.table[sources.index : sources.index + 1]
    elif isinstance(sources, np.ndarray) and sources.dtype.names:
        sources = Table(sources)
    elif isinstance(sources, dict):
        try:
            sources = Table(sources)
        except (TypeError, ValueError) as exc:
            msg = (
                'A dictionary as sources must hold columns of one length by their '
                f'names, got {sources!r}: {exc}'
            )
            raise TypeError(msg) from exc
    elif is_data_frame(sources):
        sources = frame_to_table(sources)
    elif isinstance(sources, BaseCoordinateFrame):
        sources = SkyCoord(sources)

    if isinstance(sources, Table):
        table = to_qtable(sources)
        sky, xy = _find_positions(table, wcs)
        sizes = find_sizes(table, has_sky=sky is not None)
        psf_angles = find_psf_angles(table)
    elif isinstance(sources, SkyCoord):
        if sources.ndim > 1:
            msg = (
                'A SkyCoord of sources must be a scalar or 1-D, got the '
                f'shape {sources.shape}.'
            )
            raise ValueError(msg)
        sky = sources.reshape(1) if sources.isscalar else sources
    else:
        xy = parse_pixels(sources)

    if xy is None:
        if wcs is None:
            msg = (
                'The sources have sky positions, but the map has no '
                'celestial WCS: give wcs, or pixel positions.'
            )
            raise ValueError(msg)
        xy = sky_to_pixel(sky, wcs)
    x, y = xy
    if sky is None:
        sky = pixel_to_sky(x, y, wcs)
    return SourceInput(
        x=x,
        y=y,
        sky=sky,
        table=table,
        sizes=sizes,
        psf_angles=psf_angles,
        excluded=excluded,
    )


def read_sources(path, *, hdu=None, table_id=None):
    """
    Read a source list from a file: a table, or regions.

    Parameters
    ----------
    path : str or `os.PathLike`
        A table, as `read_source_table` reads it, or a region file of DS9.

    hdu, table_id : optional
        As for `read_source_table`.

    Returns
    -------
    sources : `~astropy.table.QTable` or `~regions.Regions`
        The table, or the regions.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file cannot be read.

    ImportError
        If it is a region file, and the package regions is missing.
    """
    if has_regions(path):
        return read_regions(path)
    return read_source_table(path, hdu=hdu, table_id=table_id)


def mask_excluded(map_input, source_input):
    """
    Mask the areas of a map that a source list excludes.

    Parameters
    ----------
    map_input : `MapInput`
        The map.

    source_input : `SourceInput`
        The sources.

    Returns
    -------
    map_input : `MapInput`
        The map, with those pixels missing.

    Raises
    ------
    ValueError
        If a region has no area, or no pixel is left.
    """
    if not source_input.excluded:
        return map_input
    mask = regions_to_mask(source_input.excluded, map_input.shape, wcs=map_input.wcs)
    return map_input.without(mask)


def _find_positions(table, wcs):
    """The sky positions of a table, or else its pixel positions."""
    if len(table) == 0:
        if table.colnames and not has_positions(table):
            raise ValueError(_no_positions(table))
        # empty columns of a text file have no type to convert from
        return None, np.empty((2, 0))
    sky = find_sky_positions(table)
    pixels = find_pixel_columns(table)
    if sky is not None:
        if wcs is None and pixels is not None:
            msg = (
                'The table has sky positions, but the map has no celestial WCS: give '
                f'wcs, or, if the pixel columns {pixels[0]} and {pixels[1]} are those '
                'of this map, a table with these two alone, '
                f'table[{pixels[0]!r}, {pixels[1]!r}].'
            )
            raise ValueError(msg)
        return sky, None
    if pixels is None:
        raise ValueError(_no_positions(table))
    unclear = find_unclear_columns(table)
    if unclear:
        msg = (
            f'The table has pixel columns ({", ".join(pixels)}), but also columns like '
            f'those of sky positions that are not understood ({", ".join(unclear)}). '
            'Call those ra and dec or, if the pixels are those of this map, give a '
            f'table with these alone, table[{pixels[0]!r}, {pixels[1]!r}].'
        )
        raise ValueError(msg)
    return None, find_pixel_positions(table)


def _no_positions(table):
    return (
        'The table has no columns with positions; it has: '
        f'{", ".join(table.colnames)}. Accepted are: {ACCEPTED_COLUMNS}.'
    )
