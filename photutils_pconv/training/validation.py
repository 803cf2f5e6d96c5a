# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How well a network fills holes, beside what an annulus would say.
"""

import numpy as np

__all__ = ['FIGURES', 'hole_figures', 'summarise']

FIGURES = ('hole_rms', 'hole_rms_annulus', 'mean_error', 'mean_error_annulus')
"""
The names of the figures.
"""

# Pixels: the ring of the 'annulus', and how far holes are looked at.
_INNER, _OUTER = 16, 22
_REACH = 24
_FEWEST_RING, _FEWEST_HOLE = 100, 20


def hole_figures(output, target, image, validity, missing):
    """
    Compute the errors in the holes about the cutouts' centres.

    Parameters
    ----------
    output, target, image, validity, missing : `~numpy.ndarray`
        The network's output, and the parts of
        `~photutils_pconv.training.Cutouts`, of shape (N, H, W).

    Returns
    -------
    figures : `~numpy.ndarray`
        Of shape (M, 4), a row for every cutout with enough pixels: the
        RMS error in the hole, the same if the hole is filled with the
        mean of the usable pixels between 16 and 22 pixels from the
        centre, and the absolute error of the mean over the hole for
        both; all on the cutouts' own scale.
    """
    height, width = output.shape[1:]
    yy, xx = np.indices((height, width))
    r = np.hypot(xx - width // 2, yy - height // 2)
    ring, near = (r > _INNER) & (r < _OUTER), r <= _REACH
    rows = []
    for out, truth, given, valid, absent in zip(
        output, target, image, validity > 0, missing > 0, strict=True
    ):
        hole = near & ~valid & ~absent
        around = ring & valid
        if around.sum() < _FEWEST_RING or hole.sum() < _FEWEST_HOLE:
            continue
        error = (out - truth)[hole].astype(float)
        flat = float(given[around].mean()) - truth[hole].astype(float)
        rows.append(
            (
                np.sqrt(np.mean(error**2)),
                np.sqrt(np.mean(flat**2)),
                abs(error.mean()),
                abs(flat.mean()),
            )
        )
    return np.array(rows, dtype=float).reshape(-1, len(FIGURES))


def summarise(figures):
    """
    Take the medians of `hole_figures` over many cutouts.

    Parameters
    ----------
    figures : `~numpy.ndarray`
        Of shape (M, 4).

    Returns
    -------
    summary : dict
        The medians by name, which a few wild cutouts do not move, and
        ``n_figures``, the number of cutouts; empty if there are none.
    """
    if len(figures) == 0:
        return {}
    medians = np.median(figures, axis=0)
    summary = {name: float(v) for name, v in zip(FIGURES, medians, strict=True)}
    return {**summary, 'n_figures': len(figures)}
