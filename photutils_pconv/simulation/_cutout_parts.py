# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Parts of training cutouts: sources cut from stamps, and missing pixels.
"""

import numpy as np

from photutils_pconv.cutouts import CUTOUT_SIZE

__all__ = ['STAMP_SIZE', 'draw_missing', 'shift_stamp']

#: The side of the stamps of sources, which are cut to cutouts, in pixels.
STAMP_SIZE = 2 * CUTOUT_SIZE

_HALF = CUTOUT_SIZE // 2


def shift_stamp(stamp, dx, dy):
    """
    Cut the cutout out of a stamp so that its centre moves by (dx, dy).
    """
    y0, x0 = STAMP_SIZE // 2 - _HALF - dy, STAMP_SIZE // 2 - _HALF - dx
    return stamp[y0 : y0 + CUTOUT_SIZE, x0 : x0 + CUTOUT_SIZE]


def draw_missing(xx, yy, rng):
    """
    Draw missing pixels beyond a straight edge, at most most of the cutout.
    """
    angle = rng.uniform(0.0, 2.0 * np.pi)
    along = (xx - _HALF) * np.cos(angle) + (yy - _HALF) * np.sin(angle)
    missing = along > rng.uniform(2.0, 45.0)
    if missing.sum() > 0.85 * missing.size:
        missing[:] = False
    return missing
