# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Aperture photometry above the level of an annulus.
"""

import numpy as np
from photutils.aperture import CircularAperture
from photutils.background import LocalBackground

from photutils_pconv.evaluation.methods.scene import MethodResult
from photutils_pconv.photometry.annulus import annulus_photometry

__all__ = [
    'BACKGROUND_GAP',
    'BACKGROUND_WIDTH',
    'measure_annulus',
    'measure_local_background',
]

BACKGROUND_GAP = 2.0
"""
How far outside the hole the annulus of photutils' ``LocalBackground``
begins, in pixels (by choice).
"""

BACKGROUND_WIDTH = 6.0
"""
How wide that annulus is, in pixels (by choice).
"""


def measure_annulus(scene):
    """
    Measure in an aperture above the mean of the standard annulus.

    Parameters
    ----------
    scene : `~photutils_pconv.evaluation.methods.Scene`
        Map and sources.

    Returns
    -------
    result : `~photutils_pconv.evaluation.MethodResult`
        The fluxes, and the map with the annulus' mean in the holes.
    """
    measured = annulus_photometry(
        scene.data,
        scene.x,
        scene.y,
        radii=[scene.aperture_radius],
        annulus_radii=scene.annulus_radii,
        missing=scene.missing,
    )
    flux = scene.in_aperture(measured.flux[:, 0], np.ones(len(scene.x)))
    background = _fill_with(scene, measured.annulus.local_bkg)
    return MethodResult(flux=flux, background=background)


def measure_local_background(scene):
    """
    Measure in an aperture above photutils' LocalBackground.

    The annulus begins 2 pixels outside the hole and is 6 pixels wide;
    other sources' holes are left out of it.

    Parameters
    ----------
    scene : `~photutils_pconv.evaluation.methods.Scene`
        Map and sources.

    Returns
    -------
    result : `~photutils_pconv.evaluation.MethodResult`
        The fluxes, and the map with the annulus' clipped median in the
        holes.
    """
    flux, values = np.full((2, len(scene.x)), np.nan)
    mask = scene.missing | scene.holes
    clean = np.where(scene.missing, 0.0, scene.data)
    usable = scene.usable
    for radius in np.unique(scene.hole_radius[usable]):
        rows = np.flatnonzero(usable & (scene.hole_radius == radius))
        inner = radius + BACKGROUND_GAP
        estimate = LocalBackground(inner, inner + BACKGROUND_WIDTH)
        values[rows] = estimate(scene.data, scene.x[rows], scene.y[rows], mask=mask)
    rows = np.flatnonzero(usable)
    if len(rows):
        apertures = CircularAperture(
            np.stack([scene.x[rows], scene.y[rows]], axis=1), scene.aperture_radius
        )
        total, _ = apertures.do_photometry(clean, mask=scene.missing)
        area, _ = apertures.do_photometry(np.ones_like(clean), mask=scene.missing)
        flux[rows] = total - values[rows] * area
    flux = scene.in_aperture(flux, np.ones(len(scene.x)))
    return MethodResult(flux=flux, background=_fill_with(scene, values))


def _fill_with(scene, values):
    """
    Put one value a source into its hole.
    """
    background = scene.data.copy()
    for i in np.flatnonzero(scene.usable):
        window = scene.window(i, int(scene.hole_radius[i]) + 2)
        background[window.region][scene.hole(i, window)] = values[i]
    background[scene.missing] = np.nan
    return background
