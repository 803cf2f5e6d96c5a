# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The holes of the sources of a benchmark map, and what methods leave there.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv.geometry import hole_stamp

__all__ = ['HoleStamp', 'cut_hole', 'hole_rms', 'observed_rms']

# The radius to which the surroundings of a hole are looked at (pixels).
_SURROUNDINGS = 25
# Pixels around a hole that a stamp holds, too.
_MARGIN = 2


@dataclass(frozen=True, eq=False)
class HoleStamp:
    """
    The part of a map around a source, and the source's hole in it.

    Parameters
    ----------
    rows, columns : slice
        The part of the map.

    hole : 2D bool `~numpy.ndarray`
        True in the hole.
    """

    rows: slice
    columns: slice
    hole: np.ndarray

    @property
    def region(self):
        """
        The index of the part (tuple of slice).
        """
        return self.rows, self.columns


def cut_hole(truth, i, radius, *, half=None):
    """
    Cut out the hole of a source.

    Parameters
    ----------
    truth : `_maps.BenchmarkMap`
        The map.

    i : int
        The source.

    radius : float
        The radius of its hole (pixels).

    half : int, optional
        Half the side of the part of the map (default: a little more than
        the radius).

    Returns
    -------
    stamp : `HoleStamp`
        The part, cut at the map's edges.
    """
    half = int(radius) + _MARGIN if half is None else half
    rows, columns = (
        slice(max(int(centre) - half, 0), min(int(centre) + half + 1, size))
        for centre, size in zip((truth.y[i], truth.x[i]), truth.data.shape, strict=True)
    )
    hole = hole_stamp(
        np.arange(rows.start, rows.stop),
        np.arange(columns.start, columns.stop),
        truth.x[i],
        truth.y[i],
        radius,
    )
    return HoleStamp(rows, columns, hole)


def hole_rms(truth, images, hole_radius, *, with_wings=True):
    """
    Compare what methods leave in the holes with the noise-free emission.

    Parameters
    ----------
    truth : `_maps.BenchmarkMap`
        The map.

    images : dict of 2D `~numpy.ndarray`
        The map that each method leaves.

    hole_radius : 1D `~numpy.ndarray`
        The radii of the holes (pixels).

    with_wings : bool, optional
        Whether the wings of other sources belong to what should be left.

    Returns
    -------
    rms : dict of 1D `~numpy.ndarray`
        The root mean square of the error in each hole.
    """
    rms = {name: np.full(len(truth.x), np.nan) for name in images}
    for i, radius in enumerate(hole_radius):
        stamp = cut_hole(truth, i, radius)
        exact = truth.emission[stamp.region]
        if with_wings:
            exact = truth.background(i, *stamp.region)
        for name, image in images.items():
            error = (image[stamp.region] - exact)[stamp.hole]
            rms[name][i] = np.sqrt(np.mean(error**2))
    return rms


def observed_rms(truth, images, hole_radius):
    """
    Compare what methods leave with the map without its sources, as observed.

    Parameters
    ----------
    truth, images, hole_radius
        As for `hole_rms`.

    Returns
    -------
    rms : dict of dict of 1D `~numpy.ndarray`
        For each method the root mean square of the error in each hole
        (``'observed'``) and from its rim to 25 pixels (``'around'``), noise
        included.
    """
    rms = {
        name: {part: np.full(len(truth.x), np.nan) for part in ('observed', 'around')}
        for name in images
    }
    for i, radius in enumerate(hole_radius):
        if not np.isfinite(radius):
            continue
        stamp = cut_hole(truth, i, radius, half=_SURROUNDINGS)
        near = cut_hole(truth, i, _SURROUNDINGS, half=_SURROUNDINGS).hole
        for name, image in images.items():
            error = image[stamp.region] - truth.noisy[stamp.region]
            parts = {'observed': stamp.hole, 'around': near & ~stamp.hole}
            for part, use in parts.items():
                rms[name][part][i] = np.sqrt(np.mean(error[use] ** 2))
    return rms
