# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What the tests of maps have in common.
"""

import numpy as np
from astropy.io import fits
from astropy.nddata import NDData
from astropy.utils.masked import Masked

SHAPE = (30, 40)


def make_values():
    return np.random.default_rng(1).normal(1, 0.1, SHAPE)


def plain(result):
    """Return the pixel values of a result of any class."""
    if isinstance(result, Masked):
        result = result.unmasked
    result = result.data if isinstance(result, NDData) else result
    return np.array(getattr(result, 'value', result))


def write_fits(path, data, name='', **cards):
    hdu = fits.PrimaryHDU(data)
    if name:
        hdu.name = name
    for key, value in cards.items():
        hdu.header[key] = value
    hdu.writeto(path)
    return path
