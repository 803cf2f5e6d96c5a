# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
How well a network fills holes, beside what an annulus would say.
"""

from itertools import pairwise

import numpy as np

from photutils_pconv.inpainting.scaling import Normalisation, Scaling

__all__ = [
    'FIGURES',
    'RESIDUAL_FIGURES',
    'SNR_EDGES',
    'hole_figures',
    'residual_figures',
    'softening_of',
    'summarise',
    'summarise_residual',
]

FIGURES = ('hole_rms', 'hole_rms_annulus', 'mean_error', 'mean_error_annulus')
"""
The names of the figures of masked cutouts.
"""

RESIDUAL_FIGURES = ('hole_rms', 'weighted_error')
"""
The names of the figures of residual cutouts.
"""

SNR_EDGES = (0, 4, 12, 40, 130, 400, np.inf)
"""
The ranges of SNR (Eq. 1) for which figures of residual cutouts are given, half a
decade each (by choice).
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


def residual_figures(output, cutouts, *, softening=None):
    """
    Compute the errors of the emission under sources.

    Parameters
    ----------
    output : `~numpy.ndarray`
        The network's output, (N, H, W).

    cutouts : `~photutils_pconv.training.ResidualCutouts`
        The cutouts, arrays of shape (N, H, W), of which the last two hold
        one number per cutout, (N, 1, 1).

    softening : float, optional
        Where the arcsinh of their normalisation starts to compress.

    Returns
    -------
    figures : `~numpy.ndarray`
        Of shape (M, 3), a row for every cutout with enough pixels in its
        holes: the source's SNR, the RMS error in the holes, and the
        absolute error of the emission under the source when its pixels
        are summed with the PSF's weights, both in units of the local
        scatter.
    """
    scaling = Scaling(0.0, cutouts.scale.astype(float), softening)
    found, truth = (
        scaling.invert(one.astype(float)) for one in (output, cutouts.target)
    )
    rows = []
    for error, hole, weight, snr in zip(
        found - truth, cutouts.hole > 0, cutouts.weight, cutouts.snr, strict=True
    ):
        if hole.sum() < _FEWEST_HOLE:
            continue
        rms = np.sqrt(np.mean(error[hole] ** 2))
        rows.append((snr.item(), rms, abs((weight * error).sum())))
    return np.array(rows, dtype=float).reshape(-1, 1 + len(RESIDUAL_FIGURES))


def summarise_residual(figures):
    """
    Take the medians of `residual_figures`, of all cutouts and by SNR.

    Parameters
    ----------
    figures : `~numpy.ndarray`
        Of shape (M, 3).

    Returns
    -------
    summary : dict
        The medians by name, the same of each range of SNR that has
        cutouts (``hole_rms_snr_4_12`` and so on), and ``n_figures``, the
        number of cutouts; empty if there are none.
    """
    if len(figures) == 0:
        return {}
    snr, *columns = np.asarray(figures).T
    summary = {
        name: float(np.median(values))
        for name, values in zip(RESIDUAL_FIGURES, columns, strict=True)
    }
    summary['n_figures'] = len(snr)
    for low, high in pairwise(SNR_EDGES):
        part = (snr >= low) & (snr < high)
        if part.any():
            for name, values in zip(RESIDUAL_FIGURES, columns, strict=True):
                key = f'{name}_snr_{low:g}_{high:g}'
                summary[key] = float(np.median(values[part]))
    return summary


def softening_of(normalisation):
    """
    Give the softening of a normalisation.

    Parameters
    ----------
    normalisation : dict
        The normalisation, as a model card has it.

    Returns
    -------
    softening : float or `None`
        The softening; `None` for one without.
    """
    how = Normalisation.from_dict(normalisation)
    return None if how.name == 'minmax' else how.softening


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
