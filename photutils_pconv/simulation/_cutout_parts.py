# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Parts of training cutouts: sources cut from stamps, and missing pixels.
"""

import numpy as np

from photutils_pconv.geometry.cutouts import CUTOUT_SIZE

__all__ = ['STAMP_SIZE', 'draw_missing', 'shift_stamp']

#: The side of the stamps of sources, which are cut to cutouts, in pixels.
STAMP_SIZE = 2 * CUTOUT_SIZE


def shift_stamp(stamp, dx, dy, *, size=CUTOUT_SIZE):
    """
    Cut a cutout out of a stamp so that its centre moves by (dx, dy).
    """
    y0, x0 = (STAMP_SIZE // 2 - size // 2 - shift for shift in (dy, dx))
    return stamp[y0 : y0 + size, x0 : x0 + size]


def draw_missing(xx, yy, rng):
    """
    Draw missing pixels beyond a straight edge, at most most of the cutout.
    """
    half = xx.shape[0] // 2
    angle = rng.uniform(0.0, 2.0 * np.pi)
    along = (xx - half) * np.cos(angle) + (yy - half) * np.sin(angle)
    missing = along > rng.uniform(2.0, 45.0)
    if missing.sum() > 0.85 * missing.size:
        missing[:] = False
    return missing
