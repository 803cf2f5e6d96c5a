# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The windows of many fits at once.

It takes longer to call numpy than numpy takes to work through the window of a fit.
Sources with windows of one size are therefore drawn and fitted together.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv.geometry.squares import SquareStack, group_alike
from photutils_pconv.psf_photometry.fit_windows import (
    fewest_pixels,
    polynomial_terms,
)

__all__ = ['WindowStack', 'draw_squares']

# A source whose brightest pixel exceeds the range of the values in its window by
# this factor is not one that the data show (by choice: the range holds the source
# itself, its neighbours and the background), but for rounding by this share.
_LARGEST_RANGE = 2.0
_ROUNDING = 1.0e-9


def draw_squares(squares, psfs, x, y, *, gradient=False):
    """
    Draw a source of flux 1 on each of many squares.

    Parameters
    ----------
    squares : `~photutils_pconv.geometry.squares.SquareStack`
        The squares.

    psfs : sequence of `~photutils_pconv.psf.PixelPSF`
        The sources' PSFs.

    x, y : (N,) `~numpy.ndarray`
        Their positions, in pixels.

    gradient : bool, optional
        Whether the derivatives by the position are drawn, too.

    Returns
    -------
    images : list of (N, side, side) `~numpy.ndarray`
        The sources, and with ``gradient`` the change by a shift of 1 pixel
        along x, and along y.
    """
    side = squares.side
    images = np.empty((1 + 2 * gradient, len(psfs), side, side))
    for group in group_alike(range(len(psfs)), lambda k: id(psfs[k])):
        images[:, group] = psfs[group[0]].draw_stack(
            squares.origins[group], side, x[group], y[group], gradient=gradient
        )
    return list(images)


@dataclass(frozen=True, eq=False)
class WindowStack:
    """
    The windows of N fits, all of one size.

    Parameters
    ----------
    x, y : (N,) `~numpy.ndarray`
        The positions in their middle, in pixels.

    radius : float
        Their radius, in pixels.

    squares : `SquareStack`
        The squares around them.

    used : (N, side, side) bool `~numpy.ndarray`
        The pixels of the squares that are used. What is cut or drawn is 0 in all
        others, so that they do not count in a fit.
    """

    x: np.ndarray
    y: np.ndarray
    radius: float
    squares: SquareStack
    used: np.ndarray

    @classmethod
    def around(cls, x, y, radius, missing):
        """
        Find the windows around positions on a map.

        Parameters
        ----------
        x, y : (N,) `~numpy.ndarray`
            The positions, in pixels.

        radius : float
            The radius of the windows, in pixels.

        missing : 2D bool `~numpy.ndarray`
            The map's missing pixels.

        Returns
        -------
        windows : `WindowStack`
            The windows.
        """
        squares = SquareStack.around(x, y, int(np.ceil(radius)))
        used = squares.distances(x, y) <= radius
        used &= ~squares.cut(missing, fill_value=True)
        return cls(x, y, radius, squares, used)

    def select(self, places):
        """
        Select some of the windows.

        Parameters
        ----------
        places : int `~numpy.ndarray`
            Their places among all.

        Returns
        -------
        windows : `WindowStack`
            The windows.
        """
        squares = SquareStack(self.squares.origins[places], self.squares.side)
        return WindowStack(
            self.x[places], self.y[places], self.radius, squares, self.used[places]
        )

    @property
    def n_pixels(self):
        """
        The number of pixels used in each window ((N,) int `~numpy.ndarray`).
        """
        return np.count_nonzero(self.used, axis=(1, 2))

    def has_enough(self, degree):
        """
        Find the windows with enough pixels for a fit.

        Parameters
        ----------
        degree : int or `None`
            The degree of the background's polynomial; `None` for no background.

        Returns
        -------
        enough : (N,) bool `~numpy.ndarray`
            The windows.
        """
        return self.n_pixels > fewest_pixels(degree)

    def cut(self, image):
        """
        Cut the used pixels out of an image.

        Parameters
        ----------
        image : 2D `~numpy.ndarray`
            The image, of the map's shape.

        Returns
        -------
        values : (N, P) `~numpy.ndarray`
            The pixels.
        """
        return self._keep_used(self.squares.cut(image))

    def draw(self, psfs, x, y, *, gradient=False):
        """
        Draw a source of flux 1 in each window.

        Parameters
        ----------
        psfs, x, y, gradient
            As for `draw_squares`.

        Returns
        -------
        values : list of (N, P) `~numpy.ndarray`
            What that gives, in the used pixels.
        """
        images = draw_squares(self.squares, psfs, x, y, gradient=gradient)
        return [self._keep_used(one) for one in images]

    def terms(self, degree):
        """
        Draw the terms of the background.

        Parameters
        ----------
        degree : int or `None`
            The degree of its polynomial; `None` for no background.

        Returns
        -------
        terms : list of (N, P) `~numpy.ndarray`
            The terms.
        """
        if degree is None:
            return []
        offsets = np.broadcast_arrays(*self.squares.offsets(self.x, self.y))
        terms = polynomial_terms(*offsets, radius=self.radius, degree=degree)
        return [self._keep_used(one) for one in terms]

    def find_brightest(self, data):
        """
        Give the brightness that no source in a window has.

        Parameters
        ----------
        data : 2D `~numpy.ndarray`
            The map.

        Returns
        -------
        brightest : (N,) `~numpy.ndarray`
            The value, in the map's unit, that the brightest pixel of a source alone
            does not exceed; infinite where no pixel is used.
        """
        values = self.squares.cut(data)
        seen = self.used.any(axis=(1, 2))
        values, used = values[seen], self.used[seen]
        least = values.min(axis=(1, 2), initial=np.inf, where=used)
        most = values.max(axis=(1, 2), initial=-np.inf, where=used)
        rounding = _ROUNDING * np.maximum(np.abs(least), np.abs(most))
        brightest = np.full(len(seen), np.inf)
        brightest[seen] = _LARGEST_RANGE * (most - least) + rounding
        return brightest

    def scatter(self, values):
        """
        Measure the standard deviation of pixels.

        Parameters
        ----------
        values : (N, P) `~numpy.ndarray`
            The pixels; 0 where they are not used.

        Returns
        -------
        scatter : (N,) `~numpy.ndarray`
            Their standard deviation within each window.
        """
        number = self.n_pixels
        mean = values.sum(axis=1) / number
        deviation = self._keep_used(
            values.reshape(self.used.shape) - mean[:, None, None]
        )
        return np.sqrt(np.einsum('np,np->n', deviation, deviation) / number)

    def _keep_used(self, images):
        """Give the pixels of images, with 0 where they are not used."""
        return (images * self.used).reshape(len(self.used), self.squares.side**2)
