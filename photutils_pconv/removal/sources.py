# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Sources on the map: which are usable, where they lie, and their holes.
"""

from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np
from scipy.spatial import cKDTree

from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.geometry.cutouts import cutout_origin
from photutils_pconv.geometry.holes import TAPER_WIDTH, Holes
from photutils_pconv.geometry.merging import (
    UNRESOLVED_FWHM,
    DistinctPositions,
    merge_close,
)
from photutils_pconv.inpainting.prediction import choose_sizes
from photutils_pconv.inputs.sources import SourceInput
from photutils_pconv.photometry.centroids import find_centroid
from photutils_pconv.photometry.flags import SourceFlags, flag_positions
from photutils_pconv.photometry.signal_to_noise import snr as compute_snr

__all__ = [
    'Sources',
    'choose_holes',
    'flag_holes',
    'flag_merged',
    'locate_sources',
    'move_to_centroids',
]

# Rows that name one place to this distance (FWHM) are copies of each other: by
# choice, what merged catalogues of one source differ by.
_SAME_FWHM = 0.1


@dataclass(frozen=True, eq=False)
class Sources:
    """
    The N rows of a source list, and the M sources that lie on the map.

    Parameters
    ----------
    x, y : (N,) `~numpy.ndarray`
        The positions, in pixels of the map.

    inside : (N,) bool `~numpy.ndarray`
        Which of them lie on the map.

    flags : (N,) int `~numpy.ndarray`
        See `~photutils_pconv.photometry.SourceFlags`.

    source_input : `~photutils_pconv.inputs.SourceInput`
        The positions as the table shows them.

    distinct : `~photutils_pconv.geometry.DistinctPositions`, optional
        The M sources on the map; by default each row on it is one.

    wcs : WCS, optional
        The map's celestial WCS.
    """

    x: np.ndarray
    y: np.ndarray
    inside: np.ndarray
    flags: np.ndarray
    source_input: SourceInput
    distinct: DistinctPositions | None = None
    wcs: Any = None

    def __len__(self):
        return self.x.size

    def spread(self, values, *, fill=np.nan):
        """
        Give values for all rows from those of the sources on the map.

        Parameters
        ----------
        values : (M, ...) `~numpy.ndarray`
            The values of the sources on the map.

        fill : scalar, optional
            The value of the rows that are not on it.

        Returns
        -------
        spread : (N, ...) `~numpy.ndarray`
            The values of all rows.
        """
        spread = np.full((len(self), *values.shape[1:]), fill)
        if self.distinct is not None:
            values = values[self.distinct.row]
        spread[self.inside] = values
        return spread


def locate_sources(source_input, grid, settings, *, wcs=None):
    """
    Find where sources lie on a map.

    This is the only place where positions are checked.

    Parameters
    ----------
    source_input : `~photutils_pconv.inputs.SourceInput`
        The positions.

    grid : `~photutils_pconv.geometry.MapGrid`
        The map.

    settings : `~photutils_pconv.removal.RemovalSettings`
        Whether positions are moved to their sources' centroids, and how
        far: the PSF's FWHM.

    wcs : WCS, optional
        The map's WCS.

    Returns
    -------
    sources : `Sources`
        The sources. Those that are not on the map, or repeat another, are
        flagged, with a warning.
    """
    x, y, inside, flags = flag_positions(
        source_input.x, source_input.y, grid.data.shape
    )
    _warn_unusable(inside)
    fwhm = settings.setup.psf_fwhm.to_value(u.arcsec) / grid.pixel_scale
    if settings.recenter:
        x, y, failed = move_to_centroids(
            grid.data, grid.missing, x, y, inside, fwhm=fwhm
        )
        flags |= failed
        source_input = source_input.moved_to(x, y, wcs=wcs)
    distinct = merge_close(x[inside], y[inside], UNRESOLVED_FWHM * fwhm)
    flags[inside] |= flag_merged(distinct, fwhm)
    return Sources(x, y, inside, flags, source_input, distinct, wcs)


def choose_holes(x, y, grid, setup):
    """
    Choose the holes of sources on a map (Eq. 1 and Table 3).

    Parameters
    ----------
    x, y : (M,) `~numpy.ndarray`
        Positions on the map, in its pixels.

    grid : `~photutils_pconv.geometry.MapGrid`
        The map.

    setup : `~photutils_pconv.ObservingSetup`
        The setup, for the radii of holes by SNR.

    Returns
    -------
    holes : `~photutils_pconv.geometry.Holes`
        The holes, in the map's pixels. The SNR is measured on the native
        grid.
    """
    snr = compute_snr(grid.native.data, *grid.to_native(x, y), setup=setup)
    radius = setup.hole_radius(snr) / grid.factor
    return Holes(x, y, radius, grid.data.shape, snr)


def _warn_unusable(inside):
    """
    Warn of sources that are not on the map.

    Parameters
    ----------
    inside : 1D bool `~numpy.ndarray`
        Which sources are on the map.
    """
    n = np.count_nonzero(~inside)
    if n == 0:
        return
    if n == inside.size:
        msg = (
            f'none of the {n} sources lies on the map: check the frame and the '
            "units of the positions and the map's WCS. The map is left unchanged"
        )
    else:
        msg = (
            f'{n} of {inside.size} sources lie outside the map or have no finite '
            "position; they are not measured (see the column 'flags')"
        )
    warn_user(msg)


def move_to_centroids(data, missing, x, y, inside, *, fwhm):
    """
    Move positions to the centroids of their sources.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map.

    missing : 2D bool `~numpy.ndarray`
        Its missing pixels.

    x, y : 1D `~numpy.ndarray`
        The positions, in pixels.

    inside : 1D bool `~numpy.ndarray`
        Which of them are on the map.

    fwhm : float
        The PSF's FWHM in pixels: the farthest that a source may move.

    Returns
    -------
    x, y : 1D `~numpy.ndarray`
        The centroids (`~photutils.centroids.centroid_quadratic`), or the
        given positions where none was found.

    flags : 1D int `~numpy.ndarray`
        ``RECENTERED_FAILED`` where none was found.
    """
    box = max(2 * int(fwhm) + 1, 5)
    x, y = x.copy(), y.copy()
    flags = np.zeros(x.size, dtype=int)
    for i in np.flatnonzero(inside):
        xc, yc = find_centroid(data, missing, round(x[i]), round(y[i]), box=box)
        if np.hypot(xc - x[i], yc - y[i]) <= fwhm:
            x[i], y[i] = xc, yc
        else:
            flags[i] = SourceFlags.RECENTERED_FAILED
    return x, y, flags


def flag_merged(distinct, fwhm):
    """
    Flag, and warn of, rows that are one source.

    Parameters
    ----------
    distinct : `~photutils_pconv.geometry.DistinctPositions`
        The sources that the rows on the map stand for.

    fwhm : float
        The PSF's FWHM, in pixels.

    Returns
    -------
    flags : 1D int `~numpy.ndarray`
        For each row on the map: ``DUPLICATE`` if an earlier row is the same
        source, and ``UNRESOLVED`` if the source's rows name different places.
    """
    repeats = distinct.repeats
    flags = np.where(repeats, int(SourceFlags.DUPLICATE), 0)
    n_rows, n_repeats = flags.size, np.count_nonzero(repeats)
    # Two rows have their mean position between them.
    unresolved = (distinct.extent > 0.5 * _SAME_FWHM * fwhm)[distinct.row]
    flags[unresolved] |= SourceFlags.UNRESOLVED
    if n_repeats:
        n_apart = np.count_nonzero(repeats & unresolved)
        msg = (
            f'{n_repeats} of {n_rows} sources repeat an earlier one (flag '
            "'duplicate'): the rows of a source all have its flux, and it is "
            'cleaned once'
        )
        if n_apart:
            msg += (
                f'. {n_apart} of them are of other positions, but less than '
                f'{UNRESOLVED_FWHM:g} FWHM away, which cannot be told apart (flag '
                "'unresolved')"
            )
        warn_user(msg)
    return flags


def flag_holes(holes, filled, grid, *, model, run):
    """
    Flag what follows from where holes and cutouts lie.

    Parameters
    ----------
    holes : `~photutils_pconv.geometry.Holes`
        The holes of the M sources on the map.

    filled : (M,) bool `~numpy.ndarray`
        Which of them were filled.

    grid : `~photutils_pconv.geometry.MapGrid`
        The map.

    model : `~photutils_pconv.network.LoadedModel`
        The network, which knows how large its cutouts are.

    run : `~photutils_pconv.network.RunOptions`
        How it was run.

    Returns
    -------
    flags : (M,) int `~numpy.ndarray`
        ``NO_BACKGROUND``, ``RESAMPLED``, ``NEAR_EDGE`` and
        ``OVERLAPPING_HOLE``.
    """
    flags = np.where(filled, 0, int(SourceFlags.NO_BACKGROUND))
    if not filled.any():
        return flags
    if grid.factor != 1:
        flags[filled] |= SourceFlags.RESAMPLED
    x, y, radius = holes.x, holes.y, holes.radius
    size = choose_sizes(model, radius[filled] * grid.factor + TAPER_WIDTH, run=run)
    x0, y0 = cutout_origin(*grid.to_native(x[filled], y[filled]), size=size)
    ny, nx = grid.data.shape
    edge = (x0 < 0) | (y0 < 0)
    edge |= (x0 + size > nx * grid.factor) | (y0 + size > ny * grid.factor)
    flags[np.flatnonzero(filled)[edge]] |= SourceFlags.NEAR_EDGE
    a, b = _pairs(x, y, filled, 2.0 * radius[filled].max())
    overlap = np.hypot(x[a] - x[b], y[a] - y[b]) <= radius[a] + radius[b]
    for one in (a, b):
        flags[one[overlap]] |= SourceFlags.OVERLAPPING_HOLE
    return flags


def _pairs(x, y, use, distance):
    """
    Find the pairs of sources within a distance of each other.
    """
    index = np.flatnonzero(use)
    if index.size < 2:
        return np.zeros((2, 0), dtype=int)
    tree = cKDTree(np.stack([x[index], y[index]], axis=1))
    pairs = tree.query_pairs(distance, output_type='ndarray')
    return index[pairs.reshape(-1, 2).T]
