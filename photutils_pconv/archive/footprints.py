# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The outlines of observations, as archives write them.
"""

import re

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord

__all__ = ['footprint_size', 'parse_footprint']

_NUMBER = re.compile(r'[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?')


def parse_footprint(text, position):
    """
    Read the corners of a polygon from an archive's text.

    STC-S (``'Polygon ICRS 10.1 20.2 ...'``), DALI's list of numbers, and
    PostgreSQL's ``'{(0.17 , 0.35),...}'`` are in use; the last is in radian.
    Which unit it is follows from where the observation is.

    Parameters
    ----------
    text : str
        The polygon.

    position : `~astropy.coordinates.SkyCoord`
        Where the observation points to.

    Returns
    -------
    corners : `~astropy.coordinates.SkyCoord` or `None`
        The corners; `None` if the text is no polygon.
    """
    # the year of J2000 is no coordinate
    plain = re.sub(r'(?i)j2000|fk5', ' ', str(text))
    numbers = np.array([float(value) for value in _NUMBER.findall(plain)])
    if len(numbers) < 6 or len(numbers) % 2:
        return None
    lon, lat = numbers.reshape(-1, 2).T
    best = None
    for unit in (u.deg, u.rad):
        if np.any(np.abs(lat * unit) > 90 * u.deg):
            continue
        corners = SkyCoord(lon * unit, lat * unit)
        distance = np.min(corners.separation(position))
        if best is None or distance < best[0]:
            best = distance, corners
    return None if best is None else best[1]


def footprint_size(corners):
    """
    Measure an outline.

    Parameters
    ----------
    corners : `~astropy.coordinates.SkyCoord`
        The corners.

    Returns
    -------
    size : `~astropy.units.Quantity`
        The largest distance between two of them (arcmin).
    """
    return np.max(corners[:, np.newaxis].separation(corners)).to(u.arcmin)
