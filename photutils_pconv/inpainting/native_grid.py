# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Holes of a map that is off the native pixel scale.

The map is resampled to the native grid and filled there; the reconstruction
is interpolated back to the map's pixels. This is the only place where a
reconstruction changes its grid.
"""

import numpy as np

from photutils_pconv.geometry.holes import TAPER_WIDTH, draw_taper
from photutils_pconv.geometry.resampling import resample_grid
from photutils_pconv.inpainting.hole_filling import inpaint_holes
from photutils_pconv.inpainting.reconstruction import Reconstruction

__all__ = ['inpaint_grid', 'native_taper', 'replace_on_map', 'to_map_grid']

# How much further than the taper a reconstruction is needed on the native grid
# for a cubic spline to be interpolated to the map's pixels, in native pixels:
# the spline's reach of 2, and one for rounding.
_SPLINE_REACH = 3.0


def inpaint_grid(grid, holes, settings, *, taper_width=TAPER_WIDTH):
    """
    Reconstruct the extended emission in holes of a map of any pixel scale.

    Parameters
    ----------
    grid : `~photutils_pconv.geometry.MapGrid`
        The map.

    holes : `~photutils_pconv.geometry.Holes`
        The holes, in the map's pixels.

    settings : `~photutils_pconv.inpainting.InpaintSettings`
        How they are filled.

    taper_width : float, optional
        The width of the taper around each hole, in the map's pixels.

    Returns
    -------
    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        The reconstructed emission, on the map's grid.
    """
    if grid.factor == 1:
        return inpaint_holes(
            grid.data,
            grid.missing,
            holes,
            settings,
            jy_per_pixel=grid.jy_per_pixel,
            taper_width=taper_width,
        )
    native = grid.native
    reconstruction = inpaint_holes(
        native.data,
        native.missing,
        grid.native_holes(holes),
        settings,
        jy_per_pixel=native.jy_per_pixel,
        taper_width=native_taper(grid, taper_width),
    )
    return to_map_grid(reconstruction, grid, holes, taper_width=taper_width)


def native_taper(grid, taper_width=TAPER_WIDTH):
    """
    Give the width of the taper that holes need on the native grid.

    Parameters
    ----------
    grid : `~photutils_pconv.geometry.MapGrid`
        The map.

    taper_width : float, optional
        The width of the taper, in the map's pixels.

    Returns
    -------
    width : float
        The width in native pixels: more, where a spline is to follow the
        emission beyond.
    """
    if grid.factor == 1:
        return taper_width
    return taper_width * grid.factor + _SPLINE_REACH


def to_map_grid(
    reconstruction, grid, holes, *, taper_width=TAPER_WIDTH, wingless=False
):
    """
    Bring the emission in holes from the native grid to the map's.

    Parameters
    ----------
    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        The reconstruction on the native grid.

    grid : `~photutils_pconv.geometry.MapGrid`
        The map.

    holes : `~photutils_pconv.geometry.Holes`
        The holes, in the map's pixels.

    taper_width : float, optional
        The width of the taper around each hole, in the map's pixels.

    wingless : bool, optional
        Whether the emission goes on beyond the holes as the map less the
        wings, rather than as the map.

    Returns
    -------
    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        The same on the map's grid: outside of the holes' tapers the map
        stays as it is.
    """
    # Beyond the holes the map itself goes on, so that the spline is smooth.
    hard = Reconstruction(
        reconstruction.emission,
        (reconstruction.weight > 0).astype(float),
        reconstruction.filled,
        reconstruction.wings if wingless else None,
    )
    emission = _interpolate(hard.clean(grid.native.data), grid)
    weight = draw_taper(holes.select(reconstruction.filled), width=taper_width)
    weight = np.where(grid.missing | ~np.isfinite(emission), 0.0, weight)
    return Reconstruction(
        np.where(weight > 0, emission, 0.0),
        weight,
        reconstruction.filled,
        _interpolate_wings(reconstruction.wings, grid),
        _interpolate_wings(reconstruction.foreign, grid),
    )


def replace_on_map(reconstruction, grid):
    """
    Bring a map without its sources from the native grid to the map's.

    Parameters
    ----------
    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        The reconstruction on the native grid, whose wings are the sources
        themselves, too steep for splines.

    grid : `~photutils_pconv.geometry.MapGrid`
        The map.

    Returns
    -------
    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        The same on the map's grid: wherever the native map was changed, it
        replaces the map's own pixels.
    """
    cleaned = _interpolate(reconstruction.clean(grid.native.data), grid)
    foreign = _interpolate(reconstruction.foreign, grid)
    changed, _ = resample_grid(
        reconstruction.holes.astype(float),
        np.zeros(grid.native.missing.shape, dtype=bool),
        1.0 / grid.factor,
        shape=grid.data.shape,
    )
    # Splines ring; what is left of a taper lies in the subtracted wings.
    use = (changed > 0.5) & ~grid.missing & np.isfinite(cleaned)
    return Reconstruction(
        np.where(use, cleaned, 0.0),
        use.astype(float),
        reconstruction.filled,
        # They are off already.
        wings=np.zeros(grid.data.shape),
        foreign=np.where(use, np.nan_to_num(foreign), 0.0),
    )


def _interpolate(image, grid):
    """Interpolate an image of the native grid to the map's pixels."""
    missing = grid.native.missing
    shape = grid.data.shape
    return resample_grid(image, missing, 1.0 / grid.factor, shape=shape)[0]


def _interpolate_wings(image, grid):
    """Interpolate wings, where there are any; 0 where pixels are missing."""
    if image is None:
        return None
    return np.where(grid.missing, 0.0, np.nan_to_num(_interpolate(image, grid)))
