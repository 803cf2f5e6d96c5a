# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How prominent a source is: the signal-to-noise ratio of Eq. 1.
"""

import numpy as np

from photutils_pconv._utils.arrays import as_map, on_map, pair_positions

__all__ = [
    'snr',
]

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
    # In its own precision: a map is not copied for a few pixels around sources.
    data = as_map(data, 'data', dtype=None)
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
    values = data[rows, columns].astype(float)
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
