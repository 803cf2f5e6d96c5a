# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Where synthetic sources are injected, and which of them at once.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt

__all__ = ['InjectionRound', 'draw_rounds', 'find_room', 'split_rounds']

# Candidates for a place that are tried at once, and how often that is repeated
# before a round is begun with those found; by choice.
_CANDIDATES = 256
_TRIES = 8


@dataclass(frozen=True, eq=False)
class InjectionRound:
    """
    The sources that are injected at once, K of them.

    Parameters
    ----------
    number : int
        The number of the round, from 0.

    x, y : (K,) `~numpy.ndarray`
        Their positions, in pixels.

    flux : (K,) `~numpy.ndarray`
        Their fluxes, in the unit of the map's fluxes.

    x_given, y_given : (K,) `~numpy.ndarray`
        Where they are looked for.
    """

    number: int
    x: np.ndarray
    y: np.ndarray
    flux: np.ndarray
    x_given: np.ndarray
    y_given: np.ndarray

    def __len__(self):
        return self.x.size


def find_room(occupied, clearance):
    """
    Find the pixels that are far from occupied ones and from the map's edge.

    Parameters
    ----------
    occupied : 2D bool `~numpy.ndarray`
        The holes of real sources, and missing pixels.

    clearance : float
        The smallest distance, in pixels.

    Returns
    -------
    room : 1D int `~numpy.ndarray`
        The flat indices of those pixels.
    """
    around = np.pad(occupied, 1, constant_values=True)
    distance = distance_transform_edt(~around)[1:-1, 1:-1]
    return np.flatnonzero(distance > clearance)


def draw_rounds(flux, room, shape, *, n_per_round, separation, position_error, rng):
    """
    Draw random places for sources, and put them into rounds.

    Parameters
    ----------
    flux : (N,) `~numpy.ndarray`
        The fluxes of the sources.

    room : 1D int `~numpy.ndarray`
        The flat indices of the pixels in which they may lie.

    shape : tuple of int
        The map's shape.

    n_per_round : int
        The largest number of sources in a round.

    separation : float
        Their smallest distance, in pixels.

    position_error : float
        The standard deviation along each axis, in pixels, of where they are
        looked for.

    rng : `numpy.random.Generator`
        The source of randomness.

    Returns
    -------
    rounds : list of `InjectionRound`
        The rounds, with all sources in random order. Those that do not find
        a place in a round come into a later one.

    Raises
    ------
    ValueError
        If there is no room at all.
    """
    if room.size == 0:
        msg = (
            'the map has no room for injected sources between the holes of its '
            'sources, missing pixels and its edge: choose a smaller clearance, or '
            'give places'
        )
        raise ValueError(msg)
    waiting = rng.permutation(flux)
    rounds = []
    while waiting.size:
        places = _draw_places(
            room, shape, min(n_per_round, waiting.size), separation, rng
        )
        n = len(places)
        rounds.append(
            _make_round(len(rounds), places, waiting[:n], position_error, rng)
        )
        waiting = waiting[n:]
    return rounds


def split_rounds(flux, x, y, *, n_per_round, separation, position_error, rng):
    """
    Put sources at given places into rounds.

    Parameters
    ----------
    flux, x, y : (N,) `~numpy.ndarray`
        The sources; many may lie at one place.

    n_per_round, separation, position_error, rng
        As for `draw_rounds`.

    Returns
    -------
    rounds : list of `InjectionRound`
        The rounds, with all sources.
    """
    order = rng.permutation(len(flux))
    rounds = []
    while order.size:
        chosen, later = [], []
        for i in order:
            far = all(np.hypot(x[i] - x[j], y[i] - y[j]) >= separation for j in chosen)
            (chosen if far and len(chosen) < n_per_round else later).append(i)
        places = np.stack([x[chosen], y[chosen]], axis=1)
        rounds.append(
            _make_round(len(rounds), places, flux[chosen], position_error, rng)
        )
        order = np.array(later, dtype=int)
    return rounds


def _draw_places(room, shape, n, separation, rng):
    """Draw up to n places, at least one, that keep their distance."""
    places = np.empty((0, 2))
    for _ in range(_TRIES):
        rows, columns = np.divmod(rng.choice(room, _CANDIDATES), shape[1])
        new = np.stack([columns, rows], axis=1)
        for place in new + rng.uniform(-0.5, 0.5, new.shape):
            if len(places) == n:
                return places
            if np.all(np.hypot(*(places - place).T) >= separation):
                places = np.vstack([places, place])
    return places


def _make_round(number, places, flux, position_error, rng):
    """Make a round; what is drawn does not depend on the size of the errors."""
    given = places + position_error * rng.standard_normal(places.shape)
    return InjectionRound(number, *places.T.copy(), flux, *given.T.copy())
