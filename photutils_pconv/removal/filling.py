# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What filling the holes of a map gives.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from photutils_pconv.inpainting.reconstruction import Reconstruction

__all__ = [
    'Filled',
    'PSFFluxes',
]


@dataclass(frozen=True, eq=False)
class PSFFluxes:
    """
    The results of PSF photometry, of length N, NaN where there is none.

    Parameters
    ----------
    flux, flux_err : `~numpy.ndarray`
        The fluxes, in the map's unit times pixel, and the errors that
        the fit expects.

    qfit, cfit : `~numpy.ndarray`
        The fits' quality.

    x, y : `~numpy.ndarray`
        The positions.

    inner_radius : `~numpy.ndarray` or `None`
        The radii of the small holes, in pixels, after two passes.
    """

    flux: np.ndarray
    flux_err: np.ndarray
    qfit: np.ndarray
    cfit: np.ndarray
    x: np.ndarray
    y: np.ndarray
    inner_radius: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Filled:
    """
    The holes of a map, filled.

    Parameters
    ----------
    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        The reconstruction.

    fluxes : `PSFFluxes` or `None`
        The PSF photometry, where there is a PSF.

    psf : `~photutils_pconv.psf.PixelPSF` or `None`
        The PSF, with the angle and width found on the map.
    """

    reconstruction: Reconstruction
    fluxes: PSFFluxes | None = None
    psf: Any = None


def _spread(fluxes, inside):
    """
    Give the PSF photometry of all sources from that of those on the map.
    """
    if fluxes is None:
        return None

    def spread(values):
        if values is None:
            return None
        result = np.full(inside.size, np.nan)
        result[inside] = values
        return result

    return PSFFluxes(**{name: spread(value) for name, value in vars(fluxes).items()})
