# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The images of sources with a PSF that varies over the map, or is turned from one source
to the next.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from photutils_pconv._psf_models.gridded import GriddedPSF
from photutils_pconv.psf.pixel import PixelPSF
from photutils_pconv.psf.resolved import SourcePSFs
from photutils_pconv.psf.source_sizes import SourceSizes

__all__ = ['TurnedPSFs', 'VaryingPSFs', 'see_sources']

# Angles are rounded to this (radians, 0.1 degrees; by choice: 0.05 degrees move a pixel
# at the largest radius by 0.05), so that sources of one field share their images.
_SAME_ANGLE = np.pi / 1800.0


@dataclass(frozen=True, eq=False)
class VaryingPSFs(SourcePSFs):
    """
    The images of a map's sources, each unresolved one with a PSF of its own.

    Resolved sources have their own PSF, convolved with their size. The PSFs are taken
    as they are: a fit of one shape to sources of different ones has no meaning.

    Parameters
    ----------
    point : `~photutils_pconv.psf.PixelPSF`
        The mean PSF.

    sizes : `SourceSizes`
        The sources' sizes, in units of the mean PSF.

    radius : float, optional
        The radius to which resolved sources are drawn, in pixels (default: as far
        as the PSF and the size reach).

    drawn : dict, optional
        What was drawn already, of the same PSF.

    own : tuple of `~photutils_pconv.psf.PixelPSF`
        The PSF of each source.
    """

    own: tuple = ()
    _families: dict = field(default_factory=dict, init=False, repr=False)

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
        own = self.own[index]
        if not self.sizes.is_resolved[index]:
            return own
        if id(own) not in self._families:
            # Sizes are in units of the mean PSF.
            sizes = self.sizes.in_other_units(self.point.fwhm / own.fwhm)
            self._families[id(own)] = SourcePSFs(own, sizes, self.radius)
        return self._families[id(own)].of(index)

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


@dataclass(frozen=True, eq=False)
class TurnedPSFs(SourcePSFs):
    """
    The images of a map's sources, each with the PSF turned by an angle of its own.

    What fits find of the mean PSF (its width and profile) holds for all of them.

    Parameters
    ----------
    point : `~photutils_pconv.psf.PixelPSF`
        The PSF, averaged over all angles.

    sizes : `SourceSizes`
        The sources' sizes.

    radius : float, optional
        The radius to which resolved sources are drawn, in pixels (default: as far
        as the PSF and the size reach).

    drawn : dict, optional
        What was drawn already, of the same PSF.

    angles : (M,) `~numpy.ndarray`
        The angles, in radians counter-clockwise on the map; NaN where the angle is
        not known, for the PSF averaged over all angles.
    """

    angles: np.ndarray = field(default_factory=lambda: np.empty(0))
    _families: dict = field(default_factory=dict, init=False, repr=False)

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
        return self._seen_at(self.angles[index]).of(index)

    def turns(self, n):
        """
        Give the angles that are known of each source's PSF alone.

        Parameters
        ----------
        n : int
            The number of the sources.

        Returns
        -------
        angles : 1D `~numpy.ndarray`
            The angles, in radians; NaN where none is known.
        """
        return self.angles

    def _seen_at(self, angle):
        """
        Give the images of the sources as the PSF at one angle sees them.
        """
        step = None if np.isnan(angle) else round(float(angle) / _SAME_ANGLE)
        if step not in self._families:
            turned = self.point
            if step is not None:
                turned = turned.adjusted(
                    angle=step * _SAME_ANGLE, width=self.point.width
                )
            self._families[step] = SourcePSFs(turned, self.sizes, self.radius)
        return self._families[step]

    def select(self, chosen):
        """
        Give the images of some sources.

        Parameters
        ----------
        chosen : array_like
            A mask, or the sources' numbers.

        Returns
        -------
        psfs : `TurnedPSFs`
            The images.
        """
        return replace(
            self, sizes=self.sizes.select(chosen), angles=self.angles[chosen]
        )


def see_sources(
    psf, pixel_scale, *, positions=None, sizes=None, angles=None, change=None
):
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

    angles : 1D array_like, optional
        The angles by which a PSF that does not vary is turned at each source, in
        radians counter-clockwise on the map; NaN where the angle is not known
        (default: nowhere).

    change : callable, optional
        What happens to a PSF before pixels see it.

    Returns
    -------
    psf : `~photutils_pconv.psf.PixelPSF` or `~photutils_pconv.psf.SourcePSFs`
        The PSF.
    """
    change = (lambda one: one) if change is None else change
    if isinstance(psf, GriddedPSF):
        return _see_varying(psf, pixel_scale, positions, sizes, change)
    point = PixelPSF(change(psf), pixel_scale)
    if angles is not None and np.isfinite(angles).any():
        if sizes is None:
            sizes = SourceSizes.of_points(len(angles))
        return TurnedPSFs(point, sizes, angles=np.asarray(angles, dtype=float))
    if sizes is None or not sizes.is_resolved.any():
        return point
    return SourcePSFs(point, sizes)


def _see_varying(psf, pixel_scale, positions, sizes, change):
    """
    Give the mean of a PSF that varies, or that of each source.
    """
    # The images of a grid have the axes of the map.
    point = PixelPSF(change(psf), pixel_scale, angle=0.0)
    if positions is None:
        return point
    seen, own = {}, []
    for x, y in zip(*positions, strict=True):
        one = psf.at(x, y)
        if id(one) not in seen:
            seen[id(one)] = PixelPSF(change(one), pixel_scale, angle=0.0)
        own.append(seen[id(one)])
    if sizes is None:
        sizes = SourceSizes.of_points(len(own))
    # An unresolved source has no error of its size.
    error = np.where(sizes.is_resolved, sizes.error, 0.0)
    return VaryingPSFs(point, replace(sizes, error=error), own=tuple(own))
