# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
One PSF for all sources, asked like the PSFs of each.
"""

import numpy as np

__all__ = ['OnePSF']


class OnePSF:
    """
    A PSF that answers what `SourcePSFs` answer source by source.

    Functions that take the images of a map's sources take either.
    """

    def of(self, index):
        """
        Give the PSF of a source: of all sources the same.

        Parameters
        ----------
        index : int
            The number of the source.

        Returns
        -------
        psf : `PixelPSF`
            Itself.
        """
        return self

    def select(self, chosen):
        """
        Give the PSFs of some sources: itself.

        Parameters
        ----------
        chosen : array_like
            The sources.

        Returns
        -------
        psf : `PixelPSF`
            Itself.
        """
        return self

    def scales(self, n):
        """
        Give how much larger than the PSF sources are: not at all.

        Parameters
        ----------
        n : int
            The number of the sources.

        Returns
        -------
        scales : 1D `~numpy.ndarray`
            Ones.
        """
        return np.ones(n)

    def turns(self, n):
        """
        Give the angles that are known of each source's PSF alone: none.

        Parameters
        ----------
        n : int
            The number of the sources.

        Returns
        -------
        angles : 1D `~numpy.ndarray`
            NaN for each.
        """
        return np.full(n, np.nan)

    def with_point(self, point):
        """
        Give the images of the same sources seen with another PSF: that PSF.

        Parameters
        ----------
        point : `PixelPSF`
            The PSF.

        Returns
        -------
        psf : `PixelPSF`
            The PSF.
        """
        return point

    @property
    def point(self):
        """
        The PSF of an unresolved source (`PixelPSF`): itself.
        """
        return self
