# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Bright sources with their pixels, from which the PSF's shape is read.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from photutils_pconv.psf_photometry.fit_windows import (
    FIT_RADIUS,
    NEIGHBOUR_DISTANCE,
    find_neighbours,
    solve_window,
)
from photutils_pconv.psf_photometry.window_stacks import WindowStack

__all__ = [
    'CORRELATED_PIXELS',
    'SMALLEST_FLUX',
    'BrightSources',
    'ShapeFits',
    'choose_bright_sources',
]

#: The background around a source is not white: a fit sees so many times fewer pixels.
#: By choice, 2026-11-22.
CORRELATED_PIXELS = 10.0
#: The smallest flux that is divided by.
SMALLEST_FLUX = 1.0e-120
# The degree of the background's polynomial (by choice).
_DEGREE = 2
# The step of ln(width) for derivatives (by choice).
_LOG_WIDTH_STEP = 0.01


@dataclass(frozen=True, eq=False)
class ShapeFits:
    """
    The fits of one PSF to N sources.

    Parameters
    ----------
    matrix : (N, T, P) `~numpy.ndarray`
        The templates; 0 in pixels that are not used.

    flux : (N,) `~numpy.ndarray`
        The fluxes.

    residual : (N, P) `~numpy.ndarray`
        What the fits leave; 0 in pixels that are not used.
    """

    matrix: np.ndarray
    flux: np.ndarray
    residual: np.ndarray


@dataclass(frozen=True, eq=False)
class BrightSources:
    """
    N sources that determine the PSF's shape, with P pixels around each.

    Parameters
    ----------
    windows : `~photutils_pconv.psf_photometry.window_stacks.WindowStack`
        Their windows.

    values : (N, P) `~numpy.ndarray`
        The map's values there; 0 in pixels that are not used.

    snr : (N,) `~numpy.ndarray`
        Their signal-to-noise ratios (Eq. 1).

    angle : (N,) `~numpy.ndarray`
        The angle of the PSF at each, in radians; NaN where none is known.

    number : (N,) int `~numpy.ndarray`
        Their numbers among all sources.
    """

    windows: WindowStack
    values: np.ndarray
    snr: np.ndarray
    angle: np.ndarray
    number: np.ndarray

    def __len__(self):
        return len(self.snr)

    @property
    def used(self):
        """
        The pixels that are used ((N, P) bool `~numpy.ndarray`).
        """
        return self.windows.used.reshape(self.values.shape)

    @property
    def n_pixels(self):
        """
        Their number at each source ((N,) int `~numpy.ndarray`).
        """
        return self.windows.n_pixels

    def select(self, chosen):
        """
        Select some of the sources.

        Parameters
        ----------
        chosen : (N,) bool `~numpy.ndarray`
            The sources.

        Returns
        -------
        sources : `BrightSources`
            Those.
        """
        return BrightSources(
            self.windows.select(np.flatnonzero(chosen)),
            self.values[chosen],
            self.snr[chosen],
            self.angle[chosen],
            self.number[chosen],
        )

    def distances(self):
        """
        Give the pixels' distances from their source.

        Returns
        -------
        distance : (N, P) `~numpy.ndarray`
            The distances, in pixels.
        """
        windows = self.windows
        distance = windows.squares.distances(windows.x, windows.y)
        return distance.reshape(self.values.shape)

    def draw(self, pixel_psf):
        """
        Draw the PSF at each source.

        Parameters
        ----------
        pixel_psf : `~photutils_pconv.psf.PixelPSF`
            The PSF on the map's pixels; it is turned where an angle is known.

        Returns
        -------
        templates : (N, 3, P) `~numpy.ndarray`
            A source of flux 1, and its changes by a shift of 1 pixel along x and y.
        """
        used, (dx, dy) = self.windows.used, self._offsets
        images = np.zeros((len(self), 3, *used.shape[1:]))
        angles = np.where(np.isfinite(self.angle), self.angle, np.inf)
        for angle in np.unique(angles):
            psf = pixel_psf
            if np.isfinite(angle):
                psf = pixel_psf.adjusted(angle=angle, width=pixel_psf.width)
            # All at once: a call takes longer than the few pixels of a source.
            use = used & (angles == angle)[:, None, None]
            for k, one in enumerate(psf.evaluate_with_gradient(dx[use], dy[use])):
                images[:, k][use] = one
        return images.reshape(len(self), 3, self.values.shape[1])

    def fit(self, pixel_psf):
        """
        Fit flux, position and background of each source.

        Parameters
        ----------
        pixel_psf : `~photutils_pconv.psf.PixelPSF`
            As for `draw`.

        Returns
        -------
        fits : `ShapeFits`
            The fits.
        """
        matrix = np.concatenate([self.draw(pixel_psf), self._terms], axis=1)
        coefficients, _ = solve_window(self.values, matrix)
        residual = self.values - np.einsum('nt,ntp->np', coefficients, matrix)
        return ShapeFits(matrix, coefficients[:, 0], residual)

    def measure_widths(self, pixel_psf):
        """
        Measure how much wider than the PSF each source is.

        Parameters
        ----------
        pixel_psf : `~photutils_pconv.psf.PixelPSF`
            As for `draw`.

        Returns
        -------
        change, error : (N,) `~numpy.ndarray`
            The logarithms of the widths, and their errors.
        """
        templates = self.draw(pixel_psf)
        wider = pixel_psf.adjusted(
            angle=pixel_psf.angle, width=pixel_psf.width * (1.0 + _LOG_WIDTH_STEP)
        )
        change = self.draw(wider)[:, :1] - templates[:, :1]
        matrix = np.concatenate(
            [change / _LOG_WIDTH_STEP, templates, self._terms], axis=1
        )
        coefficients, covariance = solve_window(self.values, matrix)
        left = self.values - np.einsum('nt,ntp->np', coefficients, matrix)
        # The mean that the background leaves is 0.
        scatter = np.sum(left**2, axis=1) / self.n_pixels
        flux = np.maximum(coefficients[:, 1], SMALLEST_FLUX)
        error = np.sqrt(covariance[:, 0, 0] * CORRELATED_PIXELS * scatter)
        return coefficients[:, 0] / flux, error / flux

    @cached_property
    def _offsets(self):
        """The pixels' offsets from their source, two (N, side, side)."""
        windows = self.windows
        return np.broadcast_arrays(*windows.squares.offsets(windows.x, windows.y))

    @cached_property
    def _terms(self):
        """The terms of the background, (N, 6, P)."""
        return np.stack(self.windows.terms(_DEGREE), axis=1)


def choose_bright_sources(data, x, y, missing, snr, angles, n_sources):
    """
    Choose the brightest sources without neighbours.

    Parameters
    ----------
    data : 2D `~numpy.ndarray`
        The map; missing pixels hold any finite value.

    x, y : (M,) `~numpy.ndarray`
        The positions of the sources, in pixels.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels.

    snr : (M,) `~numpy.ndarray`
        The sources' signal-to-noise ratios (Eq. 1).

    angles : (M,) `~numpy.ndarray`
        The angle of the PSF at each source, in radians; NaN where none is known.

    n_sources : int
        The number of sources at most.

    Returns
    -------
    sources : `BrightSources`
        The sources, the brightest first.
    """
    neighbours = find_neighbours(x, y, 2 * NEIGHBOUR_DISTANCE)
    order = np.argsort(-snr, kind='stable')
    alone = np.array([not neighbours[i] for i in order], dtype=bool)
    order, chosen = order[alone], order[:0]
    # Windows are made for a few candidates at a time: most of them have no gaps.
    while order.size and chosen.size < n_sources:
        next_ones, order = order[:n_sources], order[n_sources:]
        windows = WindowStack.around(x[next_ones], y[next_ones], FIT_RADIUS, missing)
        chosen = np.append(chosen, next_ones[windows.has_enough(_DEGREE)])
    chosen = chosen[:n_sources]
    windows = WindowStack.around(x[chosen], y[chosen], FIT_RADIUS, missing)
    return BrightSources(
        windows, windows.cut(data), snr[chosen], angles[chosen], chosen
    )
