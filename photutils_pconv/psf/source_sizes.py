# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The sizes of sources on a map.

A size is what a source has on the map: the FWHM of the Gaussian that a fit to it
finds, as extraction codes list them. The Gaussian that the PSF is convolved with is
what the size has beyond the PSF's own, in quadrature.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from astropy.stats import gaussian_fwhm_to_sigma

__all__ = ['SourceSizes']

# A source larger than the PSF by less is unresolved (by choice).
_LEAST_EXCESS = 0.01


@dataclass(frozen=True, eq=False)
class SourceSizes:
    """
    The sizes of M sources on a map.

    Parameters
    ----------
    major, minor : (M,) `~numpy.ndarray`
        The FWHM along both axes, in units of the PSF's FWHM; 1 for an unresolved
        source.

    angle : (M,) `~numpy.ndarray`
        The direction of the major axis, in radians counter-clockwise from the
        map's x axis.

    error : (M,) `~numpy.ndarray`
        The relative errors of the sizes; NaN where none is known.
    """

    major: np.ndarray
    minor: np.ndarray
    angle: np.ndarray
    error: np.ndarray

    @classmethod
    def of_points(cls, n):
        """
        Give the sizes of unresolved sources.

        Parameters
        ----------
        n : int
            The number of sources.

        Returns
        -------
        sizes : `SourceSizes`
            The sizes.
        """
        return cls(np.ones(n), np.ones(n), np.zeros(n), np.full(n, np.nan))

    def in_other_units(self, factor):
        """
        Give the same sizes in units of another PSF's FWHM.

        Parameters
        ----------
        factor : float
            This PSF's FWHM over the other one's.

        Returns
        -------
        sizes : `SourceSizes`
            The sizes. None is smaller than the other PSF, and unresolved sources
            are as large as that.
        """
        resolved = self.is_resolved
        major, minor = (
            np.where(resolved, np.maximum(factor * one, 1.0), one)
            for one in (self.major, self.minor)
        )
        return replace(self, major=major, minor=minor)

    def __len__(self):
        return self.major.size

    @property
    def is_resolved(self):
        """
        The sources that are larger than the PSF ((M,) bool `~numpy.ndarray`).
        """
        return self.major > 1.0 + _LEAST_EXCESS

    @property
    def mean(self):
        """
        The geometric mean of both axes ((M,) `~numpy.ndarray`).
        """
        return np.sqrt(self.major * self.minor)

    def select(self, chosen):
        """
        Give the sizes of some sources.

        Parameters
        ----------
        chosen : (M,) array_like
            A mask, or the sources' numbers.

        Returns
        -------
        sizes : `SourceSizes`
            The sizes.
        """
        return SourceSizes(*(getattr(self, one.name)[chosen] for one in fields(self)))

    def scaled(self, factor, *, error=None):
        """
        Give other sizes, of the same shapes as far as the PSF allows.

        Parameters
        ----------
        factor : (M,) `~numpy.ndarray`
            The factors; no axis becomes smaller than the PSF.

        error : (M,) `~numpy.ndarray`, optional
            The relative errors of the new sizes (default: as before).

        Returns
        -------
        sizes : `SourceSizes`
            The sizes.
        """
        return SourceSizes(
            np.maximum(factor * self.major, 1.0),
            np.maximum(factor * self.minor, 1.0),
            self.angle,
            self.error if error is None else error,
        )

    def sheared(self, i, along, across, *, largest):
        """
        Give other sizes, of which one source has another shape.

        Parameters
        ----------
        i : int
            The source.

        along, across : float
            What is added to the covariance of the source on the map, in units of half
            its trace: ``along`` to that in x and taken from that in y, ``across`` to
            that of x and y.

        largest : float
            The largest size, in units of the PSF's FWHM.

        Returns
        -------
        sizes : `SourceSizes`
            The sizes; no axis becomes smaller than the PSF.
        """
        squares = np.array([self.major[i], self.minor[i]]) ** 2
        cos, sin = np.cos(self.angle[i]), np.sin(self.angle[i])
        axes = np.array([[cos, -sin], [sin, cos]])
        covariance = axes @ np.diag(squares) @ axes.T
        shear = np.array([[along, across], [across, -along]])
        covariance += squares.mean() * shear
        squares, axes = np.linalg.eigh(covariance)
        minor, major = np.sqrt(np.clip(squares, 1.0, largest**2))
        columns = {one.name: getattr(self, one.name).copy() for one in fields(self)}
        columns['major'][i], columns['minor'][i] = major, minor
        columns['angle'][i] = np.arctan2(axes[1, 1], axes[0, 1])
        return SourceSizes(**columns)

    def covariance(self, i, fwhm):
        """
        Give the covariance of the Gaussian that the PSF is convolved with.

        Parameters
        ----------
        i : int
            The source.

        fwhm : float
            The PSF's FWHM, in pixels.

        Returns
        -------
        xx, yy, xy : float
            The elements of the covariance, in square pixels.
        """
        scale = (fwhm * gaussian_fwhm_to_sigma) ** 2
        along, across = (
            scale * max(one**2 - 1.0, 0.0) for one in (self.major[i], self.minor[i])
        )
        cos, sin = np.cos(self.angle[i]), np.sin(self.angle[i])
        return (
            along * cos**2 + across * sin**2,
            along * sin**2 + across * cos**2,
            (along - across) * cos * sin,
        )
