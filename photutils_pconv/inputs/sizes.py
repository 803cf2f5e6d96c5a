# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
The columns of a source table that hold the sources' sizes.
"""

import re
from dataclasses import dataclass, fields

import astropy.units as u
import numpy as np

from photutils_pconv._utils.warnings import warn_user
from photutils_pconv.inputs.column_values import to_plain_floats

__all__ = ['CatalogueSizes', 'find_sizes']

# Names of the FWHM along both axes, in lower case: this package's, Hyper's, getsf's,
# CuTEx's, and those of tables at the CDS.
_AXES = (
    ('fwhm_major', 'fwhm_minor'),
    ('fwhm_maj', 'fwhm_min'),
    ('fwhm_1', 'fwhm_2'),
    ('fwhm_a', 'fwhm_b'),
    ('fwhma', 'fwhmb'),
    ('afwhm', 'bfwhm'),
    ('amaj', 'bmin'),
    ('majaxis', 'minaxis'),
    ('maj', 'min'),
)
_ROUND = ('fwhm', 'fwhm_arcsec', 'fwhm_pix')
# Angles of the major axis: east of north, and photutils' from the x axis.
_FROM_NORTH = ('pa', 'posang', 'position_angle', 'thep', 'pa_deg')
_FROM_X = ('theta', 'orientation')
# getsf and Hi-GAL number or name their columns by band.
_OF_BAND = re.compile(r'(afwhm|bfwhm|thep|fwhma|fwhmb|pa)_?(\d{2,3})')


@dataclass(frozen=True, eq=False)
class CatalogueSizes:
    """
    The sizes that a catalogue has for N sources.

    Parameters
    ----------
    major, minor : (N,) `~numpy.ndarray`
        The FWHM along both axes, as fits of a Gaussian to the map find them; NaN
        where none is known.

    unit : `~astropy.units.Unit`
        Their unit: arcsec or pixels.

    angle : (N,) `~numpy.ndarray`
        The angle of the major axis, in degrees.

    from_north : bool
        Whether that is the position angle, east of north, rather than the angle
        counter-clockwise from the x axis.
    """

    major: np.ndarray
    minor: np.ndarray
    unit: u.UnitBase
    angle: np.ndarray
    from_north: bool

    def __len__(self):
        return self.major.size

    def select(self, chosen):
        """
        Give the sizes of some sources.

        Parameters
        ----------
        chosen : array_like
            A mask, or the sources' numbers.

        Returns
        -------
        sizes : `CatalogueSizes`
            The sizes.
        """
        columns = {one.name: getattr(self, one.name) for one in fields(self)}
        for name in ('major', 'minor', 'angle'):
            columns[name] = columns[name][chosen]
        return CatalogueSizes(**columns)


def find_sizes(table, *, has_sky):
    """
    Find the sizes in a table.

    Parameters
    ----------
    table : `~astropy.table.Table`
        The table.

    has_sky : bool
        Whether it has sky positions: lengths without a unit are then in arcsec, else
        in pixels.

    Returns
    -------
    sizes : `CatalogueSizes` or `None`
        The sizes; `None` if there are no columns for them.

    Raises
    ------
    ValueError
        If the columns hold something else.
    """
    columns = {}
    for name in table.colnames:
        columns.setdefault(name.strip().lower(), name)
    columns = _without_bands(columns)
    names = next(
        ([columns[one] for one in pair] for pair in _AXES if set(pair) <= set(columns)),
        None,
    )
    if names is None:
        names = next(([columns[one]] * 2 for one in _ROUND if one in columns), None)
    if names is None:
        return None
    unit = _find_unit(table, names[0], has_sky=has_sky)
    lengths = [_to_lengths(table[name], name, unit) for name in names]
    major, minor = np.fmax(*lengths), np.fmin(*lengths)
    angle, from_north = np.zeros(len(table)), True
    for some, is_north in ((_FROM_NORTH, True), (_FROM_X, False)):
        name = next((columns[one] for one in some if one in columns), None)
        if name is not None:
            angle, from_north = to_plain_floats(table[name], u.deg, name), is_north
            break
    # An axis is known by its length, not by its name.
    angle = np.nan_to_num(angle) + np.where(lengths[0] < lengths[1], 90.0, 0.0)
    return CatalogueSizes(major, minor, unit, angle, from_north)


def _without_bands(columns):
    """Take the band out of the names of columns that are of one band alone."""
    found = {name: _OF_BAND.fullmatch(name) for name in columns}
    bands = {match[2] for match in found.values() if match is not None}
    if len(bands) > 1 and not any(one in columns for one in _ROUND):
        msg = (
            f'The table has sizes of several bands ({", ".join(sorted(bands))}): none '
            "is taken. Call those of the map's band fwhm_major, fwhm_minor and pa."
        )
        warn_user(msg)
        return {name: one for name, one in columns.items() if found[name] is None}
    return {
        name if found[name] is None else found[name][1]: one
        for name, one in columns.items()
    }


def _find_unit(table, name, *, has_sky):
    """The unit that lengths are given in: arcsec or pixels."""
    if name.strip().lower().endswith('_pix'):
        return u.pix
    unit = getattr(table[name], 'unit', None)
    if unit is not None and u.Unit(unit).is_equivalent(u.pix):
        return u.pix
    if unit is None and not has_sky and not name.strip().lower().endswith('_arcsec'):
        return u.pix
    return u.arcsec


def _to_lengths(column, name, unit):
    """Lengths in their unit; NaN where there is none."""
    values = to_plain_floats(column, unit, name)
    bad = np.isfinite(values) & (values < 0)
    if bad.any():
        msg = (
            f'The column {name!r} holds sizes below 0 ({np.count_nonzero(bad)}): they '
            'are taken as not known.'
        )
        warn_user(msg)
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)
