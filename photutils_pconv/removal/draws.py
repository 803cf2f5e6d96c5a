# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Random draws of what is not known of the map behind sources.

A reconstruction is the best estimate of the emission, and therefore
smoother than the map around it: it has neither noise nor what cannot be
known of the emission. What it lacks is seen in empty holes, where the map
is known (`photutils_pconv.geometry`): map minus reconstruction, the
residual. A Gaussian random field with the residual's variance, its
profile from the rim to the centre and its power spectrum completes the
cleaned map, for whoever needs its statistics rather than the best
estimate of each pixel. The residual is what remains unknown given all that
was observed around and under a source; so the spread of several draws is the
error of the cleaned map, with its covariance.

Fine and coarse structure vary differently over a map, the one with the
noise and the other with the emission. They are therefore described apart,
each in units of its own scatter around the hole.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.signal import oaconvolve

from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.geometry.empty_holes import MINIMUM_EMPTY
from photutils_pconv.geometry.holes import TAPER_WIDTH, Holes
from photutils_pconv.geometry.windows import find_window
from photutils_pconv.removal.structure import local_scales, split_scales
from photutils_pconv.removal.texture_models import cut_surroundings, fit_textures

__all__ = ['DrawModel', 'Draws']


@dataclass(frozen=True, eq=False)
class DrawModel:
    """
    The distribution from which the unknown part of a cleaned map is drawn.

    Parameters
    ----------
    models : list of `TextureModel`
        The statistics of residuals; for each hole the model of the nearest
        radius is taken.

    x, y, radius : 1D `~numpy.ndarray`
        The holes, in pixels.

    scales : (2, N) `~numpy.ndarray`
        Their `local_scales`; in a hole where one is NaN nothing is drawn.

    lost : 2D `~numpy.ndarray`
        The standard deviation that is to be drawn in each pixel, in units of
        the residual's; 0 where nothing is.
    """

    models: list
    x: np.ndarray
    y: np.ndarray
    radius: np.ndarray
    scales: np.ndarray
    lost: np.ndarray

    def draw(self, rng):
        """
        Draw a realisation.

        Parameters
        ----------
        rng : `numpy.random.Generator`
            The source of randomness.

        Returns
        -------
        drawn : 2D `~numpy.ndarray`
            To be added to the cleaned map; 0 where it is known.

        Notes
        -----
        The field is drawn for the whole map, so that it does not depend on the
        order of the sources.
        """
        shape = self.lost.shape
        drawn = np.zeros(shape)
        if not self.models:
            return drawn
        amplitudes, chosen = self._amplitudes
        # Parts of one field: a filter parted them, so one noise drives both.
        white = rng.standard_normal(shape)
        for k in np.unique(chosen[chosen >= 0]):
            here = chosen == k
            for kernel, amplitude in zip(
                self.models[k].kernels, amplitudes, strict=True
            ):
                field = oaconvolve(white, kernel, mode='same')
                drawn[here] += amplitude[here] * field[here]
        return drawn * self.lost

    @cached_property
    def _amplitudes(self):
        """
        Give the amplitudes of both parts, and which model holds where.
        """
        amplitudes = np.zeros((2, *self.lost.shape))
        chosen = np.full(self.lost.shape, -1)
        known = np.array([model.radius for model in self.models])
        for i in range(len(self.x)):
            if not np.all(self.scales[:, i] > 0):
                continue
            reach = self.radius[i] + TAPER_WIDTH
            window = find_window(self.lost.shape, self.x[i], self.y[i], reach)
            if window is None:
                continue
            region, distance = window.region, window.distance
            k = np.argmin(np.abs(known - self.radius[i]))
            model = self.models[k]
            share = distance / self.radius[i]
            one = np.array([np.interp(share, model.share, a) for a in model.amplitudes])
            one *= self.scales[:, i, None, None]
            larger = np.hypot(*one) > np.hypot(*amplitudes[:, *region])
            larger &= (distance < reach) & (self.lost[region] > 0)
            amplitudes[:, *region][:, larger] = one[:, larger]
            chosen[region][larger] = k
        return amplitudes, chosen


@dataclass(frozen=True, eq=False)
class Draws:
    """
    What draws are made from; the distribution is worked out when it is needed.

    Parameters
    ----------
    cleaned : 2D `~numpy.ndarray` or `~photutils_pconv.geometry.parts.Overlaid`
        The map without its sources.

    missing : 2D bool `~numpy.ndarray`
        Its missing pixels.

    holes : `~photutils_pconv.geometry.Holes`
        The holes that could be filled.

    stamps : sequence of `~photutils_pconv.removal.texture_models.ResidualStamp`
        The residuals in empty holes.

    lost : 2D `~numpy.ndarray` or `~photutils_pconv.geometry.parts.Overlaid`
        As for `DrawModel`.
    """

    cleaned: np.ndarray
    missing: np.ndarray
    holes: Holes
    stamps: tuple
    lost: np.ndarray

    @cached_property
    def model(self):
        """
        The distribution (`DrawModel`).
        """
        holes = self.holes
        where = (holes.x, holes.y, holes.radius)
        parts = split_scales(np.asarray(self.cleaned), self.missing | holes.mask)
        scales = local_scales(parts, *where)
        stamps = self.stamps
        if len(stamps) < MINIMUM_EMPTY:
            msg = (
                f'the map has free positions for only {len(stamps)} empty holes, of '
                f'{MINIMUM_EMPTY} that are needed: draws are made from the '
                'small-scale structure around the holes and lack what is larger'
            )
            warn_user(msg)
            stamps = cut_surroundings(parts, *where, scales)
        lost = np.where(self.missing, 0.0, np.asarray(self.lost))
        return DrawModel(fit_textures(stamps), *where, scales, lost)
