# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What fills the holes of a map, and what that gives.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from photutils_pconv.geometry.grids import MapGrid
from photutils_pconv.geometry.holes import Holes
from photutils_pconv.inpainting.reconstruction import Reconstruction
from photutils_pconv.psf.pixel import PixelPSF

__all__ = ['Filled', 'Filler', 'PSFFluxes']


@dataclass(frozen=True, eq=False)
class PSFFluxes:
    """
    The results of PSF photometry, arrays of length M, NaN where there is none.

    Parameters
    ----------
    flux, flux_err : (M,) `~numpy.ndarray`
        The fluxes, in the map's unit times pixel, and the errors that
        the fit expects.

    qfit, cfit : (M,) `~numpy.ndarray`
        The fits' quality, as `photutils.psf.PSFPhotometry` defines it.

    x, y : (M,) `~numpy.ndarray`
        The positions, in pixels.

    position_err : (M,) `~numpy.ndarray`, optional
        Their errors along an axis, in pixels; NaN where the position was not
        fitted.

    inner_radius : (M,) `~numpy.ndarray`, optional
        The radii of the small holes, in pixels, after two passes.

    unstable : (M,) bool `~numpy.ndarray`, optional
        The sources whose fit ran away from the data (default: none).

    poor : (M,) bool `~numpy.ndarray`, optional
        The sources of which the PSF leaves more than it is expected to.

    null_err : (M,) `~numpy.ndarray`, optional
        The errors without the source, where they were measured.
    """

    flux: np.ndarray
    flux_err: np.ndarray
    qfit: np.ndarray
    cfit: np.ndarray
    x: np.ndarray
    y: np.ndarray
    position_err: np.ndarray | None = None
    inner_radius: np.ndarray | None = None
    unstable: np.ndarray | None = None
    poor: np.ndarray | None = None
    null_err: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Filled:
    """
    The holes of a map, filled.

    Parameters
    ----------
    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        The reconstruction, on the map's grid.

    psf_fluxes : `PSFFluxes`, optional
        The PSF photometry, where there is a PSF.

    pixel_psf : `~photutils_pconv.psf.PixelPSF`, optional
        The PSF on pixels, with the angle and width found on the map.

    errors_in_rms : bool, optional
        Whether the errors of the PSF fluxes are still in units of the local
        rms, which is measured later: see `with_rms`.

    wings_are_sources : bool, optional
        Whether the reconstruction's wings are the sources as a PSF has them,
        also on the map beyond the holes.

    emission : 2D `~numpy.ndarray`, optional
        The best estimate of the emission in the holes for the cleaned map, on
        its grid; by default the reconstruction's, with which fluxes are
        measured in any case.

    structure : (M,) `~numpy.ndarray`, optional
        The scatter around each source of what its surroundings do not determine,
        where it was measured already.

    subtraction_error : 2D `~numpy.ndarray`, optional
        What the subtraction of the sources is expected to leave in each pixel
        of the map, where the wings are the sources.
    """

    reconstruction: Reconstruction
    psf_fluxes: PSFFluxes | None = None
    pixel_psf: PixelPSF | None = None
    errors_in_rms: bool = False
    wings_are_sources: bool = False
    emission: np.ndarray | None = None
    structure: np.ndarray | None = None
    subtraction_error: np.ndarray | None = None

    @property
    def mean(self):
        """
        The reconstruction with the best estimate of the emission
        (`~photutils_pconv.inpainting.Reconstruction`).
        """
        if self.emission is None:
            return self.reconstruction
        return replace(self.reconstruction, emission=self.emission)

    def with_rms(self, rms):
        """
        Give the errors of the PSF fluxes their unit.

        Parameters
        ----------
        rms : (M,) `~numpy.ndarray` or `None`
            The local rms around each source in the map without sources, in
            the map's unit; not needed where the errors are final.

        Returns
        -------
        filled : `Filled`
            The same with final errors.
        """
        if not self.errors_in_rms:
            return self
        fluxes = self.psf_fluxes
        fluxes = replace(fluxes, flux_err=fluxes.flux_err * rms)
        return replace(self, psf_fluxes=fluxes, errors_in_rms=False)


class Filler(Protocol):
    """
    What fills the holes of a map.
    """

    #: Whether the result depends on the flux of what is in a hole: empty
    #: holes are then filled with a source of known flux put into them.
    depends_on_flux: bool

    def fill(self, grid: MapGrid, holes: Holes) -> Filled:
        """
        Fill the holes of sources.

        Parameters
        ----------
        grid : `~photutils_pconv.geometry.MapGrid`
            The map.

        holes : `~photutils_pconv.geometry.Holes`
            The holes.

        Returns
        -------
        filled : `Filled`
            The holes, filled.
        """

    def fill_empty(
        self, grid: MapGrid, holes: Holes, pixel_psf: PixelPSF | None
    ) -> Filled:
        """
        Fill holes without a source, with the PSF that was found on the map.

        Parameters
        ----------
        grid : `~photutils_pconv.geometry.MapGrid`
            The map.

        holes : `~photutils_pconv.geometry.Holes`
            The holes.

        pixel_psf : `~photutils_pconv.psf.PixelPSF` or `None`
            The PSF; `None` where none was subtracted.

        Returns
        -------
        filled : `Filled`
            The holes, filled.
        """
