# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What a map minus its sources shows of the emission under them.

Where the PSF's mismatch would drown the emission, small holes remain, which are
the smaller the fainter the source is; from the residual around and under the
source a network reconstructs the emission.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv.geometry.cutouts import cut_stack
from photutils_pconv.inpainting.blending import Blender
from photutils_pconv.inpainting.prediction import CutoutInput, predict_cutouts
from photutils_pconv.inpainting.reconstruction import Reconstruction
from photutils_pconv.inpainting.residual_images import (
    residual_channels,
    small_holes,
)
from photutils_pconv.psf_photometry.fit_windows import FIT_RADIUS

__all__ = ['WINDOW_SIDE', 'ResidualMap', 'SeenEmission', 'look_under_sources']

# Half the side of the square in which small holes are counted as a source's own,
# in pixels; by choice, the largest holes fit into it.
_NEAR = 16
#: The side of the square that holds the window of a fit, in pixels: 3 more on either
#: side, by choice.
WINDOW_SIDE = 2 * (int(FIT_RADIUS) + 3)


@dataclass(frozen=True, eq=False)
class SeenEmission:
    """
    The emission that is seen under the sources of a map.

    Parameters
    ----------
    reconstruction : `~photutils_pconv.inpainting.Reconstruction`
        The emission in the holes that were looked into.

    windows : list
        For each source the first pixel (x, y) of a square of `WINDOW_SIDE` around
        it, and the emission there; `None` where it was not looked for.

    inner_radius : (M,) `~numpy.ndarray`
        The radius of the small hole's area in which the network did not see the
        residual, in pixels; 0 where it saw all of it.
    """

    reconstruction: Reconstruction
    windows: list
    inner_radius: np.ndarray


@dataclass(frozen=True, eq=False)
class ResidualMap:
    """
    A map minus its sources, from which a network's input is cut.

    Parameters
    ----------
    residual : 2D `~numpy.ndarray`
        The map minus its sources.

    error : 2D `~numpy.ndarray`
        What their subtraction is expected to leave.

    shapes : 2D `~numpy.ndarray`
        The sources' PSFs, of flux 1.

    missing : 2D bool `~numpy.ndarray`
        Missing pixels.

    normalisation : dict
        The scaling of the network's input.

    jy_per_pixel : float
        The factor from the map's unit to Jy/pixel.
    """

    residual: np.ndarray
    error: np.ndarray
    shapes: np.ndarray
    missing: np.ndarray
    normalisation: dict
    jy_per_pixel: float

    def cut(self, batch, origins, size):
        """
        Cut the input of a batch of cutouts, as `predict_cutouts` asks for it.

        Parameters
        ----------
        batch : (N,) int `~numpy.ndarray`
            The holes.

        origins : (N, 2) int `~numpy.ndarray`
            The first pixels (x, y) of their cutouts.

        size : int
            The cutouts' side, in pixels.

        Returns
        -------
        inputs : `~photutils_pconv.inpainting.prediction.CutoutInput`
            The input.
        """
        residual, error, shapes = (
            cut_stack(image, origins, size)
            for image in (self.residual, self.error, self.shapes)
        )
        absent = cut_stack(self.missing, origins, size, fill_value=True)
        residual[absent] = 0.0
        holes = small_holes(residual, error, absent) & ~absent
        validity = ~(absent | holes)
        images, scaling = residual_channels(
            residual * self.jy_per_pixel,
            error * self.jy_per_pixel,
            shapes,
            validity,
            absent,
            self.normalisation,
        )
        return CutoutInput(images, validity, scaling, small_holes=holes)


def look_under_sources(residual_map, holes, chosen, *, model, run, taper_width):
    """
    Have a network reconstruct the emission under sources from the residual.

    Parameters
    ----------
    residual_map : `ResidualMap`
        The map minus its sources.

    holes : `~photutils_pconv.geometry.Holes`
        The sources' holes.

    chosen : (M,) bool `~numpy.ndarray`
        The holes that are looked into.

    model : `~photutils_pconv.network.LoadedModel`
        A model of the kind ``'residual'``.

    run : `~photutils_pconv.network.RunOptions`
        How the network is run.

    taper_width : float
        The width of the taper around each hole, in pixels.

    Returns
    -------
    seen : `SeenEmission`
        The emission.
    """
    blender = Blender(residual_map.missing.shape, len(holes), taper_width)
    # Of a hole that is not looked into, nothing of the residual was used.
    inner_radius = np.where(chosen, 0.0, holes.radius)
    windows = [None] * len(holes)
    for cutouts in predict_cutouts(
        residual_map.cut,
        holes,
        model=model,
        run=run,
        taper_width=taper_width,
        jy_per_pixel=residual_map.jy_per_pixel,
        chosen=chosen,
    ):
        blender.add(cutouts, holes)
        inner_radius[cutouts.index] = _inner_radius(cutouts.inputs.small_holes)
        for k in np.flatnonzero(cutouts.usable):
            windows[cutouts.index[k]] = _cut_middle(
                cutouts.emission[k], cutouts.origins[k]
            )
    return SeenEmission(blender.finish(residual_map.missing), windows, inner_radius)


def _inner_radius(holes):
    """Give the radii of discs with the area of the small holes in cutouts."""
    middle = holes.shape[-1] // 2
    near = slice(middle - _NEAR, middle + _NEAR)
    return np.sqrt(holes[:, near, near].sum(axis=(1, 2)) / np.pi)


def _cut_middle(emission, origin):
    """Cut what a fit sees of a cutout; return its first pixel and itself."""
    margin = (len(emission) - WINDOW_SIDE) // 2
    return origin + margin, emission[margin:-margin, margin:-margin].copy()
