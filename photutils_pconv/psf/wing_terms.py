# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a cutout may hold of a source's wings, beyond the expected ones.

Independent contributions of known shape, of one standard deviation each. Only some
pixels of each are ever needed, and their sum: they are not drawn as images.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ['DrawnTerms', 'WingTerms']

# A flux that a core tells is good to this relative error, even without a
# background (by choice).
_FLUX_SCATTER = 0.02


@dataclass(frozen=True, eq=False)
class DrawnTerms:
    """
    Contributions that are given as images.

    Parameters
    ----------
    images : `~numpy.ndarray`
        The contributions, (T, ...).
    """

    images: np.ndarray

    def __len__(self):
        return len(self.images)

    def draw(self):
        """
        Give all contributions.

        Returns
        -------
        images : `~numpy.ndarray`
            The contributions, (T, ...).
        """
        return self.images

    def pick(self, place):
        """
        Give all contributions to some pixels.

        Parameters
        ----------
        place : tuple of 1D int `~numpy.ndarray`
            The pixels, N of them.

        Returns
        -------
        values : (T, N) `~numpy.ndarray`
            The contributions.
        """
        return self.images[:, *place]

    def scatter(self):
        """
        Give the standard deviation of the sum of all contributions.

        Returns
        -------
        scatter : `~numpy.ndarray`
            The standard deviation, (...).
        """
        return np.sqrt(np.einsum('t...,t...->...', self.images, self.images))

    def combine(self, amplitudes):
        """
        Sum up the contributions.

        Parameters
        ----------
        amplitudes : (T,) `~numpy.ndarray`
            The factor of each.

        Returns
        -------
        image : `~numpy.ndarray`
            The sum, (...).
        """
        return np.tensordot(amplitudes, self.images, axes=1)


@dataclass(frozen=True, eq=False)
class WingTerms:
    """
    What a source's wings may hold beyond the expected ones.

    The first contribution is that of the flux' error; the others are the modes in
    which wings differ from their mean (`~photutils_pconv.psf.WingProfile`).

    Parameters
    ----------
    profile : `~photutils_pconv.psf.WingProfile`
        The profile.

    dx, dy : array_like
        Offsets of the pixels from the source, in pixels, of one shape (...).

    flux, flux_err : float
        The source's flux and its standard deviation.
    """

    profile: Any
    dx: np.ndarray
    dy: np.ndarray
    flux: float
    flux_err: float

    def __len__(self):
        modes = self.profile.modes
        return 1 + (0 if modes is None else len(modes))

    @property
    def _flux_scatter(self):
        return np.hypot(self.flux_err, _FLUX_SCATTER * self.flux)

    def _mean(self):
        """Draw the expected wings of a source of flux 1."""
        return self.profile(np.sqrt(self.dx**2 + self.dy**2))

    def draw(self):
        """
        Draw all contributions.

        Returns
        -------
        images : `~numpy.ndarray`
            The contributions, (T, ...), in the unit of the flux a pixel.
        """
        mean = self._mean()
        images = np.empty((len(self), *mean.shape))
        np.multiply(self._flux_scatter, mean, out=images[0, ...])
        if len(self) > 1:
            self.profile.modes(self.dx, self.dy, out=images[1:])
            images[1:] *= self.flux
        return images

    def pick(self, place):
        """
        Draw all contributions to some pixels.

        Parameters
        ----------
        place : tuple of 1D int `~numpy.ndarray`
            The pixels, N of them.

        Returns
        -------
        values : (T, N) `~numpy.ndarray`
            The contributions.
        """
        dx, dy = self.dx[place], self.dy[place]
        return WingTerms(self.profile, dx, dy, self.flux, self.flux_err).draw()

    def scatter(self):
        """
        Give the standard deviation of the sum of all contributions.

        Returns
        -------
        scatter : `~numpy.ndarray`
            The standard deviation, (...).
        """
        scatter = self._flux_scatter * self._mean()
        if len(self) > 1:
            modes = self.profile.modes.scatter(np.sqrt(self.dx**2 + self.dy**2))
            scatter = np.sqrt(scatter**2 + (self.flux * modes) ** 2)
        return scatter

    def combine(self, amplitudes):
        """
        Sum up the contributions.

        Parameters
        ----------
        amplitudes : (T,) `~numpy.ndarray`
            The factor of each.

        Returns
        -------
        image : `~numpy.ndarray`
            The sum, (...).
        """
        image = (self._flux_scatter * amplitudes[0]) * self._mean()
        if len(self) > 1:
            modes = self.profile.modes.combine(amplitudes[1:], self.dx, self.dy)
            image += self.flux * modes
        return image
