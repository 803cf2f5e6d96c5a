# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Holes of a map that is off the native pixel scale.
"""

import numpy as np

from photutils_pconv.geometry.grids import resample_grid, to_native_position
from photutils_pconv.geometry.holes import TAPER_WIDTH
from photutils_pconv.inpainting.blending import Blender
from photutils_pconv.inpainting.hole_filling import inpaint
from photutils_pconv.inpainting.reconstruction import Reconstruction

__all__ = [
    'inpaint_resampled',
]


def inpaint_resampled(data, x, y, radius, *, factor, missing, native=None, **options):
    """
    Reconstruct the emission in a map that is off the native pixel scale.

    The map is resampled to the native grid, filled there, and the
    reconstruction is interpolated back to the map's pixels.

    Parameters
    ----------
    data, x, y, radius, missing
        As for `inpaint`, all in the map's own pixels.

    factor : float
        Map pixel / native pixel.

    native : tuple of `~numpy.ndarray`, optional
        The map on the native grid and its missing pixels, where they
        were made already (`~photutils_pconv.geometry.resample_grid`).

    **options
        The other arguments of `inpaint`.

    Returns
    -------
    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        The reconstructed emission, on the map's grid.
    """
    taper_width = options.pop('taper_width', TAPER_WIDTH)
    # A native pixel collects the flux of 1 / factor**2 of the map's.
    options['to_jy_per_pixel'] = options.get('to_jy_per_pixel', 1.0) / factor**2
    if native is None:
        native = resample_grid(data, missing, factor)
    native, native_missing = native
    result = inpaint(
        native,
        to_native_position(x, factor),
        to_native_position(y, factor),
        np.asarray(radius) * factor,
        missing=native_missing,
        # The spline needs the reconstruction beyond the map's own taper.
        taper_width=(taper_width * factor + 3.0),
        **options,
    )
    hard = Reconstruction(result.emission, result.holes.astype(float), result.filled)
    back = {'factor': 1.0 / factor, 'shape': data.shape}
    emission, _ = resample_grid(hard.clean(native), native_missing, **back)
    wings, foreign = (
        None
        if image is None
        else np.where(
            missing,
            0.0,
            np.nan_to_num(resample_grid(image, native_missing, **back)[0]),
        )
        for image in (result.wings, result.foreign)
    )
    blender = Blender(data.shape, taper_width)
    for i in np.flatnonzero(result.filled):
        blender.mark(x[i], y[i], radius[i])
    weight = np.where(missing | ~np.isfinite(emission), 0.0, blender.weight)
    emission = np.where(weight > 0, emission, 0.0)
    return Reconstruction(emission, weight, result.filled, wings, foreign)
