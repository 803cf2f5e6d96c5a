# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
What the tests of maps, and those of sources, have in common.
"""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import NDData
from astropy.utils.masked import Masked
from numpy.testing import assert_allclose

from photutils_pconv.inputs.sources import SourceInput

SHAPE = (30, 40)
X = np.array([3.25, 20.0, 35.5, -4.0])
Y = np.array([5.5, 14.0, 0.25, 40.0])


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


@pytest.fixture
def sky(map_wcs):
    """Return the positions X, Y on the sky, by trigonometry of our own."""
    (ra0, dec0), (xc, yc) = map_wcs.wcs.crval, map_wcs.wcs.crpix
    xi = np.radians(-1.6 / 3600 * (X + 1 - xc))
    eta = np.radians(1.6 / 3600 * (Y + 1 - yc))
    ra0, dec0 = np.radians([ra0, dec0])
    # the inverse of the gnomonic projection
    below = np.cos(dec0) - eta * np.sin(dec0)
    ra = ra0 + np.arctan2(xi, below)
    dec = np.arctan2(np.sin(dec0) + eta * np.cos(dec0), np.hypot(xi, below))
    return SkyCoord(ra, dec, unit=u.rad)


def check_sources(parsed, sky=None, *, atol=1e-6):
    assert isinstance(parsed, SourceInput)
    assert len(parsed) == len(X)
    assert parsed.x.dtype == parsed.y.dtype == np.dtype(float)
    assert_allclose(parsed.x, X, atol=atol)
    assert_allclose(parsed.y, Y, atol=atol)
    if sky is None:
        assert parsed.sky is None
    else:
        assert parsed.sky.shape == X.shape
        assert np.all(parsed.sky.icrs.separation(sky) < 1e-3 * u.arcsec)
