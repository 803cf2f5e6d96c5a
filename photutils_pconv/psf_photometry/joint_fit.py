# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The rounds of a joint fit to all sources of a map.

Every source is fitted in a window of its own, with those of its neighbours free as
well, on the map minus the model of all that is farther away. After each round the
model learns of what has changed, and who sees none of the changes has settled.
"""

import numpy as np
from scipy.spatial import KDTree

from photutils_pconv._utils.progress import advance
from photutils_pconv.geometry.lazy_images import Difference
from photutils_pconv.geometry.squares import group_alike
from photutils_pconv.psf.source_images import (
    draw_sources,
    find_extents,
    model_image,
)
from photutils_pconv.psf_photometry.fit_windows import (
    NEIGHBOUR_DISTANCE,
    count_terms,
    find_neighbours,
    solve_bounded,
    solve_window,
)
from photutils_pconv.psf_photometry.window_stacks import WindowStack

__all__ = ['JointFit']

# Wings below this share of the scatter of a first fit's residual are left out of
# the other sources' windows (by choice).
_WING_SHARE = 0.1
# Positions that move by less have settled (pixels), and so have fluxes that
# change by less than this share of them (by choice).
_SETTLED_SHIFT = 1.0e-3
_SETTLED_SHARE = 1.0e-4
# A position moves by no more in one round (pixels, by choice): the fit is of the
# first order in the shift.
_LARGEST_STEP = 0.5
# A source with neighbours closer than their windows moves only if it has this share
# of their fluxes: the mismatch of a bright one would carry it away.
_LEAST_SHARE = 0.1
# The smallest shift (pixels) that is divided by.
_TINY = 1.0e-9


class JointFit:
    """
    A fit of a PSF and a polynomial to all sources of a map, round by round.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map; missing pixels hold any finite value.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels.

    x, y : (M,) `~numpy.ndarray`
        The positions, in pixels, no two of them the same.

    pixel_psf : `~photutils_pconv.psf.PixelPSF` or `~photutils_pconv.psf.SourcePSFs`
        The PSF on the map's pixels, or that of each source.

    fit_position : (M,) bool `~numpy.ndarray`
        The sources whose positions are fitted.

    radius : float
        The radius of each source's window, in pixels; that of a resolved source
        is larger by its size.

    degree : int or `None`
        The degree of the polynomial; `None` for no background.

    maximum_shift : float
        The largest shift of a position, in pixels.
    """

    def __init__(
        self,
        data,
        missing,
        x,
        y,
        pixel_psf,
        *,
        fit_position,
        radius,
        degree,
        maximum_shift,
    ):
        n = len(x)
        self._data, self._degree = data, degree
        self._psf = pixel_psf
        self._given = x, y
        self._fit_position = fit_position
        self._maximum_shift = maximum_shift
        scale = pixel_psf.scales(n)
        self._radius = radius * scale
        self._neighbours = find_neighbours(x, y, NEIGHBOUR_DISTANCE, scale=scale)
        #: The number of pixels that each fit sees.
        self.n_pixels = np.zeros(n, dtype=int)
        self._enough, self._brightest = np.zeros(n, dtype=bool), np.full(n, np.inf)
        # The windows of each radius, and each source's place among them.
        self._windows, self._place = {}, np.zeros(n, dtype=int)
        for one in np.unique(self._radius):
            alike = np.flatnonzero(self._radius == one)
            self._place[alike] = np.arange(alike.size)
            self._windows[one] = WindowStack.around(x[alike], y[alike], one, missing)
        for group in group_alike(range(n), lambda i: self._radius[i]):
            windows = self._find_windows(group)
            self.n_pixels[group] = windows.n_pixels
            self._enough[group] = windows.has_enough(degree)
            self._brightest[group] = windows.find_brightest(data)
        #: What was found: fluxes, their errors for pixels of variance 1, positions.
        self.flux, self.flux_err = np.zeros(n), np.full(n, np.inf)
        self.x, self.y = x.copy(), y.copy()
        #: The brightness below which a source's wings are no concern of the others.
        self.level = np.zeros(n)
        #: The sources whose fits ran away from the data.
        self.unstable = np.zeros(n, dtype=bool)
        # The sources of the round before, and what the model has of them.
        self._model = np.zeros(data.shape)
        self._shown, self._shown_level = self.flux.copy(), self.level.copy()
        # Whether a source in company may move is known after the first round.
        alone = np.array([not near for near in self._neighbours], dtype=bool)
        self._moves = fit_position & alone
        self._active = np.ones(n, dtype=bool)

    def _find_windows(self, group):
        """
        Find the windows of sources with equal ones.
        """
        return self._windows[self._radius[group[0]]].select(self._place[group])

    def begin_with(self, start):
        """
        Begin with the sources of another fit.

        Parameters
        ----------
        start : `~photutils_pconv.psf_photometry.PSFFit`
            The fit.
        """
        self.flux, self.level = np.nan_to_num(start.flux), np.nan_to_num(start.level)
        self.x, self.y = (
            np.where(self._fit_position, one, given)
            for one, given in zip((start.x, start.y), self._given, strict=True)
        )
        self._draw_anew(self._find_seen())

    def run(self, n_rounds):
        """
        Fit until fluxes and positions have settled.

        Parameters
        ----------
        n_rounds : int
            The largest number of rounds.
        """
        # Without company or shifts the first round is the last.
        if len(self.x) == 1 and not self._fit_position.any():
            n_rounds = 1
        for k in range(n_rounds):
            is_last = k == n_rounds - 1
            before = self.x, self.y
            found = self._fit_active(is_first=k == 0, is_last=is_last)
            changed = self._take(*found, is_first=k == 0)
            if not self._active.any() or is_last:
                break
            self._show(changed, before)

    def _fit_active(self, *, is_first, is_last):
        """
        Fit the sources that have not settled; give all fluxes and positions.
        """
        flux, x, y = self.flux.copy(), self.x.copy(), self.y.copy()
        unseen = self._active & ~self._enough
        flux[unseen] = self.flux_err[unseen] = np.nan
        numbers = np.flatnonzero(self._active & self._enough)
        # Those with as many neighbours side by side.
        numbers = sorted(numbers, key=lambda i: len(self._neighbours[i]))
        for group in group_alike(numbers, lambda i: self._radius[i]):
            flux[group], shifts = self._fit_group(group, is_first=is_first)
            moves = self._moves[group] & ~self.unstable[group] & (flux[group] > 0)
            if moves.any() and not is_last:
                moved = group[moves]
                x[moved], y[moved] = self._shift(moved, shifts[moves].T / flux[moved])
            advance(len(group))
        return flux, x, y

    def _find_free(self, group):
        """
        Give the sources that are free in each fit, itself first, and which there are.

        Where one has fewer than another, it stands in the others' place itself.
        """
        n_free = 1 + max(len(self._neighbours[i]) for i in group)
        free = np.tile(group[:, None], n_free)
        present = np.zeros(free.shape, dtype=bool)
        for row, there, i in zip(free, present, group, strict=True):
            near = self._neighbours[i]
            row[1 : len(near) + 1] = near
            there[: len(near) + 1] = True
        return free, present

    def _draw(self, windows, free, present):
        """
        Draw the free sources, the gradients of those that move, and the background.

        Also say which of these templates a fit does not have: they are 0.
        """
        moves = self._moves[free] & present
        sources, gradients, absent = [], [], [~present]
        for numbers, there, move in zip(free.T, present.T, moves.T, strict=True):
            source, *gradient = windows.draw(
                [self._psf.of(j) for j in numbers],
                self.x[numbers],
                self.y[numbers],
                gradient=bool(move.any()),
            )
            sources.append(source * there[:, None])
            gradients += [one * move[:, None] for one in gradient]
            absent += [~move[:, None] for _ in gradient]
        terms = windows.terms(self._degree)
        absent.append(np.zeros((len(free), len(terms)), dtype=bool))
        templates = np.stack([*sources, *gradients, *terms], axis=1)
        return templates, np.concatenate(absent, axis=1)

    def _fit_group(self, group, *, is_first):
        """
        Fit sources of one window; give their fluxes, and those times their shifts.
        """
        windows = self._find_windows(group)
        free, present = self._find_free(group)
        n_free = free.shape[1]
        templates, absent = self._draw(windows, free, present)
        # The model has these sources in it, whose fluxes are free here.
        shown = np.nan_to_num(self._shown[free])
        values = windows.cut(Difference(self._data, self._model))
        values += np.einsum('nf,nfp->np', shown, templates[:, :n_free])
        # What a fit does not have takes no part in it, with the factor 0.
        coefficients, covariance = solve_window(values, templates, penalty=absent)
        peak = np.abs(coefficients[:, 0]) * np.abs(templates[:, 0]).max(axis=1)
        self.unstable[group] |= peak > self._brightest[group]
        # Sources that ran away stay where they are.
        fixed = ~absent
        fixed[:, n_free : templates.shape[1] - count_terms(self._degree)] = False
        for k in np.flatnonzero(self.unstable[group]):
            used = windows.used[k].ravel()
            bounded, known = solve_bounded(
                values[k, used],
                templates[k][fixed[k]][:, used],
                np.count_nonzero(present[k]),
                self._brightest[group[k]],
            )
            coefficients[k] = 0.0
            coefficients[k, fixed[k]], covariance[k, 0, 0] = bounded, known[0, 0]
        self.flux_err[group] = np.sqrt(np.maximum(covariance[:, 0, 0], 0.0))
        if is_first:
            residual = values - np.einsum('nt,ntp->np', coefficients, templates)
            self.level[group] = _WING_SHARE * windows.scatter(residual)
        return coefficients[:, 0], coefficients[:, n_free : n_free + 2]

    def _shift(self, moved, shift):
        """
        Give the positions of sources after shifts, no farther off than they may be.
        """
        length = np.maximum(np.hypot(*shift), _TINY)
        place = np.array([self.x[moved], self.y[moved]])
        place += shift * np.minimum(1.0, _LARGEST_STEP / length)
        given = np.array([one[moved] for one in self._given])
        is_far = np.hypot(*(place - given)) > self._maximum_shift
        return np.where(is_far, given, place)

    def _take(self, flux, x, y, *, is_first):
        """
        Take what a round found, and find who has changed and whom that concerns.
        """
        shift = np.hypot(x - self.x, y - self.y)
        shifted = shift >= _SETTLED_SHIFT
        change = np.nan_to_num(np.abs(flux - self._shown))
        changed = shifted | (change > _SETTLED_SHARE * np.abs(flux))
        # Who has settled stays where it is, as the model has it.
        self.x, self.y = np.where(shifted, x, self.x), np.where(shifted, y, self.y)
        self.flux = flux
        active = shifted.copy()
        if is_first:
            may_move = self._fit_position & _hold_their_own(flux, self._neighbours)
            active |= may_move != self._moves
            self._moves = may_move
        which = np.flatnonzero(changed)
        # A change counts as far out as it exceeds the level.
        total = (change + np.abs(flux) * shift)[which]
        psfs, level = self._psf.select(changed), self.level[which]
        extent = np.nan_to_num(find_extents(psfs, total, level, least=0.0))
        _, reached = _find_pairs(self.x, self.y, which, extent, self._radius)
        active[reached] = True
        self._active = active
        return changed

    def _show(self, changed, before):
        """
        Draw sources anew, instead of what the model has of them.
        """
        seen = self._find_seen()
        shown = np.where(changed, seen, self._shown)
        drawn = changed & ((shown != 0) | (self._shown != 0))
        if 2 * np.count_nonzero(drawn) > np.count_nonzero(shown):
            self._draw_anew(seen)
            return
        psfs = self._psf.select(drawn)
        old = *before, self._shown, self._shown_level
        self._shown = shown
        self._shown_level = np.where(changed, self.level, self._shown_level)
        new = self.x, self.y, self._shown, self._shown_level
        for sign, sources in ((-1.0, old), (1.0, new)):
            x, y, flux, level = (one[drawn] for one in sources)
            draw_sources(self._model, x, y, sign * flux, psfs, level=level)

    def _draw_anew(self, seen):
        """
        Draw the whole model anew, with the fluxes that it needs.
        """
        self._shown, self._shown_level = seen, self.level.copy()
        self._model = model_image(
            self._data.shape, self.x, self.y, self._shown, self._psf, level=self.level
        )

    def _find_seen(self):
        """
        Give the fluxes that the model needs: 0 for sources that no other one sees.
        """
        flux = np.nan_to_num(self.flux)
        extent = find_extents(self._psf, flux, self.level)
        which = np.flatnonzero(flux)
        pairs = _find_pairs(self.x, self.y, which, extent[which], self._radius)
        seen = np.zeros(len(flux), dtype=bool)
        seen[pairs[0]] = True
        return np.where(seen, flux, 0.0)


def _find_pairs(x, y, which, extent, radius):
    """
    Find all pairs of a source and another one whose window sees it.
    """
    if which.size == 0:
        return np.empty((2, 0), dtype=int)
    points = np.stack([x, y], axis=1)
    found = KDTree(points).query_ball_point(points[which], extent + radius.max())
    n_near = [len(near) for near in found]
    near = np.concatenate([*found, []]).astype(int)
    source, extent = np.repeat(which, n_near), np.repeat(extent, n_near)
    distance = np.hypot(x[near] - x[source], y[near] - y[source])
    counts = (near != source) & (distance <= extent + radius[near])
    return source[counts], near[counts]


def _hold_their_own(flux, neighbours):
    """
    Find which sources are bright enough beside their neighbours to move.
    """
    bright = np.nan_to_num(flux)
    return np.array(
        [
            bright[i] >= _LEAST_SHARE * max(bright[near], default=0.0)
            for i, near in enumerate(neighbours)
        ],
        dtype=bool,
    )
