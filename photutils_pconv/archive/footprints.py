# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The outlines of observations, as archives write them.
"""

import re

import numpy as np
from astropy.coordinates import angular_separation

__all__ = ['footprint_size', 'parse_footprint']

_NUMBER = re.compile(r'[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?')


def parse_footprint(text, lon, lat):
    """
    Read the corners of a polygon from an archive's text.

    STC-S (``'Polygon ICRS 10.1 20.2 ...'``), DALI's list of numbers, and
    PostgreSQL's ``'{(0.17 , 0.35),...}'`` are in use; the last is in radian.
    Which unit it is follows from where the observation is.

    Parameters
    ----------
    text : str
        The polygon.

    lon, lat : float
        Where the observation points to (radian).

    Returns
    -------
    corners : 2D `~numpy.ndarray` or `None`
        Longitudes and latitudes of the corners (radian, shape (2, N)); `None` if
        the text is no polygon.
    """
    # the year of J2000 is no coordinate
    plain = re.sub(r'(?i)j2000|fk5', ' ', str(text))
    numbers = np.array([float(value) for value in _NUMBER.findall(plain)])
    if len(numbers) < 6 or len(numbers) % 2:
        return None
    pairs = numbers.reshape(-1, 2).T
    readings = [
        corners
        for corners in (np.radians(pairs), pairs)
        if np.all(np.abs(corners[1]) <= np.pi / 2)
    ]
    if not readings:
        return None
    return min(readings, key=lambda one: np.min(angular_separation(*one, lon, lat)))


def footprint_size(corners):
    """
    Measure an outline.

    Parameters
    ----------
    corners : 2D `~numpy.ndarray`
        Longitudes and latitudes of the corners (radian, shape (2, N)).

    Returns
    -------
    size : float
        The largest distance between two of them (radian).
    """
    lon, lat = corners
    return np.max(angular_separation(lon[:, np.newaxis], lat[:, np.newaxis], lon, lat))
