# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How the wings of sources may differ from the mean profile.

Lobes and spikes at an angle that is not known, a width and a centre that are
known only roughly: each makes the wings differ from their mean profile in a
way of its own. They are added up in harmonics of the angle, and for every
harmonic the main radial shapes are kept, with their expected amplitudes.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import map_coordinates

__all__ = ['WingModes', 'wing_modes']

# All by choice, 2026-11-26. What telling these differences from the emission is
# worth was measured then: docs/development/model_search.rst, "Wings by kriging".
# The step and the end of the table of radial shapes, in pixels; beyond it there
# are no modes.
_STEP, _REACH = 0.5, 45.0
# What an image in polar coordinates needs beyond the table's end (pixels), the
# points along a pixel's side with which it is drawn, and its angles.
_MARGIN = 3
_OVERSAMPLING = 2
_N_ANGLES = 48
# The angles of a stretch against the lobes (rad), and the harmonics that are kept,
# from 0 on.
_ANGLES = np.pi * np.arange(4) / 4.0
_HARMONICS = 7
# Within this radius (pixels) differences do not count: it lies in holes.
_INNER = 3.0
# Standard deviations of the logarithm of the width, of the stretch along one axis,
# and of the position (pixels).
_WIDTH, _STRETCH, _SHIFT = 0.025, 0.046, 0.5
# Of each harmonic so many shapes are kept at most, and none with less than this
# share of the leading one's amplitude.
_MOST = 3
_SMALLEST_SHARE = 0.05
# The smallest distance (pixels) that is divided by.
_TINY = 1.0e-9
# Wings fainter than this share of the peak do not matter.
_FAINTEST_SHARE = 3.0e-4


@dataclass(frozen=True)
class WingModes:
    """
    The ways in which the wings of a source may differ from the mean.

    Parameters
    ----------
    order : 1D int `~numpy.ndarray`
        The harmonic of each radial shape.

    radial : 2D `~numpy.ndarray`
        The shapes, (K, R), for a source of flux 1 and one standard deviation,
        at radii of 0, 0.5, 1, ... pixels.
    """

    order: np.ndarray
    radial: np.ndarray

    def __len__(self):
        return len(self.order) + np.count_nonzero(self.order)

    def __call__(self, dx, dy, *, out=None):
        """
        Evaluate all modes.

        Parameters
        ----------
        dx, dy : array_like
            Offsets from the source, in pixels, of one shape (...).

        out : `~numpy.ndarray`, optional
            Where to put them, (M, ...).

        Returns
        -------
        modes : `~numpy.ndarray`
            The modes, (M, ...): harmonic 0 has one a shape, all others
            have two, of the cosine and of the sine.
        """
        dx, dy = np.broadcast_arrays(dx, dy)
        radius, turn = _to_polar(dx, dy)
        # Powers of exp(i theta), without a trigonometric function.
        power = np.ones((self._n_orders, *dx.shape), dtype=complex)
        for m in range(1, self._n_orders):
            np.multiply(power[m - 1], turn, out=power[m, ...])
        # Apart, they are read in one go.
        phases = np.array([power.real, power.imag])
        shape, part = self._parts
        modes = np.empty((len(self), *dx.shape)) if out is None else out
        _look_up(self.radial, radius).take(shape, axis=0, out=modes, mode='clip')
        modes *= phases[part, self.order[shape]]
        return modes

    def scatter(self, radius):
        """
        Give the standard deviation of the sum of all modes: it depends on the radius
        alone.

        Parameters
        ----------
        radius : `~numpy.ndarray`
            Distances from the source, in pixels, (...).

        Returns
        -------
        scatter : `~numpy.ndarray`
            The standard deviation, (...).
        """
        low, share = _find_place(radius, self.radial.shape[1])
        square, product, square_of_rise = (one.take(low) for one in self._squares)
        return np.sqrt(square + share * (2.0 * product + share * square_of_rise))

    def combine(self, amplitudes, dx, dy):
        """
        Sum up the modes.

        The shapes of each harmonic are summed up first, as tables.

        Parameters
        ----------
        amplitudes : (M,) `~numpy.ndarray`
            The factor of each mode.

        dx, dy : `~numpy.ndarray`
            Offsets from the source, in pixels, of one shape (...).

        Returns
        -------
        image : `~numpy.ndarray`
            The sum, (...).
        """
        shape, part = self._parts
        # The real part of the sum times exp(i theta) is what is wanted.
        factor = np.zeros((self._n_orders, len(self.radial)), dtype=complex)
        np.add.at(factor, (self.order[shape], shape), (-1j) ** part * amplitudes)
        tables = factor @ self.radial
        rise = np.diff(tables, axis=1)
        radius, turn = _to_polar(dx, dy)
        low, share = _find_place(radius, tables.shape[1])
        total = np.zeros(turn.shape, dtype=complex)
        # Image by image, which stay in the processor's cache.
        for table, step in zip(tables[::-1], rise[::-1], strict=True):
            total *= turn
            total += table.take(low)
            total += share * step.take(low)
        return total.real

    @cached_property
    def _n_orders(self):
        """The number of harmonics, from 0 on."""
        return int(self.order.max(initial=0)) + 1

    @cached_property
    def _parts(self):
        """The shape of each mode, and its part: 0 for the cosine, 1 for the sine."""
        twice = np.where(self.order == 0, 1, 2)
        shape = np.repeat(np.arange(len(twice)), twice)
        return shape, 1 - np.diff(shape, prepend=-1)

    @cached_property
    def _squares(self):
        """Sums over all shapes, of which that of straight lines' squares consists."""
        rise = np.diff(self.radial, axis=1)
        values = self.radial[:, :-1]
        pairs = (values, values), (values, rise), (rise, rise)
        return [np.sum(one * other, axis=0) for one, other in pairs]


def _to_polar(dx, dy):
    """Give the distance, and exp(i theta) of the angle, of offsets."""
    radius = np.sqrt(dx**2 + dy**2)
    return radius, (dx + 1j * dy) / np.maximum(radius, _TINY)


def _find_place(radius, n):
    """Find the number of the radius below, of ``n``, and the share of a step beyond."""
    place = radius / _STEP
    low = np.minimum(place.astype(int), n - 2)
    return low, np.minimum(place - low, 1.0)


def _look_up(tables, radius):
    """Look up tables by radius, (K, R), with straight lines in between."""
    low, share = _find_place(radius, tables.shape[1])
    values = np.diff(tables, axis=1).take(low, axis=1)
    values *= share
    values += tables.take(low, axis=1)
    return values


def wing_modes(psfs, *, mean, pixel_scale, weights=None):
    """
    Find the modes of several PSFs about a mean profile.

    Parameters
    ----------
    psfs : sequence
        PSFs of flux 1, with a method ``render`` as that of
        `~photutils_pconv.psf.LobedPSF`.

    mean : callable
        The mean surface brightness by radius, in pixels.

    pixel_scale : float
        The pixels' side, in arcsec.

    weights : sequence of float, optional
        How likely each PSF is (default: all alike).

    Returns
    -------
    modes : `WingModes`
        The modes.
    """
    radii = np.arange(0.0, _REACH + _STEP, _STEP)
    level = np.asarray(mean(radii))
    weight = np.sqrt(radii) * (radii >= _INNER)
    # Relative to the mean, as far as that is worth mentioning.
    weight /= np.maximum(level, _FAINTEST_SHARE * level.max())
    if weights is None:
        weights = np.full(len(psfs), 1.0 / len(psfs))
    differences = np.concatenate(
        [
            np.sqrt(share) * _differences(psf, level, pixel_scale, radii)
            for psf, share in zip(psfs, weights, strict=True)
        ]
    )
    spectrum = np.fft.rfft(differences, axis=2)[:, :, :_HARMONICS] / _N_ANGLES
    orders, shapes = [], []
    for m in range(_HARMONICS):
        part = spectrum[:, :, m]
        # A harmonic and its conjugate make two modes, at any angle.
        part = np.concatenate([part.real, part.imag]) * (1.0 if m == 0 else np.sqrt(2))
        weighted = part * weight
        _, amplitude, vectors = np.linalg.svd(weighted, full_matrices=False)
        for size, vector in zip(amplitude[:_MOST], vectors, strict=False):
            if size > 0:
                orders.append(m)
                shapes.append((weighted @ vector / size) @ part)
    orders, shapes = np.array(orders, dtype=int), np.array(shapes)
    shapes[:, -1] = 0.0
    size = np.sqrt(np.sum((shapes * weight) ** 2, axis=1))
    keep = size > _SMALLEST_SHARE * size.max()
    return WingModes(orders[keep], shapes[keep])


def _differences(psf, level, pixel_scale, radii):
    """Give what may be different, in polar coordinates, (K, radii, angles)."""
    plain = _polar(psf, pixel_scale, radii)
    differences = [
        plain - level[:, None],
        _polar(psf, pixel_scale / (1.0 + _WIDTH), radii) - plain,
        _polar(psf, pixel_scale, radii, shift=(_SHIFT, 0.0)) - plain,
        _polar(psf, pixel_scale, radii, shift=(0.0, _SHIFT)) - plain,
    ]
    for angle in _ANGLES:
        # A stretch may lie at any angle to the lobes.
        stretched = _polar(psf, pixel_scale, radii, stretch=1.0 + _STRETCH, angle=angle)
        turned = _polar(psf, pixel_scale, radii, angle=angle)
        differences.append((stretched - turned) / np.sqrt(len(_ANGLES)))
    return np.array(differences)


def _polar(psf, pixel_scale, radii, *, shift=(0.0, 0.0), angle=0.0, stretch=1.0):
    """Render a PSF in polar coordinates, (radii, angles)."""
    half = int(_REACH) + _MARGIN
    side = 2 * half + 1
    image = psf.render(
        (side, side),
        half + shift[0],
        half + shift[1],
        pixel_scale=pixel_scale,
        angle=angle,
        stretch=stretch,
        oversampling=_OVERSAMPLING,
    )
    theta = 2.0 * np.pi * np.arange(_N_ANGLES) / _N_ANGLES
    rows = half + radii[:, None] * np.sin(theta)
    columns = half + radii[:, None] * np.cos(theta)
    return map_coordinates(image, (rows, columns), order=3, mode='nearest')
