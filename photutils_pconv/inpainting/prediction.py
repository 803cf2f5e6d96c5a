# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Batches of cutouts, predicted by a network.
"""

from dataclasses import dataclass

import numpy as np

from photutils_pconv._utils.progress import advance, enter_stage, show_stages
from photutils_pconv.geometry.cutouts import cutout_origin
from photutils_pconv.inpainting.scaling import Normalisation, Scaling
from photutils_pconv.network.running import SEEING_TURNS, make_predictor

__all__ = ['CutoutInput', 'PredictedCutouts', 'choose_sizes', 'predict_cutouts']

# Fewer usable pixels than this in a cutout tell nothing of the emission: a
# square of 8 pixels, by choice.
_MINIMUM_VALID = 64
# The emission is predicted to this distance at least, in pixels: that of the window
# of a fit (``FIT_RADIUS``), and some more.
_LEAST_REACH = 14
# Or to as much more in steps of this (pixels), so that batches are full; by choice.
_REACH_STEP = 4
# Cutouts that can grow with their hole keep this much around it, in pixels; by
# choice, three beams and more.
_SURROUNDINGS = 12
# Their sides are multiples of this (pixels): twice what the networks need, so
# that a map has few sizes, and batches are full.
_MULTIPLE = 32
# The side of cutouts around small holes (pixels), where the network is run on one turn
# of them: it holds the circle by which they are normalised, at little more than half
# the work. They keep less around their holes, still two and a half beams: on the maps
# of benchmarks/psf_accuracy.py --setups scanmap/blue scanmap/green parallel/red --parts
# real simulated --maps 4 --real-maps 2, compared by --over, fluxes scatter 0.97 to 1.02
# times as much as with 12 pixels, errors in holes are 0.99 to 1.02 times as large
# (2026-11-30).
_SMALL, _LEAST_SURROUNDINGS = 48, 9


@dataclass(frozen=True, eq=False)
class CutoutInput:
    """
    What a network sees of a batch of cutouts.

    Parameters
    ----------
    images : (N, C, H, W) `~numpy.ndarray`
        The scaled images.

    validity : (N, H, W) bool `~numpy.ndarray`
        True where a pixel is usable: neither missing nor in a hole.

    scaling : `~photutils_pconv.inpainting.Scaling`
        The scaling of the emission, to be inverted.

    wings : (N, H, W) `~numpy.ndarray`, optional
        The wings that were taken off, in Jy/pixel.

    small_holes : (N, H, W) bool `~numpy.ndarray`, optional
        The pixels of residual images that are not used.
    """

    images: np.ndarray
    validity: np.ndarray
    scaling: Scaling
    wings: np.ndarray | None = None
    small_holes: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class PredictedCutouts:
    """
    A batch of cutouts, with the emission that a network predicts in their middle.

    Parameters
    ----------
    index : (N,) int `~numpy.ndarray`
        The holes to which the cutouts belong.

    origins : (N, 2) int `~numpy.ndarray`
        The cutouts' first pixels (x, y) on the map.

    inputs : `CutoutInput`
        What the network saw.

    emission : (N, H, W) `~numpy.ndarray`
        The emission, in the map's unit; known in the hole and its taper, and at
        least within 14 pixels of the middle.

    usable : (N,) bool `~numpy.ndarray`
        Whether there was enough to see for a prediction.
    """

    index: np.ndarray
    origins: np.ndarray
    inputs: CutoutInput
    emission: np.ndarray
    usable: np.ndarray


def choose_sizes(model, reach, *, run):
    """
    Choose the side of each cutout by how far its hole reaches.

    Parameters
    ----------
    model : `~photutils_pconv.network.LoadedModel`
        The network and its card.

    reach : 1D `~numpy.ndarray`
        The radii of what is to be seen, in pixels.

    run : `~photutils_pconv.network.RunOptions`
        How the network is run.

    Returns
    -------
    sizes : 1D int `~numpy.ndarray`
        The sides, in pixels: the model's, or, if its network takes any, more for
        large holes and, on one turn, less for small ones.
    """
    smallest = model.card.cutout_size
    if not getattr(model.network, 'any_size', False):
        return np.full(len(reach), smallest)
    needed = 2.0 * (reach + _SURROUNDINGS)
    sizes = np.maximum(smallest, _MULTIPLE * np.ceil(needed / _MULTIPLE)).astype(int)
    how = Normalisation.from_dict(model.card.normalisation)
    quick = run.turns == SEEING_TURNS
    if quick and how.name == 'robust' and 2.0 * how.radius <= _SMALL:
        is_small = 2.0 * (reach + _LEAST_SURROUNDINGS) <= _SMALL
        sizes[is_small] = min(smallest, _SMALL)
    return sizes


def _choose_reaches(reach):
    """
    Choose how far from the middle the emission is predicted, in whole pixels.
    """
    # A pixel to spare on either side of the rim.
    more = np.ceil(reach) + 2 - _LEAST_REACH
    steps = np.ceil(np.maximum(more, 0) / _REACH_STEP)
    return _LEAST_REACH + (_REACH_STEP * steps).astype(int)


def predict_cutouts(
    make_input, holes, *, model, run, taper_width, jy_per_pixel=1.0, chosen=None
):
    """
    Have a network predict the emission in cutouts around holes.

    Parameters
    ----------
    make_input : callable
        Makes the `CutoutInput` of a batch from the indices of its holes, the
        first pixels (x, y) of their cutouts, and the cutouts' side.

    holes : `~photutils_pconv.geometry.Holes`
        The holes.

    model : `~photutils_pconv.network.LoadedModel`
        The network and its card.

    run : `~photutils_pconv.network.RunOptions`
        How to run it.

    taper_width : float
        The width of the taper around each hole, which a cutout is to hold, in
        pixels.

    jy_per_pixel : float, optional
        The factor from the map's unit to Jy/pixel.

    chosen : 1D bool `~numpy.ndarray`, optional
        The holes that are to be predicted (default: all).

    Yields
    ------
    cutouts : `PredictedCutouts`
        A batch: at most ``run.batch_size`` cutouts of one size and reach.
    """
    predict = make_predictor(model.network, run)
    sizes = choose_sizes(model, holes.radius + taper_width, run=run)
    reaches = _choose_reaches(holes.radius + taper_width)
    # A sum's rounding depends on its order: take that from the positions.
    order = np.lexsort((holes.radius, holes.x, holes.y))
    if chosen is not None:
        order = order[chosen[order]]
    kinds = np.stack([sizes, reaches], axis=1)[order]
    batches = [
        (*kind.tolist(), members[start : start + run.batch_size])
        for kind in np.unique(kinds, axis=0)
        for members in [order[np.all(kinds == kind, axis=1)]]
        for start in range(0, len(members), run.batch_size)
    ]
    with show_stages(run.progress_bar):
        enter_stage('filling', len(order), unit='hole')
        for size, reach, batch in batches:
            origins = cutout_origin(holes.x[batch], holes.y[batch], size=size)
            origins = np.stack(origins, axis=1)
            inputs = make_input(batch, origins, size)
            output = predict(inputs.images, inputs.validity, reach=reach)
            yield PredictedCutouts(
                index=batch,
                origins=origins,
                inputs=inputs,
                emission=inputs.scaling.invert(output) / jy_per_pixel,
                usable=inputs.validity.sum(axis=(1, 2)) >= _MINIMUM_VALID,
            )
            advance(len(batch))
