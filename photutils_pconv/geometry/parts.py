# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The parts of a map around positions, put side by side.

What is far from all sources concerns none of them. Where that is most of a map, the
parts around the sources are put together to a smaller map, in which every source has
the same surroundings. Parts at an edge of the map lie at the same edge there.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from photutils_pconv._utils.scratch import make_zeros
from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.geometry.packing import pack
from photutils_pconv.geometry.windows import find_window

__all__ = ['MapParts', 'Overlaid', 'find_parts']

# Parts are put together where they are smaller than this share of the map: copying
# them costs little of what they save; by choice.
_LARGEST_SHARE = 0.7


@dataclass(frozen=True, eq=False)
class MapParts:
    """
    Parts of a map, side by side.

    Parameters
    ----------
    map_shape : tuple of int
        The map's shape (ny, nx).

    shape : tuple of int
        That of all parts together.

    regions, places : tuple of 2-tuple of slice
        The parts' pixels on the map, and where they are put.

    known : 2D bool `~numpy.ndarray`
        The pixels near a position; all others are missing.

    shift : (N, 2) int `~numpy.ndarray`
        What is taken off each position (x, y).
    """

    map_shape: tuple
    shape: tuple
    regions: tuple
    places: tuple
    known: np.ndarray
    shift: np.ndarray

    def gather(self, image, *, fill, dtype=None):
        """
        Copy the parts of an image.

        Parameters
        ----------
        image : 2D `~numpy.ndarray` or `Overlaid`
            The image, of the map's shape.

        fill : scalar
            The value of pixels that are near no position.

        dtype : `numpy.dtype`, optional
            The type of the copy (default: that of the image).

        Returns
        -------
        gathered : 2D `~numpy.ndarray`
            The parts, side by side.
        """
        gathered = np.full(self.shape, fill, dtype=dtype or image.dtype)
        for region, place in zip(self.regions, self.places, strict=True):
            np.copyto(gathered[place], image[region], where=self.known[place])
        return gathered

    def gather_grid(self, grid, *, missing=None):
        """
        Copy the parts of a map.

        Parameters
        ----------
        grid : `~photutils_pconv.geometry.MapGrid`
            The map, on its native grid.

        missing : 2D bool `~numpy.ndarray`, optional
            The missing pixels, if they are not those of the map.

        Returns
        -------
        parts : `~photutils_pconv.geometry.MapGrid`
            The parts, in double precision.
        """
        missing = grid.missing if missing is None else missing
        error = grid.error
        if error is not None:
            error = self.gather(error, fill=np.nan, dtype=float)
        return MapGrid(
            self.gather(grid.data, fill=np.nan, dtype=float),
            self.gather(missing, fill=True),
            pixel_scale=grid.pixel_scale,
            jy_per_pixel=grid.jy_per_pixel,
            error=error,
        )

    def move_holes(self, holes):
        """
        Give the holes at the positions as they lie on the parts.

        Parameters
        ----------
        holes : `~photutils_pconv.geometry.Holes`
            N holes of the map.

        Returns
        -------
        holes : `~photutils_pconv.geometry.Holes`
            The holes of the parts.
        """
        x, y = self.move(holes.x, holes.y)
        return replace(holes, x=x, y=y, shape=self.shape)

    def move(self, x, y):
        """
        Give positions on the parts from those on the map.

        Parameters
        ----------
        x, y : (N,) `~numpy.ndarray`
            The positions, in pixels.

        Returns
        -------
        x, y : (N,) `~numpy.ndarray`
            The positions on the parts.
        """
        return x - self.shift[:, 0], y - self.shift[:, 1]

    def move_back(self, x, y):
        """
        Give positions on the map from those on the parts.

        Parameters
        ----------
        x, y : (N,) `~numpy.ndarray`
            The positions, in pixels.

        Returns
        -------
        x, y : (N,) `~numpy.ndarray`
            The positions on the map.
        """
        return x + self.shift[:, 0], y + self.shift[:, 1]

    def write_to(self, image, values, where):
        """
        Write pixels of the parts to an image, in place.

        Parameters
        ----------
        image : 2D `~numpy.ndarray`
            The image, of the map's shape.

        values : 2D `~numpy.ndarray` or scalar
            The values on the parts.

        where : 2D bool `~numpy.ndarray`
            The pixels of the parts that are written; each is near a position.
        """
        values = np.broadcast_to(values, self.shape)
        for region, place in zip(self.regions, self.places, strict=True):
            chosen = where[place]
            np.copyto(image[region], values[place], where=chosen, casting='same_kind')

    def number_pixels(self, where):
        """
        Give the numbers that pixels of the parts have on the map.

        Parameters
        ----------
        where : 2D bool `~numpy.ndarray`
            The pixels of the parts.

        Returns
        -------
        numbers : 1D int `~numpy.ndarray`
            Their indices on the flattened map, in the order of ``where``'s.
        """
        numbers = np.full(self.shape, -1)
        for (rows, columns), place in zip(self.regions, self.places, strict=True):
            row = np.arange(rows.start, rows.stop)
            column = np.arange(columns.start, columns.stop)
            numbers[place] = row[:, None] * self.map_shape[1] + column
        return numbers[where]


class Overlaid:
    """
    An image some of whose pixels are those of parts; the image itself stays.

    Parameters
    ----------
    image : 2D `~numpy.ndarray` or `None`
        The image; `None` for one that is 0.

    parts : `MapParts`
        The parts.

    values : 2D `~numpy.ndarray`
        Their values.

    where : 2D bool `~numpy.ndarray`
        The pixels of the parts that take the image's place.
    """

    dtype = np.dtype(float)

    def __init__(self, image, parts, values, where):
        self._image = image
        self._parts = parts
        self._values = values
        self._where = where

    @property
    def shape(self):
        """
        The shape (ny, nx) of the image.
        """
        return self._parts.map_shape

    def __getitem__(self, region):
        if self._image is None:
            cut = np.zeros([one.stop - one.start for one in region])
        else:
            cut = np.array(self._image[region], dtype=float)
        for known, place in zip(self._parts.regions, self._parts.places, strict=True):
            ours, theirs = _overlap(region, known, place)
            if ours is not None:
                here = self._where[theirs]
                cut[ours][here] = self._values[theirs][here]
        return cut

    def __array__(self, dtype=None, copy=None):
        dtype = self.dtype if dtype is None else dtype
        if self._image is None:
            image = make_zeros(self.shape, dtype)
        else:
            image = np.array(self._image, dtype=dtype)
        self._parts.write_to(image, self._values, self._where)
        return image


def _overlap(region, known, place):
    """Give what two regions share, within the first and on the parts."""
    ours, theirs = [], []
    for one, other, put in zip(region, known, place, strict=True):
        start, stop = max(one.start, other.start), min(one.stop, other.stop)
        if start >= stop:
            return None, None
        ours.append(slice(start - one.start, stop - one.start))
        moved = put.start - other.start
        theirs.append(slice(start + moved, stop + moved))
    return tuple(ours), tuple(theirs)


def find_parts(shape, x, y, reach):
    """
    Find the parts of a map that lie around positions.

    Parameters
    ----------
    shape : tuple of int
        The map's shape (ny, nx).

    x, y : (N,) `~numpy.ndarray`
        The positions, in pixels.

    reach : float or (N,) `~numpy.ndarray`
        How far from them pixels count, along either axis, in pixels.

    Returns
    -------
    parts : `MapParts` or `None`
        The parts; `None` where they are not much smaller than the map, or a part
        reaches from one edge of the map to the other.
    """
    if len(x) == 0:
        return None
    reach = np.broadcast_to(np.ceil(reach), len(x))
    windows = [
        find_window(shape, np.round(x[i]), np.round(y[i]), reach[i])
        for i in range(len(x))
    ]
    if any(window is None for window in windows):
        return None
    # First and last rows and columns.
    boxes = np.array(
        [
            (
                *(one.start for one in window.region),
                *(one.stop for one in window.region),
            )
            for window in windows
        ]
    )
    group = _join(x, y, reach, boxes)
    whole = np.array(
        [
            (*boxes[group == k, :2].min(axis=0), *boxes[group == k, 2:].max(axis=0))
            for k in range(group.max() + 1)
        ]
    )
    most = _LARGEST_SHARE * shape[0] * shape[1]
    if np.prod(whole[:, 2:] - whole[:, :2], axis=1).sum() > most:
        return None
    packed = pack(whole, shape)
    if packed is None or packed[0][0] * packed[0][1] > most:
        return None
    size, corners = packed
    shift = whole[group, :2] - corners[group]
    known = np.zeros(size, dtype=bool)
    for (top, left, bottom, right), (rows, columns) in zip(boxes, shift, strict=True):
        known[top - rows : bottom - rows, left - columns : right - columns] = True
    return MapParts(
        map_shape=tuple(shape),
        shape=size,
        regions=tuple(_slices(one[:2], one[2:]) for one in whole),
        places=tuple(
            _slices(corner, corner + one[2:] - one[:2])
            for corner, one in zip(corners, whole, strict=True)
        ),
        known=known,
        shift=shift[:, ::-1],
    )


def _slices(first, last):
    return tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))


def _join(x, y, reach, boxes):
    """Number the groups of windows that overlap or touch."""
    n = len(x)
    tree = cKDTree(np.stack([x, y], axis=1))
    pairs = tree.query_pairs(2.0 * reach.max() + 2.0, p=np.inf, output_type='ndarray')
    a, b = boxes[pairs[:, 0]], boxes[pairs[:, 1]]
    near = np.all((a[:, :2] <= b[:, 2:]) & (b[:, :2] <= a[:, 2:]), axis=1)
    i, j = pairs[near].T
    links = coo_array((np.ones(i.size, dtype=bool), (i, j)), shape=(n, n))
    return connected_components(links, directed=False)[1]
