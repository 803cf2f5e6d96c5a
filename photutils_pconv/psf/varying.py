# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The images of sources with a PSF that varies over the map.
"""

from dataclasses import dataclass, replace

import numpy as np

from photutils_pconv._psf_models.gridded import GriddedPSF
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.resolved import SourcePSFs, SourceSizes

__all__ = ['VaryingPSFs', 'see_sources']


@dataclass(frozen=True, eq=False)
class VaryingPSFs(SourcePSFs):
    """
    The images of a map's sources, each unresolved one with a PSF of its own.

    Resolved sources have the mean PSF, convolved with their size. The PSFs are taken
    as they are: a fit of one shape to sources of different ones has no meaning.

    Parameters
    ----------
    own : tuple of `~photutils_pconv.psf.PixelPSF`
        The PSF of each source.
    """

    own: tuple = ()

    def of(self, index):
        """
        Give the image of one source.

        Parameters
        ----------
        index : int
            The number of the source.

        Returns
        -------
        psf : `~photutils_pconv.psf.PixelPSF`
            Its image.
        """
        if self.sizes.is_resolved[index]:
            return super().of(index)
        return self.own[index]

    def with_point(self, point):
        """
        Give the same images: what fits find of the mean PSF is that of none.

        Parameters
        ----------
        point : `~photutils_pconv.psf.PixelPSF`
            What was found.

        Returns
        -------
        psfs : `VaryingPSFs`
            Themselves.
        """
        return self

    def select(self, chosen):
        """
        Give the images of some sources.

        Parameters
        ----------
        chosen : array_like
            A mask, or the sources' numbers.

        Returns
        -------
        psfs : `VaryingPSFs`
            The images.
        """
        numbers = np.arange(len(self.own))[chosen]
        return replace(
            self,
            sizes=self.sizes.select(chosen),
            own=tuple(self.own[k] for k in numbers),
        )


def see_sources(psf, pixel_scale, *, positions=None, sizes=None, change=None):
    """
    Give a PSF as the pixels of a map see it, or that of each source.

    Parameters
    ----------
    psf : PSF
        The PSF.

    pixel_scale : float
        The side of the map's pixel, in arcsec.

    positions : pair of 1D array_like, optional
        The positions of the sources on the map that the PSF belongs to, for a
        PSF that varies. By default it is its mean.

    sizes : `SourceSizes`, optional
        The sources' sizes (default: all are unresolved).

    change : callable, optional
        What happens to a PSF before pixels see it.

    Returns
    -------
    psf : `~photutils_pconv.psf.PixelPSF` or `~photutils_pconv.psf.SourcePSFs`
        The PSF.
    """
    change = (lambda one: one) if change is None else change
    varies = isinstance(psf, GriddedPSF)
    # The images of a grid have the axes of the map.
    angle = 0.0 if varies else None
    point = PixelPSF(change(psf), pixel_scale, angle=angle)
    if not varies or positions is None:
        if sizes is None or not sizes.is_resolved.any():
            return point
        return SourcePSFs(point, sizes)
    seen, own = {}, []
    for x, y in zip(*positions, strict=True):
        one = psf.at(x, y)
        if id(one) not in seen:
            seen[id(one)] = PixelPSF(change(one), pixel_scale, angle=angle)
        own.append(seen[id(one)])
    if sizes is None:
        sizes = SourceSizes.of_points(len(own))
    # An unresolved source has no error of its size.
    error = np.where(sizes.is_resolved, sizes.error, 0.0)
    return VaryingPSFs(point, replace(sizes, error=error), own=tuple(own))
