# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Holes: the pixels that are reconstructed around sources.

All holes of a map are drawn before any is filled. Positions are 0-based
pixel coordinates, as everywhere in photutils.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from photutils_pconv._utils.arrays import match_radius, pair_positions
from photutils_pconv.geometry.windows import disc, find_window

__all__ = [
    'TAPER_WIDTH',
    'Holes',
    'draw_holes',
    'draw_taper',
    'draw_values',
    'hole_stamp',
    'taper_weight',
]

#: The width of the taper around a hole, in pixels; by choice, about half a beam.
TAPER_WIDTH = 2.0


@dataclass(frozen=True, eq=False)
class Holes:
    """
    The circular holes of a map.

    Parameters
    ----------
    x, y : (M,) `~numpy.ndarray`
        The positions of their centres, in pixels; finite.

    radius : (M,) `~numpy.ndarray`
        Their radii, in pixels.

    shape : tuple of int
        The map's shape (ny, nx).

    snr : (M,) `~numpy.ndarray`, optional
        The SNR (Eq. 1 of the paper) of what lies in them; NaN where it is
        not known, as in holes without a source.
    """

    x: np.ndarray
    y: np.ndarray
    radius: np.ndarray
    shape: tuple
    snr: np.ndarray | None = None

    def __post_init__(self):
        for name in ('x', 'y', 'radius'):
            value = np.atleast_1d(np.asarray(getattr(self, name), dtype=float))
            object.__setattr__(self, name, value)
        snr = np.full(self.x.size, np.nan) if self.snr is None else self.snr
        object.__setattr__(self, 'snr', np.asarray(snr, dtype=float))

    def __len__(self):
        return self.x.size

    @cached_property
    def mask(self):
        """
        The pixels that lie in a hole (2D bool `~numpy.ndarray`).

        Drawn at the first use and kept; not to be written to.
        """
        mask = draw_holes(self.shape, self.x, self.y, self.radius)
        mask.flags.writeable = False
        return mask

    def mask_within(self, region):
        """
        Draw the holes in a part of the map, without the rest.

        Parameters
        ----------
        region : 2-tuple of slice
            The rows and columns.

        Returns
        -------
        mask : 2D bool `~numpy.ndarray`
            The part's pixels that lie in a hole.
        """
        rows, columns = region
        x, y = self.x - columns.start, self.y - rows.start
        shape = rows.stop - rows.start, columns.stop - columns.start
        near = (x > -self.radius - 1.0) & (x < shape[1] + self.radius)
        near &= (y > -self.radius - 1.0) & (y < shape[0] + self.radius)
        return draw_holes(shape, x[near], y[near], self.radius[near])

    def select(self, chosen):
        """
        Give some of the holes.

        Parameters
        ----------
        chosen : (M,) bool `~numpy.ndarray`
            Which of them.

        Returns
        -------
        holes : `Holes`
            The chosen ones; itself if that is all.
        """
        if np.all(chosen):
            return self
        columns = {
            name: getattr(self, name)[chosen] for name in ('x', 'y', 'radius', 'snr')
        }
        return replace(self, **columns)


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
        # One pixel to spare: rounding must not cut off a pixel on the rim.
        window = find_window((ny, nx), xc, yc, rc + 1.0)
        if window is not None:
            holes[window.region] |= window.within(rc)
    return holes


def hole_stamp(rows, columns, x, y, radius):
    """
    Find which pixels of a grid belong to one hole.

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
    dy = (np.asarray(rows) - y)[:, np.newaxis]
    dx = (np.asarray(columns) - x)[np.newaxis, :]
    return disc(dx, dy, radius)


def taper_weight(distance, radius, *, width):
    """
    Compute a reconstruction's weight by the distance from its source.

    Parameters
    ----------
    distance : array_like
        The distance from the source, in pixels.

    radius : float or array_like
        The hole's radius, in pixels: within it the weight is 1.

    width : float
        The width of the taper outside the hole, in pixels; 0 for none.

    Returns
    -------
    weight : `~numpy.ndarray`
        1 inside the hole, falling as half a cosine to 0 at
        ``radius + width``.
    """
    distance = np.asarray(distance, dtype=float)
    if width == 0:
        return (distance <= radius).astype(float)
    t = np.clip((distance - radius) / width, 0.0, 1.0)
    weight = 0.5 * (1.0 + np.cos(np.pi * t))
    # The cosine leaves 1e-17 where it should leave nothing.
    return np.where(t < 1.0, weight, 0.0)


def draw_taper(holes, *, width):
    """
    Draw the weight that reconstructions of holes have in a map.

    Parameters
    ----------
    holes : `Holes`
        The holes.

    width : float
        The width of the taper around each hole, in pixels.

    Returns
    -------
    weight : 2D `~numpy.ndarray`
        `taper_weight`, the largest where holes overlap.
    """
    image = np.zeros(holes.shape)
    for x, y, radius in zip(holes.x, holes.y, holes.radius, strict=True):
        window = find_window(holes.shape, x, y, radius + width)
        if window is not None:
            weight = taper_weight(window.distance, radius, width=width)
            np.maximum(image[window.region], weight, out=image[window.region])
    return image


def draw_values(holes, values, *, width):
    """
    Draw a value for each hole into its pixels.

    Parameters
    ----------
    holes : `Holes`
        The holes.

    values : (M,) `~numpy.ndarray`
        The values, not negative.

    width : float
        The width of the taper around each hole, which counts as the hole,
        in pixels.

    Returns
    -------
    image : 2D `~numpy.ndarray`
        The values, the largest where holes overlap; 0 elsewhere.
    """
    image = np.zeros(holes.shape)
    places = zip(values, holes.x, holes.y, holes.radius + width, strict=True)
    for value, x, y, reach in places:
        window = find_window(holes.shape, x, y, reach)
        if window is not None:
            drawn = np.where(window.distance < reach, value, 0.0)
            np.maximum(image[window.region], drawn, out=image[window.region])
    return image
