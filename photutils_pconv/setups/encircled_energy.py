# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""
Encircled energies from the tables of a setup.
"""

import astropy.units as u
import numpy as np
from scipy.interpolate import PchipInterpolator

from photutils_pconv.setups._tables import parse_eef_table

__all__ = ['interpolate_eef']

# A unit conversion may carry a radius past the table's end by a rounding error,
# here relative to the largest radius.
_ROUNDING = 1.0e-9


def interpolate_eef(setup, radius, table):
    """
    Interpolate a table of encircled energies.

    Parameters
    ----------
    setup : `~photutils_pconv.ObservingSetup`
        The setup.

    radius, table : object
        As for `~photutils_pconv.ObservingSetup.eef`.

    Returns
    -------
    eef : float or `~numpy.ndarray`
        The fraction, in the shape of ``radius``.

    Raises
    ------
    ValueError
        If a radius lies outside the table, or the setup does not offer the table.
    """
    radii, fractions = _find_table(setup, table)
    radius = u.Quantity(radius, u.arcsec, dtype=float).value
    slack = _ROUNDING * radii[-1]
    inside = (radius >= radii[0] - slack) & (radius <= radii[-1] + slack)
    if not np.all(inside):
        bad = np.unique(np.atleast_1d(radius)[~np.atleast_1d(inside)])
        name = f'{table!r} ' if isinstance(table, str) else ''
        msg = (
            f'The encircled-energy table {name}of the setup '
            f'{setup.name!r} covers radii from {radii[0]:g} to '
            f'{radii[-1]:g} arcsec, got {bad.tolist()} arcsec. '
            'Choose a radius in that range or give a table of your '
            'own.'
        )
        raise ValueError(msg)
    radius = np.clip(radius, radii[0], radii[-1])
    eef = PchipInterpolator(radii, fractions)(radius)
    return float(eef) if eef.ndim == 0 else eef


def _find_table(setup, table):
    """Return the radii and fractions of a table, by name or as given."""
    if not isinstance(table, str):
        return parse_eef_table(table, 'table')
    if table in setup.encircled_energy:
        return setup.encircled_energy[table]
    if table in setup.unavailable_tables:
        msg = (
            f'The setup {setup.name!r} does not offer the '
            f'encircled-energy table {table!r}: '
            f'{setup.unavailable_tables[table]}.'
        )
        raise ValueError(msg)
    names = ', '.join(map(repr, setup.encircled_energy)) or 'none'
    msg = (
        f'The setup {setup.name!r} has no encircled-energy table '
        f'{table!r}; it has: {names}. A table of your own can be '
        'given as a (radii in arcsec, eef) pair.'
    )
    raise ValueError(msg)
