# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a network sees of a map whose sources are subtracted by a PSF.

The residual holds the emission and the PSF's mismatch. Where the
mismatch is expected to exceed the scatter of the map, the residual shows
nothing: there is the small hole. Elsewhere it is evidence, the better
the smaller the expected error is, which the network is given.
"""

import numpy as np

from photutils_pconv._utils.medians import median, robust_std
from photutils_pconv.inpainting.scaling import Normalisation, compress

__all__ = [
    'MISMATCH_LIMIT',
    'residual_channels',
    'small_holes',
]

#: The expected mismatch, in units of the scatter of the map around a
#: source, above which a pixel of the residual is not used. By choice, and the
#: bundled model is trained with it.
MISMATCH_LIMIT = 2.5


def small_holes(residual, error, missing, *, radius=24.0, limit=MISMATCH_LIMIT):
    """
    Find the pixels where the expected mismatch drowns the emission.

    Parameters
    ----------
    residual, error : `~numpy.ndarray`
        Cutouts of the residual and of its expected mismatch, (N, H, W).

    missing : `~numpy.ndarray` of bool
        Where pixels are missing.

    radius : float, optional
        The scatter is the MAD of the pixels within this radius of the
        cutout's centre where next to no mismatch is expected, in pixels.

    limit : float, optional
        The least expected mismatch, in units of the scatter.

    Returns
    -------
    holes : `~numpy.ndarray` of bool
        True in the small holes.
    """
    n, ny, nx = residual.shape
    yy, xx = np.indices((ny, nx))
    near = np.hypot(xx - nx // 2, yy - ny // 2) <= radius
    holes = np.zeros(residual.shape, dtype=bool)
    for i in range(n):
        use = near & ~missing[i]
        if use.sum() < 16:
            use = ~missing[i]
        if not use.any():
            continue
        # The half of the pixels with the smaller expected error.
        part = use & (error[i] <= median(error[i][use]))
        values = residual[i][part]
        holes[i] = error[i] > limit * robust_std(values)
    return holes


def residual_channels(residual, error, shapes, validity, missing, normalisation):
    """
    Make the network's input.

    Parameters
    ----------
    residual : `~numpy.ndarray`
        Cutouts of the map minus its sources, (N, H, W).

    error : `~numpy.ndarray`
        The expected mismatch, in the residual's unit.

    shapes : `~numpy.ndarray`
        The sources' PSFs, each with the peak 1: the patterns of unknown
        strength that the residual may hold.

    validity, missing : `~numpy.ndarray` of bool
        Where the residual is usable; where pixels are missing.

    normalisation : dict
        As a model card has it: the arguments of
        `~photutils_pconv.inpainting.normalise`.

    Returns
    -------
    image : `~numpy.ndarray`
        The input, (N, 3, H, W): the scaled residual, the sources' shapes,
        and arcsinh(error / scale).

    scaling : `~photutils_pconv.inpainting.Scaling`
        The scaling of the residual, to be inverted after the prediction.
    """
    how = Normalisation.from_dict(normalisation)
    scaled, scaling = how.scale(residual, validity, missing)
    mismatch = np.where(missing, 0.0, compress(error / scaling.scale, 1.0))
    shapes = np.where(missing, 0.0, shapes)
    return np.stack([scaled, shapes, mismatch], axis=1), scaling
