# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What the generators of emission and of noise, and their measures, share.
"""

import numpy as np

from photutils_pconv._utils import medians


def wave_numbers(shape):
    """Return the frequencies (kx, ky), per pixel, of a real transform."""
    ky = np.fft.fftfreq(shape[0])[:, None]
    kx = np.fft.rfftfreq(shape[1])[None, :]
    return kx, ky


def robust_std(field):
    """Return the scatter about the median that outliers hardly change."""
    return medians.robust_std(np.ravel(field))
