# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The column of a source table that says how the PSF is turned at each source.
"""

from dataclasses import dataclass

import astropy.units as u
import numpy as np

from photutils_pconv.inputs.column_values import to_plain_floats

__all__ = ['PSFAngles', 'find_psf_angles']

# Names in lower case, and whether their angles count from north.
_NAMES = {'psf_angle': False, 'psf_pa': True}


@dataclass(frozen=True, eq=False)
class PSFAngles:
    """
    The angles by which the PSF is turned at N sources.

    Parameters
    ----------
    angle : (N,) `~numpy.ndarray`
        The angles, in degrees; NaN where the angle is not known.

    from_north : bool
        Whether that is the position angle, east of north, of what is up in the image
        of the PSF, rather than the angle by which the image is turned
        counter-clockwise on the map.
    """

    angle: np.ndarray
    from_north: bool

    def __len__(self):
        return self.angle.size


def find_psf_angles(table):
    """
    Find the angles of the PSF in a table.

    Parameters
    ----------
    table : `~astropy.table.Table`
        The table. Angles without a unit are in degrees.

    Returns
    -------
    angles : `PSFAngles` or `None`
        The angles; `None` if there is no column for them.

    Raises
    ------
    ValueError
        If there are two columns for them, or one that holds something else.
    """
    names = [name for name in table.colnames if name.strip().lower() in _NAMES]
    if not names:
        return None
    if len(names) > 1:
        msg = (
            f'The table has several angles of the PSF: {", ".join(names)}. Remove all '
            'but one: psf_angle counts counter-clockwise on the map, psf_pa east of '
            'north.'
        )
        raise ValueError(msg)
    angle = to_plain_floats(table[names[0]], u.deg, names[0])
    angle = np.where(np.isfinite(angle), angle, np.nan)
    return PSFAngles(angle, _NAMES[names[0].strip().lower()])
