# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What the cleaned map holds where sources were.

Two estimates of the map without its sources compete in every pixel: the map
less the sources' images, which has what their subtraction leaves; and the
reconstruction, which is smooth and does not know the pixel's noise. Each counts
by its expected error. Where a source is faint its subtraction is exact, and the
observed pixel is kept; under a bright one the reconstruction takes over.
"""

from dataclasses import dataclass, replace

import numpy as np

from photutils_pconv.geometry.holes import TAPER_WIDTH, draw_values
from photutils_pconv.removal.structure import measure_structure

__all__ = ['Composition', 'compose']

# The error of a reconstruction against the map without its sources, in units of
# the structure around: on real backgrounds it is 0.96 for faint sources. A little
# less is taken, by choice: it serves bright sources, and more the faint ones. A
# fifth more or less changes the cleaned maps' errors by at most a tenth
# (benchmarks/composition.py, 2026-11-29).
_RECONSTRUCTION_ERROR = 0.85


@dataclass(frozen=True, eq=False)
class Composition:
    """
    A cleaned map, put together from what was observed and reconstructed.

    Parameters
    ----------
    cleaned : 2D `~numpy.ndarray`
        The map without its sources.

    weight : 2D `~numpy.ndarray`
        The reconstruction's weight in it, 0 to 1. The map less the sources has
        the rest.

    lost : 2D `~numpy.ndarray`
        The standard deviation of what a draw has to add, in units of the
        reconstruction's error.

    error : 2D `~numpy.ndarray` or `None`
        The error of the cleaned map, where the map's is known.
    """

    cleaned: np.ndarray
    weight: np.ndarray
    lost: np.ndarray
    error: np.ndarray | None


def compose(grid, holes, filled, *, keep):
    """
    Put the cleaned map together.

    Parameters
    ----------
    grid : `~photutils_pconv.geometry.MapGrid`
        The map.

    holes : `~photutils_pconv.geometry.Holes`
        The holes of its M sources.

    filled : `~photutils_pconv.removal.Filled`
        The holes, filled.

    keep : bool
        Whether observed pixels are kept where their error is the smaller;
        otherwise the reconstruction has the whole weight in the holes.

    Returns
    -------
    composition : `Composition`
        The cleaned map and its error.

    Notes
    -----
    With the errors :math:`A` of the subtraction and :math:`B` of the
    reconstruction, the latter has the weight :math:`W = A^2 / (A^2 + B^2)`
    in the holes. Of the true structure, whose unknown part scatters by
    :math:`B`, the composition has :math:`(1 - W)^2 (A^2 + B^2)`: what a
    draw has to add is the rest of :math:`B^2`.
    """
    mean = filled.mean
    structure = filled.structure
    if structure is None:
        structure = measure_structure(
            mean.clean(grid.data),
            grid.missing | holes.mask,
            holes.x,
            holes.y,
            holes.radius,
        )
    expected = draw_values(
        holes.select(mean.filled),
        _RECONSTRUCTION_ERROR * structure[mean.filled],
        width=TAPER_WIDTH,
    )
    # All of this is 0 beyond the holes: their pixels alone are worked on.
    inside = mean.inside
    expected, share = expected.ravel()[inside], mean.weight.ravel()[inside]
    subtracted = np.zeros(inside.size)
    if filled.subtraction_error is not None:
        subtracted = filled.subtraction_error.ravel()[inside]
        if keep:
            total = subtracted**2 + expected**2
            share *= np.divide(
                subtracted**2, total, out=np.zeros(total.shape), where=total > 0
            )
    present = np.divide(
        subtracted, expected, out=np.zeros(expected.shape), where=expected > 0
    )
    rest = 1.0 - (1.0 - share) ** 2 * (1.0 + present**2)
    weight, lost = np.zeros(mean.weight.shape), np.zeros(mean.weight.shape)
    weight.ravel()[inside] = share
    lost.ravel()[inside] = np.where(share > 0, np.sqrt(np.maximum(rest, 0.0)), 0.0)
    composed = replace(mean, weight=weight)
    error = None
    if grid.error is not None:
        error = grid.error.copy()
        if filled.subtraction_error is not None:
            changed = mean.holes
            np.hypot(error, filled.subtraction_error, out=error, where=changed)
        kept = (1.0 - share) * error.ravel()[inside]
        np.put(error, inside, np.hypot(share * expected, kept))
    return Composition(composed.clean(grid.data), weight, lost, error)
