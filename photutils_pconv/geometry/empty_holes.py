# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Holes where there is no source: what a reconstruction is worth on a map.

Holes of the sizes of the sources' are placed where the map has neither
source nor gap and are filled in the same way. Since the map is known
there, the difference is the reconstruction's error, with the map's own
noise in it: `photutils_pconv.photometry` makes the errors of fluxes from it,
`photutils_pconv.removal` the texture that a reconstruction lacks.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from photutils_pconv.geometry.holes import TAPER_WIDTH, Holes

__all__ = [
    'MINIMUM_EMPTY',
    'EmptyHoles',
    'choose_empty_radii',
    'place_empty_holes',
]

#: Fewer empty holes than this give no scatter: the standard deviation of
#: 16 numbers is good to 18 percent.
MINIMUM_EMPTY = 16

# The number of empty holes, by default. By choice: 48 tell a map's ratio to the
# calibration to 16 percent, 64 to 15, and 256 to 8, while it differs from map to map by
# 30 (benchmarks/results/speed.md, 2026-11-30).
_ENOUGH_EMPTY = 48
# Rare radii are tried so often; by choice.
_LEAST_OF_A_CLASS = 8
# Free pixels among which the places are chosen; by choice, to bound the time on
# large maps.
_CANDIDATES = 4000
# On maps of more pixels than this, pixels are drawn until there are as many free ones
# among them, and all are looked at only if so many draws do not give so few; by choice.
_MANY_PIXELS = 2**20
_MOST_DRAWS, _FEWEST_CANDIDATES = 32000, 1000
# The side of the tiles (pixels) that are looked at together.
_TILE = 256
# How far holes stay from sources' holes and gaps, and from each other, in
# pixels beyond the rims: from what is wanted down to what is accepted. By choice:
# the last ones keep tapers from touching.
_CLEARANCES = (12.0, 6.0, TAPER_WIDTH + 1.0)
_SEPARATIONS = (24.0, 12.0, 2.0 * TAPER_WIDTH)
# Where the map is full, holes are filled in so many rounds at most; by choice.
_MOST_ROUNDS = 6


@dataclass(frozen=True, eq=False)
class EmptyHoles:
    """
    Holes at places without a source.

    Parameters
    ----------
    holes : `~photutils_pconv.geometry.Holes`
        The holes, K of them.

    rounds : (K,) int `~numpy.ndarray`
        The round in which each is filled: holes of one round are far from
        each other.
    """

    holes: Holes
    rounds: np.ndarray

    def __len__(self):
        return len(self.holes)

    def by_round(self):
        """
        Go through the rounds.

        Yields
        ------
        index : 1D int `~numpy.ndarray`
            Which holes are filled in the round.

        holes : `~photutils_pconv.geometry.Holes`
            Those holes.
        """
        for number in np.unique(self.rounds):
            use = self.rounds == number
            yield np.flatnonzero(use), self.holes.select(use)


def choose_empty_radii(hole_radius, *, rng, n_empty=None):
    """
    Choose the radii of empty holes for the sources' holes.

    Parameters
    ----------
    hole_radius : array_like
        The radii of the sources' holes, in pixels. NaN is a source
        without a hole.

    rng : `numpy.random.Generator`
        The source of randomness.

    n_empty : int, optional
        The number of holes (default: 48).

    Returns
    -------
    radii : 1D `~numpy.ndarray`
        The radii, in random order. Every radius of the sources takes
        part: the common ones more often, by the root of their number,
        the rare ones 8 times if there is room.
    """
    radius = np.asarray(hole_radius, dtype=float)
    radius = radius[np.isfinite(radius) & (radius > 0)]
    if radius.size == 0:
        return np.empty(0)
    if n_empty is None:
        n_empty = _ENOUGH_EMPTY
    classes, counts = np.unique(radius, return_counts=True)
    if classes.size > n_empty // _LEAST_OF_A_CLASS:
        # As many radii as sources, such as on a map that was resampled in
        # parts: a sample of them.
        return rng.choice(radius, n_empty)
    least = np.full(classes.size, _LEAST_OF_A_CLASS)
    spare = n_empty - least.sum()
    share = np.sqrt(counts) / np.sqrt(counts).sum()
    number = least + np.floor(spare * share).astype(int)
    number[np.argmax(counts)] += n_empty - number.sum()
    return rng.permutation(np.repeat(classes, number))


def place_empty_holes(missing, holes, radii, *, rng):
    """
    Find places for empty holes.

    The holes lie at random positions, 12 pixels from the sources' holes,
    from missing pixels and from the map's edge, and 24 pixels from each
    other; where the map is too full for that, they come closer, and are
    filled in several rounds.

    Parameters
    ----------
    missing : 2D bool `~numpy.ndarray`
        The map's missing pixels.

    holes : `~photutils_pconv.geometry.Holes`
        The sources' holes; a NaN radius is a source without one.

    radii : 1D array_like
        The radii wanted, as `choose_empty_radii` gives them, in pixels.

    rng : `numpy.random.Generator`
        The source of randomness.

    Returns
    -------
    empty : `EmptyHoles`
        The holes, as many as find a place.
    """
    radii = np.asarray(radii, dtype=float)
    if radii.size == 0:
        return EmptyHoles(
            Holes(*np.empty((3, 0)), missing.shape), np.empty(0, dtype=int)
        )
    without = ~np.isfinite(holes.radius)
    if without.any():
        # A source without a hole is still a source.
        holes = replace(holes, radius=np.where(without, radii.min(), holes.radius))
    free, room = _find_free(missing, holes, radii.min() + _CLEARANCES[-1], rng)
    rows, columns = np.unravel_index(free, missing.shape)
    # Sources do not care for the pixel grid either. Half a pixel of
    # clearance is lost at most.
    column = columns + rng.uniform(-0.5, 0.5, free.size)
    row = rows + rng.uniform(-0.5, 0.5, free.size)

    chosen = []
    waiting = list(radii)
    # How far each candidate is from the rims of all holes so far.
    gap_all = np.full(free.size, np.inf)
    for number in range(_MOST_ROUNDS):
        gap = np.full(free.size, np.inf)
        before = len(chosen)
        for clearance, separation in zip(_CLEARANCES, _SEPARATIONS, strict=True):
            left = []
            for radius in waiting:
                fits = room > radius + clearance
                fits &= (gap > radius + separation) & (gap_all > 0)
                places = np.flatnonzero(fits)
                if places.size == 0:
                    left.append(radius)
                    continue
                k = rng.choice(places)
                chosen.append((column[k], row[k], radius, number))
                distance = np.hypot(column - column[k], row - row[k]) - radius
                np.minimum(gap, distance, out=gap)
            waiting = left
        for column_k, row_k, radius, _ in chosen[before:]:
            distance = np.hypot(column - column_k, row - row_k) - radius
            np.minimum(gap_all, distance, out=gap_all)
        if not waiting or len(chosen) == before:
            break
    columns = np.array(chosen, dtype=float).reshape(-1, 4).T
    return EmptyHoles(Holes(*columns[:3], missing.shape), columns[3].astype(int))


def _find_free(missing, holes, least, rng):
    """
    Find pixels that are farther than some distance from gaps, holes, and the edge.

    Returns their numbers, at most `_CANDIDATES`, and their distances.
    """
    if missing.size > _MANY_PIXELS:
        free, room = _draw_free(missing, holes, least, rng)
        if free.size >= _FEWEST_CANDIDATES:
            return free, room
    # The padding makes the map's edge a gap.
    open_ = np.pad(~(missing | holes.mask), 1)
    room = distance_transform_edt(open_)[1:-1, 1:-1]
    free = np.flatnonzero(room > least)
    if free.size > _CANDIDATES:
        free = rng.choice(free, _CANDIDATES, replace=False)
    return free, room.ravel()[free]


def _draw_free(missing, holes, least, rng):
    """
    Draw pixels at random, and keep those that are free.
    """
    ny, nx = missing.shape
    # What pixels keep away from: the rims of gaps, and the holes of each radius, in
    # whole pixels, for each resolved source may have one of its own.
    around = [(cKDTree(_find_rims(missing)), 0.0)]
    whole = np.ceil(holes.radius)
    for radius in np.unique(whole):
        same = whole == radius
        middles = np.stack([holes.y[same], holes.x[same]], axis=1)
        around.append((cKDTree(middles), radius))
    drawn = rng.choice(missing.size, _MOST_DRAWS, replace=False)
    found, n_found = [], 0
    for start in range(0, _MOST_DRAWS, _CANDIDATES):
        rows, columns = np.unravel_index(drawn[start : start + _CANDIDATES], (ny, nx))
        open_ = ~missing[rows, columns]
        rows, columns = rows[open_], columns[open_]
        room = np.minimum(
            np.minimum(rows + 1.0, ny - rows), np.minimum(columns + 1.0, nx - columns)
        )
        places = np.stack([rows, columns], axis=1)
        for tree, radius in around:
            if tree.n:
                room = np.minimum(room, tree.query(places)[0] - radius)
        use = room > least
        found.append((rows[use] * nx + columns[use], room[use]))
        n_found += np.count_nonzero(use)
        if n_found >= _CANDIDATES:
            break
    free, room = (np.concatenate(one)[:_CANDIDATES] for one in zip(*found, strict=True))
    return free, room


def _find_rims(blocked):
    """
    Give the blocked pixels beside free ones: the nearest to any free pixel is one.
    """
    nx = blocked.shape[1]
    rims = [np.zeros(0, dtype=int)]
    # Tile by tile, which share their edges: most have no blocked pixels.
    for corner in np.ndindex(*(-(-n // _TILE) for n in blocked.shape)):
        first = np.maximum(np.multiply(corner, _TILE) - 1, 0)
        part = blocked[tuple(slice(k, k + _TILE + 2) for k in first)]
        if not part.any():
            continue
        for axis in (0, 1):
            before, after = (
                (part[:-1], part[1:]) if axis == 0 else (part[:, :-1], part[:, 1:])
            )
            rows, columns = np.nonzero(before != after)
            # Of two neighbours the one that is blocked.
            step = (1, nx)[axis == 0] * ~before[rows, columns]
            rims.append((rows + first[0]) * nx + columns + first[1] + step)
    return np.stack(np.divmod(np.unique(np.concatenate(rims)), nx), axis=1)
