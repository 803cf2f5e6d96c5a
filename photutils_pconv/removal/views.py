# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What part of a map a picture shows, and the outlines of holes in it.
"""

from numbers import Integral

import numpy as np

from photutils_pconv._utils.plotting import outline_circles, show_image

__all__ = [
    'N_COLUMNS',
    'VIEW',
    'find_limits',
    'find_rows',
    'show_panels',
]

#: How many panels are in a row: as many as a page has room for (by choice).
N_COLUMNS = 2
#: How much of a map is shown around a source, in radii of its hole (by choice).
VIEW = 3.0


def find_rows(table, ids):
    """
    Find the rows of sources.

    Parameters
    ----------
    table : `~astropy.table.Table`
        The sources.

    ids : sequence of int
        Their ids.

    Returns
    -------
    rows : list of int
        The rows, in the order of the ids.
    """
    ids = np.asarray(ids)
    if ids.dtype.kind not in 'iu' and ids.size:
        msg = f'sources must be ids, which are integers, got {ids.dtype}'
        raise TypeError(msg)
    known = {int(one): row for row, one in enumerate(table['id'])}
    unknown = [int(one) for one in ids.ravel() if int(one) not in known]
    if unknown:
        msg = (
            f'no source has the id {unknown[0]}: they run from {min(known, default=0)} '
            f'to {max(known, default=0)}'
        )
        raise ValueError(msg)
    return [known[int(one)] for one in ids.ravel()]


def find_limits(shape, table, zoom):
    """
    Find the part of a map to show.

    Parameters
    ----------
    shape : tuple of int
        The map's shape.

    table : `~astropy.table.Table` or `None`
        The sources.

    zoom : int or tuple of 4 int or `None`
        The part: around the source of that id, between the pixels (x_min, x_max,
        y_min, y_max), or all of it.

    Returns
    -------
    limits : tuple of int
        The first pixel and the last + 1 in x, then in y.
    """
    ny, nx = shape
    if zoom is None:
        return 0, nx, 0, ny
    if table is not None and isinstance(zoom, Integral) and not isinstance(zoom, bool):
        row = table[find_rows(table, [zoom])[0]]
        x, y, radius = row['x_center'], row['y_center'], row['hole_radius']
        if not np.all(np.isfinite([x, y, radius])):
            msg = f'source {zoom} has no hole on the map: nothing is to be seen'
            raise ValueError(msg)
        half = int(np.ceil(VIEW * radius))
        x, y = round(float(x)), round(float(y))
        limits = (x - half, x + half + 1, y - half, y + half + 1)
    else:
        try:
            limits = tuple(int(one) for one in zoom)
        except (TypeError, ValueError):
            limits = ()
        if len(limits) != 4 or limits[0] >= limits[1] or limits[2] >= limits[3]:
            choice = '' if table is None else 'the id of a source, or '
            msg = (
                f'zoom must be {choice}(x_min, x_max, y_min, y_max) in pixels, got '
                f'{zoom!r}'
            )
            raise ValueError(msg)
    low_x, high_x, low_y, high_y = limits
    limits = (max(low_x, 0), min(high_x, nx), max(low_y, 0), min(high_y, ny))
    if limits[0] >= limits[1] or limits[2] >= limits[3]:
        msg = f'zoom = {zoom!r} lies outside the map of {nx} x {ny} pixels'
        raise ValueError(msg)
    return limits


def show_panels(axes, panels, *, label, limits, table=None):
    """
    Show the same part of several images.

    Parameters
    ----------
    axes : sequence of `~matplotlib.axes.Axes`
        Where, one for each image.

    panels : iterable of (str, 2D `~numpy.ndarray`, dict)
        The title, the image, and keyword arguments of
        `~matplotlib.axes.Axes.imshow`.

    label : str
        The label of the colour bars.

    limits : tuple of int
        What `find_limits` gives.

    table : `~astropy.table.Table`, optional
        The sources whose holes are outlined, with the columns ``x_center``,
        ``y_center`` and ``hole_radius``.
    """
    for ax, (title, image, looks) in zip(axes, panels, strict=True):
        show_image(ax, image, title, label=label, **looks)
        if table is not None:
            names = ('x_center', 'y_center', 'hole_radius')
            columns = (np.asarray(table[name], dtype=float) for name in names)
            outline_circles(ax, *columns)
        ax.set(
            xlim=(limits[0] - 0.5, limits[1] - 0.5),
            ylim=(limits[2] - 0.5, limits[3] - 0.5),
        )
