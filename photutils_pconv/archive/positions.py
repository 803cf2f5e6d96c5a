# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Positions, in words or by the name of an object.
"""

import re
from contextlib import suppress

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.coordinates.name_resolve import NameResolveError

from photutils_pconv.archive.errors import ArchiveConnectionError, NotInArchiveError

__all__ = ['parse_position']

_DECIMAL = re.compile(r'[-+]?\d+(\.\d*)?[\s,]+[-+]?\d+(\.\d*)?')
_SEXAGESIMAL = re.compile(
    r'\d+[: ]\d+[: ]\d+(\.\d*)?[\s,]+[-+]?\d+[: ]\d+[: ]\d+(\.\d*)?'
)


def parse_position(position):
    """
    Make a position of what a user gives.

    Parameters
    ----------
    position : `~astropy.coordinates.SkyCoord` or str
        The position, in words if need be, or the name of an object.

    Returns
    -------
    position : `~astropy.coordinates.SkyCoord`
        The position, a scalar.

    Raises
    ------
    ArchiveError
        If the name is not known, or the name service does not answer.

    TypeError, ValueError
        If it is no position.
    """
    if isinstance(position, SkyCoord):
        if not position.isscalar:
            msg = f'position must be a single one, got {position.shape} of them.'
            raise ValueError(msg)
        if not np.isfinite(position.spherical.lon + position.spherical.lat):
            msg = f'position must be finite, got {position!r}.'
            raise ValueError(msg)
        return position
    if not isinstance(position, str) or not position.strip():
        msg = f'position must be a SkyCoord or a text, got {position!r}.'
        raise TypeError(msg)
    text = position.strip()
    if _DECIMAL.fullmatch(text):
        ra, dec = map(float, re.split(r'[\s,]+', text))
        if not -180 <= ra <= 360:
            msg = f'The right ascension must be within 0 and 360 degrees, got {ra:g}.'
            raise ValueError(msg)
        return SkyCoord(ra * u.deg, dec * u.deg)
    if _SEXAGESIMAL.fullmatch(text):
        return SkyCoord(text, unit=(u.hourangle, u.deg))
    with suppress(ValueError):
        return SkyCoord(text)
    try:
        return SkyCoord.from_name(position)
    except NameResolveError as exc:
        if 'Unable to find coordinates' in str(exc):
            msg = (
                f'No object is called {position!r}, and it is no position such as '
                "'17h56m36s +51d29m20s' or '269.15 51.49'."
            )
            raise NotInArchiveError(msg) from exc
        msg = (
            f'The name {position!r} cannot be looked up: Sesame, the name service, '
            'does not answer. Give the position in its place.'
        )
        raise ArchiveConnectionError(msg) from exc
    except OSError as exc:
        msg = (
            f'The name {position!r} cannot be looked up: there is no way to Sesame, '
            'the name service. Give the position in its place.'
        )
        raise ArchiveConnectionError(msg) from exc
