# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The finders that the benchmark of source finding compares, at many thresholds.

Each takes a map (`_maps.BenchmarkMap`) and the FWHM in pixels, and gives the
positions of its detections at each of its thresholds, in their order.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.stats import SigmaClip
from astropy.table import Table
from photutils.background import Background2D
from photutils.detection import DAOStarFinder
from photutils.segmentation import SourceCatalog, SourceFinder

from photutils_pconv.finding import find_sources

__all__ = ['FINDERS', 'Finder', 'find_finders']

# Boxes of the photutils finders' background, and the least distance of DAOStarFinder's
# detections (FWHM): with boxes of 6 and 12, and with its default of 2.5, less is found
# on the training half. And the pixels of a segment, by choice.
_BOX, _SEPARATION, _SEGMENT_PIXELS = 3.0, 1.0, 5
_THRESHOLDS = (3.5, 4, 4.5, 5, 6, 7, 9, 12, 16, 24)
_DAO_THRESHOLDS = (1, 1.5, 2, 3, 4, 6, 9, 14, 20, 30)
_SEGMENT_THRESHOLDS = (1, 1.5, 2, 3, 4, 6, 9, 14, 20, 30)
_HYPER_THRESHOLDS = (1, 1.5, 2, 3, 4, 5, 6, 8, 12, 18, 30)


@dataclass(frozen=True)
class Finder:
    """
    A way to find sources.

    Parameters
    ----------
    name : str
        Its name.

    run : callable
        Gives the x and y of its detections at each threshold.

    thresholds : tuple of float
        The thresholds, ascending.

    usual : float
        The one that is its default, or that of its examples.
    """

    name: str
    run: Any
    thresholds: tuple
    usual: float


def _find_ours(truth, fwhm):
    """
    Give what `find_sources` finds at each threshold.

    A lower threshold finds what a higher one does, and more: one run serves all.
    """
    table = find_sources(truth.data, setup=truth.setup, threshold=_THRESHOLDS[0])
    x, y, snr = (np.array(table[name]) for name in ('x_centroid', 'y_centroid', 'snr'))
    return [(x[snr >= one], y[snr >= one]) for one in _THRESHOLDS]


def _flatten(truth, fwhm):
    """Give a map less its background, over its rms, and where it is missing."""
    missing = ~np.isfinite(truth.data)
    box = min(round(_BOX * fwhm), min(truth.data.shape))
    found = Background2D(
        np.where(missing, 0.0, truth.data), box, mask=missing, exclude_percentile=90
    )
    flat = (truth.data - found.background) / found.background_rms
    return np.where(missing, 0.0, flat), missing


def _positions(table, x, y):
    if table is None:
        return np.zeros(0), np.zeros(0)
    return np.array(table[x]), np.array(table[y])


def _find_dao(truth, fwhm):
    flat, missing = _flatten(truth, fwhm)
    return [
        _positions(
            DAOStarFinder(one, fwhm, min_separation=_SEPARATION * fwhm)(
                flat, mask=missing
            ),
            'x_centroid',
            'y_centroid',
        )
        for one in _DAO_THRESHOLDS
    ]


def _find_segments(truth, fwhm):
    """Give the centroids of segments, deblended."""
    flat, missing = _flatten(truth, fwhm)
    finder = SourceFinder(n_pixels=_SEGMENT_PIXELS, progress_bar=False)
    found = []
    for one in _SEGMENT_THRESHOLDS:
        segments = finder(flat, one, mask=missing)
        if segments is None:
            found.append(_positions(None, '', ''))
            continue
        catalogue = SourceCatalog(flat, segments, mask=missing)
        found.append(
            (np.atleast_1d(catalogue.x_centroid), np.atleast_1d(catalogue.y_centroid))
        )
    return found


class _HyperConfig:
    """The settings of hyper that its detection reads: its defaults."""

    @staticmethod
    def get(section, name, default=None):
        """Give a setting; what hyper requires is as in its own example."""
        return {'aper_inf': 1.0, 'aper_sup': 2.0}.get(name, default)


class _OldFinder:
    """photutils' ``DAOStarFinder`` with the names of before photutils 3."""

    def __init__(self, threshold, fwhm, *, roundlo, roundhi, sharplo, sharphi, **rest):
        self.finder = DAOStarFinder(
            threshold,
            fwhm,
            roundness_range=(roundlo, roundhi),
            sharpness_range=(sharplo, sharphi),
            **rest,
        )

    def __call__(self, image):
        """Find sources; the columns of centroids have no underscore."""
        table = self.finder(image)
        if table is None:
            return None
        names = {'xcentroid': 'x_centroid', 'ycentroid': 'y_centroid', 'peak': 'peak'}
        return Table({old: np.array(table[new]) for old, new in names.items()})


def _find_with_hyper(truth, fwhm):
    """
    Give what hyper's detection finds, with the limits of its own example.

    The map less its mean, the rms, and the last cut are as its pipeline has them.
    """
    from hyper_py import detection

    detection.DAOStarFinder = _OldFinder
    data = np.where(np.isfinite(truth.data), truth.data, np.nan)
    data = data - np.nanmean(data)
    clipped = SigmaClip(sigma=3.0, maxiters=10)(data)
    rms = np.sqrt(np.nanmean(clipped**2))
    table = detection.detect_sources(
        {'map': data, 'beam_dim': fwhm, 'pix_dim': 1.0},
        0,
        data,
        rms,
        _HYPER_THRESHOLDS[0],
        (-4.0, 4.0),
        (-2.0, 2.0),
        _HyperConfig,
    )
    return [
        _positions(
            detection.filter_by_snr(table, data, rms, one), 'xcentroid', 'ycentroid'
        )
        for one in _HYPER_THRESHOLDS
    ]


#: What is compared.
FINDERS = (
    Finder('find_sources', _find_ours, _THRESHOLDS, 5.0),
    Finder('DAOStarFinder', _find_dao, _DAO_THRESHOLDS, 6.0),
    Finder('SourceFinder', _find_segments, _SEGMENT_THRESHOLDS, 1.5),
    Finder('hyper', _find_with_hyper, _HYPER_THRESHOLDS, 5.0),
)


def find_finders():
    """
    Name the finders that are installed.

    Returns
    -------
    finders : list of `Finder`
        The finders.
    """
    try:
        import hyper_py.detection  # noqa: F401
    except ImportError:
        return [one for one in FINDERS if one.name != 'hyper']
    return list(FINDERS)
