# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The sources of a map, removed with a known PSF.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv.inpainting.reconstruction import Reconstruction
from photutils_pconv.psf.pixel import PixelPSF

__all__ = ['PSFRemoval']


@dataclass(frozen=True)
class PSFRemoval:
    """
    The sources of a map, removed with a known PSF.

    Parameters
    ----------
    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        The emission in the holes, from the residual or, where the mismatch is
        far above it, without a look into the hole; and the sources' images.

    emission : 2D `~numpy.ndarray`
        The best estimate of the emission in the holes: where the mismatch
        exceeds it, the mean of that and of what is found without a look into
        the holes.

    structure : `~numpy.ndarray`
        The scatter around each source of what its surroundings do not determine,
        in the map's unit (`measure_structure`).

    flux, flux_err, null_err : `~numpy.ndarray`
        The total fluxes, their errors, and the errors without the source, in
        the map's unit times pixel; NaN where nothing could be measured.

    x, y : `~numpy.ndarray`
        The positions, fitted where the SNR is `POSITION_SNR` or more.

    position_err : `~numpy.ndarray`
        The errors of fitted positions along an axis, in pixels; NaN where
        a position was not fitted.

    subtraction_error : 2D `~numpy.ndarray` or `None`
        What the subtraction of the sources is expected to leave in each
        pixel; `None` where the fits are not judged.

    inner_radius : `~numpy.ndarray`
        The radius of the small hole's area in which the network did not
        see the residual, in pixels; 0 where it saw all of it, and the hole's
        radius where it was not asked.

    qfit, cfit : `~numpy.ndarray`
        The fit's quality, as `photutils.psf.PSFPhotometry` defines it:
        the sum of the absolute residuals, and the residual of the
        central pixel, over the flux.

    psf : `~photutils_pconv.psf.PixelPSF`
        The PSF, with the angle and width that the map's bright sources
        show.

    unstable : `~numpy.ndarray` of bool
        The sources whose fit ran away from the data.

    poor : `~numpy.ndarray` of bool
        The sources of which the PSF leaves more than it is expected to.
    """

    reconstruction: Reconstruction
    emission: np.ndarray
    structure: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray
    null_err: np.ndarray
    x: np.ndarray
    y: np.ndarray
    position_err: np.ndarray
    subtraction_error: np.ndarray | None
    inner_radius: np.ndarray
    qfit: np.ndarray
    cfit: np.ndarray
    psf: PixelPSF
    unstable: np.ndarray
    poor: np.ndarray
