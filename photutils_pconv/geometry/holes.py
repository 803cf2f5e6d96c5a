# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How prominent a source is, and the hole that is cut around it.

The signal-to-noise ratio of Eq. 1 chooses the radius of a source's hole
(Table 3, `~photutils_pconv.ObservingSetup.hole_radius`); the holes of all
sources together are the pixels that the network reconstructs. Positions
are 0-based pixel coordinates, as everywhere in photutils.
"""

import numpy as np

from photutils_pconv._utils.arrays import as_map, match_radius, on_map, pair_positions

__all__ = ['draw_holes', 'hole_stamp', 'snr']

# Sources handled at once: some 1700 pixels each for the paper's radii,
# so a chunk stays within a few tens of MB whatever the catalogue.
_CHUNK = 1024


def snr(data, x, y, *, setup):
    """
    Measure the signal-to-noise ratio of sources (Eq. 1).

    The highest pixel of a circle around the source, less the mean of
    an annulus around it, over the annulus' standard deviation. As in
    the paper authors' program, circle and annulus are centred on the
    pixel ``(ceil(x), ceil(y))`` (the centre of the source's cutout) and
    hold the pixels whose centres lie within their radii, both bounds
    included.

    Parameters
    ----------
    data : array_like
        The 2-D map, of shape ``(ny, nx)``. Pixels that are not finite
        are missing and are left out.
    x, y : array_like
        The ``N`` pixel positions.
    setup : `~photutils_pconv.ObservingSetup`
        The observing setup, for its ``snr_source_radius``,
        ``snr_inner_radius`` and ``snr_outer_radius`` in pixels
        (section 2.4.4).

    Returns
    -------
    snr : `~numpy.ndarray`
        The ``N`` ratios. NaN where there is nothing to measure: the
        position is not finite or lies outside the map, the circle
        holds no usable pixel or the annulus fewer than two, or source
        and annulus are one flat value. Infinite where a source stands
        on a perfectly flat annulus.

    Raises
    ------
    ValueError
        If the map is not 2-D or the positions do not pair up.

    Notes
    -----
    Paper: Eq. 1 and section 2.4.4.
    """
    data = as_map(data, 'data')
    x, y = pair_positions(x, y)

    source, annulus = _snr_offsets(setup)
    result = np.full(x.shape, np.nan)
    todo = np.flatnonzero(on_map(x, y, data.shape))
    for start in range(0, todo.size, _CHUNK):
        rows = todo[start : start + _CHUNK]
        column = np.ceil(x[rows]).astype(int)
        row = np.ceil(y[rows]).astype(int)
        peak = _gather(data, row, column, source)
        around = _gather(data, row, column, annulus)
        result[rows] = _peak_over_scatter(peak, around)
    return result


def draw_holes(shape, x, y, radius):
    """
    Draw the circular holes of all sources into one mask.

    Parameters
    ----------
    shape : 2-tuple of int
        The shape ``(ny, nx)`` of the map.
    x, y : array_like
        The ``N`` pixel positions, not rounded. A source whose position
        is not finite gets no hole; one near or beyond the map's edge
        gets the part of its hole that lies on the map.
    radius : float or array_like
        The radius of each hole in pixels (Table 3). A NaN radius gets
        no hole.

    Returns
    -------
    holes : `~numpy.ndarray` of bool
        Of the given shape, `True` where the centre of a pixel lies
        within ``radius`` of a source, the rim included.

    Raises
    ------
    ValueError
        If the shape is not 2-D, the positions do not pair up, or a
        radius is negative or infinite.

    Notes
    -----
    Paper: section 2.4.4, Table 3 and Fig. 5.
    """
    if np.shape(shape) != (2,):
        msg = f'shape must be (ny, nx), got {shape!r}'
        raise ValueError(msg)
    x, y = pair_positions(x, y)
    radius = match_radius(radius, x.shape)

    ny, nx = (int(size) for size in shape)
    holes = np.zeros((ny, nx), dtype=bool)
    usable = np.isfinite(x) & np.isfinite(y) & np.isfinite(radius)
    for xc, yc, rc in zip(x[usable], y[usable], radius[usable], strict=True):
        x0, x1 = _span(xc, rc, nx)
        y0, y1 = _span(yc, rc, ny)
        if x0 < x1 and y0 < y1:
            stamp = hole_stamp(np.arange(y0, y1), np.arange(x0, x1), xc, yc, rc)
            holes[y0:y1, x0:x1] |= stamp
    return holes


def hole_stamp(rows, columns, x, y, radius):
    """
    Tell which pixels of a grid belong to one hole.

    This is the one definition of a hole, ``r <= radius`` by pixel
    centre, that drawing and photometry share.

    Parameters
    ----------
    rows, columns : array_like
        The 1-D pixel coordinates of the grid's ``J`` rows and ``K``
        columns.
    x, y : float
        The position of the source in the same coordinates.
    radius : float
        The radius of the hole in pixels.

    Returns
    -------
    stamp : `~numpy.ndarray` of bool
        Of shape ``(J, K)``, `True` inside the hole.
    """
    dy2 = (np.asarray(rows) - y)[:, np.newaxis] ** 2
    dx2 = (np.asarray(columns) - x)[np.newaxis, :] ** 2
    return dx2 + dy2 <= radius**2


def _span(centre, radius, size):
    # One pixel to spare: rounding must not cut off a pixel on the rim.
    low = np.clip(np.floor(centre - radius), 0, size)
    high = np.clip(np.ceil(centre + radius) + 1, 0, size)
    return int(low), int(high)


def _snr_offsets(setup):
    reach = int(max(setup.snr_source_radius, setup.snr_outer_radius))
    dy, dx = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    r2 = dx**2 + dy**2
    source = r2 <= setup.snr_source_radius**2
    annulus = r2 >= setup.snr_inner_radius**2
    annulus &= r2 <= setup.snr_outer_radius**2
    return (dy[source], dx[source]), (dy[annulus], dx[annulus])


def _gather(data, row, column, offsets):
    rows = row[:, np.newaxis] + offsets[0]
    columns = column[:, np.newaxis] + offsets[1]
    ny, nx = data.shape
    off_map = (rows < 0) | (rows >= ny) | (columns < 0) | (columns >= nx)
    rows[off_map] = 0
    columns[off_map] = 0
    values = data[rows, columns]
    values[off_map | ~np.isfinite(values)] = np.nan
    return values


def _peak_over_scatter(peak, around):
    good = ~np.isnan(around)
    n_good = good.sum(axis=1)
    result = np.full(len(peak), np.nan)
    able = (n_good >= 2) & ~np.isnan(peak).all(axis=1)
    if not able.any():
        return result

    peak, around, good = peak[able], around[able], good[able]
    mean = around.mean(axis=1, where=good)
    std = around.std(axis=1, where=good)
    # The mean of equal numbers may differ from them in the last bit, and
    # two such rounding errors make a ratio that looks like a detection.
    lowest = np.nanmin(around, axis=1)
    flat = lowest == np.nanmax(around, axis=1)
    mean[flat] = lowest[flat]
    std[flat] = 0.0
    with np.errstate(divide='ignore', invalid='ignore'):
        result[able] = (np.nanmax(peak, axis=1) - mean) / std
    return result
